/* Which kernels are compiled together: as many as their defines allow, and never with another meaning. */
#include "plan/programs.h"
#include "runtime/context.h"
#include <oclnn/oclnn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static oclnn_context *ctx;

static int open_context(void **state)
{
    (void)state;
    struct oclnn_context_params params = {.cache_dir = ""};
    setenv("OCLNN_SHARE", "on", 1); /* off in other tests */
    oclnn_context_create(&params, &ctx);
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    oclnn_context_destroy(&ctx);
    return 0;
}

static bool mentions(const char *name, const char *prelude, const char *identifier, size_t length)
{
    bool found;
    assert_int_equal(onn_source_mentions(name, prelude, identifier, length, &found), OCLNN_OK);
    return found;
}

static void words(void **state)
{
    (void)state;
    assert_true(mentions("reorder", NULL, "REORDER_T", 9));
    assert_false(mentions("reorder", NULL, "REORDER_", 8)); /* part of a word only */
    assert_false(mentions("reorder", NULL, "VL", 2));
    assert_true(mentions("", "kernel void f(global VL *x)", "VL", 2));
    assert_true(mentions("no_such_file", NULL, "VL", 2)); /* in doubt: yes */
}

static void deal(void **state)
{
    (void)state;
    if (!ctx)
        skip();
    struct onn_arena arena = {0};
    struct onn_program *program[5];
    int n = 0;
    const struct onn_launch launches[5] = {
        {.program = "reorder", .kernel = "reorder_each", .defines = "-D REORDER_T=uint"},
        {.program = "measure", .kernel = "measure_empty", .defines = "-D GROUP=1"}, /* knows no REORDER_T */
        {.program = "reorder", .kernel = "reorder_each", .defines = "-D REORDER_T=uchar"},
        {.program = "reorder", .kernel = "reorder_fill", .defines = "-D REORDER_T=uint"},
        {.gemm = &n},
    };
    const struct onn_launch *list[5];
    for (int i = 0; i < 5; i++)
        list[i] = &launches[i];
    assert_int_equal(onn_programs_get(ctx, list, 5, NULL, &arena, program, &n), OCLNN_OK);
    assert_int_equal(n, 2);
    assert_ptr_equal(program[0], program[1]);
    assert_ptr_equal(program[0], program[3]);
    assert_ptr_not_equal(program[0], program[2]); /* another value of the same macro */
    assert_null(program[4]); /* a library call */

    /* a second plan finds them again, in another order and beside a macro that the file does not know */
    struct onn_program *again[2];
    const struct onn_launch other = {.program = "reorder",
        .kernel = "reorder_each",
        .defines = "-D REORDER_T=uchar"};
    const struct onn_launch *second[2] = {&other, &launches[0]};
    uint64_t built = onn_context_counters(ctx).programs_built;
    assert_int_equal(onn_programs_get(ctx, second, 2, NULL, &arena, again, &n), OCLNN_OK);
    assert_ptr_equal(again[0], program[2]);
    assert_ptr_equal(again[1], program[0]);
    assert_int_equal(onn_context_counters(ctx).programs_built, built);
    onn_arena_finish(&arena);
}

/* Parts that only some launches need: one program, and a later plan makes another one only if a part is missing. */
static void parts(void **state)
{
    (void)state;
    if (!ctx)
        skip();
    struct onn_arena arena = {0};
    struct onn_program *program[2], *again[2];
    int n = 0;
    const struct onn_launch pack = {.program = "gemm_packed", .kernel = "gemm_pack_b", .defines = "-D VL=4"},
                            tiles = {.program = "gemm_packed",
                                .kernel = "gemm_packed",
                                .defines = "-D VL=4 -D ONN_WITH_PACKED"},
                            strided = {.program = "gemm_packed",
                                .kernel = "gemm_packed_at",
                                .defines = "-D VL=4 -D ONN_WITH_PACKED_AT"};
    const struct onn_launch *list[2] = {&pack, &tiles}, *second[2] = {&tiles, &pack},
                            *third[2] = {&pack, &strided};
    assert_int_equal(onn_programs_get(ctx, list, 2, NULL, &arena, program, &n), OCLNN_OK);
    assert_int_equal(n, 1);
    assert_int_equal(onn_programs_get(ctx, second, 2, NULL, &arena, again, &n), OCLNN_OK);
    assert_ptr_equal(again[0], program[0]);
    assert_ptr_equal(again[1], program[0]);
    assert_int_equal(onn_programs_get(ctx, third, 2, NULL, &arena, again, &n), OCLNN_OK);
    assert_ptr_equal(again[0], program[0]);
    assert_ptr_not_equal(again[1], program[0]);
    onn_arena_finish(&arena);
}

/* Files as programs of their own: what a plan compiles does not depend on what else it needs. */
static void apart(void **state)
{
    (void)state;
    if (!ctx)
        skip();
    struct onn_caps *caps = (struct onn_caps *)onn_context_caps(ctx); /* plain data: the test plays with it */
    struct onn_program *program[4];
    int n = 0;
    const struct onn_launch launches[4] = {
        {.program = "reorder", .kernel = "reorder_each", .defines = "-D REORDER_T=ushort"},
        {.program = "measure", .kernel = "measure_empty", .defines = "-D GROUP=1"},
        {.program = "reorder", .kernel = "reorder_fill", .defines = "-D REORDER_T=ushort"},
        {.gemm = &n},
    };
    const struct onn_launch *list[4] = {&launches[0], &launches[1], &launches[2], &launches[3]};
    caps->shares = false;
    assert_int_equal(onn_programs_get(ctx, list, 4, NULL, NULL, program, &n), OCLNN_OK);
    assert_int_equal(n, 2);
    assert_ptr_equal(program[0], program[2]);
    assert_ptr_not_equal(program[0], program[1]);
    assert_null(program[3]); /* a library call */
    const uint64_t built = onn_context_counters(ctx).programs_built;
    assert_int_equal(onn_programs_get(ctx, &list[1], 1, NULL, NULL, program, &n), OCLNN_OK);
    assert_int_equal(onn_context_counters(ctx).programs_built, built);
    caps->shares = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(deal),
        cmocka_unit_test(parts), cmocka_unit_test(apart)};
    return cmocka_run_group_tests(tests, open_context, close_context);
}
