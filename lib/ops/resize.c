/* Resize: shapes, the resolved form of all its options, evaluation on the host. Kernels: resize_bind.c. */
#include "ops/resize.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
    HALF_PIXEL,
    HALF_PIXEL_SYMMETRIC,
    PYTORCH_HALF_PIXEL,
    ALIGN_CORNERS,
    ASYMMETRIC,
    TF_HALF_PIXEL,
    TF_CROP
};
static const char *const coordinate_names[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
    "align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL};
static const char *const mode_names[] = {"nearest", "linear", "cubic", NULL};
static const char *const nearest_names[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
static const char *const policy_names[] = {"stretch", "not_larger", "not_smaller", NULL};

/* Position of `word` in the list, 0 if absent, -1 if unknown. */
static int find(const char *word, const char *const *list)
{
    for (int i = 0; word && list[i]; i++)
        if (strcmp(word, list[i]) == 0)
            return i;
    return word ? -1 : 0;
}

struct options {
    int mode, coordinates, nearest, policy;
};

static enum oclnn_status read_options(const struct onn_resize_attr *a, struct options *o)
{
    enum oclnn_status status = OCLNN_OK;
    o->mode = find(a->mode, mode_names);
    o->coordinates = find(a->coordinates, coordinate_names);
    o->nearest = find(a->nearest_mode, nearest_names);
    o->policy = find(a->policy, policy_names);
    ONN_CHECK(o->mode >= 0, OCLNN_ERROR_UNSUPPORTED, "there is no mode '%s'", a->mode);
    ONN_CHECK(o->coordinates >= 0, OCLNN_ERROR_UNSUPPORTED, "there is no coordinate_transformation_mode '%s'",
        a->coordinates);
    ONN_CHECK(o->nearest >= 0, OCLNN_ERROR_UNSUPPORTED, "there is no nearest_mode '%s'", a->nearest_mode);
    ONN_CHECK(o->policy >= 0, OCLNN_ERROR_UNSUPPORTED, "there is no keep_aspect_ratio_policy '%s'",
        a->policy);
fail:
    return status;
}

/* Input i's value with at least one element; NULL if absent, empty or unknown. */
static const struct onn_blob *filled(const struct onn_prob *p, int i)
{
    const struct onn_blob *v = onn_prob_value(p, i);
    return v && onn_desc_elements(&v->desc) > 0 ? v : NULL;
}

/* The axes that scales, sizes and roi speak of. */
static enum oclnn_status read_axes(const struct onn_prob *p, int *axis, int *n)
{
    const struct onn_resize_attr *a = p->attr;
    const int rank = p->in[0].rank;
    *n = rank;
    for (int i = 0; i < rank; i++)
        axis[i] = i;
    if (a->axes.n <= 0)
        return OCLNN_OK;
    uint32_t seen = 0;
    if (a->axes.n > rank)
        return onn_error(OCLNN_ERROR_ARGUMENT, "%d axes are given for %d dimensions", (int)a->axes.n, rank);
    *n = a->axes.n;
    for (int i = 0; i < *n; i++) {
        if (!onn_axis_resolve(a->axes.v[i], rank, &axis[i]) || seen >> axis[i] & 1)
            return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is out of range or given twice",
                (long long)a->axes.v[i]);
        seen |= 1u << axis[i];
    }
    return OCLNN_OK;
}

/* Output extents and scales of every dimension; -1 where the input's extent is unknown. */
static enum oclnn_status read_extents(const struct onn_prob *p, const struct options *o, int64_t *out,
    float *scale)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    const struct onn_blob *scales = filled(p, 2), *sizes = filled(p, 3);
    int axis[ONN_MAX_RANK], n = 0;
    ONN_TRY(read_axes(p, axis, &n));
    for (int d = 0; d < x->rank; d++) {
        out[d] = x->dim[d];
        scale[d] = 1;
    }
    ONN_CHECK(scales || sizes, OCLNN_ERROR_UNSUPPORTED, "neither scales nor sizes are known at plan time");
    const struct onn_blob *given = sizes ? sizes : scales;
    ONN_CHECK(onn_desc_elements(&given->desc) == n, OCLNN_ERROR_SHAPE, "%lld %s are given for %d axes",
        (long long)onn_desc_elements(&given->desc), sizes ? "sizes" : "scales", n);
    float common = 0;
    for (int i = 0; i < n; i++) {
        const int d = axis[i];
        const int64_t size = sizes ? onn_blob_get_i64(sizes, i) : 0, in = x->dim[d];
        const float s = sizes ? in > 0 ? (float)size / (float)in : 1 : (float)onn_blob_get_f64(scales, i);
        ONN_CHECK(sizes ? size >= 0 && size <= INT_MAX : s > 0 && s < 1e9f, OCLNN_ERROR_ARGUMENT,
            "entry %d of the %s is out of range", i, sizes ? "sizes" : "scales");
        out[d] = in < 0 ? -1 : sizes ? size : (int64_t)(s * (float)in);
        if (sizes && in < 0 && o->policy == 0)
            out[d] = size;
        scale[d] = s;
        if (i == 0 || (o->policy == 1 ? s < common : s > common))
            common = s;
    }
    for (int i = 0; sizes && o->policy && i < n; i++) {
        const int d = axis[i];
        scale[d] = common;
        out[d] = x->dim[d] < 0 ? -1 : (int64_t)floorf(common * (float)x->dim[d] + 0.5f);
    }
fail:
    return status;
}

