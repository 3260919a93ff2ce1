/* Element-wise operators as launches. Three variants: flat (all operands lie alike), blocked (channel blocks with
 * operands per channel, per image or per pixel), and the general one, a walk with strides, which never refuses. */
#include "ops/elementwise.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* Mirrors of the structs in the generated text. */
struct ew_nd {
    int32_t rank, pad, dim[8];
    int64_t stride[ONN_EW_OPERANDS][8]; /* [0] output, [1 + i] operand i; kernels have as many as they need */
};
struct ew_blk {
    int32_t n, blocks, c, px, per, h, w, pad;
    int64_t stride[ONN_EW_OPERANDS][5]; /* n, block, depth, height, width */
};

/* One kernel under construction. */
struct build {
    const struct onn_prob *p;
    struct onn_bind *b;
    enum oclnn_status (*launch)(struct build *k);
    struct onn_ew_code code;
    int operand[ONN_EW_OPERANDS]; /* input of the node, -1 = the output so far */
    char name[ONN_EW_OPERANDS][4];
};

static const struct onn_desc *operand_desc(const struct build *k, int i)
{
    return k->operand[i] < 0 ? &k->p->out[0] : &k->p->in[k->operand[i]];
}

static bool is_scalar(const struct onn_desc *d)
{
    return onn_desc_elements(d) == 1;
}

/* ---- the chain: own row, then the epilogue's steps; several launches when there are too many operands ---- */
static void begin(struct build *k)
{
    const struct onn_ew_row *row = onn_ew_row(k->p->op);
    onn_str_finish(&k->code.body);
    memset(&k->code, 0, sizeof k->code);
    k->code.fp64 = !k->p->caps || k->p->caps->has_fp64;
    k->code.domain = onn_ew_domain_of(k->p->in[row->ew_flags & ONN_EW_COND ? 1 : 0].dtype, k->code.fp64);
    k->code.out_type = k->p->out[0].dtype;
    k->code.keeps_zero = true;
}

/* The variable that holds input `index` of the node. */
static const char *use(struct build *k, int index)
{
    const int i = k->code.n_in++;
    k->operand[i] = index;
    k->code.in_type[i] = operand_desc(k, i)->dtype;
    k->name[i][0] = 'x';
    k->name[i][1] = (char)('0' + i);
    k->name[i][2] = '\0';
    return k->name[i];
}

static enum oclnn_status flush(struct build *k)
{
    if (!onn_str_ok(&k->code.body))
        return OCLNN_ERROR_MEMORY;
    return k->launch(k);
}

/* Makes room for one more operand (and its parameters): what there is goes to memory and comes back as operand 0. */
static enum oclnn_status make_room(struct build *k)
{
    if (k->code.n_in < ONN_EW_OPERANDS - 1 && k->code.n_params + 2 <= ONN_EW_PARAMS)
        return OCLNN_OK;
    enum oclnn_status status = flush(k);
    begin(k);
    onn_str_add(&k->code.body, "    v = %s;\n", use(k, -1));
    return status;
}

static bool known_scalar(const struct onn_prob *p, int i, double *value)
{
    if (!p->value || !p->value[i] || p->value[i]->host_stale || !p->value[i]->data || !is_scalar(&p->in[i]))
        return false;
    *value = onn_blob_get_f64(p->value[i], 0);
    return true;
}

static void emit_clip(struct build *k, int own)
{
    const struct onn_prob *p = k->p;
    struct onn_ew_attr attr = {0};
    const char *x = use(k, 0);
    if (onn_ew_is_real(k->code.domain) && onn_ew_clip_bounds(p, &attr.alpha, &attr.beta)) {
        onn_ew_emit(&k->code, &onn_ew_clip, &attr, x, NULL, NULL);
        return;
    }
    onn_str_add(&k->code.body, "    v = %s;\n", x);
    if (own > 1 && p->in[1].dtype != OCLNN_NONE)
        onn_ew_emit(&k->code, &onn_ew_clip_lo, NULL, "v", use(k, 1), NULL);
    if (own > 2 && p->in[2].dtype != OCLNN_NONE)
        onn_ew_emit(&k->code, &onn_ew_clip_hi, NULL, "v", use(k, 2), NULL);
}

