/* Layers with a weight: convolutions, dense layers, parameters of their own. */
#include "model/graph_api.h"

#include <math.h>

static const struct onn_init zero = {.kind = ONN_INIT_ZERO};

static struct onn_init kaiming(int64_t fan_in, int64_t fan_out)
{
    return (struct onn_init){.kind = ONN_INIT_KAIMING_UNIFORM, .fan_in = fan_in, .fan_out = fan_out};
}

static oclnn_value add_bias(struct onn_layer *l, enum oclnn_dtype dtype, int64_t n,
    const struct oclnn_init *init)
{
    struct onn_desc d = onn_desc_make(dtype, 1, &n);
    return onn_layer_param(l, ".bias", ONN_ROLE_PARAM, &d, init, &zero);
}

/* What the convolutions have in common. */
struct shape {
    struct onn_layer_window window;
    int64_t channels, filters, group;
};

static struct onn_layer_window window_of(const struct oclnn_conv *p, int spatial)
{
    return (struct onn_layer_window){.spatial = spatial,
        .same = p->same,
        .kernel = p->kernel,
        .stride = p->stride,
        .pad = p->pad,
        .dilation = p->dilation};
}

static bool read_conv(struct onn_layer *l, oclnn_value x, int filters, int size, const struct oclnn_conv *p,
    struct shape *c)
{
    if (!onn_layer_window(l, x, size, 1, &c->window) || !onn_layer_needs(l, x, -1, 1))
        return false;
    c->channels = onn_layer_desc(l, x)->dim[1];
    c->filters = filters;
    c->group = p->group ? p->group : 1;
    if (filters < 1)
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "%d filters", filters);
    else if (c->group < 1 || c->channels % c->group)
        onn_layer_fail(l, OCLNN_ERROR_SHAPE, "group=%lld does not divide %lld input channels",
            (long long)c->group, (long long)c->channels);
    else if (filters % c->group)
        onn_layer_fail(l, OCLNN_ERROR_SHAPE, "group=%lld does not divide %d filters", (long long)c->group,
            filters);
    return l->g->status == OCLNN_OK;
}

/* `first`, `second`: the weight's leading dimensions. */
static oclnn_value convolve(struct onn_layer *l, oclnn_value x, int64_t first, int64_t second, int64_t fan_in,
    const struct oclnn_conv *p, const struct shape *c)
{
    const struct onn_layer_window *w = &c->window;
    enum oclnn_dtype dtype = onn_layer_desc(l, x)->dtype;
    int64_t taps = w->spatial == 1 ? w->k[0] : w->k[0] * w->k[1]; /* both are ints */
    struct onn_desc d = onn_desc_make(dtype, 2 + w->spatial, (int64_t[]){first, second, w->k[0], w->k[1]});
    if (onn_desc_elements(&d) < 0)
        return onn_layer_fail(l, OCLNN_ERROR_SHAPE, "the weight is too big");
    onn_layer_set_window(l, w);
    onn_layer_set_ints(l, "dilations", w->spatial, w->d);
    onn_layer_set_int(l, "group", c->group);
    struct onn_init usual = kaiming(fan_in * taps, c->filters / c->group * taps);
    oclnn_value in[3] = {x};
    in[1] = onn_layer_param(l, ".weight", ONN_ROLE_PARAM, &d, &p->weight_init, &usual);
    if (!p->no_bias)
        in[2] = add_bias(l, dtype, c->filters, &p->bias_init);
    return onn_layer_emit(l, NULL, p->no_bias ? 2 : 3, in);
}

static oclnn_value conv(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params, int spatial, const char *kind)
{
    static const struct oclnn_conv none = {0};
    const struct oclnn_conv *p = params ? params : &none;
    struct shape c = {.window = window_of(p, spatial)};
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, p->name, 1, &x) || !read_conv(&l, x, filters, size, p, &c))
        return 0;
    if (p->output_pad[0] || p->output_pad[1])
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "output_pad is only for transposed convolutions");
    onn_layer_op(&l, "Conv");
    int64_t per_group = c.channels / c.group;
    return convolve(&l, x, filters, per_group, per_group, p, &c);
}

oclnn_value oclnn_conv1d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params)
{
    return conv(graph, x, filters, size, params, 1, "conv1d");
}

oclnn_value oclnn_conv2d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params)
{
    return conv(graph, x, filters, size, params, 2, "conv2d");
}

static oclnn_value conv_transpose(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params, int spatial, const char *kind)
{
    static const struct oclnn_conv none = {0};
    const struct oclnn_conv *p = params ? params : &none;
    struct shape c = {.window = window_of(p, spatial)};
    const int64_t more[2] = {p->output_pad[0], p->output_pad[1]};
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, p->name, 1, &x) || !read_conv(&l, x, filters, size, p, &c))
        return 0;
    if (spatial == 1 && more[1])
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT,
            "output_pad[1]=%d, and x has one dimension of positions", p->output_pad[1]);
    onn_layer_op(&l, "ConvTranspose");
    if (more[0] || more[1])
        onn_layer_set_ints(&l, "output_padding", spatial, more);
    /* Each output sums over a filter's taps that fall on an input: one in stride*stride of them. */
    int64_t fan = c.channels / c.group / (c.window.s[0] * (spatial == 1 ? 1 : c.window.s[1]));
    return convolve(&l, x, c.channels, filters / c.group, fan > 0 ? fan : 1, p, &c);
}

