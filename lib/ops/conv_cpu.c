/* What the convolutions for vector CPUs share: when they can work, their arguments, their formats. */
#include "ops/conv_variants.h"
#include "ops/convtranspose.h"
#include "ops/pack.h"

/* Strides n, channel, row of a tensor [n, c, (h,) w] whose pixels stand `step` apart; false if they do not. */
static bool get_strides(const struct onn_desc *d, int64_t step, int64_t stride[3])
{
    stride[0] = d->stride[0];
    stride[1] = d->stride[1];
    stride[2] = d->rank == 4 ? d->stride[2] : 0;
    return d->stride[d->rank - 1] == step || d->dim[d->rank - 1] == 1;
}

static bool is_blocked(const struct onn_desc *d, int64_t vl)
{
    return d->format.block == vl && d->format.axis == 1 && !d->format.permuted;
}

/* How many groups together fill whole blocks: what the direct packing makes one dense group of. */
static int64_t merged(int64_t group, int64_t c_group, int64_t k_group, int64_t vl)
{
    if (group == 1)
        return 1;
    for (int64_t m = 1; m < group; m++)
        if (group % m == 0 && m * c_group % vl == 0 && m * k_group % vl == 0)
            return m;
    return group;
}

static bool transposed(const struct onn_prob *p)
{
    return p->op == onn_ops_convtranspose[0];
}

static enum oclnn_status geometry(const struct onn_prob *p, struct onn_conv_geometry *g)
{
    return transposed(p) ? onn_convtranspose_geometry(p, g) : onn_conv_geometry(p, g);
}

static int64_t group_of(const struct onn_prob *p)
{
    return transposed(p) ? ((const struct onn_convtranspose_attr *)p->attr)->group
                         : ((const struct onn_conv_attr *)p->attr)->group;
}

const char *onn_conv_cpu_refuse(const struct onn_prob *p, int pack, bool plain_x, struct onn_conv_cpu *c)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    const struct onn_window *w = &c->g.window;

    *c = (struct onn_conv_cpu){.vl = p->caps->vector_width};
    if (!p->caps->vector_cpu || c->vl < 4)
        return "needs a vector CPU";
    if (!onn_elem_can(x->dtype))
        return "only f32 and f16";
    if (x->rank < 3 || x->rank > 4)
        return "only 1-D and 2-D";
    if (geometry(p, &c->g) || !onn_desc_is_known(x) || !onn_desc_is_known(&p->in[1]))
        return "unknown sizes";
    if (!onn_tail_get(p, &c->tail))
        return "the epilogue is not residual, clip, one activation";
    if (!(plain_x ? onn_format_is_plain(&x->format) : is_blocked(x, c->vl)) || !is_blocked(y, c->vl) ||
        p->in[1].format.pack != pack ||
        (c->tail.residual >= 0 && !is_blocked(&p->in[c->tail.residual], c->vl)))
        return "other formats";
    if (!get_strides(x, plain_x ? 1 : c->vl, c->x_s) || !get_strides(y, c->vl, c->y_s) ||
        (c->tail.residual >= 0 && !get_strides(&p->in[c->tail.residual], c->vl, c->res_s)))
        return "columns of a view stand apart";
    if (c->g.bias && p->in[2].stride[0] != 1 && c->g.k > 1)
        return "bias is strided";
    c->merge = p->in[1].format.p[2] ? p->in[1].format.p[2] : 1;
    c->groups = c->g.group / c->merge;
    c->c_blocks = onn_div_up(c->g.c_group * c->merge, c->vl);
    c->k_blocks = onn_div_up(c->g.k_group * c->merge, c->vl);
    c->tile_1 = c->k_blocks == 1 && pack != ONN_PACK_CONV_DEPTHWISE;
    c->h = w->in[1];
    c->w = w->in[2];
    c->p = w->out[1];
    c->q = w->out[2];
    c->r = w->kernel[1];
    c->s = w->kernel[2];
    c->stride_h = w->stride[1];
    c->stride_w = w->stride[2];
    c->pad_h = w->begin[1];
    c->pad_w = w->begin[2];
    c->dil_h = w->dilation[1];
    c->dil_w = w->dilation[2];
    if (c->g.n > INT32_MAX || c->g.n * c->p > INT32_MAX || c->g.n * c->p * c->q > INT32_MAX)
        return "more pixels than 31 bits can count";
    return NULL;
}