static enum oclnn_status emit_chain(struct build *k, const struct onn_ew_row *row, int own)
{
    enum oclnn_status status = OCLNN_OK;
    onn_str_add(&k->code.body, "    v = %s;\n", use(k, 0));
    for (int i = 1; i < own; i++) {
        ONN_TRY(make_room(k));
        onn_ew_emit(&k->code, row, NULL, "v", use(k, i), NULL);
    }
    if (row->ew_flags & ONN_EW_MEAN)
        onn_str_add(&k->code.body, "    v = v / (T)(%d);\n", own);
fail:
    return status;
}

static enum oclnn_status emit_own(struct build *k)
{
    const struct onn_prob *p = k->p;
    const struct onn_ew_row *row = onn_ew_row_for(p->op, p->attr);
    const int own = onn_prob_own_inputs(p);
    double exponent;
    if (p->op == &onn_ew_clip.op) {
        emit_clip(k, own);
        return OCLNN_OK;
    }
    if (row->ew_flags & ONN_EW_CHAIN)
        return emit_chain(k, row, own);
    if (row->ew_flags & ONN_EW_LIKE) {
        onn_ew_emit(&k->code, row, NULL, use(k, 0), NULL, NULL);
        return OCLNN_OK;
    }
    if (row->ew_flags & ONN_EW_MIXED && known_scalar(p, 1, &exponent) && exponent == 2) {
        onn_ew_emit(&k->code, &onn_ew_square, NULL, use(k, 0), NULL, NULL); /* pow is slow */
        return OCLNN_OK;
    }
    if (row->ew_flags & ONN_EW_TEXT) {
        for (int i = 0; i < own; i++)
            use(k, i);
        onn_ew_emit(&k->code, row, p->attr, NULL, NULL, NULL);
        return OCLNN_OK;
    }
    const char *a = use(k, 0), *b = own > 1 ? use(k, 1) : NULL, *c = own > 2 ? use(k, 2) : NULL;
    onn_ew_emit(&k->code, row, p->attr, a, b, c);
    return OCLNN_OK;
}

static enum oclnn_status build_all(const struct onn_prob *p, struct onn_bind *b,
    enum oclnn_status (*launch)(struct build *k))
{
    enum oclnn_status status;
    struct build k = {.p = p, .b = b, .launch = launch};
    if (onn_desc_elements(&p->out[0]) == 0)
        return OCLNN_OK;
    begin(&k);
    ONN_TRY(emit_own(&k));
    for (int i = 0; p->epi && i < p->epi->n; i++) {
        const struct onn_epi_step *s = &p->epi->step[i];
        const struct onn_ew_row *row = onn_ew_row_for(s->op, s->attr);
        ONN_TRY(make_room(&k));
        const char *x = s->extra >= 0 ? use(&k, onn_prob_own_inputs(p) + s->extra) : NULL;
        onn_ew_emit(&k.code, row, s->attr, s->swap ? x : "v", s->swap ? "v" : x, NULL);
    }
    ONN_TRY(flush(&k));
    status = b->status;
fail:
    onn_str_finish(&k.code.body);
    return status;
}

/* ---- sizes of work ---- */
static bool on_cpu(const struct onn_prob *p)
{
    return p->caps && p->caps->vector_cpu;
}

/* Widest vector for this code, where nothing forbids vectors. */
static int choose_width(const struct onn_prob *p, const struct onn_ew_code *code, int64_t inner)
{
    int width = on_cpu(p) ? p->caps->vector_width : p->caps && p->caps->scalar ? 1 : 4;
    bool scalar = code->out_type == OCLNN_F64 || code->out_gather, half = code->out_type == OCLNN_F16;
    for (int i = 0; i < code->n_in; i++) {
        half = half || code->in_type[i] == OCLNN_F16;
        scalar = scalar || code->in_type[i] == OCLNN_F64 || code->in_class[i] == ONN_EW_GATHER;
    }
    if (half && width == 4 && on_cpu(p))
        width = 8; /* read lane by lane, see ew_gen.c */
    if (!onn_ew_is_real(code->domain) && onn_ew_row(p->op)->ew_flags & ONN_EW_SCALAR_INT)
        scalar = true;
    while (width > 1 && width > inner)
        width /= 2;
    return scalar || width < 2 ? 1 : width;
}

