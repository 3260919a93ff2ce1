/* ArgMax, ArgMin, CumSum and TopK against plain loops. */
#include "harness/harness.h"

#include <string.h>

static void along(const struct onn_ref *r, int axis, int64_t *outer, int64_t *len, int64_t *inner)
{
    const struct onn_desc *x = &r->prob->in[0];
    *outer = *inner = 1;
    for (int i = 0; i < x->rank; i++)
        if (i != axis)
            *(i < axis ? outer : inner) *= x->dim[i];
    *len = x->dim[axis];
}

/* All cases: axis 1. */
static void ref_arg(struct onn_ref *r)
{
    const bool largest = !strcmp(r->prob->op->name, "argmax");
    int64_t outer, len, inner;
    along(r, 1, &outer, &len, &inner);
    for (int64_t o = 0; o < outer * inner; o++) {
        const double *x = r->in[0] + o / inner * len * inner + o % inner;
        int64_t best = 0;
        for (int64_t i = 1; i < len; i++)
            if (largest ? x[i * inner] > x[best * inner] : x[i * inner] < x[best * inner])
                best = i;
        r->out[0][o] = (double)best;
    }
}
static bool is_set(const struct onn_prob *p, const char *name)
{
    const struct onn_attr *row = onn_attr_find(p->op, name, strlen(name));
    return *(const int64_t *)(const void *)((const char *)p->attr + row->offset) != 0;
}
static void ref_cumsum(struct onn_ref *r)
{
    const bool reverse = is_set(r->prob, "reverse"), exclusive = is_set(r->prob, "exclusive");
    int64_t outer, len, inner;
    along(r, 1, &outer, &len, &inner);
    for (int64_t o = 0; o < outer * inner; o++) {
        double sum = 0, size = 0;
        for (int64_t i = 0; i < len; i++) {
            const int64_t k = reverse ? len - 1 - i : i, at = o / inner * len * inner + o % inner + k * inner;
            const double before = sum;
            sum += r->in[0][at];
            size += r->in[0][at] < 0 ? -r->in[0][at] : r->in[0][at];
            r->out[0][at] = exclusive ? before : sum;
            r->scale[0][at] = size;
        }
    }
}
static void ref_topk(struct onn_ref *r)
{
    int64_t outer, len, inner;
    const int64_t k = r->prob->out[0].dim[1];
    along(r, 1, &outer, &len, &inner);
    for (int64_t o = 0; o < outer * inner; o++) {
        const double *x = r->in[0] + o / inner * len * inner + o % inner;
        for (int64_t i = 0; i < len; i++) {
            int64_t place = 0; /* how many come before element i */
            for (int64_t j = 0; j < len; j++)
                place += x[j * inner] > x[i * inner] || (x[j * inner] == x[i * inner] && j < i);
            const int64_t to = o / inner * k * inner + o % inner + place * inner;
            if (place < k) {
                r->out[0][to] = x[i * inner];
                r->out[1][to] = (double)i;
            }
        }
    }
}

static const struct onn_case cases[] = {
    {.problem = "argmax x=3x17 axis=1", .ref = ref_arg},
    {.problem = "argmax x=2x9x5x4 axis=1 keepdims=0", .ref = ref_arg},
    {.problem = "argmin x=2x9x5 axis=1", .ref = ref_arg},
    {.problem = "cumsum x=3x17 axis=@1:scalar", .ref = ref_cumsum},
    {.problem = "cumsum x=2x9x5:i64 axis=@1", .ref = ref_cumsum},
    {.problem = "cumsum x=2x9x5 axis=@1 reverse=1", .ref = ref_cumsum},
    {.problem = "cumsum x=2x9x5 axis=@-2 reverse=1 exclusive=1", .ref = ref_cumsum},
    {.problem = "cumsum x=3x17 axis=@1 exclusive=1", .ref = ref_cumsum},
    {.problem = "topk x=3x17 k=@4 axis=1", .ref = ref_topk},
    {.problem = "topk x=2x9x5 k=@9 axis=1", .ref = ref_topk},
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
