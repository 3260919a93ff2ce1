/* Running one operator alone: what onn_single_run finds out about kernels that misbehave. The operator here is made up:
 * y = x + 1 with good and bad kernels. */
#include "plan/single.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char source[] =
    "kernel void good(global const float *x, long xo, global float *y, long yo, int n)\n"
    "{ int i = get_global_id(0); if (i < n) y[yo + i] = x[xo + i] + 1; }\n"
    "kernel void outside(global const float *x, long xo, global float *y, long yo, int n)\n"
    "{ int i = get_global_id(0); if (i <= n) y[yo + i] = x[xo + (i < n ? i : 0)] + 1; }\n"
    "kernel void input(global float *x, long xo, global float *y, long yo, int n)\n"
    "{ int i = get_global_id(0); if (i < n) y[yo + i] = x[xo + i] += 1; }\n"
    "kernel void pads(global const float *x, long xo, global float *y, long yo, int n)\n"
    "{ int i = get_global_id(0); if (i < n) y[yo + i] = x[xo + i] + 1; }\n"
    "kernel void keeps(global const float *x, long xo, global float *y, long yo, int n)\n"
    "{ int i = get_global_id(0); if (i < n) y[yo + i] = x[xo + i] != 0 ? x[xo + i] + 1 : 0; }\n"
    "kernel void scratch(global float *w, long wo, global const float *x, long xo, global float *y, long yo, "
    "int n)\n"
    "{ int i = get_global_id(0); if (i < n) { w[wo + i] = x[xo + i]; y[yo + i] = w[wo + i] + 1; } }\n";

static enum oclnn_status bind(const struct onn_prob *p, struct onn_bind *b, const char *kernel,
    bool workspace)
{
    struct onn_launch *l = onn_bind_add(b, "", kernel, "%s", "");
    if (!l)
        return b->status;
    l->source = source;
    if (workspace)
        onn_arg_workspace(l, 8);
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, onn_desc_extent(&p->out[0]));
    onn_launch_size1(l, (size_t)onn_desc_extent(&p->out[0]) + 1, 0);
    return b->status;
}

static int blocked(const struct onn_prob *p, struct onn_formats *out, int max)
{
    (void)p;
    (void)max;
    *out = (struct onn_formats){.n_in = 1,
        .n_out = 1,
        .in = {onn_format_blocked(1, 4)},
        .out = {onn_format_blocked(1, 4)}};
    return 1;
}

static size_t workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return 8 + onn_desc_bytes(&p->out[0]);
}

static const char *refuse(const struct onn_prob *p)
{
    return p->in[0].rank == 2 ? NULL : "takes matrices only";
}