oclnn_value oclnn_conv_transpose1d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params)
{
    return conv_transpose(graph, x, filters, size, params, 1, "conv_transpose1d");
}

oclnn_value oclnn_conv_transpose2d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params)
{
    return conv_transpose(graph, x, filters, size, params, 2, "conv_transpose2d");
}

oclnn_value oclnn_dense(oclnn_graph *graph, oclnn_value x, int units, const struct oclnn_dense *params)
{
    static const struct oclnn_dense none = {0};
    const struct oclnn_dense *p = params ? params : &none;
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "dense", p->name, 1, &x))
        return 0;
    const struct onn_desc *d = onn_layer_desc(&l, x);
    enum oclnn_dtype dtype = d->dtype;
    int rank = d->rank;
    if (units < 1)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "%d units", units);
    if (rank < 2)
        return onn_layer_fail(&l, OCLNN_ERROR_SHAPE, "x has %d dimensions, at least 2 are needed", rank);
    if (!onn_layer_needs(&l, x, -1, rank - 1))
        return 0;
    int64_t features = d->dim[rank - 1];
    struct onn_desc w =
        onn_desc_make(dtype, 2, rank == 2 ? (int64_t[]){units, features} : (int64_t[]){features, units});
    /* Variance 1 / (3 features), bounds 1 / sqrt(features): the last layer of a classifier then begins near equal answers. */
    const float bound = features > 0 ? 1 / sqrtf((float)features) : 1;
    const struct onn_init usual = {.kind = ONN_INIT_UNIFORM,
        .a = -bound,
        .b = bound,
        .fan_in = features,
        .fan_out = units};
    oclnn_value in[3] = {x};
    in[1] = onn_layer_param(&l, ".weight", ONN_ROLE_PARAM, &w, &p->weight_init, &usual);
    if (!p->no_bias)
        in[2] = add_bias(&l, dtype, units, &p->bias_init);
    if (rank == 2) {
        onn_layer_op(&l, "Gemm");
        onn_layer_set_int(&l, "transB", 1);
        return onn_layer_emit(&l, NULL, p->no_bias ? 2 : 3, in);
    }
    onn_layer_op(&l, "MatMul");
    in[1] = onn_layer_emit(&l, p->no_bias ? NULL : ".matmul", 2, in);
    if (p->no_bias)
        return in[1];
    onn_layer_op(&l, "Add");
    return onn_layer_emit(&l, NULL, 2, in + 1);
}

oclnn_value oclnn_matmul(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    struct onn_layer l;
    oclnn_value in[2] = {a, b};
    if (!onn_layer_begin(&l, graph, "matmul", NULL, 2, in))
        return 0;
    onn_layer_op(&l, "MatMul");
    return onn_layer_emit(&l, NULL, 2, in);
}

oclnn_value oclnn_gemm(oclnn_graph *graph, oclnn_value a, oclnn_value b, oclnn_value c,
    const struct oclnn_gemm *params)
{
    static const struct oclnn_gemm none = {0};
    const struct oclnn_gemm *p = params ? params : &none;
    struct onn_layer l;
    oclnn_value in[3] = {a, b, c};
    if (!onn_layer_begin(&l, graph, "gemm", p->name, c ? 3 : 2, in))
        return 0;
    onn_layer_op(&l, "Gemm");
    onn_layer_set_float(&l, "alpha", p->alpha != 0 ? p->alpha : 1);
    onn_layer_set_float(&l, "beta", p->beta != 0 ? p->beta : 1);
    onn_layer_set_int(&l, "transA", p->transpose_a != 0);
    onn_layer_set_int(&l, "transB", p->transpose_b != 0);
    return onn_layer_emit(&l, NULL, c ? 3 : 2, in);
}

oclnn_value oclnn_parameter(oclnn_graph *graph, const char *name, enum oclnn_dtype dtype,
    struct oclnn_shape shape, const struct oclnn_init *init)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "parameter", name, 0, NULL))
        return 0;
    if (shape.rank < 0 || shape.rank > OCLNN_MAX_RANK)
        return onn_layer_fail(&l, OCLNN_ERROR_SHAPE, "%d dimensions", shape.rank);
    struct onn_desc d = onn_desc_of_shape(dtype, shape);
    int64_t n = onn_desc_elements(&d), first = shape.rank ? shape.dim[0] : 1;
    struct onn_init usual = kaiming(first > 0 && n > 0 ? n / first : 1, first);
    return onn_layer_param(&l, "", ONN_ROLE_PARAM, &d, init, &usual);
}
