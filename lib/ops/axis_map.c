/* axis_map: see axis_map.h. */
#include "ops/axis_map.h"
#include "ops/reduce.h"
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>

static bool read_axis(const struct onn_prob *p, int *axis)
{
    return onn_axis_resolve(((const struct onn_axis_map_attr *)p->attr)->axis, p->in[0].rank, axis);
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    int axis = 0;
    int64_t dim[ONN_MAX_RANK];
    ONN_CHECK(p->in[0].rank >= 1 && read_axis(p, &axis), OCLNN_ERROR_ARGUMENT,
        "the axis is outside the tensor");
    ONN_CHECK(onn_dtype_is_float(p->in[0].dtype) && p->in[1].dtype == OCLNN_I32 &&
            p->in[2].dtype == OCLNN_I32 && p->in[3].dtype == OCLNN_F32,
        OCLNN_ERROR_DTYPE, "operands must be floats, i32, i32, f32");
    ONN_CHECK(p->in[1].rank == 1 && p->in[1].dim[0] >= 1 && p->in[2].rank == 1 &&
            onn_desc_same_shape(&p->in[2], &p->in[3]),
        OCLNN_ERROR_SHAPE, "start, index and weight must be lists, the last two of the same length");
    for (int d = 0; d < p->in[0].rank; d++)
        dim[d] = d == axis ? p->in[1].dim[0] - 1 : p->in[0].dim[d];
    out[0] = onn_desc_make(p->in[0].dtype, p->in[0].rank, dim);
fail:
    return status;
}

/* d as [outer][extent of axis][inner] in memory; false if it is blocked along the axis. */
static bool split(const struct onn_desc *d, int axis, struct onn_oli *s)
{
    const int64_t block = d->format.block > 1 ? d->format.block : 1;
    bool behind = false;
    *s = (struct onn_oli){1, d->dim[axis], block};
    if (d->format.pack || (block > 1 && d->format.axis == axis))
        return false;
    for (int i = 0; i < d->rank; i++) {
        const int k = d->format.permuted ? d->format.order[i] : i;
        const int64_t n = block > 1 && d->format.axis == k ? (d->dim[k] + block - 1) / block : d->dim[k];
        if (k == axis)
            behind = true;
        else
            *(behind ? &s->inner : &s->outer) *= n;
    }
    return true;
}

static const char *refuse(const struct onn_prob *p)
{
    struct onn_oli s;
    int axis;
    if (p->in[0].dtype != OCLNN_F32 && p->in[0].dtype != OCLNN_F16)
        return "only f32 and f16";
    return read_axis(p, &axis) && split(&p->in[0], axis, &s) ? NULL : "blocked along the axis";
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_oli s;
    int axis = 0;
    (void)t;
    if (!read_axis(p, &axis) || !split(&p->in[0], axis, &s))
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "axis_map: blocked along the axis");
    const int64_t out = p->out[0].dim[axis];
    if (onn_desc_elements(&p->out[0]) == 0)
        return b->status;
    const bool cpu = p->caps && p->caps->vector_cpu;
    const int64_t piece = cpu ? (s.inner < 4096 ? s.inner : 4096) : 1;
    struct onn_launch *l =
        onn_bind_add(b, "axis_map", "axis_map", "%s -D VL=%d%s", onn_any_define(p->in[0].dtype, b->arena),
            cpu ? p->caps->vector_width : 4, cpu ? " -D ONN_ALONE" : "");
    for (int i = 0; i < 4; i++)
        onn_arg_in(l, i);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, s.len);
    onn_arg_int(b, l, out);
    onn_arg_int(b, l, s.inner);
    onn_arg_int(b, l, piece);
    onn_launch_size3(l, (size_t[3]){(size_t)((s.inner + piece - 1) / piece), (size_t)out, (size_t)s.outer},
        (size_t[3]){cpu, cpu, cpu});
    return b->status;
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 1);
}

/* Whole vectors need elements behind the axis. */
static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost c = onn_cost_copy(p, t);
    const bool last = onn_format_is_plain(&p->in[0].format);
    c.flop = 4 * (double)onn_desc_elements(&p->out[0]);
    c.efficiency = last ? 0.01 : 0.1;
    return c;
}

static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE | ONN_VARIANT_EXACT,
    .refuse = refuse,
    .formats = formats,
    .cost = cost,
    .bind = bind};
static const struct onn_variant *const variants[] = {&reference, NULL};

static const struct onn_attr attrs[] = {{"axis", NULL, ONN_ATTR_INT, offsetof(struct onn_axis_map_attr, axis),
                                            0, 0, 0},
    {.type = ONN_ATTR_END}};

static const struct onn_op axis_map = {.name = "axis_map",
    .min_in = 4,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_axis_map_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .variants = variants};

extern const struct onn_op *const onn_ops_axis_map[];
const struct onn_op *const onn_ops_axis_map[] = {&axis_map, NULL};

/* ---- for gradients ---- */
static int32_t constant(struct onn_grad *g, enum oclnn_dtype dtype, const void *data, int64_t n)
{
    const struct onn_desc desc = onn_desc_make(dtype, 1, &n);
    struct onn_blob *blob = NULL;
    int32_t id = 0;
    if (onn_blob_create(&desc, data, &blob) == OCLNN_OK)
        id = onn_graph_add_blob(g->graph, "", ONN_ROLE_CONST, blob);
    else
        onn_graph_fail(g->graph, OCLNN_ERROR_MEMORY, "out of host memory");
    onn_blob_unref(&blob);
    return id;
}

int32_t onn_axis_map_transposed(struct onn_grad *g, int32_t x, int axis, int64_t size,
    const struct onn_axis_tap *taps, int64_t n)
{
    const struct onn_axis_map_attr attr = {.axis = axis};
    struct onn_arena scratch = {0};
    int32_t id = 0;
    if (!x || g->graph->status)
        return 0;
    int32_t *start = onn_arena_calloc(&scratch, (size_t)size + 2, sizeof *start);
    int32_t *index = onn_arena_calloc(&scratch, (size_t)n + 1, sizeof *index);
    float *weight = onn_arena_calloc(&scratch, (size_t)n + 1, sizeof *weight);
    if (!start || !index || !weight || n > INT_MAX) {
        onn_graph_fail(g->graph, OCLNN_ERROR_MEMORY, "out of host memory");
        goto fail;
    }
    /* counting sort by input: start[i + 1] first counts, then is where i's next tap goes */
    for (int64_t k = 0; k < n; k++)
        start[taps[k].i + 2]++;
    for (int64_t i = 2; i <= size + 1; i++)
        start[i] += start[i - 1];
    for (int64_t k = 0; k < n; k++) {
        const int32_t at = start[taps[k].i + 1]++;
        index[at] = taps[k].o;
        weight[at] = taps[k].weight;
    }
    const int64_t entries = n ? n : 1; /* no empty buffers */
    const int32_t in[4] = {x, constant(g, OCLNN_I32, start, size + 1), constant(g, OCLNN_I32, index, entries),
        constant(g, OCLNN_F32, weight, entries)};
    if (!g->graph->status)
        id = g->emit(g, "axis_map", &attr, 4, in);
fail:
    onn_arena_finish(&scratch);
    return id;
}
