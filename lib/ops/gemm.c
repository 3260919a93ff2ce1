/* Gemm: y = alpha op(a) op(b) + beta c. MatMul: y = a b with numpy's rules for batches and 1-D operands; its third input
 * is ours, not ONNX's: an addend that broadcasts to y (what a pass makes of MatMul + Add). matmul_perm reads and writes
 * transposed tensors. */
#include "ops/conv.h"
#include "ops/gemm_variants.h"
#include "ops/grads.h"

static const struct onn_attr gemm_attrs[] = {
    {"alpha", "alpha", ONN_ATTR_FLOAT, offsetof(struct onn_gemm_attr, alpha), 1, 0, 0},
    {"beta", "beta", ONN_ATTR_FLOAT, offsetof(struct onn_gemm_attr, beta), 1, 0, 0},
    {"transA", "transA", ONN_ATTR_INT, offsetof(struct onn_gemm_attr, trans_a), 0, 0, 1},
    {"transB", "transB", ONN_ATTR_INT, offsetof(struct onn_gemm_attr, trans_b), 0, 0, 1},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr matmul_attrs[] = {{.type = ONN_ATTR_END}};
#define PERM_ROW(name) \
    { \
#name, NULL, ONN_ATTR_INTS, offsetof(struct onn_matmul_perm_attr, name), 0, 0, ONN_MAX_RANK - 1 \
    }
static const struct onn_attr matmul_perm_attrs[] = {PERM_ROW(perm_a), PERM_ROW(perm_b), PERM_ROW(perm_y),
    {.type = ONN_ATTR_END}};

extern const struct onn_op *const onn_ops_gemm[];

static bool is_gemm(const struct onn_prob *p)
{
    return p->op == onn_ops_gemm[0];
}

/* ---- transposed operands ---- */
/* perms of a (0), b (1) and y (2); NULL where there is none. */
static const struct onn_ints *perm_of(const struct onn_prob *p, int i)
{
    const struct onn_matmul_perm_attr *t = p->op == onn_ops_gemm[2] ? p->attr : NULL;
    const struct onn_ints *perm = !t ? NULL : i == 0 ? &t->perm_a : i == 1 ? &t->perm_b : &t->perm_y;

    return perm && perm->n > 0 ? perm : NULL;
}

/* Dims and strides of d in the order of perm; back: those that d has them from. False if it does not fit. */
static bool permute(const struct onn_ints *perm, bool back, const struct onn_desc *d, struct onn_desc *out)
{
    uint32_t seen = 0;

    *out = *d;
    if (!perm)
        return true;
    if (perm->n != d->rank)
        return false;
    for (int i = 0; i < d->rank; i++) {
        const int64_t j = perm->v[i];
        if (j < 0 || j >= d->rank || seen >> j & 1)
            return false;
        seen |= 1u << j;
        out->dim[back ? j : i] = d->dim[back ? i : j];
        out->stride[back ? j : i] = d->stride[back ? i : j];
    }
    return true;
}

/* Input i as the product sees it. */
static struct onn_desc operand(const struct onn_prob *p, int i)
{
    struct onn_desc d;

    permute(perm_of(p, i), false, &p->in[i], &d);
    return d;
}

/* ---- shapes ---- */
static enum oclnn_status check_dtypes(const struct onn_prob *p)
{
    const enum oclnn_dtype t = p->in[0].dtype;

    if (!onn_dtype_is_float(t) && t != OCLNN_I32 && t != OCLNN_I64)
        return onn_error(OCLNN_ERROR_DTYPE, "matrices of %s are not supported", oclnn_dtype_name(t));
    for (int i = 1; i < onn_prob_own_inputs(p); i++)
        if (onn_prob_has(p, i) && p->in[i].dtype != t)
            return onn_error(OCLNN_ERROR_DTYPE, "the first matrix is %s but input %d is %s",
                oclnn_dtype_name(t), i, oclnn_dtype_name(p->in[i].dtype));
    return OCLNN_OK;
}

/* Does c broadcast to out without enlarging it? */
static enum oclnn_status check_addend(const struct onn_desc *c, const struct onn_desc *out)
{
    bool fits = c->rank <= out->rank;

    for (int i = 0; fits && i < c->rank; i++) {
        const int64_t have = c->dim[i], want = out->dim[out->rank - c->rank + i];
        fits = have == 1 || have < 0 || want < 0 || have == want;
    }
    if (!fits) {
        char a[160], b[160];
        return onn_error(OCLNN_ERROR_SHAPE, "the addend %s does not broadcast to %s", onn_desc_text(c, a),
            onn_desc_text(out, b));
    }
    return OCLNN_OK;
}

static enum oclnn_status gemm_infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status;
    const struct onn_gemm_attr *t = p->attr;
    const struct onn_desc *a = &p->in[0], *b = &p->in[1];
    int64_t dim[2], ka, kb;

    ONN_TRY(check_dtypes(p));
    ONN_CHECK(a->rank == 2 && b->rank == 2, OCLNN_ERROR_SHAPE, "Gemm takes two matrices, not ranks %d and %d",
        (int)a->rank, (int)b->rank);
    dim[0] = a->dim[t->trans_a ? 1 : 0];
    ka = a->dim[t->trans_a ? 0 : 1];
    kb = b->dim[t->trans_b ? 1 : 0];
    dim[1] = b->dim[t->trans_b ? 0 : 1];
    ONN_CHECK(ka < 0 || kb < 0 || ka == kb, OCLNN_ERROR_SHAPE,
        "inner dimensions differ: a%s has %lld, b%s has %lld", t->trans_a ? " transposed" : "", (long long)ka,
        t->trans_b ? " transposed" : "", (long long)kb);
    out[0] = onn_desc_make(a->dtype, 2, dim);
    if (onn_prob_has(p, 2))
        ONN_TRY(check_addend(&p->in[2], &out[0]));
    return OCLNN_OK;
fail:
    return status;
}

