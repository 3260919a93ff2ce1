/* What gradient callbacks share. */
#include "ops/grad.h"

#include <string.h>

int32_t onn_grad_unbroadcast(struct onn_grad *g, int32_t dx, int32_t like)
{
    if (!dx || !like || g->graph->status)
        return 0;
    struct onn_desc have = g->graph->value[dx].desc, want = g->graph->value[like].desc;
    if (onn_desc_same_shape(&have, &want))
        return dx;
    uint32_t mask = 0;
    const int shift = have.rank - want.rank;
    for (int i = 0; i < have.rank; i++)
        if (i < shift || (want.dim[i - shift] == 1 && have.dim[i] != 1))
            mask |= 1u << i;
    return onn_grad_reshape_like(g, mask ? onn_grad_reduce(g, "reducesum", dx, mask) : dx, like);
}

int32_t onn_grad_1(struct onn_grad *g, const char *op, const void *attr, int32_t a)
{
    return a && !g->graph->status ? g->emit(g, op, attr, 1, &a) : 0;
}

int32_t onn_grad_2(struct onn_grad *g, const char *op, const void *attr, int32_t a, int32_t b)
{
    return a && b && !g->graph->status ? g->emit(g, op, attr, 2, (int32_t[]){a, b}) : 0;
}

int32_t onn_grad_3(struct onn_grad *g, const char *op, const void *attr, int32_t a, int32_t b, int32_t c)
{
    return a && b && c && !g->graph->status ? g->emit(g, op, attr, 3, (int32_t[]){a, b, c}) : 0;
}

const struct onn_desc *onn_grad_desc(const struct onn_grad *g, int32_t id)
{
    return &g->graph->value[id].desc;
}

static enum oclnn_dtype gradient_type(const struct onn_grad *g)
{
    for (int i = 0; i < g->n_out; i++)
        if (g->dout[i])
            return g->graph->value[g->dout[i]].desc.dtype;
    return OCLNN_F32;
}

int32_t onn_grad_number(struct onn_grad *g, double v)
{
    struct onn_desc desc = onn_desc_make(gradient_type(g), 0, NULL);
    struct onn_blob *blob = NULL;
    if (g->graph->status || onn_blob_create(&desc, NULL, &blob) != OCLNN_OK) {
        onn_graph_fail(g->graph, OCLNN_ERROR_MEMORY, "out of host memory");
        return 0;
    }
    onn_blob_set_f64(blob, 0, v);
    const int32_t id = onn_graph_add_blob(g->graph, "", ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    return id;
}

int32_t onn_grad_scale(struct onn_grad *g, int32_t x, double v)
{
    return x ? onn_grad_2(g, "mul", NULL, x, onn_grad_number(g, v)) : 0;
}

int32_t onn_grad_reshape(struct onn_grad *g, int32_t x, int rank, const int64_t *dim)
{
    if (!x || g->graph->status)
        return 0;
    const struct onn_desc *d = onn_grad_desc(g, x);
    bool same = d->rank == rank;
    for (int i = 0; i < rank && same; i++)
        same = d->dim[i] == dim[i];
    return same ? x : onn_grad_2(g, "reshape", NULL, x, onn_graph_add_i64(g->graph, dim, rank));
}

int32_t onn_grad_reshape_like(struct onn_grad *g, int32_t x, int32_t like)
{
    const struct onn_desc want = g->graph->value[like].desc;
    return onn_grad_reshape(g, x, want.rank, want.dim);
}

int32_t onn_grad_expand_like(struct onn_grad *g, int32_t x, int32_t like)
{
    const struct onn_desc want = g->graph->value[like].desc;
    if (!x || g->graph->status)
        return 0;
    if (onn_desc_same_shape(onn_grad_desc(g, x), &want))
        return x;
    return onn_grad_2(g, "expand", NULL, x, onn_graph_add_i64(g->graph, want.dim, want.rank));
}

int32_t onn_grad_reduce(struct onn_grad *g, const char *op, int32_t x, uint32_t mask)
{
    int64_t axes[ONN_MAX_RANK];
    int n = 0;
    if (!x || g->graph->status)
        return 0;
    for (int i = 0; i < onn_grad_desc(g, x)->rank; i++)
        if (mask >> i & 1)
            axes[n++] = i;
    return onn_grad_2(g, op, NULL, x, onn_graph_add_i64(g->graph, axes, n)); /* keepdims by default */
}

int32_t onn_grad_zeros(struct onn_grad *g, int32_t like)
{
    return onn_grad_expand_like(g, onn_grad_number(g, 0), like);
}

struct onn_ints onn_grad_list(struct onn_grad *g, const int64_t *v, int n)
{
    const int64_t *copy = onn_arena_dup(&g->graph->arena, v, (size_t)n * sizeof *v);
    if (!copy)
        onn_graph_fail(g->graph, OCLNN_ERROR_MEMORY, "out of host memory");
    return (struct onn_ints){copy ? n : 0, copy};
}

enum oclnn_status onn_grad_refuse(const struct onn_grad *g, int i, const char *why)
{
    return onn_error(OCLNN_ERROR_UNSUPPORTED, "node '%s' (%s): no gradient for input %d: %s", g->name,
        g->prob->op->onnx ? g->prob->op->onnx : g->prob->op->name, i, why);
}