/* Elements that one item of a vector CPU takes: long enough to be worth a work-group, short enough to share. */
static int64_t chunk(const struct onn_prob *p, int64_t elements)
{
    const int64_t units = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    int64_t per = (elements + 4 * units - 1) / (4 * units);
    per = per < 1024 ? 1024 : per > 16384 ? 16384 : per;
    return (per + 63) / 64 * 64;
}

static size_t group(const struct onn_prob *p, size_t wanted)
{
    return p->caps && p->caps->max_group && p->caps->max_group < wanted ? p->caps->max_group : wanted;
}

static struct onn_launch *add_launch(struct build *k, enum onn_ew_shape shape)
{
    const char *name, *text;
    if (k->b->status != OCLNN_OK)
        return NULL;
    k->b->status = onn_ew_kernel(&k->code, shape, k->b->arena, &name, &text);
    if (k->b->status != OCLNN_OK)
        return NULL;
    struct onn_launch *l = onn_bind_add(k->b, "ew", name, "%s", "");
    if (l)
        l->source = text;
    for (int i = 0; l && i < k->code.n_in; i++) {
        if (k->operand[i] < 0)
            onn_arg_out(l, 0);
        else
            onn_arg_in(l, k->operand[i]);
    }
    onn_arg_out(l, 0);
    return l;
}

static enum oclnn_status finish_launch(struct build *k, struct onn_launch *l)
{
    for (int i = 0; i < k->code.n_params; i++)
        onn_arg_float(k->b, l, k->code.param[i]);
    return k->b->status;
}

static enum oclnn_status launch_flat_n(struct build *k, int64_t n)
{
    k->code.width = choose_width(k->p, &k->code, n);
    const int64_t per = on_cpu(k->p) ? chunk(k->p, n) : k->code.width;
    struct onn_launch *l = add_launch(k, ONN_EW_FLAT);
    onn_arg_long(k->b, l, n);
    onn_arg_int(k->b, l, per);
    onn_launch_size1(l, (size_t)((n + per - 1) / per), on_cpu(k->p) ? 1 : group(k->p, 128));
    return finish_launch(k, l);
}

/* ---- flat ---- */
static enum oclnn_status launch_flat(struct build *k)
{
    const struct onn_desc *y = &k->p->out[0];
    for (int i = 0; i < k->code.n_in; i++)
        k->code.in_class[i] = is_scalar(operand_desc(k, i)) && !is_scalar(y) ? ONN_EW_SCALAR : ONN_EW_VECTOR;
    return launch_flat_n(k, onn_desc_extent(y) - y->offset);
}

static enum oclnn_status bind_flat(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return build_all(p, b, launch_flat);
}

static bool keeps_zero(const struct onn_prob *p)
{
    bool keeps = onn_ew_row_for(p->op, p->attr)->ew_flags & ONN_EW_ZERO;
    for (int i = 0; p->epi && i < p->epi->n; i++)
        keeps = keeps && onn_ew_row_for(p->epi->step[i].op, p->epi->step[i].attr)->ew_flags & ONN_EW_ZERO;
    for (int i = 0; i < p->n_in; i++)
        keeps = keeps && (p->in[i].dtype == OCLNN_NONE || !is_scalar(&p->in[i]) || is_scalar(&p->out[0]));
    return keeps;
}

/* Types are changed everywhere, through the numbers' bits. */
static const char *refuse_type(const struct onn_prob *p)
{
    return onn_ew_row(p->op)->ew_flags & (ONN_EW_CAST | ONN_EW_LIKE) && !p->epi ? NULL : onn_refuse_f64(p);
}

