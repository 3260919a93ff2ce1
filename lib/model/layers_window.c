/* The sliding window that convolutions and pools have in common, read from their parameters. */
#include "model/graph_api.h"

/* out = a pair where {2} means {2, 2} and {0} means {def, def}; one number in a 1-D layer. */
static bool read_pair(struct onn_layer *l, const struct onn_layer_window *w, const char *what,
    const int *pair, int64_t def, int64_t out[2])
{
    int64_t first = pair[0] ? pair[0] : pair[1] ? pair[1] : def;
    out[0] = first;
    out[1] = pair[1] ? pair[1] : first;
    if (w->spatial == 1 && pair[1])
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "%s is %dx%d, and x has one dimension of positions", what,
            pair[0], pair[1]);
    else if (out[0] < 1 || out[1] < 1)
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "%s is %lldx%lld", what, (long long)out[0],
            (long long)out[1]);
    return l->g->status == OCLNN_OK;
}

bool onn_layer_window(struct onn_layer *l, oclnn_value x, int size, int64_t stride,
    struct onn_layer_window *w)
{
    const int square[2] = {size, w->spatial == 1 ? 0 : size};
    if (!onn_layer_needs(l, x, 2 + w->spatial, -1) ||
        !read_pair(l, w, "the kernel", w->kernel[0] || w->kernel[1] ? w->kernel : square, 0, w->k) ||
        !read_pair(l, w, "dilation", w->dilation, 1, w->d))
        return false;
    for (int i = 0; i < 2; i++)
        w->s[i] = w->k[i];
    if ((stride || w->stride[0] || w->stride[1]) && !read_pair(l, w, "stride", w->stride, stride, w->s))
        return false;
    for (int i = 0; i < 4; i++) {
        w->p[i] = w->pad[i];
        if (w->pad[i] < 0 || (w->pad[i] && w->same))
            onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, w->same ? "same is set, and pad[%d]=%d" : "pad[%d]=%d", i,
                w->pad[i]);
        else if (w->pad[i] && i >= 2 * w->spatial)
            onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "pad[%d]=%d, and x has one dimension of positions", i,
                w->pad[i]);
    }
    if (w->same < 0 || w->same > 2)
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "same=%d, 0 to 2 are possible", w->same);
    return l->g->status == OCLNN_OK;
}

void onn_layer_set_window(struct onn_layer *l, const struct onn_layer_window *w)
{
    onn_layer_set_ints(l, "kernel_shape", w->spatial, w->k);
    onn_layer_set_ints(l, "strides", w->spatial, w->s);
    if (w->same)
        onn_layer_set_text(l, "auto_pad", w->same == 2 ? "SAME_LOWER" : "SAME_UPPER");
    else
        onn_layer_set_ints(l, "pads", 2 * w->spatial, w->p);
}
