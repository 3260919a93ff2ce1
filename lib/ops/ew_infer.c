/* Element-wise operators on the host: shapes, values, and what the fuser needs to know of them. */
#include "ops/elementwise.h"

#include <math.h>
#include <string.h>

static const struct onn_ew_attr no_attr = {0};

static const struct onn_ew_attr *attr_of(const struct onn_prob *p)
{
    return p->attr ? p->attr : &no_attr;
}

/* The operand whose type counts. */
static int typed_operand(const struct onn_ew_row *row)
{
    return row->ew_flags & ONN_EW_COND ? 1 : 0;
}

static enum oclnn_status infer_type(const struct onn_prob *p, const struct onn_ew_row *row, int own,
    enum oclnn_dtype *out)
{
    const int typed = typed_operand(row);
    *out = p->in[typed].dtype;
    for (int i = 0; i < own; i++)
        if (p->in[i].dtype == OCLNN_NONE && i < p->op->min_in)
            return onn_error(OCLNN_ERROR_ARGUMENT, "input %d is missing", i);
    for (int i = typed; i < own && !(row->ew_flags & ONN_EW_MIXED); i++)
        if (p->in[i].dtype != OCLNN_NONE && p->in[i].dtype != *out)
            return onn_error(OCLNN_ERROR_DTYPE, "input %d is %s, but input %d is %s", i,
                oclnn_dtype_name(p->in[i].dtype), typed, oclnn_dtype_name(*out));
    if (row->ew_flags & ONN_EW_FLOAT && !onn_dtype_is_float(*out))
        return onn_error(OCLNN_ERROR_DTYPE, "input 0 is %s, but must be a floating-point type",
            oclnn_dtype_name(*out));
    if (row->ew_flags & ONN_EW_COND && p->in[0].dtype != OCLNN_BOOL)
        return onn_error(OCLNN_ERROR_DTYPE, "the condition is %s, but must be bool",
            oclnn_dtype_name(p->in[0].dtype));
    if (row->ew_flags & ONN_EW_BOOL)
        *out = OCLNN_BOOL;
    if (row->ew_flags & ONN_EW_LIKE) {
        *out = p->in[1].dtype;
    } else if (row->ew_flags & ONN_EW_CAST) {
        *out = onn_dtype_from_onnx((int)attr_of(p)->to);
        if (*out == OCLNN_NONE)
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "cast to ONNX type %lld is not supported",
                (long long)attr_of(p)->to);
    }
    return OCLNN_OK;
}

enum oclnn_status onn_ew_infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_ew_row *row = onn_ew_row(p->op);
    const int own = onn_prob_own_inputs(p);
    enum oclnn_status status;
    enum oclnn_dtype dtype;
    int64_t dim[ONN_MAX_RANK] = {0};
    int rank = 0;
    char ta[160], tb[160];
    ONN_TRY(infer_type(p, row, own, &dtype));
    for (int i = 0; i < own; i++) {
        const struct onn_desc *d = &p->in[i];
        if (d->dtype == OCLNN_NONE || (i > 0 && row->ew_flags & ONN_EW_LIKE))
            continue;
        if (d->rank < 0) {
            rank = -1;
            break;
        }
        int64_t so_far[ONN_MAX_RANK];
        memcpy(so_far, dim, sizeof so_far);
        rank = i == 0 ? d->rank : onn_broadcast(rank, so_far, d->rank, d->dim, dim);
        if (i == 0)
            memcpy(dim, d->dim, sizeof dim);
        ONN_CHECK(rank >= 0, OCLNN_ERROR_SHAPE, "%s and %s do not broadcast", onn_desc_text(&p->in[0], ta),
            onn_desc_text(d, tb));
    }
    if (rank >= 0 && row->ew_flags & ONN_EW_LEFT) {
        bool same = rank == p->in[0].rank;
        for (int i = 0; same && i < rank; i++)
            same = dim[i] == p->in[0].dim[i] || dim[i] < 0 || p->in[0].dim[i] < 0;
        ONN_CHECK(same, OCLNN_ERROR_SHAPE, "input 1 or 2 does not broadcast to %s",
            onn_desc_text(&p->in[0], ta));
    }
    if (rank >= 0) {
        *out = onn_desc_make(dtype, rank, dim);
    } else {
        memset(out, 0, sizeof *out);
        out->dtype = dtype;
        out->rank = -1;
    }
    return OCLNN_OK;
fail:
    return status;
}