static const char *refuse_flat(const struct onn_prob *p)
{
    const struct onn_desc *y = &p->out[0];
    if (y->format.pack)
        return "opaque format";
    if (refuse_type(p))
        return refuse_type(p);
    for (int i = 0; i < p->n_in; i++) {
        const struct onn_desc *d = &p->in[i];
        if (d->dtype == OCLNN_NONE || (is_scalar(d) && d->format.block <= 1 && !d->format.pack))
            continue;
        if (!onn_desc_same_shape(d, y))
            return "an operand is broadcast";
        if (!onn_format_equal(&d->format, &y->format))
            return "operands lie differently";
    }
    if (y->format.block > 1 && y->dim[y->format.axis] % y->format.block && !keeps_zero(p))
        return "pad lanes would not stay zero";
    return NULL;
}

/* Candidates: plain, blocked by the native width (16 and 8 where there is none), channels last. */
static int candidate_formats(const struct onn_prob *p, struct onn_format *f)
{
    const int rank = p->out[0].rank, native = on_cpu(p) ? p->caps->vector_width : 16;
    int n = 0;
    f[n++] = onn_format_plain();
    if (rank >= 3 && rank <= 5) {
        f[n++] = onn_format_blocked(1, native);
        f[n++] = onn_format_nhwc(rank);
        if (!on_cpu(p))
            f[n++] = onn_format_blocked(1, 8);
    }
    return n;
}

static int formats_flat(const struct onn_prob *p, struct onn_formats *out, int max)
{
    struct onn_format candidate[8];
    const int own = onn_prob_own_inputs(p), candidates = candidate_formats(p, candidate);
    int n = 0;
    if (own > ONN_FORMAT_SLOTS)
        for (int i = 0; i < own; i++)
            if (!onn_desc_same_shape(&p->in[i], &p->out[0]))
                return 0;
    for (int c = 0; c < candidates && n < max; c++, n++) {
        memset(&out[n], 0, sizeof out[n]);
        out[n].n_out = 1;
        out[n].out[0] = candidate[c];
        out[n].n_in = own < ONN_FORMAT_SLOTS ? own : ONN_FORMAT_SLOTS;
        for (int i = 0; i < out[n].n_in; i++)
            if (p->in[i].dtype != OCLNN_NONE && onn_desc_same_shape(&p->in[i], &p->out[0]))
                out[n].in[i] = candidate[c];
    }
    return n;
}

static struct onn_cost cost_of(const struct onn_prob *p, double waste)
{
    double bytes = 0;
    for (int i = 0; i < p->n_in; i++)
        bytes += p->in[i].dtype != OCLNN_NONE ? (double)onn_desc_bytes(&p->in[i]) : 0;
    bytes += (double)onn_desc_bytes(&p->out[0]);
    return (
        struct onn_cost){.flop = onn_ew_flop(p), .bytes = bytes * waste, .launches = 1, .efficiency = 0.15};
}
static struct onn_cost cost_flat(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return cost_of(p, 1);
}
static struct onn_cost cost_blocked(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return cost_of(p, 1.05);
}
static struct onn_cost cost_nd(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return cost_of(p, 1.1);
}

/* ---- blocked ---- */
/* Strides of d, broadcast to y, in y's dimensions. */
static void broadcast_strides(const struct onn_desc *d, const struct onn_desc *y, int64_t *stride)
{
    const int lead = y->rank - d->rank;
    for (int i = 0; i < y->rank; i++)
        stride[i] = i < lead || d->dim[i - lead] == 1 ? 0 : d->stride[i - lead];
}

