/* Cross-entropy losses against their formula in double. */
#include "ops/cross_entropy.h"
#include "harness/harness.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("softmax_ce x=4x10 t=4:i64", "f32[]");
    onn_check_infer("softmax_ce x=4x10x5x6 t=4x5x6:i32 w=10", "f32[]");
    onn_check_infer("softmax_ce x=4x10 t=5:i64", "!labels i64[5] do not fit");
    onn_check_infer("nll x=4x10 t=4", "!the labels are f32");
    onn_check_infer("softmax_ce_dx d=scalar x=4x10 t=4:i64 l=4 s=scalar", "f32[4,10]");
}

struct row {
    int64_t label, at, step, classes;
    double lse, weight;
    bool used;
};

static struct row row_of(const struct onn_ref *r, int x_in, int label_in, int weight_in, int64_t i)
{
    const struct onn_cross_entropy_attr *a = r->prob->attr;
    const struct onn_desc *x = &r->prob->in[x_in];
    struct row row = {.classes = x->dim[1], .step = 1, .label = (int64_t)r->in[label_in][i]};
    for (int d = 2; d < x->rank; d++)
        row.step *= x->dim[d];
    row.at = i / row.step * row.classes * row.step + i % row.step;
    row.used = row.label != a->ignore_index;
    row.weight = !row.used ? 0 : r->n_in > weight_in ? r->in[weight_in][row.label] : 1;
    if (r->prob->op->name[0] == 'n')
        return row;
    double sum = 0;
    for (int64_t c = 0; c < row.classes; c++)
        sum += exp(r->in[x_in][row.at + c * row.step]);
    row.lse = log(sum);
    return row;
}

static void ref_loss(struct onn_ref *r)
{
    const struct onn_cross_entropy_attr *a = r->prob->attr;
    double loss = 0, total = 0, scale = 0;
    for (int64_t i = 0; i < r->in_n[1]; i++) {
        const struct row row = row_of(r, 0, 1, 2, i);
        if (r->n_out > 1)
            r->out[1][i] = row.lse;
        if (!row.used)
            continue;
        double v =
            (1 - (double)a->smoothing) * row.weight * (row.lse - r->in[0][row.at + row.label * row.step]);
        for (int64_t c = 0; c < row.classes; c++)
            v += (double)a->smoothing / (double)row.classes * (r->n_in > 2 ? r->in[2][c] : 1) *
                (row.lse - r->in[0][row.at + c * row.step]);
        loss += v;
        scale += fabs(v) + 4;
        total += row.weight;
    }
    total = a->sum ? 1 : total;
    r->out[0][0] = total == 0 ? 0 : loss / total;
    r->scale[0][0] = total == 0 ? 0 : scale / total;
    if (r->n_out > 2)
        r->out[2][0] = total;
}

static void ref_dx(struct onn_ref *r)
{
    const struct onn_cross_entropy_attr *a = r->prob->attr;
    for (int64_t i = 0; i < r->in_n[2]; i++) {
        const struct row row = row_of(r, 1, 2, 5, i);
        const double factor = row.used ? r->in[0][0] / r->in[4][0] : 0;
        double weights = 0;
        for (int64_t c = 0; c < row.classes; c++)
            weights += r->n_in > 5 ? r->in[5][c] : 1;
        const double even = (double)a->smoothing / (double)row.classes,
                     hard = (1 - (double)a->smoothing) * row.weight;
        for (int64_t c = 0; c < row.classes; c++) {
            const int64_t at = row.at + c * row.step;
            const double p = r->prob->op->name[0] == 'n' ? 0 : exp(r->in[1][at] - r->in[3][i]);
            r->out[0][at] = factor *
                (p * (hard + even * weights) - even * (r->n_in > 5 ? r->in[5][c] : 1) -
                    (c == row.label ? hard : 0));
            r->scale[0][at] = fabs(factor) * (fabs(p) + 1) * (hard + even * weights);
        }
    }
}

static void fill(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    const bool dx = strstr(p->op->name, "dx") != NULL;
    const int64_t classes = p->in[dx].dim[1];
    (void)integer;
    for (int64_t k = 0; k < n; k++) {
        if (i == (dx ? 2 : 1)) /* labels; every seventh is the one to be ignored */
            data[k] = k % 7 == 6 ? -100 : (double)((k * 5 + 3) % classes);
        else if (i == (dx ? 1 : 0))
            data[k] *= 3;
        else if (i == (dx ? 3 : -1))
            data[k] += log((double)classes) + 1;
        else
            data[k] = 1.5 + data[k]; /* dloss, total, weights */
    }
}

#define LOSS(text) \
    { \
        .problem = text, .ref = ref_loss, .fill = fill, .c = 8, .flags = ONN_CASE_NO_INTEGER \
    }
#define DX(text) \
    { \
        .problem = text, .ref = ref_dx, .fill = fill, .c = 16, .flags = ONN_CASE_NO_INTEGER \
    }
static const struct onn_case cases[] = {
    LOSS("softmax_ce x=4x10 t=4:i64"),
    LOSS("softmax_ce x=64x10 t=64:i32 outs=3"),
    LOSS("softmax_ce x=5x7 t=5:i64 smoothing=0.1 outs=3"),
    LOSS("softmax_ce x=9x11 t=9:i64 w=11 outs=3"),
    LOSS("softmax_ce x=9x11 t=9:i64 w=11 smoothing=0.2 outs=2"),
    LOSS("softmax_ce x=2x5x6x7 t=2x6x7:i32 outs=3"),
    LOSS("softmax_ce x=3x4 t=3:i64 sum=1 outs=3"),
    LOSS("softmax_ce x=3x1000 t=3:i64 outs=3"),
    LOSS("softmax_ce x=5x67 t=5:i32 w=67 smoothing=0.2 outs=3"),
    LOSS("softmax_ce x=9x130 t=9:i64 sum=1"),
    LOSS("nll x=7x33 t=7:i64 w=33 smoothing=0.1 outs=3"),
    LOSS("softmax_ce x=1x5 t=1:i64 ignore_index=3 outs=3"), /* its only label */
    LOSS("softmax_ce x=2x3x67x73 t=2x67x73:i64 w=3 outs=3"), /* rows of three chunks */
    LOSS("nll x=6x10 t=6:i64 outs=3"),
    LOSS("nll x=2x4x3x3 t=2x3x3:i64 w=4 outs=3"),
    DX("softmax_ce_dx d=scalar x=4x10 t=4:i64 l=4 s=scalar"),
    DX("softmax_ce_dx d=scalar x=9x11 t=9:i32 l=9 s=scalar w=11"),
    DX("softmax_ce_dx d=scalar x=9x11 t=9:i64 l=9 s=scalar smoothing=0.1"),
    DX("softmax_ce_dx d=scalar x=9x11 t=9:i64 l=9 s=scalar w=11 smoothing=0.1"),
    DX("softmax_ce_dx d=scalar x=2x5x6x7 t=2x6x7:i64 l=2x6x7 s=scalar"),
    DX("softmax_ce_dx d=scalar x=5x67 t=5:i64 l=5 s=scalar w=67"),
    DX("nll_dx d=scalar x=7x33 t=7:i64 l=7 s=scalar smoothing=0.1"),
    DX("nll_dx d=scalar x=6x10 t=6:i64 l=6 s=scalar"),
    DX("nll_dx d=scalar x=2x4x3x3 t=2x3x3:i64 l=2x3x3 s=scalar w=4"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_shapes)};
    if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0)
        return 1;
    return onn_harness_main(argc, argv, cases);
}
