/* Pooling and resizing layers. */
#include "model/graph_api.h"

#include <math.h>

static oclnn_value pool(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params,
    int spatial, const char *kind, const char *onnx)
{
    static const struct oclnn_pool none = {0};
    const struct oclnn_pool *p = params ? params : &none;
    struct onn_layer_window w = {.spatial = spatial,
        .same = p->same,
        .kernel = p->kernel,
        .stride = p->stride,
        .pad = p->pad,
        .dilation = p->dilation};
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, p->name, 1, &x) || !onn_layer_window(&l, x, size, 0, &w))
        return 0;
    bool is_max = onnx[0] == 'M';
    if (is_max && p->count_pad)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "count_pad is only for averages");
    onn_layer_op(&l, onnx);
    onn_layer_set_window(&l, &w);
    if (w.d[0] > 1 || w.d[1] > 1)
        onn_layer_set_ints(&l, "dilations", spatial, w.d);
    onn_layer_set_int(&l, "ceil_mode", p->ceil_mode != 0);
    if (!is_max)
        onn_layer_set_int(&l, "count_include_pad", p->count_pad != 0);
    return onn_layer_emit(&l, NULL, 1, &x);
}

oclnn_value oclnn_max_pool1d(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params)
{
    return pool(graph, x, size, params, 1, "max_pool1d", "MaxPool");
}

oclnn_value oclnn_max_pool2d(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params)
{
    return pool(graph, x, size, params, 2, "max_pool2d", "MaxPool");
}

oclnn_value oclnn_avg_pool1d(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params)
{
    return pool(graph, x, size, params, 1, "avg_pool1d", "AveragePool");
}

oclnn_value oclnn_avg_pool2d(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_pool *params)
{
    return pool(graph, x, size, params, 2, "avg_pool2d", "AveragePool");
}

oclnn_value oclnn_global_avg_pool(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "global_avg_pool", "GlobalAveragePool", 1, &x);
}

oclnn_value oclnn_global_max_pool(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "global_max_pool", "GlobalMaxPool", 1, &x);
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