/* How operand d goes with blocked y; NULL = fine, else the reason. */
static const char *blocked_class(const struct onn_desc *d, const struct onn_desc *y, enum onn_ew_class *out)
{
    const int lead = y->rank - d->rank, at = 1 - lead, block = y->format.block;
    const bool channels = at >= 0 && d->dim[at] > 1;
    const bool alike = onn_format_equal(&d->format, &y->format) && d->rank == y->rank;
    bool spatial = false;
    for (int i = 2; i < y->rank; i++)
        spatial = spatial || (i >= lead && d->dim[i - lead] > 1);
    if (d->format.pack)
        return "opaque format";
    if (d->format.block > 1 && !alike)
        return "operands are blocked differently";
    *out = ONN_EW_SCALAR;
    if (!channels && !(alike && y->dim[1] == 1))
        return NULL;
    *out = alike ? ONN_EW_VECTOR : ONN_EW_LANES;
    if (alike && spatial)
        return NULL;
    *out = ONN_EW_LANES;
    if (spatial)
        return alike ? NULL : "an operand is not blocked";
    return block == 2 || block == 4 || block == 8 || block == 16 ? NULL : "block is no vector width";
}

static const char *refuse_blocked(const struct onn_prob *p)
{
    const struct onn_desc *y = &p->out[0];
    enum onn_ew_class kind;
    if (y->format.pack || y->format.block < 2 || y->format.axis != 1 || y->format.permuted)
        return "output is not blocked along dimension 1";
    if (y->rank < 2 || y->rank > 5)
        return "rank is not 2 … 5";
    if (p->caps && p->caps->scalar)
        return "the compiler takes vectors apart";
    if (y->format.block != 2 && y->format.block != 4 && y->format.block != 8 && y->format.block != 16)
        return "block is no vector width";
    if (onn_ew_row(p->op)->ew_flags & ONN_EW_LIKE)
        return "an operand lends its type only";
    for (int i = 0; i < p->n_in; i++) {
        const char *reason = p->in[i].dtype == OCLNN_NONE ? NULL : blocked_class(&p->in[i], y, &kind);
        if (reason)
            return reason;
        if (p->in[i].dtype == OCLNN_F64)
            return "f64 has no vectors";
    }
    if (y->dtype == OCLNN_F64)
        return "f64 has no vectors";
    if (onn_ew_row(p->op)->ew_flags & ONN_EW_SCALAR_INT && !onn_dtype_is_float(p->in[0].dtype))
        return "integer power has no vectors";
    return NULL;
}

static int formats_blocked(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const struct onn_desc *y = &p->out[0];
    struct onn_format candidate[8];
    const int own = onn_prob_own_inputs(p), candidates = candidate_formats(p, candidate);
    int n = 0;
    if (own > ONN_FORMAT_SLOTS)
        return 0;
    for (int c = 0; c < candidates && n < max; c++) {
        if (candidate[c].block < 2)
            continue;
        memset(&out[n], 0, sizeof out[n]);
        out[n].n_out = 1;
        out[n].out[0] = candidate[c];
        out[n].n_in = own;
        for (int i = 0; i < own; i++) {
            const struct onn_desc *d = &p->in[i];
            bool spatial = false;
            if (d->dtype == OCLNN_NONE || d->rank != y->rank || d->dim[1] != y->dim[1])
                continue;
            for (int k = 2; k < d->rank; k++)
                spatial = spatial || d->dim[k] > 1;
            /* A constant per channel stays plain: nothing has to be reordered. */
            if (spatial || onn_desc_same_shape(d, y) || !(p->value && p->value[i]))
                out[n].in[i] = candidate[c];
        }
        n++;
    }
    return n;
}

