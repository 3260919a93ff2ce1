/* Gather, GatherElements, GatherND against their definitions. */
#include "harness/harness.h"
#include "ops/gather.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("gather x=5x4x3 index=2x2:i64", "f32[2,2,4,3]");
    onn_check_infer("gather x=5x4x3 index=scalar:i64 axis=1", "f32[5,3]");
    onn_check_infer("gather x=5x4x3 index=2:i32 axis=-1", "f32[5,4,2]");
    onn_check_infer("gather x=5x4x3 index=2:f32", "!must be i32 or i64");
    onn_check_infer("gather x=5x4x3 index=2:i64 axis=3", "!axis 3 is outside");
    onn_check_infer("gatherelements x=5x4 index=2x4:i64", "f32[2,4]");
    onn_check_infer("gatherelements x=5x4 index=2x5:i64", "!dimension 1 of the indices");
    onn_check_infer("gathernd x=5x4x3 index=2x2:i64", "f32[2,3]");
    onn_check_infer("gathernd x=2x4x3 index=2x1:i64 batch_dims=1", "f32[2,3]");
    onn_check_infer("gathernd x=2x4x3 index=2x4:i64", "!do not fit");
}

static int64_t wrap(double v, int64_t size)
{
    return v < 0 ? (int64_t)v + size : (int64_t)v;
}

static void ref_gather(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const struct onn_gather_attr *a = p->attr;
    int64_t at[ONN_MAX_RANK], from[ONN_MAX_RANK];
    int axis = 0;
    onn_axis_resolve(a->axis, p->in[0].rank, &axis);
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        onn_ref_index(&p->out[0], i, at);
        for (int d = 0; d < p->in[0].rank; d++)
            from[d] = d < axis ? at[d] : d > axis ? at[d - 1 + p->in[1].rank] : 0;
        from[axis] = wrap(r->in[1][onn_ref_at(&p->in[1], at + axis)], p->in[0].dim[axis]);
        r->out[0][i] = r->in[0][onn_ref_at(&p->in[0], from)];
    }
}

static void ref_elements(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const struct onn_gather_attr *a = p->attr;
    int64_t at[ONN_MAX_RANK];
    int axis = 0;
    onn_axis_resolve(a->axis, p->in[0].rank, &axis);
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        onn_ref_index(&p->out[0], i, at);
        at[axis] = wrap(r->in[1][i], p->in[0].dim[axis]);
        r->out[0][i] = r->in[0][onn_ref_at(&p->in[0], at)];
    }
}

static void ref_nd(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const int batch = (int)((const struct onn_gathernd_attr *)p->attr)->batch_dims, k = p->in[1].rank - 1;
    const int depth = (int)p->in[1].dim[k];
    int64_t at[ONN_MAX_RANK], from[ONN_MAX_RANK], index[ONN_MAX_RANK];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        onn_ref_index(&p->out[0], i, at);
        for (int d = 0; d < k; d++)
            index[d] = at[d];
        for (int d = 0; d < p->in[0].rank; d++) {
            index[k] = d - batch;
            from[d] = d < batch     ? at[d]
                : d < batch + depth ? wrap(r->in[1][onn_ref_at(&p->in[1], index)], p->in[0].dim[d])
                                    : at[d - batch - depth + k];
        }
        r->out[0][i] = r->in[0][onn_ref_at(&p->in[0], from)];
    }
}

/* Indices -2 … 1: every tensor here has at least two elements along an indexed axis. */
static void fill(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p;
    (void)integer;
    for (int64_t k = 0; i == 1 && k < n; k++)
        data[k] = (double)((k * 7 + 3) % 4 - 2);
}

#define CASE(text, fn) \
    { \
        .problem = text, .ref = fn, .c = 1, .fill = fill \
    }
static const struct onn_case cases[] = {
    CASE("gather x=5x4x3 index=2x3:i64", ref_gather),
    CASE("gather x=5x4x37 index=6:i32 axis=1", ref_gather),
    CASE("gather x=5x4x3 index=scalar:i64 axis=-1", ref_gather),
    CASE("gather x=5x4x3:i64 index=7:i64 axis=2", ref_gather),
    {.problem = "gather x=5x4x3 index=@3,1,-1 axis=1", .ref = ref_gather, .c = 1},
    CASE("gather x=5x4:u8 index=0:i64", ref_gather),
    CASE("gatherelements x=5x4x3 index=5x2x3:i64 axis=1", ref_elements),
    CASE("gatherelements x=5x4 index=3x4:i32", ref_elements),
    CASE("gatherelements x=5:i64 index=8:i64 axis=-1", ref_elements),
    CASE("gathernd x=5x4x3 index=2x2:i64", ref_nd),
    CASE("gathernd x=5x4x3 index=2x3x1:i64", ref_nd),
    CASE("gathernd x=2x4x19 index=2x3x1:i64 batch_dims=1", ref_nd),
    CASE("gathernd x=5x4 index=3x2:i32", ref_nd),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
