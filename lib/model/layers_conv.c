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

/* What the two convolutions have in common, read from the parameters. */
struct window {
    int64_t kernel[2], stride[2], dilation[2], pad[4];
    int64_t channels, group;
};

static bool read_window(struct onn_layer *l, oclnn_value x, int filters, int size, const struct oclnn_conv *p,
    struct window *w)
{
    const int square[2] = {size, size};
    if (!onn_layer_needs(l, x, 4, 1))
        return false;
    w->channels = onn_layer_desc(l, x)->dim[1];
    w->group = p->group ? p->group : 1;
    if (!onn_layer_pair(l, "the kernel", p->kernel[0] || p->kernel[1] ? p->kernel : square, 0, w->kernel) ||
        !onn_layer_pair(l, "stride", p->stride, 1, w->stride) ||
        !onn_layer_pair(l, "dilation", p->dilation, 1, w->dilation))
        return false;
    for (int i = 0; i < 4; i++) {
        w->pad[i] = p->pad[i];
        if (p->pad[i] < 0 || (p->pad[i] && p->same))
            onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, p->same ? "same is set, and pad[%d]=%d" : "pad[%d]=%d", i,
                p->pad[i]);
    }
    if (filters < 1)
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "%d filters", filters);
    else if (w->group < 1 || w->channels % w->group)
        onn_layer_fail(l, OCLNN_ERROR_SHAPE, "group=%lld does not divide %lld input channels",
            (long long)w->group, (long long)w->channels);
    else if (filters % w->group)
        onn_layer_fail(l, OCLNN_ERROR_SHAPE, "group=%lld does not divide %d filters", (long long)w->group,
            filters);
    return l->g->status == OCLNN_OK;
}

static void set_window(struct onn_layer *l, const struct oclnn_conv *p, const struct window *w)
{
    onn_layer_set_ints(l, "kernel_shape", 2, w->kernel);
    onn_layer_set_ints(l, "strides", 2, w->stride);
    onn_layer_set_ints(l, "dilations", 2, w->dilation);
    onn_layer_set_int(l, "group", w->group);
    if (p->same)
        onn_layer_set_text(l, "auto_pad", "SAME_UPPER");
    else
        onn_layer_set_ints(l, "pads", 4, w->pad);
}

/* `first`, `second`: the weight's leading dimensions. */
static oclnn_value convolve(struct onn_layer *l, oclnn_value x, int64_t first, int64_t second,
    int64_t filters, int64_t fan_in, const struct oclnn_conv *p, const struct window *w)
{
    enum oclnn_dtype dtype = onn_layer_desc(l, x)->dtype;
    int64_t taps = w->kernel[0] * w->kernel[1]; /* both are ints */
    struct onn_desc d = onn_desc_make(dtype, 4, (int64_t[]){first, second, w->kernel[0], w->kernel[1]});
    if (onn_desc_elements(&d) < 0)
        return onn_layer_fail(l, OCLNN_ERROR_SHAPE, "the weight is too big");
    struct onn_init usual = kaiming(fan_in * taps, filters / w->group * taps);
    oclnn_value in[3] = {x};
    in[1] = onn_layer_param(l, ".weight", ONN_ROLE_PARAM, &d, &p->weight_init, &usual);
    if (!p->no_bias)
        in[2] = add_bias(l, dtype, filters, &p->bias_init);
    return onn_layer_emit(l, NULL, p->no_bias ? 2 : 3, in);
}

oclnn_value oclnn_conv2d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params)
{
    static const struct oclnn_conv none = {0};
    const struct oclnn_conv *p = params ? params : &none;
    struct onn_layer l;
    struct window w;
    if (!onn_layer_begin(&l, graph, "conv2d", p->name, 1, &x) || !read_window(&l, x, filters, size, p, &w))
        return 0;
    if (p->output_pad[0] || p->output_pad[1])
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "output_pad is only for oclnn_conv_transpose2d");
    onn_layer_op(&l, "Conv");
    set_window(&l, p, &w);
    int64_t c = w.channels / w.group;
    return convolve(&l, x, filters, c, filters, c, p, &w);
}

oclnn_value oclnn_conv_transpose2d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params)
{
    static const struct oclnn_conv none = {0};
    const struct oclnn_conv *p = params ? params : &none;
    struct onn_layer l;
    struct window w;
    if (!onn_layer_begin(&l, graph, "conv_transpose2d", p->name, 1, &x) ||
        !read_window(&l, x, filters, size, p, &w))
        return 0;
    onn_layer_op(&l, "ConvTranspose");
    set_window(&l, p, &w);
    if (p->output_pad[0] || p->output_pad[1])
        onn_layer_set_ints(&l, "output_padding", 2, (int64_t[]){p->output_pad[0], p->output_pad[1]});
    /* Each output sums over a filter's taps that fall on an input: one in stride*stride of them. */
    int64_t fan = w.channels / w.group / (w.stride[0] * w.stride[1]);
    return convolve(&l, x, w.channels, filters / w.group, filters, fan > 0 ? fan : 1, p, &w);
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
