/* Gradients of data movement: the movement backwards. */
#include "ops/concat.h"
#include "ops/grads.h"
#include "ops/pad.h"
#include "ops/slice_dx.h"
#include "ops/space.h"
#include "ops/transpose.h"
#include "ops/walk.h"

#include <string.h>

/* Elements start … start + size of x along axis. */
static int32_t cut(struct onn_grad *g, int32_t x, int axis, int64_t start, int64_t size)
{
    const int64_t end = start + size, at = axis;
    if (!x || g->graph->status)
        return 0;
    const int32_t list[4] = {x, onn_graph_add_i64(g->graph, &start, 1), onn_graph_add_i64(g->graph, &end, 1),
        onn_graph_add_i64(g->graph, &at, 1)};
    return g->emit(g, "slice", NULL, 4, list);
}

/* dy as part of zeros. */
static int32_t spread(struct onn_grad *g, int32_t dy, const struct onn_desc *x, const int64_t *start,
    const int64_t *step)
{
    const struct onn_slice_dx_attr a = {.shape = onn_grad_list(g, x->dim, x->rank),
        .start = onn_grad_list(g, start, x->rank),
        .step = onn_grad_list(g, step, x->rank)};
    return onn_grad_1(g, "slice_dx", &a, dy);
}

enum oclnn_status onn_concat_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_concat_attr *a = p->attr;
    int64_t start = 0;
    int axis;
    if (!onn_axis_resolve(a ? a->axis : 1, p->out[0].rank, &axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "node '%s': wrong axis", g->name);
    for (int i = 0; i < g->n_in; i++) {
        const int64_t size = p->in[i].dim[axis];
        if (g->needed[i])
            g->add(g, i, cut(g, g->dout[0], axis, start, size));
        start += size;
    }
    return OCLNN_OK;
}

enum oclnn_status onn_split_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_split_attr *a = p->attr;
    const struct onn_concat_attr back = {.axis = a ? a->axis : 0};
    int32_t *part = onn_arena_calloc(&g->graph->arena, (size_t)g->n_out + 1, sizeof *part);
    int n = 0;
    if (!part)
        return OCLNN_ERROR_MEMORY;
    for (int i = 0; i < g->n_out; i++)
        if (g->out[i]) /* a part whose gradient nobody has is zero */
            part[n++] = g->dout[i] ? g->dout[i] : onn_grad_zeros(g, g->out[i]);
    if (!g->graph->status)
        g->add(g, 0, g->emit(g, "concat", &back, n, part));
    return OCLNN_OK;
}

/* Where a Slice began and how it stepped, read from its constants. */
static enum oclnn_status slice_start(struct onn_grad *g, const struct onn_prob *p, int64_t *start,
    int64_t *step)
{
    int64_t first[ONN_MAX_RANK], axes[ONN_MAX_RANK], by[ONN_MAX_RANK];
    const struct onn_desc *x = &p->in[0];
    int n = 0, n_axes = 0, n_by = 0;
    for (int d = 0; d < x->rank; d++) {
        start[d] = 0;
        step[d] = 1;
    }
    if (!onn_prob_ints(p, 1, first, &n) || (onn_prob_has(p, 3) && !onn_prob_ints(p, 3, axes, &n_axes)) ||
        (onn_prob_has(p, 4) && !onn_prob_ints(p, 4, by, &n_by)))
        return onn_grad_refuse(g, 0, "the cut is not known");
    for (int i = 0; i < n; i++) {
        int d = i;
        if (!onn_axis_resolve(n_axes ? axes[i] : i, x->rank, &d))
            return onn_grad_refuse(g, 0, "wrong axis");
        const int64_t s = n_by ? by[i] : 1, size = x->dim[d], most = s < 0 ? size - 1 : size;
        int64_t at = first[i] < 0 ? first[i] + size : first[i];
        at = at < 0 ? 0 : at > most ? most : at;
        start[d] = at;
        step[d] = s;
    }
    return OCLNN_OK;
}

enum oclnn_status onn_slice_grad(struct onn_grad *g, const struct onn_prob *p)
{
    int64_t start[ONN_MAX_RANK], step[ONN_MAX_RANK];
    enum oclnn_status status = slice_start(g, p, start, step);
    if (status == OCLNN_OK)
        g->add(g, 0, spread(g, g->dout[0], &p->in[0], start, step));
    return status;
}

enum oclnn_status onn_reshape_grad(struct onn_grad *g, const struct onn_prob *p)
{
    (void)p;
    g->add(g, 0, onn_grad_reshape_like(g, g->dout[0], g->in[0]));
    return OCLNN_OK;
}

enum oclnn_status onn_transpose_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_transpose_attr *a = p->attr;
    const int rank = p->in[0].rank;
    int64_t inverse[ONN_MAX_RANK];
    for (int i = 0; i < rank; i++)
        inverse[a && a->perm.n == rank ? a->perm.v[i] : rank - 1 - i] = i;
    const struct onn_transpose_attr back = {.perm = onn_grad_list(g, inverse, rank)};
    g->add(g, 0, onn_grad_1(g, "transpose", &back, g->dout[0]));
    return OCLNN_OK;
}

enum oclnn_status onn_expand_grad(struct onn_grad *g, const struct onn_prob *p)
{
    (void)p;
    g->add(g, 0, onn_grad_unbroadcast(g, g->dout[0], g->in[0]));
    return OCLNN_OK;
}

/* Tile: each dimension as (repeats, extent), summed over the repeats. */
enum oclnn_status onn_tile_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    int64_t dim[2 * ONN_MAX_RANK] = {0};
    uint32_t mask = 0;
    int n = 0;
    for (int d = 0; d < x->rank; d++) { /* dimensions that are not repeated are left whole */
        if (y->dim[d] != x->dim[d]) {
            mask |= 1u << n;
            dim[n++] = x->dim[d] ? y->dim[d] / x->dim[d] : 0;
        }
        dim[n++] = x->dim[d];
    }
    if (n > ONN_MAX_RANK)
        return onn_grad_refuse(g, 0, "too many repeated dimensions");
    int32_t dx = onn_grad_reshape(g, g->dout[0], n, dim);
    if (mask)
        dx = onn_grad_reduce(g, "reducesum", dx, mask);
    g->add(g, 0, onn_grad_reshape_like(g, dx, g->in[0]));
    return OCLNN_OK;
}

/* DepthToSpace and SpaceToDepth. */
enum oclnn_status onn_space_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_space_attr *a = p->attr;
    const struct onn_space_attr back = {.block = a->block};
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    const bool to_space = !strcmp(p->op->name, "depthtospace");
    if (!to_space) {
        g->add(g, 0, onn_grad_1(g, "depthtospace", &back, g->dout[0]));
    } else if (!a->mode || strcmp(a->mode, "CRD")) {
        g->add(g, 0, onn_grad_1(g, "spacetodepth", &back, g->dout[0]));
    } else {
        const int64_t b = a->block, six[6] = {y->dim[0], y->dim[1], x->dim[2], b, x->dim[3], b};
        const struct onn_transpose_attr order = {.perm = onn_grad_list(g, (int64_t[]){0, 1, 3, 5, 2, 4}, 6)};
        const int32_t turned = onn_grad_1(g, "transpose", &order, onn_grad_reshape(g, g->dout[0], 6, six));
        g->add(g, 0, onn_grad_reshape_like(g, turned, g->in[0]));
    }
    return OCLNN_OK;
}