double onn_ew_flop(const struct onn_prob *p)
{
    const struct onn_ew_row *row = onn_ew_row(p->op);
    double cost = row->cost;
    if (row->ew_flags & ONN_EW_CHAIN)
        cost *= onn_prob_own_inputs(p) - 1;
    for (int i = 0; p->epi && i < p->epi->n; i++)
        cost += onn_ew_row(p->epi->step[i].op)->cost;
    return cost * (double)onn_desc_elements(&p->out[0]);
}

/* ---- values ---- */
struct operand {
    const struct onn_blob *blob;
    int64_t stride[ONN_MAX_RANK]; /* 0 where broadcast */
    int64_t at;
};

static void operand_init(struct operand *o, const struct onn_blob *blob, const struct onn_desc *out)
{
    int64_t step = 1;
    const struct onn_desc *d = &blob->desc;
    memset(o, 0, sizeof *o);
    o->blob = blob;
    for (int i = d->rank - 1; i >= 0; i--) {
        o->stride[out->rank - d->rank + i] = d->dim[i] == 1 ? 0 : step;
        step *= d->dim[i];
    }
}

/* Moves all operands to the next element of out, row-major. */
static void operands_next(struct operand *o, int n, const struct onn_desc *out, int64_t *index)
{
    for (int d = out->rank - 1; d >= 0; d--) {
        index[d]++;
        for (int i = 0; i < n; i++)
            o[i].at += o[i].stride[d];
        if (index[d] < out->dim[d])
            return;
        for (int i = 0; i < n; i++)
            o[i].at -= o[i].stride[d] * out->dim[d];
        index[d] = 0;
    }
}

static double element(const struct onn_prob *p, const struct onn_ew_row *row, const struct operand *o, int n)
{
    const struct onn_ew_attr *attr = attr_of(p);
    double v[3] = {0, 0, 0};
    for (int i = 0; i < n && i < 3; i++)
        v[i] = o[i].blob ? onn_blob_get_f64(o[i].blob, o[i].at) : 0;
    if (p->op == &onn_ew_clip.op) {
        const bool set = attr->alpha < attr->beta;
        const double lo = n > 1 && o[1].blob ? v[1] : set ? attr->alpha : -INFINITY;
        const double hi = n > 2 && o[2].blob ? v[2] : set ? attr->beta : INFINITY;
        v[0] = v[0] < lo ? lo : v[0];
        return v[0] > hi ? hi : v[0];
    }
    if (!(row->ew_flags & ONN_EW_CHAIN))
        return row->host(v[0], v[1], v[2], attr);
    for (int i = 1; i < n; i++)
        v[0] = row->host(v[0], onn_blob_get_f64(o[i].blob, o[i].at), 0, attr);
    return row->ew_flags & ONN_EW_MEAN ? v[0] / n : v[0];
}

static int64_t element_int(const struct onn_prob *p, const struct onn_ew_row *row, const struct operand *o,
    int n)
{
    const struct onn_ew_attr *attr = attr_of(p);
    int64_t v[3] = {0, 0, 0};
    for (int i = 0; i < n && i < 3; i++)
        v[i] = o[i].blob ? onn_blob_get_i64(o[i].blob, o[i].at) : 0;
    if (p->op == &onn_ew_clip.op) {
        v[0] = n > 1 && o[1].blob && v[0] < v[1] ? v[1] : v[0];
        return n > 2 && o[2].blob && v[0] > v[2] ? v[2] : v[0];
    }
    if (!(row->ew_flags & ONN_EW_CHAIN))
        return row->host_int(v[0], v[1], v[2], attr);
    for (int i = 1; i < n; i++)
        v[0] = row->host_int(v[0], onn_blob_get_i64(o[i].blob, o[i].at), 0, attr);
    return v[0];
}

