/* What the data movement families share. */
#include "ops/walk.h"

const struct onn_blob *onn_prob_value(const struct onn_prob *p, int i)
{
    return p->value && i < p->n_in && p->in[i].dtype ? p->value[i] : NULL;
}

bool onn_prob_ints(const struct onn_prob *p, int i, int64_t v[ONN_MAX_RANK], int *n)
{
    const struct onn_blob *blob = onn_prob_value(p, i);
    if (!blob)
        return false;
    const int64_t count = onn_desc_elements(&blob->desc);
    if (count < 0 || count > ONN_MAX_RANK)
        return false;
    for (int64_t k = 0; k < count; k++)
        v[k] = onn_blob_get_i64(blob, k);
    *n = (int)count;
    return true;
}

int64_t onn_prob_length(const struct onn_prob *p, int i)
{
    if (!onn_prob_has(p, i) || p->in[i].rank < 0)
        return -1;
    return p->in[i].rank == 0 ? 1 : p->in[i].dim[0];
}

enum oclnn_status onn_check_index_type(const struct onn_prob *p, int i, const char *what)
{
    if (!onn_prob_has(p, i) || p->in[i].dtype == OCLNN_I32 || p->in[i].dtype == OCLNN_I64)
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_DTYPE, "%s must be i32 or i64, not %s", what,
        oclnn_dtype_name(p->in[i].dtype));
}

bool onn_view_slice(const struct onn_desc *in, int axis, int64_t start, int64_t count, int64_t step,
    struct onn_desc *out)
{
    const int64_t block = in->format.block > 1 && in->format.axis == axis ? in->format.block : 1;
    if (in->format.pack)
        return false;
    if (block > 1 && (step != 1 || start % block || (count % block && start + count != in->dim[axis])))
        return false;
    *out = *in;
    out->dim[axis] = count;
    out->offset += start / block * in->stride[axis];
    out->stride[axis] = in->stride[axis] * step;
    return true;
}

bool onn_view_is_tame(const struct onn_desc *view)
{
    const struct onn_format *f = &view->format;
    const int64_t unit = f->block > 1 ? f->block : 1;
    int64_t last = 0;
    if (f->pack)
        return false;
    for (int i = view->rank - 1; i >= 0; i--) {
        const int d = f->permuted ? f->order[i] : i;
        const bool blocked = f->block > 1 && f->axis == d;
        if (view->dim[d] <= (blocked ? unit : 1))
            continue;
        if (view->stride[d] < last || (!last && !blocked && view->stride[d] != unit))
            return false;
        last = view->stride[d] > unit ? view->stride[d] : unit;
    }
    return true;
}

static void add_tuple(struct onn_formats *f, int data_in, struct onn_format in, struct onn_format out)
{
    *f = (struct onn_formats){.n_in = data_in ? data_in + 1 : 1, .n_out = 1};
    for (int i = 0; i < f->n_in; i++)
        f->in[i] = !data_in || i < data_in ? in : onn_format_plain();
    f->out[0] = out;
}

/* Fills in[] of up to `max` tuples; returns how many formats make sense for the data input. */
static int list_formats(const struct onn_prob *p, struct onn_format list[3])
{
    int n = 0;
    const int rank = p->in[0].rank;
    list[n++] = onn_format_plain();
    if (rank < 3)
        return n;
    if (p->caps && p->caps->vector_cpu && p->caps->vector_width > 1)
        list[n++] = onn_format_blocked(1, p->caps->vector_width);
    list[n++] = onn_format_nhwc(rank);
    return n;
}

int onn_formats_same(const struct onn_prob *p, struct onn_formats *out, int max, int data_in)
{
    struct onn_format list[3];
    int n = list_formats(p, list);
    n = n < max ? n : max;
    for (int i = 0; i < n; i++)
        add_tuple(&out[i], data_in, list[i], list[i]);
    return n;
}

int onn_formats_to_plain(const struct onn_prob *p, struct onn_formats *out, int max)
{
    struct onn_format list[3];
    int n = list_formats(p, list);
    n = n < max ? n : max;
    for (int i = 0; i < n; i++)
        add_tuple(&out[i], 1, list[i], onn_format_plain());
    return n;
}

struct onn_cost onn_cost_copy(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    double bytes = 0;
    for (int i = 0; i < p->n_out; i++)
        if (p->out[i].dtype)
            bytes += (double)onn_desc_bytes(&p->out[i]);
    return (struct onn_cost){.bytes = 2 * bytes, .launches = 1, .efficiency = 1};
}

double onn_flop_none(const struct onn_prob *p)
{
    (void)p;
    return 0;
}

struct onn_cost onn_cost_reference(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost c = onn_cost_copy(p, t);
    c.bytes *= 16;
    return c;
}

enum oclnn_status onn_bind_any_device(onn_bind_fn bind, const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    struct onn_prob any = *p;
    struct onn_caps caps = {0};
    if (p->caps)
        caps = *p->caps;
    caps.vector_cpu = false;
    any.caps = &caps;
    return bind(&any, t, b);
}