static enum oclnn_status launch_blocked(struct build *k)
{
    const struct onn_desc *y = &k->p->out[0];
    const int block = y->format.block;
    struct ew_blk g = {.n = (int32_t)y->dim[0], .c = (int32_t)y->dim[1], .px = 1, .h = 1, .w = 1};
    bool merged = true;
    int64_t px = 1;
    g.blocks = (g.c + block - 1) / block;
    for (int i = 2; i < y->rank; i++)
        px *= y->dim[i];
    if (px > INT_MAX || y->dim[0] > INT_MAX || y->dim[1] > INT_MAX)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    g.px = (int32_t)px;
    g.w = y->rank > 2 ? (int32_t)y->dim[y->rank - 1] : 1;
    g.h = y->rank > 3 ? (int32_t)y->dim[y->rank - 2] : 1;
    for (int o = 0; o <= k->code.n_in; o++) {
        const struct onn_desc *d = o ? operand_desc(k, o - 1) : y;
        int64_t s[ONN_MAX_RANK], *to = g.stride[o];
        broadcast_strides(d, y, s);
        if (o) {
            const char *reason = blocked_class(d, y, &k->code.in_class[o - 1]);
            if (reason)
                return onn_error(OCLNN_ERROR_INTERNAL, "blocked element-wise kernel: %s", reason);
        }
        to[0] = s[0];
        to[1] = d->format.block > 1 ? s[1] : s[1] * block;
        for (int i = 2; i < y->rank; i++)
            to[i + 5 - y->rank] = s[i];
        if (o && k->code.in_class[o - 1] == ONN_EW_LANES) {
            to[4] = d->format.block > 1 ? 1 : s[1]; /* from lane to lane: it has no pixels */
            continue;
        }
        merged = merged && (y->rank < 4 || to[3] == to[4] * g.w) && (y->rank < 5 || to[2] == to[3] * g.h);
    }
    k->code.width = block;
    const int64_t per = on_cpu(k->p) ? chunk(k->p, onn_desc_elements(y)) / block : 1;
    g.per = (int32_t)(per < 1 ? 1 : per);
    struct onn_launch *l = add_launch(k, merged ? ONN_EW_BLOCKED : ONN_EW_BLOCKED_ND);
    onn_arg_bytes(k->b, l, &g, sizeof g);
    const size_t local[3] = {on_cpu(k->p) ? 1 : group(k->p, 64), 1, 1};
    const size_t global[3] = {(size_t)((px + g.per - 1) / g.per), (size_t)g.blocks, (size_t)g.n};
    onn_launch_size3(l, global, local);
    return finish_launch(k, l);
}

static enum oclnn_status bind_blocked(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return build_all(p, b, launch_blocked);
}