int onn_conv_cpu_formats(const struct onn_prob *p, int pack, bool plain_x, struct onn_formats *out, int max)
{
    int64_t group = group_of(p), merge = 1;
    struct onn_format blocked;

    if (!p->caps || !p->caps->vector_cpu || max < 1 || group < 1)
        return 0;
    if (pack == ONN_PACK_CONV_DEPTHWISE)
        group = 1; /* its packing knows none */
    if (pack == ONN_PACK_CONV_DIRECT)
        merge = merged(group, p->in[1].dim[1], p->in[1].dim[0] / group, p->caps->vector_width);
    if (merge > 255 || group / merge > 255)
        return 0;
    blocked = onn_format_blocked(1, p->caps->vector_width);
    *out = (struct onn_formats){.n_in = 3, .n_out = 1, .out = {blocked}};
    out->in[0] = plain_x ? onn_format_plain() : blocked;
    out->in[1] = onn_format_pack(pack, p->caps->vector_width, (int)(group / merge), (int)merge);
    return 1;
}

struct onn_launch *onn_conv_cpu_launch(const struct onn_prob *p, const struct onn_conv_cpu *c, int pack,
    const char *program, const char *kernel, struct onn_bind *b)
{
    /* The packing knows its weight only by logical dims: those of in[1], whatever its format. */
    const int64_t zeros = onn_conv_pack_zeros(pack, &p->in[1], p->in[1].format.p);
    char kind[32];
    struct onn_launch *l = onn_bind_add(b, program, kernel, "-D VL=%d%s%s%s%s", (int)c->vl,
        onn_stored_define(p->in[0].dtype), onn_epi_define(c->tail.kind, kind),
        c->tile_1 ? " -D ONN_WITH_TILE_1" : "", c->reach ? " -D ONN_WITH_REACH" : "");

    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    if (c->g.bias)
        onn_arg_in(l, 2);
    else
        onn_arg_in_at(l, 1,
            (size_t)zeros * sizeof(float) *
                (sizeof(float) / oclnn_dtype_size(p->in[0].dtype))); /* floats, counted as what a bias is */
    onn_arg_in(l, c->tail.residual >= 0 ? c->tail.residual : 0);
    return l;
}

double onn_conv_cpu_bytes(const struct onn_prob *p)
{
    const struct onn_pack *pack = onn_pack_find(p->in[1].format.pack);
    double bytes = (double)onn_desc_bytes(&p->out[0]);

    for (int i = 0; i < p->n_in; i++)
        if (i != 1 && p->in[i].dtype)
            bytes += (double)onn_desc_bytes(&p->in[i]);
    return bytes +
        (double)oclnn_dtype_size(p->in[1].dtype) *
        (double)(pack ? pack->elements(&p->in[1], p->in[1].format.p) : 0);
}

void onn_conv_cpu_ints(struct onn_bind *b, struct onn_launch *l, const int64_t *v, int n)
{
    for (int i = 0; i < n; i++)
        onn_arg_int(b, l, v[i]);
}

void onn_conv_cpu_strides(struct onn_bind *b, struct onn_launch *l, const struct onn_conv_cpu *c)
{
    const int64_t *s[3] = {c->x_s, c->y_s, c->res_s};

    for (int i = 0; i < 9; i++)
        onn_arg_long(b, l, s[i / 3][i % 3]);
}

void onn_conv_cpu_end(struct onn_bind *b, struct onn_launch *l, const struct onn_conv_cpu *c)
{
    onn_arg_int(b, l, c->tail.residual >= 0);
    onn_arg_float(b, l, c->tail.lo);
    onn_arg_float(b, l, c->tail.hi);
    onn_arg_int(b, l, c->tail.kind);
    onn_arg_float(b, l, c->tail.a);
    onn_arg_float(b, l, c->tail.b);
}
