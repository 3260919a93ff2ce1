/* Products for devices with real local memory: tiles, few rows, and CLBlast where it is measured to be faster. */
#include "ops/conv.h"
#include "ops/gemm_variants.h"
#include "runtime/context.h"
#include <math.h>

#define LOCAL_BYTES 17408 /* of either tile in cl/lib/simt.h */

const char *onn_simt_refuse(const struct onn_caps *caps)
{
    if (caps->max_group < 256)
        return "needs work-groups of 256";
    return caps->local_bytes < LOCAL_BYTES ? "needs 17 KiB of local memory" : NULL;
}

int onn_simt_tile(const struct onn_caps *caps, int64_t rows, int64_t columns, int64_t batches)
{
    const int64_t cores = caps->compute_units > 0 ? caps->compute_units : 1;

    return !caps->vector_cpu && onn_div_up(rows, 128) * onn_div_up(columns, 128) * batches >= 2 * cores ? 8
                                                                                                        : 4;
}

double onn_simt_efficiency(const struct onn_caps *caps, int64_t rows, int64_t columns, int64_t batches)
{
    const double cores = caps->compute_units > 0 ? caps->compute_units : 1;
    const int64_t side = 16 * onn_simt_tile(caps, rows, columns, batches);
    const double tiles = (double)(onn_div_up(rows, side) * onn_div_up(columns, side) * batches);
    const double filled = (double)(rows * columns * batches) / (tiles * (double)(side * side));

    if (caps->vector_cpu || caps->simulated) /* local memory and barriers only cost */
        return 0.02 * filled;
    return (side == 128 ? 0.65 : 0.5) * filled * tiles / (ceil(tiles / cores) * cores);
}

/* ---- tiled ---- */
static const char *tiled_refuse(const struct onn_prob *p)
{
    const char *reason = onn_gemm_refuse_common(p, false);

    return reason ? reason : onn_simt_refuse(p->caps);
}

static struct onn_cost tiled_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    double m, n, k, batches;

    (void)t;
    onn_gemm_size(p, &m, &n, &k, &batches);
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p), 1,
        onn_simt_efficiency(p->caps, (int64_t)m, (int64_t)n, (int64_t)batches)};
}

static enum oclnn_status tiled_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_gemm_args g;
    struct onn_gemm_operands o;
    struct onn_launch *l;
    char defines[64];
    int tile;

    ONN_TRY(onn_gemm_args(p, &g, &o));
    tile = t->v[0] ? t->v[0] : onn_simt_tile(p->caps, g.m, g.n, onn_gemm_batches(&g));
    l = onn_bind_add(b, "gemm_tiled", "gemm_tiled", "-D SIMT_M=%d %s", tile,
        onn_elem_define(p->in[0].dtype, g.act, defines));
    onn_gemm_put_arg(l, &o.a);
    onn_gemm_put_arg(l, &o.b);
    onn_gemm_put_arg(l, &o.c);
    onn_gemm_put_arg(l, &o.r);
    onn_gemm_put_arg(l, &o.y);
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_arg_int(b, l, g.a_k == 1);
    onn_arg_int(b, l, g.b_k == 1);
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(g.n, 16 * tile) * 16, (size_t)onn_div_up(g.m, 16 * tile) * 16,
            (size_t)onn_gemm_batches(&g)},
        (size_t[3]){16, 16, 1});
    return b->status;
fail:
    return status;
}

static const int32_t tile_values[] = {4, 8, 0};
static const struct onn_tunable tile_tunables[] = {{"tile", 0, tile_values}, {.name = NULL}};

#define FLAGS (ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT)

const struct onn_variant onn_gemm_tiled = {
    .name = "tiled",
    .flags = FLAGS,
    .refuse = tiled_refuse,
    .cost = tiled_cost,
    .bind = tiled_bind,
    .tunables = tile_tunables,
};

/* ---- few rows ---- */
static const char *gemv_refuse(const struct onn_prob *p)
{
    const char *reason = onn_gemm_refuse_common(p, false);
    double m, n, k, batches;

    if (reason)
        return reason;
    if (p->caps->max_group < 256 || p->caps->local_bytes < 4096)
        return "needs work-groups of 256 and 4 KiB of local memory";
    onn_gemm_size(p, &m, &n, &k, &batches);
    return m > 16 ? "more than 16 rows" : NULL;
}

static struct onn_cost gemv_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost cost = {onn_prob_flop(p), onn_prob_bytes(p), 1, 0.1};
    double m, n, k, batches;

    (void)t;
    onn_gemm_size(p, &m, &n, &k, &batches);
    cost.bytes += 4 * n * k * batches * (ceil(m / 4) - 1); /* b again for every four rows */
    if (p->caps->vector_cpu || p->caps->simulated)
        cost.efficiency = 0.01;
    return cost;
}

