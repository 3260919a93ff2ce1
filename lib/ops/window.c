/* Resolves sliding windows: pads, auto_pad, ceil mode, output extents. */
#include "ops/conv.h"
#include <stdio.h>
#include <string.h>

static const char *const axis_name[3] = {"depth", "height", "width"};

enum onn_auto_pad onn_auto_pad(const char *text)
{
    if (!text || !*text || !strcmp(text, "NOTSET"))
        return ONN_PAD_EXPLICIT;
    if (!strcmp(text, "SAME_UPPER"))
        return ONN_PAD_SAME_UPPER;
    if (!strcmp(text, "SAME_LOWER"))
        return ONN_PAD_SAME_LOWER;
    return strcmp(text, "VALID") ? ONN_PAD_UNKNOWN : ONN_PAD_VALID;
}

/* Entry i of a list that has one entry per dimension, or one for all. */
static int64_t list_at(const struct onn_ints *list, int i, int64_t def)
{
    return list->n <= 0 ? def : list->v[list->n == 1 ? 0 : i];
}

void onn_window_pads(const struct onn_ints *pad, int spatial, int i, int64_t *begin, int64_t *end)
{
    *begin = list_at(pad, i, 0);
    *end = pad->n == 2 * spatial ? pad->v[spatial + i] : *begin;
    if (pad->n == 2 * spatial)
        *begin = pad->v[i];
}

static enum oclnn_status check_list(const struct onn_ints *list, int spatial, const char *name, bool doubled)
{
    if (list->n <= 1 || list->n == spatial || (doubled && list->n == 2 * spatial))
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_SHAPE, "%s has %d entries for %d spatial dimensions", name, (int)list->n,
        spatial);
}

enum oclnn_status onn_window_steps(const struct onn_window_attr *a, const struct onn_desc *x,
    const int64_t *kernel, struct onn_window *w)
{
    enum oclnn_status status;
    const int spatial = x->rank - 2;

    *w = (struct onn_window){.spatial = spatial};
    ONN_CHECK(spatial >= 1 && spatial <= 3, OCLNN_ERROR_SHAPE,
        "x has rank %d; a window needs batch, channels and 1 to 3 spatial dimensions", (int)x->rank);
    ONN_TRY(check_list(&a->kernel, spatial, "kernel_shape", false));
    ONN_TRY(check_list(&a->stride, spatial, "stride", false));
    ONN_TRY(check_list(&a->dilation, spatial, "dilation", false));
    ONN_TRY(check_list(&a->pad, spatial, "pad", true));
    ONN_CHECK(kernel || a->kernel.n > 0, OCLNN_ERROR_ARGUMENT, "kernel_shape is missing");
    ONN_CHECK(onn_auto_pad(a->auto_pad) != ONN_PAD_UNKNOWN, OCLNN_ERROR_ARGUMENT,
        "auto_pad=%s is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID", a->auto_pad);
    for (int i = 0; i < 3; i++) {
        const int j = i - (3 - spatial); /* position among the tensor's spatial dimensions */
        w->in[i] = w->out[i] = w->kernel[i] = w->stride[i] = w->dilation[i] = 1;
        if (j < 0)
            continue;
        w->in[i] = x->dim[2 + j];
        w->kernel[i] = kernel ? kernel[j] : list_at(&a->kernel, j, 1);
        w->stride[i] = list_at(&a->stride, j, 1);
        w->dilation[i] = list_at(&a->dilation, j, 1);
        ONN_CHECK(!kernel || kernel[j] < 0 || a->kernel.n <= 0 || list_at(&a->kernel, j, 1) == kernel[j],
            OCLNN_ERROR_SHAPE, "kernel_shape says %lld along the %s, the weight %lld",
            (long long)list_at(&a->kernel, j, 1), axis_name[i], (long long)kernel[j]);
        ONN_CHECK(w->stride[i] >= 1 && w->dilation[i] >= 1 && w->kernel[i] != 0, OCLNN_ERROR_ARGUMENT,
            "kernel %lld, stride %lld, dilation %lld along the %s: all must be at least 1",
            (long long)w->kernel[i], (long long)w->stride[i], (long long)w->dilation[i], axis_name[i]);
    }
    return OCLNN_OK;
fail:
    return status;
}

/* Pads and output extent of dimension i, whose input extent and kernel are known. */
static enum oclnn_status resolve_axis(const struct onn_window_attr *a, bool ceil_mode, int i,
    struct onn_window *w)
{
    enum oclnn_status status;
    const enum onn_auto_pad mode = onn_auto_pad(a->auto_pad);
    const int64_t in = w->in[i], stride = w->stride[i];
    int64_t reach, padded, total;

    ONN_CHECK(onn_mul_i64(w->kernel[i] - 1, w->dilation[i], &reach) && onn_add_i64(reach, 1, &reach),
        OCLNN_ERROR_ARGUMENT, "kernel %lld with dilation %lld is too large", (long long)w->kernel[i],
        (long long)w->dilation[i]);
    if (mode == ONN_PAD_SAME_UPPER || mode == ONN_PAD_SAME_LOWER) {
        w->out[i] = in / stride + (in % stride != 0);
        total = (w->out[i] - 1) * stride + reach - in;
        total = total > 0 ? total : 0;
        w->begin[i] = mode == ONN_PAD_SAME_UPPER ? total / 2 : total - total / 2;
        w->end[i] = total - w->begin[i];
        return OCLNN_OK;
    }
    ONN_CHECK(onn_add_i64(in, w->begin[i], &padded) && onn_add_i64(padded, w->end[i], &padded),
        OCLNN_ERROR_ARGUMENT, "pads of %lld and %lld are too large", (long long)w->begin[i],
        (long long)w->end[i]);
    ONN_CHECK(padded >= reach, OCLNN_ERROR_SHAPE,
        "a window of %lld (kernel %lld, dilation %lld) is larger than the padded input of %lld along the %s",
        (long long)reach, (long long)w->kernel[i], (long long)w->dilation[i], (long long)padded,
        axis_name[i]);
    total = padded - reach;
    w->out[i] = total / stride + 1;
    /* A last, partial window counts only if it starts inside the input or the pad in front of it. */
    if (ceil_mode && total % stride && w->out[i] * stride < in + w->begin[i])
        w->out[i]++;
    return OCLNN_OK;
fail:
    return status;
}