/* ---- the general walk ---- */
/* Dimensions of y in the order in which they lie in memory, outermost first. */
static int memory_order(const struct onn_desc *y, int *order)
{
    int n = 0;
    for (int i = 0; i < y->rank; i++) {
        if (y->dim[i] == 1)
            continue;
        int at = n++;
        for (; at > 0 && y->stride[order[at - 1]] < y->stride[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return n;
}

static bool make_nd(const struct build *k, struct ew_nd *g)
{
    const struct onn_desc *y = &k->p->out[0];
    int64_t stride[ONN_EW_OPERANDS][ONN_MAX_RANK];
    int order[ONN_MAX_RANK];
    const int rank = memory_order(y, order);
    memset(g, 0, sizeof *g);
    for (int o = 0; o <= k->code.n_in; o++)
        broadcast_strides(o ? operand_desc(k, o - 1) : y, y, stride[o]);
    for (int i = 0; i < rank; i++) {
        const int d = order[i];
        bool merge = g->rank > 0 && (int64_t)g->dim[g->rank - 1] * y->dim[d] <= INT_MAX;
        if (y->dim[d] > INT_MAX)
            return false;
        for (int o = 0; merge && o <= k->code.n_in; o++)
            merge = g->stride[o][g->rank - 1] == stride[o][d] * y->dim[d];
        if (merge)
            g->dim[g->rank - 1] *= (int32_t)y->dim[d];
        else
            g->dim[g->rank++] = (int32_t)y->dim[d];
        for (int o = 0; o <= k->code.n_in; o++)
            g->stride[o][g->rank - 1] = stride[o][d];
    }
    if (g->rank == 0) {
        g->rank = 1;
        g->dim[0] = 1;
        for (int o = 0; o <= k->code.n_in; o++)
            g->stride[o][0] = 1;
    }
    return true;
}

static enum oclnn_status launch_nd(struct build *k)
{
    const struct onn_prob *p = k->p;
    struct ew_nd g;
    int64_t rows = 1;
    if (!make_nd(k, &g))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    const int last = g.rank - 1;
    const int64_t inner = g.dim[last];
    k->code.out_gather = g.stride[0][last] != 1;
    bool gathers = k->code.out_gather;
    for (int i = 0; i < k->code.n_in; i++) {
        const int64_t s = g.stride[i + 1][last];
        k->code.in_class[i] = s == 1 ? ONN_EW_VECTOR : s == 0 ? ONN_EW_SCALAR : ONN_EW_GATHER;
        gathers = gathers || k->code.in_class[i] == ONN_EW_GATHER;
    }
    if (g.rank == 1 && !gathers)
        return launch_flat_n(k, inner);
    for (int d = 0; d < last; d++)
        rows *= g.dim[d];
    if (rows > INT_MAX)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "%lld rows do not fit 31 bits", (long long)rows);
    k->code.width = choose_width(p, &k->code, inner);
    int64_t inner_per = k->code.width, rows_per = 1;
    if (on_cpu(p)) {
        const int64_t per = chunk(p, rows * inner);
        inner_per = per < inner ? per : inner;
        rows_per = per / inner_per > 1 ? per / inner_per : 1;
    }
    struct onn_launch *l = add_launch(k, ONN_EW_ND);
    onn_arg_bytes(k->b, l, &g,
        offsetof(struct ew_nd, stride) + (size_t)(k->code.n_in + 1) * sizeof g.stride[0]);
    onn_arg_int(k->b, l, rows);
    onn_arg_int(k->b, l, rows_per);
    onn_arg_int(k->b, l, inner_per);
    const size_t across = (size_t)((inner + inner_per - 1) / inner_per);
    const size_t down = (size_t)((rows + rows_per - 1) / rows_per);
    const size_t l0 = on_cpu(p) ? 1 : across >= 64 ? group(p, 128) : group(p, 16);
    onn_launch_size2(l, across, down, l0, on_cpu(p) || across >= 64 || group(p, 128) < 128 ? 1 : 8);
    return finish_launch(k, l);
}

static enum oclnn_status bind_nd(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return build_all(p, b, launch_nd);
}

static const char *refuse_nd(const struct onn_prob *p)
{
    if (refuse_type(p))
        return refuse_type(p);
    for (int i = 0; i <= p->n_in; i++) {
        const struct onn_desc *d = i < p->n_in ? &p->in[i] : &p->out[0];
        if (d->dtype != OCLNN_NONE && (d->format.pack || d->format.block > 1))
            return "blocked operand";
    }
    return NULL;
}

static int formats_nd(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const struct onn_desc *y = &p->out[0];
    const int own = onn_prob_own_inputs(p), wanted = y->rank >= 3 && own <= ONN_FORMAT_SLOTS ? 2 : 1;
    int n = 0;
    for (; n < wanted && n < max; n++) {
        memset(&out[n], 0, sizeof out[n]);
        out[n].n_out = 1;
        out[n].n_in = own < ONN_FORMAT_SLOTS ? own : ONN_FORMAT_SLOTS;
        if (n == 0)
            continue;
        out[n].out[0] = onn_format_nhwc(y->rank);
        for (int i = 0; i < own; i++)
            if (p->in[i].dtype != OCLNN_NONE && p->in[i].rank == y->rank && !is_scalar(&p->in[i]) &&
                (onn_desc_same_shape(&p->in[i], y) || !(p->value && p->value[i])))
                out[n].in[i] = onn_format_nhwc(y->rank);
    }
    return n;
}

#define FLAGS (ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_CHAIN | ONN_VARIANT_INPLACE0)
static const struct onn_variant flat = {
    .name = "flat",
    .flags = FLAGS,
    .refuse = refuse_flat,
    .formats = formats_flat,
    .cost = cost_flat,
    .bind = bind_flat,
};
static const struct onn_variant blocked = {
    .name = "blocked",
    .flags = FLAGS | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = refuse_blocked,
    .formats = formats_blocked,
    .cost = cost_blocked,
    .bind = bind_blocked,
};
static const struct onn_variant nd = {
    .name = "nd",
    .flags = FLAGS | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = refuse_nd,
    .formats = formats_nd,
    .cost = cost_nd,
    .bind = bind_nd,
};
const struct onn_variant *const onn_ew_variants[] = {&flat, &blocked, &nd, NULL};
