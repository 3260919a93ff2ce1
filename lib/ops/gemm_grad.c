/* Gradients of Gemm and MatMul: products with one operand transposed. */
#include "ops/gemm.h"
#include "ops/grads.h"
#include "ops/transpose.h"

static int32_t product(struct onn_grad *g, int32_t a, bool trans_a, int32_t b, bool trans_b, float alpha)
{
    const struct onn_gemm_attr attr = {.alpha = alpha, .beta = 1, .trans_a = trans_a, .trans_b = trans_b};
    return onn_grad_2(g, "gemm", &attr, a, b);
}

static void addend_grad(struct onn_grad *g, double factor)
{
    if (g->n_in < 3 || !g->in[2] || !g->needed[2])
        return;
    const int32_t dc = onn_grad_unbroadcast(g, g->dout[0], g->in[2]);
    g->add(g, 2, factor == 1 ? dc : onn_grad_scale(g, dc, factor));
}

enum oclnn_status onn_gemm_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_gemm_attr *t = p->attr;
    const int32_t dy = g->dout[0], a = g->in[0], b = g->in[1];
    if (g->needed[0])
        g->add(g, 0,
            t->trans_a ? product(g, b, t->trans_b, dy, true, t->alpha)
                       : product(g, dy, false, b, !t->trans_b, t->alpha));
    if (g->needed[1])
        g->add(g, 1,
            t->trans_b ? product(g, dy, true, a, t->trans_a, t->alpha)
                       : product(g, a, !t->trans_a, dy, false, t->alpha));
    addend_grad(g, t->beta);
    return OCLNN_OK;
}

/* x with its last two dimensions exchanged. */
static int32_t turned(struct onn_grad *g, int32_t x)
{
    int64_t perm[ONN_MAX_RANK];
    if (!x || g->graph->status)
        return 0;
    const int rank = onn_grad_desc(g, x)->rank;
    for (int i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    const struct onn_transpose_attr attr = {.perm = onn_grad_list(g, perm, rank)};
    return onn_grad_1(g, "transpose", &attr, x);
}

/* x as a matrix of rows of its last dimension. */
static int32_t flattened(struct onn_grad *g, int32_t x)
{
    if (!x || g->graph->status)
        return 0;
    const struct onn_desc d = *onn_grad_desc(g, x);
    const int64_t last = d.dim[d.rank - 1], rows = last ? onn_desc_elements(&d) / last : 0;
    return onn_grad_reshape(g, x, 2, (int64_t[]){rows, last});
}

enum oclnn_status onn_matmul_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_desc a = p->in[0], b = p->in[1], y = p->out[0];
    int32_t va = g->in[0], vb = g->in[1], dy = g->dout[0];
    int64_t dim[ONN_MAX_RANK];
    int rank = 0;
    if (a.rank == 1) /* 1-D operands are matrices of one row or column */
        va = onn_grad_reshape(g, va, 2, (int64_t[]){1, a.dim[0]});
    if (b.rank == 1)
        vb = onn_grad_reshape(g, vb, 2, (int64_t[]){b.dim[0], 1});
    const int batch = y.rank - (a.rank > 1) - (b.rank > 1);
    for (int i = 0; i < batch; i++)
        dim[rank++] = y.dim[i];
    dim[rank++] = a.rank == 1 ? 1 : a.dim[a.rank - 2];
    dim[rank++] = b.rank == 1 ? 1 : b.dim[b.rank - 1];
    dy = onn_grad_reshape(g, dy, rank, dim);
    const bool flat = b.rank <= 2; /* one matrix for all rows of a */
    if (g->needed[0]) {
        const int32_t da = flat ? product(g, flattened(g, dy), false, vb, true, 1)
                                : onn_grad_2(g, "matmul", NULL, dy, turned(g, vb));
        g->add(g, 0, onn_grad_reshape_like(g, flat ? da : onn_grad_unbroadcast(g, da, va), g->in[0]));
    }
    if (g->needed[1]) {
        const int32_t db = flat ? product(g, flattened(g, va), true, flattened(g, dy), false, 1)
                                : onn_grad_2(g, "matmul", NULL, turned(g, va), dy);
        g->add(g, 1, onn_grad_reshape_like(g, flat ? db : onn_grad_unbroadcast(g, db, vb), g->in[1]));
    }
    addend_grad(g, 1);
    return OCLNN_OK;
}