enum oclnn_status onn_window_resolve(const struct onn_window_attr *a, const struct onn_desc *x,
    const int64_t *kernel, bool ceil_mode, struct onn_window *w)
{
    enum oclnn_status status;

    ONN_TRY(onn_window_steps(a, x, kernel, w));
    for (int i = 3 - w->spatial; i < 3; i++) {
        if (onn_auto_pad(a->auto_pad) == ONN_PAD_EXPLICIT)
            onn_window_pads(&a->pad, w->spatial, i - (3 - w->spatial), &w->begin[i], &w->end[i]);
        w->out[i] = -1;
        if (w->in[i] >= 0 && w->kernel[i] > 0)
            ONN_TRY(resolve_axis(a, ceil_mode, i, w));
    }
    return OCLNN_OK;
fail:
    return status;
}

enum oclnn_status onn_window_args(const struct onn_window *w, struct onn_window_args *args)
{
    const int64_t *from[6] = {w->in, w->out, w->kernel, w->stride, w->begin, w->dilation};
    int32_t *to[6] = {args->in, args->out, args->kernel, args->stride, args->pad, args->dilation};

    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 3; j++) {
            if (from[i][j] > INT32_MAX || from[i][j] < 0)
                return onn_error(OCLNN_ERROR_UNSUPPORTED, "window of %lld does not fit 31 bits",
                    (long long)from[i][j]);
            to[i][j] = (int32_t)from[i][j];
        }
    return OCLNN_OK;
}

void onn_window_strides(const struct onn_desc *d, int64_t stride[5])
{
    const int spatial = d->rank - 2;

    stride[0] = d->stride[0];
    stride[1] = d->stride[1];
    for (int i = 0; i < 3; i++)
        stride[2 + i] = i < 3 - spatial ? 0 : d->stride[2 + i - (3 - spatial)];
}

void onn_window_strides_2d(const struct onn_desc *d, int64_t stride[4])
{
    int64_t s[5];

    onn_window_strides(d, s);
    stride[0] = s[0];
    stride[1] = s[1];
    stride[2] = s[3];
    stride[3] = s[4];
}

bool onn_window_is_channels_last(const struct onn_desc *d)
{
    const struct onn_format f = onn_format_nhwc(d->rank);

    return d->rank > 2 && onn_format_equal(&d->format, &f);
}

bool onn_tail_get(const struct onn_prob *p, struct onn_tail *tail)
{
    struct onn_epi_tail e;

    if (!onn_epilogue_tail(p, &e))
        return false;
    *tail = (struct onn_tail){-1, e.standard.lo, e.standard.hi, e.kind, e.a, e.b};
    if (e.standard.residual >= 0)
        tail->residual = onn_prob_own_inputs(p) + e.standard.residual;
    return true;
}

const char *onn_elem_define(enum oclnn_dtype dtype, int kind, char text[static 64])
{
    const char *stored = dtype == OCLNN_F16 ? "-D ONN_F16=1" : dtype == OCLNN_F64 ? "-D ONN_F64=1" : "";

    if (kind)
        snprintf(text, 64, "-D ONN_ACT_T=%s -D ONN_EPI_KIND=%d%s%s", dtype == OCLNN_F64 ? "double" : "float",
            kind, *stored ? " " : "", stored);
    else
        snprintf(text, 64, "%s", stored);
    return text;
}

const char *onn_stored_define(enum oclnn_dtype dtype)
{
    return dtype == OCLNN_F16 ? " -D ONN_F16" : "";
}

const char *onn_epi_define(int kind, char text[static 32])
{
    *text = 0;
    if (kind)
        snprintf(text, 32, " -D ONN_EPI_KIND=%d", kind);
    return text;
}

void onn_launch_elements(struct onn_launch *l, size_t columns, size_t rows, size_t planes)
{
    size_t x = 64, y = 1;

    while (x > 4 && x / 2 >= columns)
        x /= 2;
    while (x * y < 64 && y < rows)
        y *= 2;
    onn_launch_size3(l, (size_t[3]){columns, rows, planes}, (size_t[3]){x, y, 1});
}

double onn_gpu_filled(const struct onn_caps *caps, int64_t items)
{
    const double units = caps && caps->compute_units > 0 ? caps->compute_units : 1;

    if (!caps || caps->vector_cpu || caps->simulated || (double)items >= 1024 * units)
        return 1;
    return (double)items / (1024 * units);
}

struct onn_cost onn_reference_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p), 1,
        p->caps && p->caps->vector_cpu ? 0.004
                                       : 0.05 * onn_gpu_filled(p->caps, onn_desc_elements(&p->out[0]))};
}

bool onn_elem_can(enum oclnn_dtype dtype)
{
    return dtype == OCLNN_F32 || dtype == OCLNN_F16;
}

const char *onn_elem_refuse_plain(const struct onn_prob *p)
{
    if (!onn_elem_can(p->in[0].dtype) && p->in[0].dtype != OCLNN_F64)
        return "only f32, f16 and f64";
    return onn_refuse_f64(p);
}
