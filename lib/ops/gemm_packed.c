/* The product for vector CPUs: B in panels of two vectors, register tiles. Constant weights are packed once, as an opaque
 * format; other B are packed into the workspace by a launch of their own. */
#include "ops/conv.h"
#include "ops/gemm_variants.h"
#include "ops/pack.h"

#define PANEL_VECTORS 2
#define FEW_ROWS 2 /* up to here the product goes row by row */
#define L1_FLOATS 8192 /* of a block of one panel */

static int panel(const struct onn_caps *caps)
{
    return PANEL_VECTORS * caps->vector_width;
}

/* ---- the opaque packing: p[0] = columns of a panel, p[1] = 1: the weight is [n][k] ---- */
static int64_t pack_elements(const struct onn_desc *weight, const uint8_t p[4])
{
    int64_t n, k, total;

    if (weight->rank != 2 || !p[0])
        return -1;
    k = weight->dim[p[1] ? 1 : 0];
    n = weight->dim[p[1] ? 0 : 1];
    return onn_mul_i64(onn_div_up(n, p[0]) * p[0], k, &total) ? total : -1;
}

static enum oclnn_status add_pack(const struct onn_gemm_args *g, const struct onn_arg *from,
    const struct onn_arg *to, enum oclnn_dtype dtype, int columns, int64_t batches, struct onn_bind *b)
{
    const int64_t panels = onn_div_up(g->n, columns);
    /* At least 64 KiB for one work-item: a launch has few of them. */
    const int64_t k_group = onn_div_up(16384, columns) < g->k ? onn_div_up(16384, columns) : g->k;
    struct onn_launch *l = onn_bind_add(b, "gemm_packed", "gemm_pack_b", "-D VL=%d%s",
        columns / PANEL_VECTORS, onn_stored_define(dtype));

    onn_gemm_put_arg(l, from);
    onn_gemm_put_arg(l, to);
    onn_arg_bytes(b, l, g, sizeof *g);
    onn_arg_int(b, l, k_group > 0 ? k_group : 1);
    onn_launch_size3(l,
        (size_t[3]){k_group > 0 ? (size_t)onn_div_up(g->k, k_group) : 0, (size_t)panels, (size_t)batches},
        (size_t[3]){1, 1, 1});
    return b->status;
}

static enum oclnn_status pack_bind(const struct onn_prob *p, struct onn_bind *b)
{
    const struct onn_desc *w = &p->in[0];
    const uint8_t *par = p->out[0].format.p;
    const struct onn_arg from = {.kind = ONN_ARG_IN, .index = 0}, to = {.kind = ONN_ARG_OUT, .index = 0};
    struct onn_gemm_args g = {0};

    if (w->dim[0] > INT32_MAX || w->dim[1] > INT32_MAX)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a matrix dimension does not fit 31 bits");
    if (!onn_elem_can(w->dtype))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "only f32 and f16 are packed for the product");
    g.k = (int32_t)w->dim[par[1] ? 1 : 0];
    g.n = (int32_t)w->dim[par[1] ? 0 : 1];
    g.b_k = w->stride[par[1] ? 1 : 0];
    g.b_n = w->stride[par[1] ? 0 : 1];
    return add_pack(&g, &from, &to, w->dtype, par[0], 1, b);
}

static const struct onn_pack gemm_b = {ONN_PACK_GEMM_B, "gemm_b", pack_elements, pack_bind};
const struct onn_pack *const onn_packs_gemm[] = {&gemm_b, NULL};

/* ---- launches for any operands ---- */
/* Does every batch read the same b? */
static bool shares_b(const struct onn_gemm_args *g)
{
    for (int i = 0; i < g->batch_rank; i++)
        if (g->b_b[i])
            return false;
    return true;
}

size_t onn_gemm_packed_workspace(const struct onn_gemm_args *g, const struct onn_caps *caps)
{
    const double floats = (double)(onn_div_up(g->n, panel(caps)) * panel(caps)) * (double)g->k;

    return (size_t)(4.0 * floats * (shares_b(g) ? 1.0 : (double)onn_gemm_batches(g)));
}

/* Rows and panels of a work-group: enough groups for all cores, each worth its launch; A's rows stay in L2. */
static void deal(const struct onn_gemm_args *g, const struct onn_caps *caps, int64_t k_block, int64_t *rows,
    int64_t *panels)
{
    const int64_t tile = caps->vector_width == 16 ? 12 : 6, all = onn_div_up(g->n, panel(caps));
    const int64_t batches = onn_gemm_batches(g),
                  want = 4 * (caps->compute_units > 0 ? caps->compute_units : 1);
    const int64_t l2_rows = onn_div_up(24576, k_block > 0 ? k_block : 1) / tile * tile;
    int64_t m = l2_rows > 16 * tile ? l2_rows : 16 * tile, p = all;

    if (m > g->m)
        m = g->m;
    for (;;) {
        const double flop = 2.0 * (double)(m * p * panel(caps)) * (double)g->k;
        const int64_t groups = onn_div_up(g->m, m) * onn_div_up(all, p) * batches;
        if (groups >= want || flop < 1e6)
            break;
        if (p > 4 || (p > 1 && m <= 2 * tile))
            p = onn_div_up(p, 2);
        else if (m > tile)
            m = onn_div_up(onn_div_up(m, 2), tile) * tile;
        else
            break;
    }
    *rows = m;
    *panels = p;
}

