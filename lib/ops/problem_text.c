/* Prints a problem in the grammar of ops/problem.h. */
#include "ops/op.h"

#include <math.h>
#include <string.h>

static void add_float(struct onn_str *s, float v)
{
    onn_str_add(s, "%.9g", (double)v);
}

static void add_numbers(struct onn_str *s, const struct onn_blob *b)
{
    int64_t n = onn_desc_elements(&b->desc);
    onn_str_add(s, n ? "@" : "@()");
    for (int64_t i = 0; i < n; i++) {
        onn_str_add(s, "%s", i ? "," : "");
        if (onn_dtype_is_float(b->desc.dtype))
            onn_str_add(s, "%.17g", onn_blob_get_f64(b, i));
        else
            onn_str_add(s, "%lld", (long long)onn_blob_get_i64(b, i));
    }
    if (b->desc.dtype != OCLNN_I64)
        onn_str_add(s, ":%s", oclnn_dtype_name(b->desc.dtype));
    if (b->desc.rank == 0)
        onn_str_add(s, ":scalar");
}

static bool is_short(const struct onn_blob *b)
{
    return b && b->data && !b->host_stale && b->desc.rank <= 1 && onn_desc_elements(&b->desc) <= 64;
}

static void add_ints(struct onn_str *s, const struct onn_ints *list)
{
    if (list->n == 0)
        onn_str_add(s, "()");
    for (int32_t i = 0; i < list->n; i++)
        onn_str_add(s, "%s%lld", i ? "," : "", (long long)list->v[i]);
    if (list->n == 1)
        onn_str_add(s, ","); /* a bare number might stand for all spatial dimensions */
}

/* Appends "sep name=value" if the attribute is not what it defaults to; true if it did. */
static bool add_attr(struct onn_str *s, const struct onn_attr *row, const void *attr, const char *sep)
{
    const void *at = (const char *)attr + row->offset;
    switch (row->type) {
    case ONN_ATTR_INT:
        if (*(const int64_t *)at == (int64_t)row->def)
            return false;
        onn_str_add(s, "%s%s=%lld", sep, row->name, (long long)*(const int64_t *)at);
        return true;
    case ONN_ATTR_FLOAT:
        if (*(const float *)at == (float)row->def || (isnan(row->def) && isnan(*(const float *)at)))
            return false;
        onn_str_add(s, "%s%s=", sep, row->name);
        add_float(s, *(const float *)at);
        return true;
    case ONN_ATTR_INTS:
        if (((const struct onn_ints *)at)->n < 0)
            return false;
        onn_str_add(s, "%s%s=", sep, row->name);
        add_ints(s, at);
        return true;
    case ONN_ATTR_FLOATS: {
        const struct onn_floats *list = at;
        if (list->n < 0)
            return false;
        onn_str_add(s, "%s%s=%s", sep, row->name, list->n ? "" : "()");
        for (int32_t i = 0; i < list->n; i++) {
            onn_str_add(s, "%s", i ? "," : "");
            add_float(s, list->v[i]);
        }
        return true;
    }
    case ONN_ATTR_STRING: {
        const char *text = *(const char *const *)at;
        if (!text)
            return false;
        const char *quote = strpbrk(text, " \t\n") || !*text ? "'" : "";
        onn_str_add(s, "%s%s=%s%s%s", sep, row->name, quote, text, quote);
        return true;
    }
    case ONN_ATTR_TENSOR: {
        const struct onn_blob *b = *(struct onn_blob *const *)at;
        if (!is_short(b))
            return false;
        onn_str_add(s, "%s%s=", sep, row->name);
        add_numbers(s, b);
        return true;
    }
    default: return false;
    }
}

static void add_shape(struct onn_str *s, const struct onn_desc *d)
{
    char name[48];
    if (!d->dtype) {
        onn_str_add(s, "-");
        return;
    }
    if (d->rank == 0)
        onn_str_add(s, "scalar");
    for (int i = 0; i < d->rank; i++) {
        if (d->dim[i] < 0)
            onn_str_add(s, "%s?", i ? "x" : "");
        else
            onn_str_add(s, "%s%lld", i ? "x" : "", (long long)d->dim[i]);
    }
    if (d->dtype != OCLNN_F32)
        onn_str_add(s, ":%s", oclnn_dtype_name(d->dtype));
    if (!onn_format_is_plain(&d->format))
        onn_str_add(s, ":%s", onn_format_name(&d->format, name));
}

static void add_steps(struct onn_str *s, const struct onn_prob *p)
{
    int own = onn_prob_own_inputs(p);
    for (int i = 0; p->epi && i < p->epi->n; i++) {
        const struct onn_epi_step *step = &p->epi->step[i];
        onn_str_add(s, " +%s%s", step->op->name, step->swap ? "~" : "");
        bool open = false;
        for (const struct onn_attr *r = step->op->attrs; step->attr && r && r->type != ONN_ATTR_END; r++)
            open |= add_attr(s, r, step->attr, open ? "," : "{");
        if (open)
            onn_str_add(s, "}");
        if (step->extra >= 0) {
            onn_str_add(s, "=");
            add_shape(s, &p->in[own + step->extra]);
        }
    }
}

void onn_prob_text(const struct onn_prob *p, struct onn_str *s)
{
    static const char *const names[] = {"x", "w", "b"};
    static const char *const math[] = {"fp32", "tf32", "fp16", "bf16"};
    int own = onn_prob_own_inputs(p), least = p->op->min_out == ONN_VARIADIC ? 1 : p->op->min_out;
    bool special = false;
    char format[48];
    onn_str_add(s, "%s", p->op->name);
    for (int i = 0; i < own; i++) {
        if (i < 3 && !onn_attr_find(p->op, names[i], 1))
            onn_str_add(s, " %s=", names[i]);
        else
            onn_str_add(s, " in%d=", i);
        if (p->value && is_short(p->value[i]))
            add_numbers(s, p->value[i]);
        else
            add_shape(s, &p->in[i]);
    }
    for (const struct onn_attr *row = p->op->attrs; p->attr && row && row->type != ONN_ATTR_END; row++)
        add_attr(s, row, p->attr, " ");
    if (p->n_out != least)
        onn_str_add(s, " outs=%d", p->n_out);
    if (p->opset)
        onn_str_add(s, " opset=%d", p->opset);
    if (p->math != ONN_MATH_FP32)
        onn_str_add(s, " math=%s", math[p->math]);
    add_steps(s, p);
    for (int i = 0; p->out && i < p->n_out; i++)
        special |= !onn_format_is_plain(&p->out[i].format);
    for (int i = 0; special && i < p->n_out; i++)
        onn_str_add(s, "%s%s", i ? "/" : " f:", onn_format_name(&p->out[i].format, format));
}
