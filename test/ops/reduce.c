/* Reductions and global pools against plain loops. */
#include "harness/harness.h"
#include "ops/reduce.h"

#include <math.h>
#include <string.h>

static double start_of(enum onn_reduce_kind k)
{
    return k == ONN_RED_PROD ? 1 : k == ONN_RED_MAX ? -INFINITY : k == ONN_RED_MIN ? INFINITY : 0;
}

static void ref(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    const enum onn_reduce_kind k = onn_reduce_kind(p->op);
    uint32_t mask;
    int64_t idx[ONN_MAX_RANK], to[ONN_MAX_RANK], count = 1;
    if (!onn_reduce_axes(p, &mask))
        return;
    for (int i = 0; i < x->rank; i++)
        count *= mask >> i & 1 ? x->dim[i] : 1;
    for (int64_t o = 0; o < r->out_n[0]; o++)
        r->out[0][o] = start_of(k);
    for (int64_t i = 0; i < r->in_n[0]; i++) {
        int n = 0;
        onn_ref_index(x, i, idx);
        for (int d = 0; d < x->rank; d++)
            if (!(mask >> d & 1))
                to[n++] = idx[d];
            else if (x->rank == y->rank)
                to[n++] = 0;
        const int64_t o = onn_ref_at(y, to);
        const double v = r->in[0][i];
        double *a = &r->out[0][o];
        switch (k) {
        case ONN_RED_MAX: *a = fmax(*a, v); break;
        case ONN_RED_MIN: *a = fmin(*a, v); break;
        case ONN_RED_PROD: *a *= v; break;
        case ONN_RED_L1: *a += fabs(v); break;
        case ONN_RED_L2:
        case ONN_RED_SUM_SQUARE: *a += v * v; break;
        case ONN_RED_LOG_SUM_EXP: *a += exp(v); break;
        default: *a += v; break;
        }
        r->scale[0][o] += fabs(v);
    }
    for (int64_t o = 0; o < r->out_n[0]; o++) {
        double *a = &r->out[0][o];
        if (k == ONN_RED_MEAN) {
            *a /= (double)count;
            r->scale[0][o] /= (double)count;
        } else if (k == ONN_RED_L2) {
            *a = sqrt(*a);
        } else if (k == ONN_RED_LOG_SUM || k == ONN_RED_LOG_SUM_EXP) {
            *a = log(*a);
        }
        r->scale[0][o] = fmax(r->scale[0][o], fabs(*a));
    }
}

static void positive(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p, (void)i, (void)integer;
    for (int64_t k = 0; k < n; k++)
        data[k] = 1 + (double)(k * 37 % 11) / 8;
}

#define C(text, ...) \
    { \
        .problem = text, .ref = ref, __VA_ARGS__ \
    }
static const struct onn_case cases[] = {
    C("reducesum x=2x11x5x7", .c = 4),
    C("reducesum x=2x11x5x7 axes=@2,3", .c = 4),
    C("reducesum x=2x11x5x7 axes=@2,3 keepdims=0", .c = 4),
    C("reducesum x=2x11x5x7 axes=@1", .c = 4),
    C("reducesum x=2x11x5x7 axes=@0,2 keepdims=0", .c = 4),
    C("reducesum x=2x11x5x7 axes=@-1", .c = 4),
    C("reducesum x=5x19x40x41 axes=@0,2,3", .c = 8),
    C("reducesum x=2x8x70x61 axes=@0,2,3 keepdims=0", .c = 8),
    C("reducesum x=3x2x67x97 axes=@0,2,3 keepdims=0", .c = 8), /* parts, images that end within them */
    C("reducesum x=9000x3 axes=@0", .c = 8),
    C("reducesum x=5x21x7x9 axes=@0,2", .c = 4),
    C("reducesum x=7x3x40:i64 axes=@0,2 keepdims=0", .c = 4),
    C("reducel1 x=65x33x3 axes=@0 keepdims=0", .c = 4),
    C("reducemin x=3x35x4x70 axes=@1,3", .c = 4),
    C("reducemean x=3x33x9 axes=@0,2 keepdims=0", .flags = ONN_CASE_NO_EXACT),
    C("reducemax x=2x9x3x4x5 axes=@0,2,3,4", .c = 4),
    C("reducesumsquare x=3x5x6x7 axes=@0,2,3", .c = 4),
    C("reducesum x=3x1000 over=1", .c = 4),
    C("reducesum x=300x19 axes=@0", .c = 4),
    C("reducesum x=4x5 axes=@() noop_with_empty_axes=1", .c = 4),
    C("reducemean x=2x11x5x7 axes=@2,3", .flags = ONN_CASE_NO_EXACT),
    C("reducemean x=2x19x6x6 axes=@1 keepdims=0", .flags = ONN_CASE_NO_EXACT),
    C("reducemax x=2x11x5x7 axes=@2,3", .c = 4),
    C("reducemax x=2x11x5x7 axes=@0,1,2,3 keepdims=0", .c = 4),
    C("reducemin x=2x11x5x7 axes=@1", .c = 4),
    C("reduceprod x=3x4x6 axes=@1", .flags = ONN_CASE_NO_INTEGER),
    C("reducel1 x=2x11x5x7 axes=@2,3", .c = 4),
    C("reducel2 x=2x11x5x7 axes=@3", .flags = ONN_CASE_NO_EXACT),
    C("reducesumsquare x=2x11x5x7 axes=@1,2", .c = 4),
    C("reducelogsum x=2x5x40 axes=@2", .flags = ONN_CASE_NO_INTEGER, .fill = positive),
    C("reducelogsumexp x=2x5x40 axes=@2", .flags = ONN_CASE_NO_INTEGER),
    C("reducesum x=3x40:i64 axes=@1", .c = 4),
    C("reducemax x=3x40:i32 axes=@0", .c = 4),
    C("globalaveragepool x=2x19x7x7", .flags = ONN_CASE_NO_EXACT),
    C("globalaveragepool x=1x33x15", .flags = ONN_CASE_NO_EXACT),
    C("globalmaxpool x=2x19x7x5", .c = 4),
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