static enum oclnn_status matmul_infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status;
    struct onn_desc da, db, y;
    const struct onn_desc *a = &da, *b = &db;
    int64_t dim[ONN_MAX_RANK], ka, kb;
    int rank;

    ONN_TRY(check_dtypes(p));
    ONN_CHECK(permute(perm_of(p, 0), false, &p->in[0], &da) && permute(perm_of(p, 1), false, &p->in[1], &db),
        OCLNN_ERROR_ARGUMENT, "perm_a or perm_b is not a permutation of its operand's dimensions");
    ONN_CHECK(a->rank >= 1 && b->rank >= 1, OCLNN_ERROR_SHAPE, "MatMul takes no scalars");
    ka = a->dim[a->rank - 1];
    kb = b->dim[b->rank == 1 ? 0 : b->rank - 2];
    ONN_CHECK(ka < 0 || kb < 0 || ka == kb, OCLNN_ERROR_SHAPE,
        "inner dimensions differ: a has %lld, b has %lld", (long long)ka, (long long)kb);
    rank = onn_broadcast(a->rank > 2 ? a->rank - 2 : 0, a->dim, b->rank > 2 ? b->rank - 2 : 0, b->dim, dim);
    if (rank < 0) {
        char ta[160], tb[160];
        status = onn_error(OCLNN_ERROR_SHAPE, "batch dimensions of %s and %s do not broadcast",
            onn_desc_text(a, ta), onn_desc_text(b, tb));
        goto fail;
    }
    if (a->rank > 1)
        dim[rank++] = a->dim[a->rank - 2];
    if (b->rank > 1)
        dim[rank++] = b->dim[b->rank - 1];
    y = onn_desc_make(a->dtype, rank, dim);
    if (onn_prob_has(p, 2))
        ONN_TRY(check_addend(&p->in[2], &y));
    ONN_CHECK(permute(perm_of(p, 2), false, &y, &da), OCLNN_ERROR_ARGUMENT,
        "perm_y is not a permutation of the product's dimensions");
    out[0] = onn_desc_make(y.dtype, rank, da.dim);
    return OCLNN_OK;
