/* Gradients of Conv and ConvTranspose: each is the other one's data gradient; conv_dw gives both weight gradients. */
#include "ops/conv_dw.h"
#include "ops/convtranspose.h"
#include "ops/grads.h"
#include "ops/transpose.h"

/* Explicit attributes of a resolved window (pads of its spatial dimensions: all begins, then all ends). */
static struct onn_window_attr explicit_window(struct onn_grad *g, const struct onn_window *w,
    const int64_t end[3])
{
    int64_t pads[6];
    const int n = w->spatial, first = 3 - n;
    for (int i = 0; i < n; i++) {
        pads[i] = w->begin[first + i];
        pads[n + i] = end[first + i];
    }
    return (struct onn_window_attr){
        .kernel = onn_grad_list(g, w->kernel + first, n),
        .pad = onn_grad_list(g, pads, 2 * n),
        .stride = onn_grad_list(g, w->stride + first, n),
        .dilation = onn_grad_list(g, w->dilation + first, n),
    };
}

/* The bias's gradient: dy summed over images and pixels, as [K]. */
static void bias_grad(struct onn_grad *g, int i)
{
    const struct onn_desc dy = *onn_grad_desc(g, g->dout[0]);
    if (i >= g->n_in || !g->in[i] || !g->needed[i])
        return;
    const uint32_t all = (1u << dy.rank) - 1;
    g->add(g, i, onn_grad_reshape_like(g, onn_grad_reduce(g, "reducesum", g->dout[0], all & ~2u), g->in[i]));
}

/* With stride 1 the data gradient is a convolution again, of dy with the weight turned round: it runs on the forward
 * kernels, Winograd among them. False where the pads do not allow it. */
static bool turned_window(const struct onn_window *w, struct onn_window *turned, int64_t end[3])
{
    *turned = *w;
    for (int i = 0; i < 3; i++) {
        const int64_t reach = (w->kernel[i] - 1) * w->dilation[i];
        turned->begin[i] = reach - w->begin[i];
        end[i] = reach - w->end[i];
        if (w->stride[i] != 1 || turned->begin[i] < 0 || end[i] < 0)
            return false;
    }
    return true;
}

/* w [K, C / G, taps] -> [C, K / G, taps reversed] */
static int32_t turned_weight(struct onn_grad *g, int32_t w, const struct onn_conv_geometry *geo)
{
    const int n = geo->window.spatial, first = 3 - n;
    int64_t list[4][3], dim[6] = {geo->group, geo->k_group, geo->c_group}, perm[6] = {0, 2, 1, 3, 4, 5};
    int axes = 0;
    for (int i = 0; i < n; i++) { /* from the last to the first along every tap dimension */
        dim[3 + i] = geo->window.kernel[first + i];
        if (geo->window.kernel[first + i] == 1)
            continue;
        list[0][axes] = -1;
        list[1][axes] = -INT32_MAX;
        list[2][axes] = 2 + i;
        list[3][axes++] = -1;
    }
    if (axes) {
        int32_t in[5] = {w};
        for (int i = 0; i < 4; i++)
            in[1 + i] = onn_graph_add_i64(g->graph, list[i], axes);
        w = g->graph->status ? 0 : g->emit(g, "slice", NULL, 5, in);
    }
    if (geo->k_group == 1 && geo->c_group == 1)
        return w;
    if (geo->group > 1) {
        const struct onn_transpose_attr a = {.perm = onn_grad_list(g, perm, 3 + n)};
        w = onn_grad_1(g, "transpose", &a, onn_grad_reshape(g, w, 3 + n, dim));
        dim[1] = geo->c;
        dim[2] = geo->k_group;
        return onn_grad_reshape(g, w, 2 + n, dim + 1);
    }
    const struct onn_transpose_attr a = {.perm = onn_grad_list(g, (int64_t[]){1, 0, 2, 3, 4}, 2 + n)};
    return onn_grad_1(g, "transpose", &a, w);
}

static void conv_dx(struct onn_grad *g, const struct onn_conv_geometry *geo,
    const struct onn_window_attr *window)
{
    const struct onn_window *w = &geo->window;
    struct onn_window turned;
    int64_t end[3], extra[3];
    if (turned_window(w, &turned, end)) {
        const struct onn_conv_attr a = {.window = explicit_window(g, &turned, end), .group = geo->group};
        g->add(g, 0, onn_grad_2(g, "conv", &a, g->dout[0], turned_weight(g, g->in[1], geo)));
        return;
    }
    for (int i = 0; i < 3; i++) /* the rest that a stride leaves over at the end */
        extra[i] = w->in[i] -
            ((w->out[i] - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1 - w->begin[i] -
                w->end[i]);
    const struct onn_convtranspose_attr a = {.window = *window,
        .group = geo->group,
        .output_padding = onn_grad_list(g, extra + 3 - w->spatial, w->spatial),
        .output_shape.n = -1};
    g->add(g, 0, onn_grad_2(g, "convtranspose", &a, g->dout[0], g->in[1]));
}

enum oclnn_status onn_conv_grad(struct onn_grad *g, const struct onn_prob *p)
{
    enum oclnn_status status;
    struct onn_conv_geometry geo;

    ONN_TRY(onn_conv_geometry(p, &geo));
    const struct onn_window_attr window = explicit_window(g, &geo.window, geo.window.end);
    if (g->needed[0])
        conv_dx(g, &geo, &window);
    if (g->needed[1]) {
        const struct onn_conv_attr a = {.window = window, .group = geo.group};
        g->add(g, 1, onn_grad_2(g, "conv_dw", &a, g->in[0], g->dout[0]));
    }
    bias_grad(g, 2);
    return OCLNN_OK;
fail:
    return status;
}

/* The first elements of x's spatial dimensions, as many as `like` has. */
static int32_t crop_like(struct onn_grad *g, int32_t x, int32_t like)
{
    if (!x || onn_desc_same_shape(onn_grad_desc(g, x), onn_grad_desc(g, like)))
        return x;
    int64_t start[ONN_MAX_RANK] = {0};
    const struct onn_desc want = *onn_grad_desc(g, like);
    const int32_t starts = onn_graph_add_i64(g->graph, start, want.rank);
    return onn_grad_3(g, "slice", NULL, x, starts, onn_graph_add_i64(g->graph, want.dim, want.rank));
}

enum oclnn_status onn_convtranspose_grad(struct onn_grad *g, const struct onn_prob *p)
{
    enum oclnn_status status;
    struct onn_conv_geometry geo;
    struct onn_window *w = &geo.window;
    int64_t end[3];

    ONN_TRY(onn_convtranspose_geometry(p, &geo));
    for (int i = 0; i < 3; i++) { /* so that the convolution of dy reaches the last input element */
        const int64_t reach = (w->in[i] - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1;
        end[i] = reach - w->begin[i] - w->out[i];
        end[i] = end[i] > 0 ? end[i] : 0;
    }
    const struct onn_conv_attr a = {.window = explicit_window(g, w, end), .group = geo.group};
    if (g->needed[0])
        g->add(g, 0, crop_like(g, onn_grad_2(g, "conv", &a, g->dout[0], g->in[1]), g->in[0]));
    if (g->needed[1])
        g->add(g, 1, onn_grad_2(g, "conv_dw", &a, g->dout[0], g->in[0]));
    bias_grad(g, 2);
    return OCLNN_OK;
fail:
    return status;
}