static enum oclnn_status gemv_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_gemm_args g;
    struct onn_gemm_operands o;
    struct onn_launch *l;
    char defines[64];
    bool by_k;

    (void)t;
    ONN_TRY(onn_gemm_args(p, &g, &o));
    by_k = g.b_k == 1 && g.n > 1;
    l = onn_bind_add(b, "gemv", by_k ? "gemv_k" : "gemv_n", "%s",
        onn_elem_define(p->in[0].dtype, g.act, defines));
    onn_gemm_put_arg(l, &o.a);
    onn_gemm_put_arg(l, &o.b);
    onn_gemm_put_arg(l, &o.c);
    onn_gemm_put_arg(l, &o.r);
    onn_gemm_put_arg(l, &o.y);
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(g.n, by_k ? 8 : 32) * 32, (size_t)onn_div_up(g.m, 4) * 8,
            (size_t)onn_gemm_batches(&g)},
        (size_t[3]){32, 8, 1});
    return b->status;
fail:
    return status;
}

const struct onn_variant onn_gemm_gemv = {
    .name = "gemv",
    .flags = FLAGS,
    .refuse = gemv_refuse,
    .cost = gemv_cost,
    .bind = gemv_bind,
};

/* ---- CLBlast ---- */
/* A row-major matrix of `rows` x `columns` by strides as CLBlast wants it: leading dimension, transposed or not. */
static bool leading(int64_t s_row, int64_t s_column, int64_t rows, int64_t columns, bool *transposed,
    int64_t *ld)
{
    if (s_column == 1 || columns == 1) {
        *transposed = false;
        *ld = rows == 1 && s_row < columns ? columns : s_row;
        return *ld >= columns;
    }
    *transposed = true;
    *ld = columns == 1 && s_column < rows ? rows : s_column;
    return (s_row == 1 || rows == 1) && *ld >= rows;
}

/* Batches whose rows a product may have merged count too: in a view they may lie apart. */
static bool has_batches(const struct onn_desc *d)
{
    for (int i = 0; i < d->rank - 2; i++)
        if (d->dim[i] != 1)
            return true;
    return false;
}

static const char *clblast_call(const struct onn_prob *p, struct onn_gemm_call *call,
    struct onn_gemm_operands *o)
{
    const char *reason = onn_gemm_refuse_common(p, false);
    struct onn_gemm_args g;
    bool y_transposed;

    if (reason)
        return reason;
    if (p->in[0].dtype != OCLNN_F32)
        return "only f32";
    if (p->epi && p->epi->n)
        return "takes no epilogue";
    if (has_batches(&p->in[0]) || has_batches(&p->in[1]) || onn_gemm_args(p, &g, o) || g.m < 1 || g.n < 1 ||
        g.k < 1)
        return "batches, or nothing to multiply";
    if (g.has_c)
        return "takes no addend";
    *call = (struct onn_gemm_call){.m = g.m, .n = g.n, .k = g.k, .alpha = g.alpha, .beta = 0};
    if (!leading(g.a_m, g.a_k, g.m, g.k, &call->a_transposed, &call->lda) ||
        !leading(g.b_k, g.b_n, g.k, g.n, &call->b_transposed, &call->ldb) ||
        !leading(g.y_m, g.y_n, g.m, g.n, &y_transposed, &call->ldc) || y_transposed)
        return "rows or columns are not contiguous";
    return NULL;
}

static const char *clblast_refuse(const struct onn_prob *p)
{
    struct onn_gemm_call call;
    struct onn_gemm_operands o;

    return clblast_call(p, &call, &o);
}

static struct onn_cost clblast_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    double m, n, k, batches;

    (void)t;
    onn_gemm_size(p, &m, &n, &k, &batches);
    /* Its kernels are untuned on most devices, and small products go through several launches. */
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p) * 2, 3,
        p->caps->vector_cpu     ? 0.05
            : fmin(m, n) >= 512 ? 0.4
                                : 0.1};
}

static enum oclnn_status clblast_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_gemm_call call;
    struct onn_gemm_operands o;
    const char *reason = clblast_call(p, &call, &o);
    struct onn_launch *l;

    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "clblast: %s", reason);
    l = onn_bind_gemm(b, &call, sizeof call);
    onn_gemm_put_arg(l, &o.a);
    onn_gemm_put_arg(l, &o.b);
    onn_gemm_put_arg(l, &o.y);
    return b->status;
}

const struct onn_variant onn_gemm_clblast = {
    .name = "clblast",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = clblast_refuse,
    .cost = clblast_cost,
    .bind = clblast_bind,
};