fail:
    return status;
}

static void size_of(const struct onn_prob *p, double *m, double *n, double *k, double *batches)
{
    const struct onn_desc da = operand(p, 0), db = operand(p, 1), *a = &da, *b = &db;
    const struct onn_gemm_attr *t = p->attr;

    *batches = 1;
    if (is_gemm(p)) {
        *m = (double)a->dim[t->trans_a ? 1 : 0];
        *k = (double)a->dim[t->trans_a ? 0 : 1];
        *n = (double)b->dim[t->trans_b ? 0 : 1];
        return;
    }
    *k = (double)a->dim[a->rank - 1];
    *m = a->rank == 1 ? 1 : (double)a->dim[a->rank - 2];
    *n = b->rank == 1 ? 1 : (double)b->dim[b->rank - 1];
    if (*m * *n > 0)
        *batches = (double)onn_desc_elements(&p->out[0]) / (*m * *n);
}

static double product_flop(const struct onn_prob *p)
{
    double m, n, k, batches;

    size_of(p, &m, &n, &k, &batches);
    return 2.0 * m * n * k * batches;
}

bool onn_gemm_b_transposed(const struct onn_prob *p)
{
    const struct onn_ints *perm = perm_of(p, 1);

    return is_gemm(p) ? ((const struct onn_gemm_attr *)p->attr)->trans_b : perm && perm->n == 2 && perm->v[0];
}

/* ---- geometry: strides of all operands, batch dimensions merged ---- */
static const struct onn_arg no_arg = {.kind = ONN_ARG_IN, .index = 0};

/* Strides of d (rank and dims of out's, numpy rules, d aligned to the end) for out's dimensions first … first+n-1. */
static void strides_at(const struct onn_desc *d, int out_rank, int first, int n, int64_t *stride)
{
    for (int i = 0; i < n; i++) {
        const int j = first + i - (out_rank - d->rank);
        stride[i] = j < 0 || d->dim[j] == 1 ? 0 : d->stride[j];
    }
}

/* Drops batch dimensions of extent 1 and merges neighbours that every operand walks in one step. */
static void merge_batch(struct onn_gemm_args *g, int rank, const int64_t *dim)
{
    int64_t *s[5] = {g->a_b, g->b_b, g->y_b, g->c_b, g->r_b};
    int n = 0;

    for (int i = 0; i < rank; i++) {
        bool merge = n > 0;
        if (dim[i] == 1)
            continue;
        for (int k = 0; k < 5; k++)
            merge = merge && s[k][n - 1] == s[k][i] * dim[i];
        if (merge)
            n--;
        g->batch_dim[n] = (int32_t)(merge ? g->batch_dim[n] * dim[i] : dim[i]);
        for (int k = 0; k < 5; k++)
            s[k][n] = s[k][i];
        n++;
    }
    g->batch_rank = n;
}

/* Rows of batches that share b are rows of one product, where every operand walks them in one step. */
static void merge_rows(struct onn_gemm_args *g)
{
    while (g->batch_rank > 0) {
        const int i = g->batch_rank - 1;
        const int64_t step[4] = {g->a_b[i], g->y_b[i], g->c_b[i], g->r_b[i]};
        int64_t *const row[4] = {&g->a_m, &g->y_m, &g->c_m, &g->r_m};
        bool merge = g->b_b[i] == 0 && g->batch_dim[i] > 0 && (int64_t)g->m * g->batch_dim[i] <= INT32_MAX;
        for (int k = 0; k < 4; k++)
            merge = merge && (g->m == 1 || step[k] == *row[k] * g->m);
        if (!merge)
            return;
        for (int k = 0; k < 4 && g->m == 1; k++)
            *row[k] = step[k];
        g->m *= g->batch_dim[i];
        g->batch_rank--;
    }
}