enum oclnn_status onn_gemm_bind_packed(const struct onn_gemm_args *args, const struct onn_gemm_operands *o,
    enum oclnn_dtype dtype, bool packed, size_t workspace_offset, const struct onn_caps *caps,
    struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_gemm_args g = *args;
    struct onn_gemm_operands at = *o;
    const int64_t panels = onn_div_up(g.n, panel(caps)), size = panels * panel(caps) * g.k;
    const bool half = dtype == OCLNN_F16; /* no sum waits in y then */
    const int64_t pieces = half ? 1 : onn_div_up(g.k, L1_FLOATS / panel(caps));
    const int64_t k_block = pieces > 0 ? onn_div_up(g.k, pieces) : 1;
    int64_t step = size, m_group, p_group;
    struct onn_launch *l;
    char kind[32];

    if (!packed) {
        const bool shared = shares_b(&g);
        at.b = (struct onn_arg){.kind = ONN_ARG_WORKSPACE, .index = half ? 2 : 1, .bytes = workspace_offset};
        ONN_TRY(add_pack(&g, &o->b, &at.b, dtype, panel(caps), shared ? 1 : onn_gemm_batches(&g), b));
        for (int i = g.batch_rank - 1; i >= 0 && !shared; step *= g.batch_dim[i--])
            g.b_b[i] = step;
    }
    deal(&g, caps, k_block, &m_group, &p_group);
    l = onn_bind_add(b, "gemm_packed",
        g.m <= FEW_ROWS  ? "gemm_packed_row"
            : g.a_k == 1 ? "gemm_packed"
                         : "gemm_packed_at",
        "-D VL=%d%s%s%s", caps->vector_width, onn_stored_define(dtype), onn_epi_define(g.act, kind),
        g.m <= FEW_ROWS  ? ""
            : g.a_k == 1 ? " -D ONN_WITH_PACKED"
                         : " -D ONN_WITH_PACKED_AT");
    onn_gemm_put_arg(l, &at.a);
    onn_gemm_put_arg(l, &at.b);
    onn_gemm_put_arg(l, &at.c);
    onn_gemm_put_arg(l, &at.r);
    onn_gemm_put_arg(l, &at.y);
    onn_arg_bytes(b, l, &g, sizeof g);
    if (g.m > FEW_ROWS)
        onn_arg_int(b, l, m_group);
    onn_arg_int(b, l, p_group);
    if (g.m > FEW_ROWS)
        onn_arg_int(b, l, k_block);
    onn_launch_size3(l,
        (size_t[3]){m_group > 0 ? (size_t)onn_div_up(g.m, m_group) : 0,
            p_group > 0 ? (size_t)onn_div_up(panels, p_group) : 0, (size_t)onn_gemm_batches(&g)},
        (size_t[3]){1, 1, 1});
    return b->status;
fail:
    return status;
}

bool onn_gemm_packed_can(const struct onn_gemm_args *g, const struct onn_caps *caps)
{
    return caps->vector_cpu && caps->vector_width >= 4 && (g->y_n == 1 || g->n == 1) &&
        (!g->has_r || g->r_n == 1 || g->n == 1) && (!g->has_c || g->c_n == 0 || g->c_n == 1) && g->k > 0;
}

/* ---- the variant ---- */
static const char *packed_refuse(const struct onn_prob *p)
{
    const char *reason = onn_gemm_refuse_common(p, true);
    struct onn_gemm_args g;
    struct onn_gemm_operands o;

    if (reason)
        return reason;
    if (!p->caps->vector_cpu)
        return "needs a vector CPU";
    if (p->in[1].format.pack && p->in[1].format.pack != ONN_PACK_GEMM_B)
        return "b is packed for something else";
    if (onn_gemm_args(p, &g, &o))
        return "too large";
    return onn_gemm_packed_can(&g, p->caps) ? NULL
                                            : "columns of y or of an addend are not contiguous, or k is 0";
}

static int packed_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    int n = 0;

    if (p->caps && p->in[1].rank == 2 && n < max) {
        out[n] = (struct onn_formats){.n_in = 3, .n_out = 1};
        out[n++].in[1] = onn_format_pack(ONN_PACK_GEMM_B, panel(p->caps), onn_gemm_b_transposed(p), 0);
    }
    if (n < max)
        out[n++] = (struct onn_formats){.n_in = 3, .n_out = 1};
    return n;
}

static size_t packed_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_gemm_args g;
    struct onn_gemm_operands o;

    (void)t;
    if (p->in[1].format.pack || onn_gemm_args(p, &g, &o))
        return 0;
    return onn_gemm_packed_workspace(&g, p->caps);
}

static struct onn_cost packed_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost cost = {.launches = 1};
    const double rows[4] = {0.4, 0.4, 0.6, 0.8}; /* few rows: few independent sums, many loads for each */
    double m, n, k, batches;

    onn_gemm_size(p, &m, &n, &k, &batches);
    cost.flop = 2 * m * k * batches * (double)(onn_div_up((int64_t)n, panel(p->caps)) * panel(p->caps));
    cost.bytes = (double)oclnn_dtype_size(p->in[0].dtype) * batches * (m * k + k * n + m * n);
    cost.efficiency = m >= 5 ? 0.85 : rows[m < 1 ? 0 : (int)m - 1];
    if (k < 64)
        cost.efficiency *= 0.4 + 0.6 * k / 64;
    if (!p->in[1].format.pack) {
        cost.bytes += 2.0 * (double)packed_workspace(p, t);
        cost.launches++;
    }
    return cost;
}

static enum oclnn_status packed_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_gemm_args g;
    struct onn_gemm_operands o;

    (void)t;
    ONN_TRY(onn_gemm_args(p, &g, &o));
    return onn_gemm_bind_packed(&g, &o, p->in[0].dtype, p->in[1].format.pack != 0, 0, p->caps, b);
fail:
    return status;
}

const struct onn_variant onn_gemm_packed = {
    .name = "packed",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = packed_refuse,
    .formats = packed_formats,
    .cost = packed_cost,
    .workspace = packed_workspace,
    .bind = packed_bind,
};
