/* Gemm and MatMul against three loops in double. */
#include "harness/harness.h"
#include "ops/gemm.h"
#include "ops/window_ref.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("gemm a=3x4 b=4x5", "f32[3,5]");
    onn_check_infer("gemm a=4x3 b=5x4 c=5 transA=1 transB=1", "f32[3,5]");
    onn_check_infer("gemm a=3x4 b=5x4", "!inner dimensions differ: a has 4, b has 5");
    onn_check_infer("gemm a=3x4 b=4x5 c=2x5", "!does not broadcast");
    onn_check_infer("gemm a=3x4x5 b=4x5", "!Gemm takes two matrices, not ranks 3 and 2");
    onn_check_infer("matmul a=2x1x3x4 b=7x4x5", "f32[2,7,3,5]");
    onn_check_infer("matmul a=4 b=4", "f32[]");
    onn_check_infer("matmul a=4 b=2x4x5", "f32[2,5]");
    onn_check_infer("matmul a=2x3x4 b=4", "f32[2,3]");
    onn_check_infer("matmul a=?x3x4 b=4x?", "f32[-1,3,-1]");
    onn_check_infer("matmul a=2x3x4 b=3x4x5", "!do not broadcast");
    onn_check_infer("matmul_perm a=5x2x16 b=7x2x16 perm_a=1,0,2 perm_b=1,2,0", "f32[2,5,7]");
    onn_check_infer("matmul_perm a=2x5x7 b=7x2x16 perm_b=1,0,2 perm_y=1,0,2", "f32[5,2,16]");
    onn_check_infer("matmul_perm a=2x5x7 b=7x2x16 perm_b=1,0", "!perm_a or perm_b is not a permutation");
    onn_check_infer("matmul_perm a=2x5x7 b=7x16 perm_y=1,0,0", "!perm_y is not a permutation");
}

static double at(const struct onn_ref *r, int i, int64_t row, int64_t column, bool transposed)
{
    const struct onn_desc *d = &r->prob->in[i];
    return r->in[i][transposed ? column * d->dim[1] + row : row * d->dim[1] + column];
}

static void ref_gemm(struct onn_ref *r)
{
    const struct onn_gemm_attr *a = r->prob->attr;
    const struct onn_desc *y = &r->prob->out[0];
    const int64_t inner = r->prob->in[0].dim[a->trans_a ? 0 : 1];

    for (int64_t i = 0; i < r->out_n[0]; i++) {
        double sum = 0, scale = 0;
        for (int64_t k = 0; k < inner; k++) {
            const double v = at(r, 0, i / y->dim[1], k, a->trans_a) * at(r, 1, k, i % y->dim[1], a->trans_b);
            sum += v;
            scale += fabs(v);
        }
        sum *= (double)a->alpha;
        scale *= fabs((double)a->alpha);
        if (r->n_in > 2 && r->in[2]) {
            const double c = (double)a->beta * r->in[2][onn_ref_broadcast(&r->prob->in[2], y, i)];
            sum += c;
            scale += fabs(c);
        }
        r->out[0][i] = sum;
        r->scale[0][i] = scale;
    }
}

/* Row-major position of index idx of transpose(d, perm) in d. */
static int64_t position(const struct onn_desc *d, const struct onn_ints *perm, const int64_t *idx)
{
    int64_t from[ONN_MAX_RANK];
    for (int i = 0; i < d->rank; i++)
        from[perm->n > 0 ? perm->v[i] : i] = idx[i];
    return onn_ref_at(d, from);
}

static void ref_matmul(struct onn_ref *r)
{
    static const struct onn_matmul_perm_attr none = {{-1, NULL}, {-1, NULL}, {-1, NULL}};
    const bool permuted = strcmp(r->prob->op->name, "matmul_perm") == 0;
    const struct onn_matmul_perm_attr *t = permuted ? r->prob->attr : &none;
    /* 1-D operands become [1, k] and [k, 1]; the output gets their dimensions too. */
    struct onn_desc a0 = r->prob->in[0], b0 = r->prob->in[1], a, b, y0 = r->prob->out[0];
    int64_t dim[ONN_MAX_RANK], idx[ONN_MAX_RANK], at_a[ONN_MAX_RANK], at_b[ONN_MAX_RANK];
    int rank;

    if (a0.rank == 1)
        a0 = onn_desc_make(a0.dtype, 2, (int64_t[]){1, a0.dim[0]});
    if (b0.rank == 1)
        b0 = onn_desc_make(b0.dtype, 2, (int64_t[]){b0.dim[0], 1});
    a = a0;
    b = b0;
    for (int i = 0; i < a.rank && t->perm_a.n > 0; i++)
        a.dim[i] = a0.dim[t->perm_a.v[i]];
    for (int i = 0; i < b.rank && t->perm_b.n > 0; i++)
        b.dim[i] = b0.dim[t->perm_b.v[i]];
    rank = onn_broadcast(a.rank - 2, a.dim, b.rank - 2, b.dim, dim);
    dim[rank] = a.dim[a.rank - 2];
    dim[rank + 1] = b.dim[b.rank - 1];
    const struct onn_desc y = onn_desc_make(OCLNN_F32, rank + 2, dim);
    if (!permuted)
        y0 = y;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        double sum = 0, scale = 0;
        onn_ref_index(&y, i, idx);
        for (int64_t k = 0; k < a.dim[a.rank - 1]; k++) {
            for (int d = 0; d < a.rank; d++)
                at_a[d] = a.dim[d] == 1 ? 0 : d == a.rank - 1 ? k : idx[d + y.rank - a.rank];
            for (int d = 0; d < b.rank; d++)
                at_b[d] = b.dim[d] == 1 ? 0 : d == b.rank - 2 ? k : idx[d + y.rank - b.rank];
            const double v =
                r->in[0][position(&a0, &t->perm_a, at_a)] * r->in[1][position(&b0, &t->perm_b, at_b)];
            sum += v;
            scale += fabs(v);
        }
        if (r->n_in > 2 && r->in[2]) {
            const double c =
                r->in[2][onn_ref_broadcast(&r->prob->in[2], permuted ? &y : &r->prob->out[0], i)];
            sum += c;
            scale += fabs(c);
        }
        int64_t to = i;
        if (t->perm_y.n > 0) {
            int64_t out[ONN_MAX_RANK];
            for (int d = 0; d < y.rank; d++)
                out[d] = idx[t->perm_y.v[d]];
            to = onn_ref_at(&y0, out);
        }
        r->out[0][to] = sum;
        r->scale[0][to] = scale;
    }
}