static bool extents_known(const struct onn_prob *p)
{
    return filled(p, 2) || filled(p, 3);
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_resize_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    struct options o;
    int64_t dim[ONN_MAX_RANK];
    float scale[ONN_MAX_RANK];
    ONN_TRY(read_options(a, &o));
    ONN_TRY(onn_check_index_type(p, 3, "the sizes"));
    ONN_CHECK(onn_dtype_is_float(x->dtype) || o.mode == ONN_RESIZE_NEAREST || x->dtype == OCLNN_U8 ||
            x->dtype == OCLNN_I8 || x->dtype == OCLNN_I32,
        OCLNN_ERROR_DTYPE, "%s cannot be interpolated", oclnn_dtype_name(x->dtype));
    for (int d = 0; d < x->rank; d++)
        dim[d] = -1;
    if (x->rank >= 0 && extents_known(p)) {
        ONN_TRY(read_extents(p, &o, dim, scale));
        for (int d = 0; a->antialias && o.mode != ONN_RESIZE_NEAREST && d < x->rank; d++)
            ONN_CHECK(scale[d] >= 1, OCLNN_ERROR_UNSUPPORTED,
                "antialias is not supported where a dimension shrinks");
    }
    out[0] = onn_desc_make(x->dtype, x->rank, dim);
fail:
    return status;
}

static struct onn_resize_axis make_axis(int coordinates, int64_t in, int64_t out, float scale, float start,
    float end)
{
    struct onn_resize_axis a = {.in = (int32_t)in, .out = (int32_t)out, .num = 1, .den = scale};
    float length = scale * (float)in;
    switch (coordinates) {
    case HALF_PIXEL:
        a.shift = 0.5f;
        a.add = -0.5f;
        break;
    case HALF_PIXEL_SYMMETRIC:
        a.shift = 0.5f;
        a.add = (float)in / 2 * (1 - (float)out / (scale * (float)in)) - 0.5f;
        break;
    case PYTORCH_HALF_PIXEL:
        a.shift = 0.5f;
        a.add = -0.5f;
        if (out <= 1) { /* the first pixel */
            a.num = 0;
            a.add = 0;
        }
        break;
    case ALIGN_CORNERS:
        /* ONNX's tests take the length before it is rounded down. */
        length = fabsf(length - (float)out) < 1e-3f ? (float)out : length;
        a.num = out > 1 ? (float)(in - 1) : 0;
        a.den = out > 1 ? length - 1 : 1;
        break;
    case TF_HALF_PIXEL: a.shift = 0.5f; break;
    case TF_CROP:
        a.num = out > 1 ? (end - start) * (float)(in - 1) : 0;
        a.den = out > 1 ? (float)(out - 1) : 1;
        a.add = out > 1 ? start * (float)(in - 1) : 0.5f * (start + end) * (float)(in - 1);
        break;
    default: break; /* asymmetric: o / scale */
    }
    return a;
}