static enum oclnn_status tail_args(const struct onn_prob *p, struct onn_gemm_args *g,
    struct onn_gemm_operands *o, int *residual)
{
    struct onn_tail tail;

    if (!onn_tail_get(p, &tail))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "epilogue is not residual, clip, one activation");
    g->lo = tail.lo;
    g->hi = tail.hi;
    g->act = tail.kind;
    g->act_a = tail.a;
    g->act_b = tail.b;
    g->has_r = tail.residual >= 0;
    *residual = tail.residual;
    if (g->has_r)
        o->r = (struct onn_arg){.kind = ONN_ARG_IN, .index = tail.residual};
    g->has_c = onn_prob_has(p, 2);
    if (g->has_c)
        o->c = (struct onn_arg){.kind = ONN_ARG_IN, .index = 2};
    return OCLNN_OK;
}

static void gemm_strides(const struct onn_prob *p, struct onn_gemm_args *g)
{
    const struct onn_gemm_attr *t = p->attr;
    const struct onn_desc *a = &p->in[0], *b = &p->in[1];

    g->alpha = t->alpha;
    g->beta = t->beta;
    g->a_m = a->stride[t->trans_a ? 1 : 0];
    g->a_k = a->stride[t->trans_a ? 0 : 1];
    g->b_k = b->stride[t->trans_b ? 1 : 0];
    g->b_n = b->stride[t->trans_b ? 0 : 1];
}

static void matmul_strides(const struct onn_desc *a, const struct onn_desc *b, struct onn_gemm_args *g)
{
    g->alpha = g->beta = 1.0f;
    g->a_m = a->rank == 1 ? 0 : a->stride[a->rank - 2];
    g->a_k = a->stride[a->rank - 1];
    g->b_k = b->rank == 1 ? b->stride[0] : b->stride[b->rank - 2];
    g->b_n = b->rank == 1 ? 0 : b->stride[b->rank - 1];
}

enum oclnn_status onn_gemm_args(const struct onn_prob *p, struct onn_gemm_args *g,
    struct onn_gemm_operands *o)
{
    enum oclnn_status status;
    const struct onn_desc da = operand(p, 0), db = operand(p, 1), *a = &da, *b = &db;
    struct onn_desc dy, dr = p->out[0], *y = &dy;
    const bool matmul = !is_gemm(p), row = !matmul || a->rank > 1, column = !matmul || b->rank > 1;
    permute(perm_of(p, 2), true, &p->out[0], &dy);
    const int batch = y->rank - row - column, at_m = batch, at_n = batch + row;
    double m, n, k, batches;
    int residual = -1;

    *g = (struct onn_gemm_args){0};
    *o = (struct onn_gemm_operands){no_arg, {.kind = ONN_ARG_IN, .index = 1}, no_arg, no_arg,
        {.kind = ONN_ARG_OUT}};
    size_of(p, &m, &n, &k, &batches);
    ONN_CHECK(m <= INT32_MAX && n <= INT32_MAX && k <= INT32_MAX && batches <= INT32_MAX,
        OCLNN_ERROR_UNSUPPORTED, "a matrix dimension does not fit 31 bits");
    ONN_CHECK(batch <= ONN_GEMM_BATCH, OCLNN_ERROR_UNSUPPORTED, "%d batch dimensions are too many", batch);
    g->m = (int32_t)m;
    g->n = (int32_t)n;
    g->k = (int32_t)k;
    ONN_TRY(tail_args(p, g, o, &residual));
    if (g->has_r)
        ONN_CHECK(permute(perm_of(p, 2), true, &p->in[residual], &dr), OCLNN_ERROR_UNSUPPORTED,
            "a residual of another rank behind a transposed product");
    if (matmul)
        matmul_strides(a, b, g);
    else
        gemm_strides(p, g);
    if (row) {
        g->y_m = y->stride[at_m];
        if (g->has_c)
            strides_at(&p->in[2], y->rank, at_m, 1, &g->c_m);
        if (g->has_r)
            strides_at(&dr, y->rank, at_m, 1, &g->r_m);
    }
    if (column) {
        g->y_n = y->stride[at_n];
        if (g->has_c)
            strides_at(&p->in[2], y->rank, at_n, 1, &g->c_n);
        if (g->has_r)
            strides_at(&dr, y->rank, at_n, 1, &g->r_n);
    }
    if (a->rank > 2)
        strides_at(a, batch + 2, 0, batch, g->a_b);
    if (b->rank > 2)
        strides_at(b, batch + 2, 0, batch, g->b_b);
    strides_at(y, y->rank, 0, batch, g->y_b);
    if (g->has_c)
        strides_at(&p->in[2], y->rank, 0, batch, g->c_b);
    if (g->has_r)
        strides_at(&dr, y->rank, 0, batch, g->r_b);
    merge_batch(g, batch, y->dim);
    merge_rows(g);
    return OCLNN_OK;
fail:
    return status;
}