#define BIND(kernel, ws) \
    static enum oclnn_status bind_##kernel(const struct onn_prob *p, const struct onn_tune *t, \
        struct onn_bind *b) \
    { \
        (void)t; \
        return bind(p, b, #kernel, ws); \
    }
BIND(good, false)
BIND(outside, false)
BIND(input, false)
BIND(pads, false)
BIND(keeps, false)
BIND(scratch, true)

static const struct onn_variant good = {.name = "good",
                                    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_INPLACE0,
                                    .refuse = refuse,
                                    .bind = bind_good},
                                outside = {.name = "outside", .bind = bind_outside},
                                input = {.name = "input", .bind = bind_input},
                                pads = {.name = "pads", .formats = blocked, .bind = bind_pads},
                                keeps = {.name = "keeps", .formats = blocked, .bind = bind_keeps},
                                scratch = {.name = "scratch", .workspace = workspace, .bind = bind_scratch};
static const struct onn_variant *const variants[] = {&good, &outside, &input, &pads, &keeps, &scratch, NULL};
static const struct onn_op fake = {.name = "fake",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = onn_infer_same,
    .variants = variants};

static oclnn_context *ctx;
static struct onn_problem problem;
static struct onn_desc in_desc, out_desc;
static float x[15], y[15];

static struct onn_single_result run(const char *name, struct onn_single_options options)
{
    struct onn_single_result result;
    const struct onn_variant *v = onn_single_variant(&fake, name);
    assert_non_null(v);
    enum oclnn_status status =
        onn_single_run(ctx, &problem, v, 0, &options, (const void *[]){x}, (void *[]){y}, &result);
    if (status != OCLNN_OK)
        fail_msg("%s: %s", name, oclnn_error_text(NULL));
    for (int i = 0; i < 15; i++)
        assert_true(y[i] == x[i] + 1);
    return result;
}

static void finds_nothing_wrong(void **state)
{
    (void)state;
    struct onn_single_options watched = {.sentinel_bytes = 100, .twice = true};
    struct onn_single_result r = run("good", watched);
    assert_true(
        r.sentinels_ok && r.padlanes_ok && r.inputs_ok && r.repeat_ok && !r.inplace && r.n_launches == 1);
    r = run("keeps", watched);
    assert_true(r.sentinels_ok && r.padlanes_ok && r.inputs_ok && r.repeat_ok);
    r = run("scratch", watched);
    assert_true(r.sentinels_ok && r.inputs_ok && r.workspace == 68);
    watched.inplace = true;
    assert_true(run("good", watched).inplace);
}

static void finds_what_is_wrong(void **state)
{
    (void)state;
    struct onn_single_options watched = {.sentinel_bytes = 64};
    assert_false(run("outside", watched).sentinels_ok);
    assert_false(run("input", watched).inputs_ok);
    struct onn_single_result r = run("pads", watched);
    assert_true(r.sentinels_ok && !r.padlanes_ok);
}

static void says_why_not(void **state)
{
    (void)state;
    struct onn_single_result result;
    const void *in[] = {x}, *none[] = {NULL};
    assert_int_equal(onn_single_run(ctx, &problem, &good, 1, NULL, in, NULL, &result),
        OCLNN_ERROR_UNSUPPORTED);
    assert_int_equal(onn_single_run(ctx, &problem, &good, 0, NULL, none, NULL, &result),
        OCLNN_ERROR_ARGUMENT);
    in_desc.rank = 1;
    assert_int_equal(onn_single_run(ctx, &problem, &good, 0, NULL, in, NULL, &result),
        OCLNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(oclnn_error_text(NULL), "takes matrices only"));
    in_desc.rank = 2;
}

static void measures(void **state)
{
    (void)state;
    double times[5] = {0};
    struct onn_single_result r = run("good", (struct onn_single_options){.repeats = 5, .time_ns = times});
    assert_true(r.best_ns > 0 && r.median_ns >= r.best_ns && times[4] > 0);
}

/* ---- steps ---- */
static struct onn_buffer *from, *to, *other;
static enum oclnn_status resolve(void *user, enum onn_arg_kind kind, int index, struct onn_spot *out)
{
    (void)user;
    assert_int_equal(index, 0);
    *out = (struct onn_spot){kind == ONN_ARG_IN ? from : to, 2};
    return OCLNN_OK;
}

static void steps_are_rebound(void **state)
{
    (void)state;
    struct onn_arena arena = {0};
    struct onn_bind b = {.arena = &arena};
    struct onn_step step;
    struct onn_prob p = problem.prob;
    float got[18];
    assert_int_equal(onn_buffer_create(ctx, sizeof got, &from), OCLNN_OK);
    assert_int_equal(onn_buffer_create(ctx, sizeof got, &to), OCLNN_OK);
    assert_int_equal(onn_buffer_create(ctx, sizeof got, &other), OCLNN_OK);
    assert_int_equal(onn_buffer_write(ctx, from, 8, sizeof x, x, true), OCLNN_OK);
    assert_int_equal(onn_buffer_fill(ctx, other, 0), OCLNN_OK);
    assert_int_equal(bind(&p, &b, "good", false), OCLNN_OK);
    assert_int_equal(onn_step_init(ctx, &b.launch[0], NULL, resolve, NULL, &step), OCLNN_OK);
    assert_true(onn_step_uses(&step, ONN_ARG_OUT, 0) && !onn_step_uses(&step, ONN_ARG_OUT, 1));
    assert_int_equal(onn_step_rebind(&step, ONN_ARG_OUT, 0, (struct onn_spot){other, 3}), OCLNN_OK);
    struct onn_event *event;
    assert_int_equal(onn_step_enqueue(ctx, &step, &event), OCLNN_OK);
    assert_int_equal(onn_event_wait(ctx, &event), OCLNN_OK);
    assert_int_equal(onn_buffer_read(ctx, other, 0, sizeof got, got, true), OCLNN_OK);
    assert_true(got[2] == 0 && got[3] == x[0] + 1 && got[17] == x[14] + 1);
    onn_step_finish(&step);
    onn_step_finish(&step);
    b.launch[0].kernel = "nothing";
    assert_true(onn_step_init(ctx, &b.launch[0], NULL, resolve, NULL, &step) != OCLNN_OK);
    onn_buffer_destroy(&from);
    onn_buffer_destroy(&to);
    onn_buffer_destroy(&other);
    onn_bind_finish(&b);
    onn_arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_wrong),
        cmocka_unit_test(finds_what_is_wrong),
        cmocka_unit_test(says_why_not),
        cmocka_unit_test(measures),
        cmocka_unit_test(steps_are_rebound),
    };
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    if (status != OCLNN_OK)
        return 1;
    static struct onn_blob *values[1];
    in_desc = out_desc = onn_desc_make(OCLNN_F32, 2, (int64_t[]){5, 3});
    for (int i = 0; i < 15; i++)
        x[i] = (float)i + 1;
    problem.in = &in_desc;
    problem.out = &out_desc;
    problem.value = values;
    problem.prob = (struct onn_prob){.op = &fake, .n_in = 1, .n_out = 1, .in = &in_desc, .out = &out_desc};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