enum oclnn_status onn_ew_host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_ew_row *row = onn_ew_row_for(p->op, p->attr);
    const int own = onn_prob_own_inputs(p);
    const struct onn_desc *y = &out[0]->desc;
    const int64_t n = onn_desc_elements(y);
    int64_t index[ONN_MAX_RANK] = {0};
    enum oclnn_status status;
    const enum oclnn_dtype type = p->in[typed_operand(row)].dtype;
    const bool exact = !onn_dtype_is_float(type) && (row->host_int || p->op == &onn_ew_clip.op);
    if (!p->epi && onn_ew_host_rows(p, out[0]))
        return OCLNN_OK;
    struct operand *o = onn_calloc((size_t)own, sizeof *o);
    ONN_CHECK(o, OCLNN_ERROR_MEMORY, "out of memory");
    for (int i = 0; i < (row->ew_flags & ONN_EW_LIKE ? 1 : own); i++)
        if (p->in[i].dtype != OCLNN_NONE)
            operand_init(&o[i], p->value[i], y);
    if (row->ew_flags & ONN_EW_CAST) {
        onn_convert(type, p->value[0]->data, y->dtype, out[0]->data, n);
    } else {
        for (int64_t i = 0; i < n; i++, operands_next(o, own, y, index)) {
            if (exact)
                onn_blob_set_i64(out[0], i, element_int(p, row, o, own));
            else
                onn_blob_set_f64(out[0], i, element(p, row, o, own));
        }
    }
    onn_free(o);
    return OCLNN_OK;
fail:
    return status;
}

/* ---- for the fuser ---- */
/* The value of input i if it is known and a single element. */
static bool known_scalar(const struct onn_prob *p, int i, double *value)
{
    if (!p->value || !p->value[i] || p->value[i]->host_stale || !p->value[i]->data ||
        onn_desc_elements(&p->in[i]) != 1)
        return false;
    *value = onn_blob_get_f64(p->value[i], 0);
    return true;
}

bool onn_ew_clip_bounds(const struct onn_prob *p, float *lo, float *hi)
{
    const struct onn_ew_attr *attr = attr_of(p);
    const bool set = attr->alpha < attr->beta;
    double bound[3] = {0, set ? attr->alpha : -INFINITY, set ? attr->beta : INFINITY};
    if (!onn_dtype_is_float(p->in[0].dtype))
        return false;
    if (p->op == &onn_ew_relu.op) {
        *lo = 0;
        *hi = INFINITY;
        return true;
    }
    if (p->op != &onn_ew_clip.op)
        return false;
    for (int i = 1; i <= 2; i++)
        if (onn_prob_own_inputs(p) > i && p->in[i].dtype != OCLNN_NONE && !known_scalar(p, i, &bound[i]))
            return false;
    *lo = (float)bound[1];
    *hi = (float)bound[2];
    return true;
}

bool onn_ew_as_step(const struct onn_prob *p, int via, struct onn_arena *arena, struct onn_epi_step *step,
    int *extra_in)
{
    const struct onn_ew_row *row = onn_ew_row(p->op);
    const int own = onn_prob_own_inputs(p);
    memset(step, 0, sizeof *step);
    step->op = p->op;
    step->extra = -1;
    *extra_in = -1;
    if (!row || row->ew_flags & (ONN_EW_BOOL | ONN_EW_CAST | ONN_EW_COND | ONN_EW_MEAN) || via < 0 ||
        via >= own || !onn_dtype_is_float(p->in[via].dtype) || p->in[via].dtype != p->out[0].dtype ||
        !onn_desc_same_shape(&p->in[via], &p->out[0]))
        return false;
    step->attr = p->attr && p->op->attr_size ? onn_arena_dup(arena, p->attr, p->op->attr_size) : NULL;
    if (p->op->attr_size && p->attr && !step->attr) {
        step->op = NULL;
        return false;
    }
    if (p->op == &onn_ew_clip.op) {
        struct onn_ew_attr *bounds = onn_arena_calloc(arena, 1, sizeof *bounds);
        step->attr = bounds;
        if (!bounds)
            step->op = NULL;
        return bounds && via == 0 && onn_ew_clip_bounds(p, &bounds->alpha, &bounds->beta);
    }
    if (own == 1)
        return true;
    if (own != 2)
        return false;
    *extra_in = 1 - via;
    step->extra = 0;
    step->swap = via == 1;
    /* The same value twice (x + x) has no place in a chain; and PRelu's slope is no chain's v. */
    const struct onn_desc *x = &p->in[1 - via];
    const bool number = p->value && p->value[1 - via] && onn_dtype_is_float(x->dtype) &&
        !onn_desc_same_shape(x, &p->out[0]); /* an f32 constant beside f16: no residual, which tiles read */
    return (x->dtype == p->in[via].dtype || number) && !(step->swap && row->ew_flags & ONN_EW_LEFT);
}

double onn_ew_step_host(const struct onn_epi_step *step, double v, double extra)
{
    const struct onn_ew_attr *attr = step->attr ? step->attr : &no_attr;
    const struct onn_ew_row *row = onn_ew_row_for(step->op, attr);
    return step->swap ? row->host(extra, v, 0, attr) : row->host(v, extra, 0, attr);
}