enum oclnn_status onn_resize_read(const struct onn_prob *p, struct onn_resize *r)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_resize_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    const struct onn_blob *roi = filled(p, 1);
    struct options o;
    int64_t out[ONN_MAX_RANK];
    float scale[ONN_MAX_RANK], start[ONN_MAX_RANK], end[ONN_MAX_RANK];
    int axis[ONN_MAX_RANK], n = 0;
    ONN_TRY(read_options(a, &o));
    ONN_TRY(read_extents(p, &o, out, scale));
    ONN_TRY(read_axes(p, axis, &n));
    *r = (struct onn_resize){.rank = x->rank,
        .mode = o.mode,
        .nearest = o.nearest,
        .exclude = a->exclude_outside != 0,
        .crop = o.coordinates == TF_CROP,
        .cubic = a->cubic_coeff_a,
        .outside = a->extrapolation_value};
    for (int d = 0; d < x->rank; d++) {
        start[d] = 0;
        end[d] = 1;
    }
    if (r->crop) {
        ONN_CHECK(roi && onn_desc_elements(&roi->desc) == 2 * n, OCLNN_ERROR_SHAPE,
            "tf_crop_and_resize needs a roi with %d entries", 2 * n);
        for (int i = 0; i < n; i++) {
            start[axis[i]] = (float)onn_blob_get_f64(roi, i);
            end[axis[i]] = (float)onn_blob_get_f64(roi, n + i);
        }
    }
    for (int d = 0; d < x->rank; d++) {
        ONN_CHECK(x->dim[d] <= INT_MAX && out[d] <= INT_MAX, OCLNN_ERROR_UNSUPPORTED,
            "dimension %d is too long", d);
        ONN_CHECK(x->dim[d] > 0 || out[d] == 0, OCLNN_ERROR_SHAPE, "dimension %d is empty", d);
        r->axis[d] = make_axis(o.coordinates, x->dim[d], out[d], scale[d], start[d], end[d]);
        if (out[d] != x->dim[d] || scale[d] != 1 || start[d] != 0 || end[d] != 1)
            r->resized |= 1u << d;
    }
fail:
    return status;
}

float onn_resize_at(const struct onn_resize_axis *a, int64_t o)
{
    return ((float)o + a->shift) * a->num / a->den + a->add;
}

int64_t onn_resize_nearest(float at, int64_t size, int mode)
{
    const float r = mode == 0 ? ceilf(at - 0.5f)
        : mode == 1           ? floorf(at + 0.5f)
        : mode == 2           ? floorf(at)
                              : ceilf(at);
    return r < 0 ? 0 : r > (float)(size - 1) ? size - 1 : (int64_t)r;
}

/* ---- host ---- */

struct taps {
    int n;
    int64_t index[4];
    double weight[4];
};

static struct taps make_taps(const struct onn_resize *r, int d, float at)
{
    const int64_t size = r->axis[d].in;
    if (r->mode == ONN_RESIZE_NEAREST)
        return (struct taps){1, {onn_resize_nearest(at, size, r->nearest)}, {1}};
    if (r->mode == ONN_RESIZE_LINEAR) {
        const double in = at < 0 ? 0 : at > (float)(size - 1) ? (double)(size - 1) : at;
        const int64_t i = (int64_t)in, next = i + 1 < size ? i + 1 : i;
        return (struct taps){2, {i, next}, {1 - (in - (double)i), in - (double)i}};
    }
    struct taps k = {.n = 4};
    const double a = r->cubic, low = floor(at), t = at - low;
    const double far[2] = {t + 1, 2 - t}, near[2] = {t, 1 - t};
    for (int s = 0; s < 2; s++) {
        k.weight[3 * s] = ((a * far[s] - 5 * a) * far[s] + 8 * a) * far[s] - 4 * a;
        k.weight[1 + s] = ((a + 2) * near[s] - (a + 3)) * near[s] * near[s] + 1;
    }
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        const int64_t at_i = (int64_t)low - 1 + i;
        if (r->exclude && (at_i < 0 || at_i >= size))
            k.weight[i] = 0;
        sum += k.weight[i];
        k.index[i] = at_i < 0 ? 0 : at_i >= size ? size - 1 : at_i;
    }
    for (int i = 0; i < 4 && r->exclude; i++)
        k.weight[i] /= sum;
    return k;
}

