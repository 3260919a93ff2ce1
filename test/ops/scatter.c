/* ScatterND and ScatterElements against their definitions; indices repeat only where the order does not matter. */
#include "harness/harness.h"
#include "ops/scatter.h"
#include <math.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("scatternd x=8x4 index=3x1:i64 u=3x4", "f32[8,4]");
    onn_check_infer("scatternd x=8x4 index=3x1:i64 u=3x5", "!dimension 1 of the updates");
    onn_check_infer("scatternd x=8x4 index=3x1:i64 u=3x4:i32", "!the updates are i32");
    onn_check_infer("scatterelements x=8x4 index=3x4:i64 u=3x4", "f32[8,4]");
    onn_check_infer("scatterelements x=8x4 index=3x5:i64 u=3x5", "!dimension 1 of the indices");
    onn_check_infer("scatterelements x=8x4 index=3x4:i64 u=3x4 reduction=mean", "!no reduction 'mean'");
}

static void put(struct onn_ref *r, int64_t to, double v)
{
    const struct onn_scatter_attr *a = r->prob->attr;
    double *y = &r->out[0][to];
    r->scale[0][to] += fabs(v);
    if (!a->reduction || !strcmp(a->reduction, "none"))
        *y = v;
    else if (!strcmp(a->reduction, "add"))
        *y += v;
    else if (!strcmp(a->reduction, "mul"))
        *y *= v;
    else if (!strcmp(a->reduction, "max"))
        *y = *y > v ? *y : v;
    else
        *y = *y < v ? *y : v;
}

static void start(struct onn_ref *r)
{
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        r->out[0][i] = r->in[0][i];
        r->scale[0][i] = fabs(r->in[0][i]) + 1;
    }
}

static int64_t wrap(double v, int64_t size)
{
    return v < 0 ? (int64_t)v + size : (int64_t)v;
}

static void ref_nd(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const int k = p->in[1].rank - 1, depth = (int)p->in[1].dim[k];
    int64_t at[ONN_MAX_RANK], to[ONN_MAX_RANK], index[ONN_MAX_RANK];
    start(r);
    for (int64_t i = 0; i < r->in_n[2]; i++) {
        onn_ref_index(&p->in[2], i, at);
        for (int d = 0; d < k; d++)
            index[d] = at[d];
        for (int d = 0; d < p->in[0].rank; d++) {
            index[k] = d;
            to[d] =
                d < depth ? wrap(r->in[1][onn_ref_at(&p->in[1], index)], p->in[0].dim[d]) : at[d - depth + k];
        }
        put(r, onn_ref_at(&p->in[0], to), r->in[2][i]);
    }
}

static void ref_elements(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const struct onn_scatter_attr *a = p->attr;
    int64_t at[ONN_MAX_RANK];
    int axis = 0;
    start(r);
    onn_axis_resolve(a->axis, p->in[0].rank, &axis);
    for (int64_t i = 0; i < r->in_n[2]; i++) {
        onn_ref_index(&p->in[2], i, at);
        at[axis] = wrap(r->in[1][i], p->in[0].dim[axis]);
        put(r, onn_ref_at(&p->in[0], at), r->in[2][i]);
    }
}

/* 0, -1, 1, -2, …: all different up to the extent, repeating behind it. */
static void fill(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p;
    (void)integer;
    for (int64_t k = 0; i == 1 && k < n; k++)
        data[k] = (double)(k % 4 % 2 ? -1 - k % 4 / 2 : k % 4 / 2);
}

/* Sums are kept in the element type: in f16 every step rounds. Integer data check exactly. */
#define CASE(text, fn) \
    { \
        .problem = text, .ref = fn, .c = 8000, .fill = fill \
    }
static const struct onn_case cases[] = {
    CASE("scatternd x=8x19 index=4x1:i64 u=4x19", ref_nd),
    CASE("scatternd x=8:i64 index=3x1:i64 u=3:i64", ref_nd),
    CASE("scatternd x=8x5 index=9x1:i64 u=9x5 reduction=add", ref_nd),
    CASE("scatternd x=8x5 index=5x1:i64 u=5x5 reduction=mul", ref_nd),
    CASE("scatternd x=8x5 index=9x1:i32 u=9x5 reduction=max", ref_nd),
    CASE("scatternd x=8x5:i32 index=9x1:i32 u=9x5:i32 reduction=min", ref_nd),
    CASE("scatternd x=4x4x5 index=2x1x2:i64 u=2x1x5", ref_nd),
    CASE("scatterelements x=8x1 index=4x1:i64 u=4x1", ref_elements),
    CASE("scatterelements x=3x8x5 index=3x6x5:i64 u=3x6x5 axis=1 reduction=add", ref_elements),
    CASE("scatterelements x=6x8 index=6x4:i64 u=6x4 axis=-1 ", ref_elements),
    CASE("scatterelements x=6x8 index=6x6:i64 u=6x6 axis=1 reduction=max", ref_elements),
    CASE("scatterelements x=6x8:u8 index=6x4:i64 u=6x4:u8 axis=1 reduction=min", ref_elements),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