int64_t onn_gemm_batches(const struct onn_gemm_args *g)
{
    int64_t n = 1;

    for (int i = 0; i < g->batch_rank; i++)
        n *= g->batch_dim[i];
    return n;
}

void onn_gemm_size(const struct onn_prob *p, double *m, double *n, double *k, double *batches)
{
    struct onn_gemm_args g;
    struct onn_gemm_operands o;

    size_of(p, m, n, k, batches);
    if (onn_gemm_args(p, &g, &o))
        return;
    *m = g.m;
    *batches = (double)onn_gemm_batches(&g);
}

static const char *refuse_operands(const struct onn_prob *p, bool packed)
{
    struct onn_tail tail;

    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].format.block || (p->in[i].format.pack && !(packed && i == 1)))
            return "an operand is blocked or packed";
    if (p->out[0].format.block)
        return "writes no blocked tensors";
    if (!onn_tail_get(p, &tail))
        return "the epilogue is not residual, clip, one activation";
    if (tail.residual >= 0 && perm_of(p, 2) && p->in[tail.residual].rank != p->out[0].rank)
        return "a residual of another rank behind a transposed product";
    return NULL;
}

const char *onn_gemm_refuse_common(const struct onn_prob *p, bool packed)
{
    return onn_elem_can(p->in[0].dtype) ? refuse_operands(p, packed) : "only f32 and f16";
}

/* ---- host: constants ---- */
static enum oclnn_status product_host(const struct onn_prob *p, struct onn_blob *const *out)
{
    enum oclnn_status status;
    struct onn_prob q = *p;
    struct onn_desc in[3];
    struct onn_gemm_args g;
    struct onn_gemm_operands o;
    const bool whole = !onn_dtype_is_float(p->in[0].dtype);

    for (int i = 0; i < 3 && i < p->n_in; i++)
        in[i] = p->in[i].dtype ? onn_desc_make(p->in[i].dtype, p->in[i].rank, p->in[i].dim) : p->in[i];
    q.in = in;
    q.out = &out[0]->desc;
    ONN_TRY(onn_gemm_args(&q, &g, &o));
    for (int64_t i = 0; i < onn_gemm_batches(&g); i++) {
        int64_t at[4] = {0, 0, 0, 0}, rest = i;
        for (int d = g.batch_rank - 1; d >= 0; rest /= g.batch_dim[d--]) {
            const int64_t j = rest % g.batch_dim[d];
            at[0] += j * g.a_b[d];
            at[1] += j * g.b_b[d];
            at[2] += j * g.y_b[d];
            at[3] += j * g.c_b[d];
        }
        for (int64_t m = 0; m < g.m; m++)
            for (int64_t n = 0; n < g.n; n++) {
                double sum = 0;
                uint64_t total = 0; /* wraps like the device would */
                for (int64_t k = 0; k < g.k; k++) {
                    const int64_t ia = at[0] + m * g.a_m + k * g.a_k, ib = at[1] + k * g.b_k + n * g.b_n;
                    if (whole)
                        total += (uint64_t)onn_blob_get_i64(p->value[0], ia) *
                            (uint64_t)onn_blob_get_i64(p->value[1], ib);
                    else
                        sum += onn_blob_get_f64(p->value[0], ia) * onn_blob_get_f64(p->value[1], ib);
                }
                sum = (double)g.alpha * (whole ? (double)(int64_t)total : sum);
                if (g.has_c)
                    sum += (double)g.beta * onn_blob_get_f64(p->value[2], at[3] + m * g.c_m + n * g.c_n);
                if (whole && g.alpha == 1.0f && !g.has_c)
                    onn_blob_set_i64(out[0], at[2] + m * g.y_m + n * g.y_n, (int64_t)total);
                else
                    onn_blob_set_f64(out[0], at[2] + m * g.y_m + n * g.y_n, sum);
            }
    }
    return OCLNN_OK;
fail:
    return status;
}

