/* Arithmetic of large f32 constants on the host (folding a scale into weights): row by row instead of element by
 * element. Same results: + - x / of floats rounded once from double equal the float operations. */
#include "ops/elementwise.h"

#include <string.h>

static void row_of(char op, int64_t n, const float *a, int64_t a_step, const float *b, int64_t b_step,
    float *y)
{
    if (op == '*' && a_step == 1 && b_step == 0) { /* the usual one: a scale per output channel */
        const float scale = *b;
        for (int64_t i = 0; i < n; i++)
            y[i] = a[i] * scale;
        return;
    }
    for (int64_t i = 0; i < n; i++, a += a_step, b += b_step)
        y[i] = op == '*' ? *a * *b : op == '+' ? *a + *b : op == '-' ? *a - *b : *a / *b;
}

static char sign_of(const struct onn_op *op)
{
    static const struct {
        const char *name;
        char sign;
    } known[] = {{"mul", '*'}, {"add", '+'}, {"sub", '-'}, {"div", '/'}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(op->name, known[i].name) == 0)
            return known[i].sign;
    return 0;
}

bool onn_ew_host_rows(const struct onn_prob *p, struct onn_blob *out)
{
    const char sign = sign_of(p->op);
    const struct onn_desc *y = &out->desc;
    int64_t stride[3][ONN_MAX_RANK];
    const int64_t *strides[3] = {stride[0], stride[1], stride[2]};
    struct onn_nd nd;
    if (!sign || onn_prob_own_inputs(p) != 2 || y->dtype != OCLNN_F32 || p->in[0].dtype != OCLNN_F32 ||
        p->in[1].dtype != OCLNN_F32 || onn_desc_elements(y) == 0)
        return false;
    if (!onn_nd_broadcast(y, y, stride[0]) || !onn_nd_broadcast(&p->value[0]->desc, y, stride[1]) ||
        !onn_nd_broadcast(&p->value[1]->desc, y, stride[2]) || !onn_nd_make(&nd, y->rank, y->dim, 3, strides))
        return false;
    const int last = nd.rank - 1;
    int32_t at[ONN_ND_RANK] = {0};
    int64_t offset[3] = {0, 0, 0};
    const float *a = p->value[0]->data, *b = p->value[1]->data;
    for (;;) {
        row_of(sign, nd.dim[last], a + offset[1], nd.stride[1][last], b + offset[2], nd.stride[2][last],
            (float *)out->data + offset[0]);
        int d = last - 1;
        for (; d >= 0; d--) {
            for (int k = 0; k < 3; k++)
                offset[k] += nd.stride[k][d];
            if (++at[d] < nd.dim[d])
                break;
            for (int k = 0; k < 3; k++)
                offset[k] -= nd.dim[d] * nd.stride[k][d];
            at[d] = 0;
        }
        if (d < 0)
            return true;
    }
}
