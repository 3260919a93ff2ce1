/* Pooling and resizing layers. */
#include "model/graph_api.h"

#include <math.h>

static oclnn_value pool(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params,
    const char *kind, const char *onnx)
{
    static const struct oclnn_pool none = {0};
    const struct oclnn_pool *p = params ? params : &none;
    const int square[2] = {size, size};
    int64_t kernel[2], stride[2], dilation[2], pad[4];
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, p->name, 1, &x) || !onn_layer_needs(&l, x, 4, -1) ||
        !onn_layer_pair(&l, "the window", p->kernel[0] || p->kernel[1] ? p->kernel : square, 0, kernel) ||
        !onn_layer_pair(&l, "stride", p->stride, 0x7fffffff, stride) ||
        !onn_layer_pair(&l, "dilation", p->dilation, 1, dilation))
        return 0;
    bool is_max = onnx[0] == 'M', strided = p->stride[0] || p->stride[1];
    if (is_max && p->count_pad)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "count_pad is only for averages");
    onn_layer_op(&l, onnx);
    onn_layer_set_ints(&l, "kernel_shape", 2, kernel);
    onn_layer_set_ints(&l, "strides", 2, strided ? stride : kernel);
    if (dilation[0] > 1 || dilation[1] > 1)
        onn_layer_set_ints(&l, "dilations", 2, dilation);
    for (int i = 0; i < 4; i++) {
        pad[i] = p->pad[i];
        if (pad[i] < 0 || (pad[i] && p->same))
            return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT,
                p->same ? "same is set, and pad[%d]=%d" : "pad[%d]=%d", i, p->pad[i]);
    }
    if (p->same)
        onn_layer_set_text(&l, "auto_pad", "SAME_UPPER");
    else
        onn_layer_set_ints(&l, "pads", 4, pad);
    onn_layer_set_int(&l, "ceil_mode", p->ceil_mode != 0);
    if (!is_max)
        onn_layer_set_int(&l, "count_include_pad", p->count_pad != 0);
    return onn_layer_emit(&l, NULL, 1, &x);
}

oclnn_value oclnn_max_pool2d(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params)
{
    return pool(graph, x, size, params, "max_pool2d", "MaxPool");
}

oclnn_value oclnn_avg_pool2d(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params)
{
    return pool(graph, x, size, params, "avg_pool2d", "AveragePool");
}

static oclnn_value global_pool(oclnn_graph *graph, oclnn_value x, const char *kind, const char *onnx)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    onn_layer_op(&l, onnx);
    return onn_layer_emit(&l, NULL, 1, &x);
}

oclnn_value oclnn_global_avg_pool(oclnn_graph *graph, oclnn_value x)
{
    return global_pool(graph, x, "global_avg_pool", "GlobalAveragePool");
}

oclnn_value oclnn_global_max_pool(oclnn_graph *graph, oclnn_value x)
{
    return global_pool(graph, x, "global_max_pool", "GlobalMaxPool");
}

static bool begin_resize(struct onn_layer *l, oclnn_graph *graph, oclnn_value x, const char *kind,
    const struct oclnn_resize *p)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    if (!onn_layer_begin(l, graph, kind, p->name, 1, &x) || !onn_layer_needs(l, x, 4, 1))
        return false;
    if ((unsigned)p->mode > OCLNN_CUBIC) {
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "mode %d", (int)p->mode);
        return false;
    }
    onn_layer_op(l, "Resize");
    onn_layer_set_text(l, "mode", modes[p->mode]);
    onn_layer_set_text(l, "coordinate_transformation_mode",
        p->align_corners ? "align_corners" : "half_pixel");
    return l->g->status == OCLNN_OK;
}

oclnn_value oclnn_resize2d(oclnn_graph *graph, oclnn_value x, int height, int width,
    const struct oclnn_resize *params)
{
    static const struct oclnn_resize none = {0};
    struct onn_layer l;
    if (!begin_resize(&l, graph, x, "resize2d", params ? params : &none))
        return 0;
    if (height < 1 || width < 1)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "to %dx%d pixels", height, width);
    /* The batch may be free: only the two spatial dimensions are named. */
    oclnn_value in[4] = {x};
    onn_layer_set_ints(&l, "axes", 2, (int64_t[]){2, 3});
    in[3] = onn_layer_i64(&l, 2, (int64_t[]){height, width});
    return onn_layer_emit(&l, NULL, 4, in);
}

oclnn_value oclnn_upsample(oclnn_graph *graph, oclnn_value x, float factor, const struct oclnn_resize *params)
{
    static const struct oclnn_resize none = {0};
    struct onn_layer l;
    if (!begin_resize(&l, graph, x, "upsample", params ? params : &none))
        return 0;
    if (!(factor > 0) || isinf(factor))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "factor %g", (double)factor);
    oclnn_value in[3] = {x};
    in[2] = onn_layer_f32(&l, 4, (float[]){1, 1, factor, factor});
    return onn_layer_emit(&l, NULL, 3, in);
}