/* ---- reference ---- */
static const char *reference_refuse(const struct onn_prob *p)
{
    const char *reason = onn_elem_refuse_plain(p);
    return reason ? reason : refuse_operands(p, false);
}

void onn_gemm_put_arg(struct onn_launch *l, const struct onn_arg *arg)
{
    if (l && l->n_args < ONN_MAX_ARGS)
        l->arg[l->n_args++] = *arg;
}

enum oclnn_status onn_gemm_bind_reference(const struct onn_gemm_args *g, const struct onn_gemm_operands *o,
    enum oclnn_dtype dtype, struct onn_bind *b)
{
    char defines[64];
    struct onn_launch *l =
        onn_bind_add(b, "gemm", "gemm_reference", "%s", onn_elem_define(dtype, g->act, defines));

    onn_gemm_put_arg(l, &o->a);
    onn_gemm_put_arg(l, &o->b);
    onn_gemm_put_arg(l, &o->c);
    onn_gemm_put_arg(l, &o->r);
    onn_gemm_put_arg(l, &o->y);
    onn_arg_bytes(b, l, g, sizeof *g);
    onn_launch_elements(l, (size_t)g->n, (size_t)g->m, (size_t)onn_gemm_batches(g));
    return b->status;
}

static enum oclnn_status reference_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_gemm_args g;
    struct onn_gemm_operands o;

    (void)t;
    ONN_TRY(onn_gemm_args(p, &g, &o));
    return onn_gemm_bind_reference(&g, &o, p->in[0].dtype, b);
fail:
    return status;
}

const struct onn_variant onn_gemm_reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT |
        ONN_VARIANT_REFERENCE,
    .refuse = reference_refuse,
    .cost = onn_reference_cost,
    .bind = reference_bind,
};

static const struct onn_variant *const variants[] = {&onn_gemm_packed, &onn_gemm_gemv, &onn_gemm_tiled,
    &onn_gemm_clblast, &onn_gemm_reference, NULL};

static const struct onn_op gemm = {
    .name = "gemm",
    .onnx = "Gemm",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_gemm_attr),
    .attrs = gemm_attrs,
    .since = 7,
    .infer = gemm_infer,
    .grad = onn_gemm_grad,
    .host = product_host,
    .variants = variants,
    .flop = product_flop,
};
static const struct onn_op matmul = {
    .name = "matmul",
    .onnx = "MatMul",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = matmul_attrs,
    .since = 1,
    .infer = matmul_infer,
    .grad = onn_matmul_grad,
    .host = product_host,
    .variants = variants,
    .flop = product_flop,
};

static const struct onn_op matmul_perm = {
    .name = "matmul_perm",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_matmul_perm_attr),
    .attrs = matmul_perm_attrs,
    .infer = matmul_infer,
    .host = product_host,
    .variants = variants,
    .flop = product_flop,
};

const struct onn_op *const onn_ops_gemm[] = {&gemm, &matmul, &matmul_perm, NULL};