/* Sum over the product of all taps. */
static void host_element(const struct onn_resize *r, const struct onn_blob *x, const int64_t *xs,
    const int64_t *at, struct onn_blob *y, int64_t to)
{
    struct taps taps[ONN_MAX_RANK];
    int turn[ONN_MAX_RANK] = {0};
    bool outside = false;
    for (int d = 0; d < r->rank; d++) {
        taps[d] = (struct taps){1, {at[d]}, {1}};
        if (r->resized >> d & 1) {
            const float pos = onn_resize_at(&r->axis[d], at[d]);
            outside = outside || (r->crop && (pos < 0 || pos > (float)(r->axis[d].in - 1)));
            taps[d] = make_taps(r, d, pos);
        }
    }
    double sum = 0;
    for (bool more = !outside; more;) {
        int64_t from = 0;
        double w = 1;
        for (int d = 0; d < r->rank; d++) {
            from += taps[d].index[turn[d]] * xs[d];
            w *= taps[d].weight[turn[d]];
        }
        if (r->mode == ONN_RESIZE_NEAREST) {
            const size_t size = oclnn_dtype_size(x->desc.dtype);
            memcpy((unsigned char *)y->data + (size_t)to * size,
                (const unsigned char *)x->data + (size_t)from * size, size);
            return;
        }
        sum += w * onn_blob_get_f64(x, from);
        int d = r->rank - 1;
        for (; d >= 0 && ++turn[d] == taps[d].n; d--)
            turn[d] = 0;
        more = d >= 0;
    }
    const double v = outside ? r->outside : sum;
    onn_blob_set_f64(y, to, onn_dtype_is_float(y->desc.dtype) ? v : trunc(v));
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *y = &out[0]->desc;
    struct onn_resize r;
    int64_t at[ONN_MAX_RANK] = {0}, xs[ONN_MAX_RANK];
    enum oclnn_status status = onn_resize_read(p, &r);
    if (status != OCLNN_OK)
        return status;
    onn_plain_strides(x->rank, x->dim, xs);
    const int64_t n = onn_desc_elements(y);
    for (int64_t k = 0; k < n; k++) {
        host_element(&r, p->value[0], xs, at, out[0], k);
        for (int d = y->rank - 1; d >= 0 && ++at[d] == y->dim[d]; d--)
            at[d] = 0;
    }
    return OCLNN_OK;
}

/* ---- tables ---- */

static uint32_t host_inputs(const struct onn_prob *p)
{
    uint32_t mask = 0;
    for (int i = 1; i < 4; i++)
        mask |= onn_prob_has(p, i) ? 1u << i : 0;
    return mask;
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 1);
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost c = onn_cost_copy(p, t);
    const struct onn_resize_attr *a = p->attr;
    const int mode = find(a->mode, mode_names);
    c.flop = (double)onn_desc_elements(&p->out[0]) *
        (mode == ONN_RESIZE_CUBIC           ? 64
                : mode == ONN_RESIZE_LINEAR ? 12
                                            : 0);
    c.efficiency = p->in[0].format.block > 1 || p->in[0].format.permuted ? 0.3 : 0.1;
    return c;
}

static enum oclnn_status bind_reference(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    return onn_bind_any_device(onn_resize_bind, p, t, b);
}

static const struct onn_variant planes = {
    .name = "planes",
    .flags = ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = onn_resize_refuse,
    .formats = formats,
    .cost = cost,
    .bind = onn_resize_bind,
};
static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = onn_resize_refuse,
    .formats = formats,
    .cost = onn_cost_reference,
    .bind = bind_reference,
};
static const struct onn_variant *const variants[] = {&planes, &reference, NULL};

#define RESIZE_ATTR(text, onnx_text, kind, field) \
    .name = text, .onnx = onnx_text, .type = kind, .offset = offsetof(struct onn_resize_attr, field)

static const struct onn_attr attrs[] = {
    {RESIZE_ATTR("mode", "mode", ONN_ATTR_STRING, mode)},
    {RESIZE_ATTR("coordinates", "coordinate_transformation_mode", ONN_ATTR_STRING, coordinates)},
    {RESIZE_ATTR("nearest", "nearest_mode", ONN_ATTR_STRING, nearest_mode)},
    {RESIZE_ATTR("policy", "keep_aspect_ratio_policy", ONN_ATTR_STRING, policy)},
    {RESIZE_ATTR("cubic_coeff_a", "cubic_coeff_a", ONN_ATTR_FLOAT, cubic_coeff_a), .def = -0.75},
    {RESIZE_ATTR("extrapolation_value", "extrapolation_value", ONN_ATTR_FLOAT, extrapolation_value)},
    {RESIZE_ATTR("exclude_outside", "exclude_outside", ONN_ATTR_INT, exclude_outside), .max = 1},
    {RESIZE_ATTR("antialias", "antialias", ONN_ATTR_INT, antialias), .max = 1},
    {RESIZE_ATTR("axes", "axes", ONN_ATTR_INTS, axes)},
    {.type = ONN_ATTR_END},
};

static const struct onn_op resize = {
    .name = "resize",
    .onnx = "Resize",
    .min_in = 1,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_resize_attr),
    .attrs = attrs,
    .since = 11,
    .infer = infer,
    .host = host,
    .host_inputs = host_inputs,
    .grad = onn_resize_grad,
    .variants = variants,
};

const struct onn_op *const onn_ops_resize[] = {&resize, NULL};