#define GEMM(text) \
    { \
        .problem = text, .ref = ref_gemm \
    }
#define MATMUL(text) \
    { \
        .problem = text, .ref = ref_matmul \
    }
static const struct onn_case cases[] = {
    GEMM("gemm a=13x17 b=17x19"),
    GEMM("gemm a=17x13 b=19x17 c=19 transA=1 transB=1 alpha=2 beta=3"),
    GEMM("gemm a=1x64 b=10x64 c=10 transB=1"),
    GEMM("gemm a=2x65 b=33x65 c=33 transB=1 +relu"),
    GEMM("gemm a=3x40 b=40x70 c=1x70"),
    GEMM("gemm a=5x9 b=9x7 c=5x1"),
    GEMM("gemm a=5x9 b=9x7 c=5x7"),
    GEMM("gemm a=5x9 b=9x7 c=scalar"),
    GEMM("gemm a=6x32 b=32x16 c=16 +relu"),
    GEMM("gemm a=70x129 b=129x65 c=65 +add=70x65 +relu"),
    GEMM("gemm a=129x70 b=129x65 transA=1 alpha=0.5 +clip{min=-1,max=6}"),
    GEMM("gemm a=25x1100 b=1100x40"),
    GEMM("gemm a=1x1 b=1x1"),
    MATMUL("matmul a=3x4 b=4x5"),
    MATMUL("matmul a=4 b=4"),
    MATMUL("matmul a=37 b=37x21"),
    MATMUL("matmul a=21x37 b=37"),
    MATMUL("matmul a=2x3x17 b=17x20"),
    MATMUL("matmul a=2x3x17 b=17x20 c=20 +relu"),
    MATMUL("matmul a=4x7x16 b=4x16x9"),
    MATMUL("matmul a=2x1x7x16 b=3x16x9"),
    MATMUL("matmul a=2x3x7x16 b=2x3x16x33 +add=2x3x7x33"),
    MATMUL("matmul a=1x8x25x32 b=1x8x32x25"),
    MATMUL("matmul a=5 b=2x5x6"),
    MATMUL("matmul_perm a=13x2x16 b=9x2x16 perm_a=1,0,2 perm_b=1,2,0"),
    MATMUL("matmul_perm a=2x13x9 b=9x2x17 c=17 perm_b=1,0,2 perm_y=1,0,2 +relu"),
    MATMUL("matmul_perm a=2x25x3x16 b=2x25x3x16 perm_a=0,2,1,3 perm_b=0,2,3,1"),
    MATMUL("matmul_perm a=2x3x25x25 b=2x25x3x16 c=3x1x16 perm_b=0,2,1,3 perm_y=0,2,1,3 +add=2x25x3x16"),
    MATMUL("matmul_perm a=17x13 b=9x17 c=9 perm_a=1,0 perm_b=1,0"),
    MATMUL("matmul_perm a=7x33 b=33x24 c=24 perm_y=1,0"),
    MATMUL("matmul_perm a=3x2x1x5 b=5x7 perm_a=1,0,2,3"),
    {.problem = "gemm a=7x33 b=33x24 c=24 +sigmoid", .ref = ref_gemm, .flags = ONN_CASE_NO_INTEGER},
    {.problem = "matmul a=2x9x16 b=16x40 c=40 +gelu", .ref = ref_matmul, .flags = ONN_CASE_NO_INTEGER},
    MATMUL("matmul a=2x6x5 b=5"),
    /* rows of batches that share b, as rows of one product or not */
    MATMUL("matmul_perm a=1x19x16 b=16x40 c=40 perm_a=1,0,2 +relu"),
    MATMUL("matmul_perm a=7x3x16 b=16x40 perm_a=1,0,2"),
    MATMUL("matmul_perm a=3x7x16 b=16x24 perm_y=1,0,2"),
    MATMUL("matmul a=2x3x7x16 b=2x1x16x24 +add=2x3x7x24"),
    MATMUL("matmul a=3x1x16 b=16x24 c=3x1x24 +add=3x1x24"),
    MATMUL("matmul a=3x5x16 b=16x24 c=3x1x24"),
    MATMUL("matmul a=1x5x16 b=4x16x24"),
    MATMUL("matmul a=0x3x4 b=4x5"),
    MATMUL("matmul a=0x3x4 b=4"),
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
