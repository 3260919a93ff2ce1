/* Running a model allocates nothing: neither host memory nor, by the context's own counters, device objects. */
#include "harness/heap.h"
#include "runtime/context.h"
#include <oclnn/opencl.h>
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* staging: $OCLNN_STAGING. */
static void allocates_nothing(const char *staging)
{
    oclnn_context *ctx = NULL;
    oclnn_graph *graph = NULL;
    oclnn_model *net = NULL;
    cl_context cl;
    cl_mem mem[4];
    static float image[2 * 28 * 28], scores[2 * 10];
    struct oclnn_binding in[2] = {{.data = image, .bytes = sizeof image, .shape = OCLNN_SHAPE(2, 1, 28, 28)},
        {0}};
    const struct oclnn_zoo_params params = {0};
    setenv("OCLNN_STAGING", staging, 1);
    const enum oclnn_status opened = oclnn_context_create(NULL, &ctx);
    unsetenv("OCLNN_STAGING");
    if (opened == OCLNN_ERROR_NO_DEVICE)
        skip();
    assert_int_equal(opened, OCLNN_OK);
    assert_int_equal(onn_context_caps(ctx)->staged, strcmp(staging, "on") == 0);
    assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build("mnist-conv2", graph, &params), OCLNN_OK);
    assert_int_equal(oclnn_model_create(ctx, &graph, NULL, &net), OCLNN_OK);
    assert_int_equal(oclnn_model_run(net, in, OCLNN_OUT(scores)), OCLNN_OK);
    assert_true(onn_heap_calls() > 0); /* the counter counts */
    assert_int_equal(oclnn_context_get_cl(ctx, &cl, NULL, NULL), OCLNN_OK);
    for (int i = 0; i < 4; i++)
        assert_non_null(mem[i] = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof image, NULL, NULL));
    /* the first run with buffers of the program's own may compile kernels */
    assert_int_equal(oclnn_model_run(net,
                         (struct oclnn_binding[2]){{.cl_mem = mem[0], .shape = in[0].shape}, {0}},
                         OCLNN_OUT_CL(mem[2])),
        OCLNN_OK);
    const struct onn_counters before = onn_context_counters(ctx);
    onn_heap_fail(0, false);
    for (int i = 0; i < 20; i++) {
        oclnn_job *job[4] = {NULL};
        assert_int_equal(oclnn_model_run(net, in, OCLNN_OUT(scores)), OCLNN_OK);
        for (int k = 0; k < 4; k++)
            assert_int_equal(oclnn_model_run_async(net, in, OCLNN_OUT(scores), &job[k]), OCLNN_OK);
        for (int k = 0; k < 4; k++)
            assert_int_equal(oclnn_job_wait(&job[k]), OCLNN_OK);
        /* the program's own buffers, others in every run, in turn with host arrays */
        struct oclnn_binding from[2] = {{.cl_mem = mem[i % 2], .shape = in[0].shape}, {0}};
        assert_int_equal(oclnn_model_run(net, from, OCLNN_OUT_CL(mem[2 + i % 2])), OCLNN_OK);
        assert_int_equal(oclnn_model_run(net, from, OCLNN_OUT_CL(mem[2 + i % 2])), OCLNN_OK);
        assert_int_equal(oclnn_model_run(net, from, OCLNN_OUT_CL(mem[i % 2])), OCLNN_OK);
        assert_int_equal(oclnn_model_run_async(net, from, OCLNN_OUT(scores), &job[0]), OCLNN_OK);
        assert_int_equal(oclnn_job_wait(&job[0]), OCLNN_OK);
        assert_int_equal(oclnn_model_run_resident(net), OCLNN_OK);
    }
    const struct onn_counters after = onn_context_counters(ctx);
    assert_int_equal(onn_heap_calls(), 0);
    assert_int_equal(after.buffers_created, before.buffers_created);
    assert_int_equal(after.kernels_created, before.kernels_created);
    assert_int_equal(after.programs_built, before.programs_built);
    assert_true(after.launches > before.launches);
    oclnn_model_destroy(&net);
    for (int i = 0; i < 4; i++)
        assert_int_equal(clReleaseMemObject(mem[i]), CL_SUCCESS);
    oclnn_context_destroy(&ctx);
}

static void run_allocates_nothing(void **state)
{
    (void)state;
    allocates_nothing("off");
}

static void staged_run_allocates_nothing(void **state)
{
    (void)state;
    allocates_nothing("on");
}

/* Where the device works in the host's memory, a run is its kernels and nothing else; inputs of a run in flight are left
 * alone all the same. */
static void host_memory_needs_no_transfers(void **state)
{
    (void)state;
    oclnn_context *ctx = NULL;
    oclnn_graph *graph = NULL;
    oclnn_model *net = NULL;
    static float image[3][28 * 28], want[3][10], got[3][10];
    const struct oclnn_zoo_params params = {.batch = 1};
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE)
        skip();
    const struct onn_caps *caps = onn_context_caps(ctx);
    const bool open = caps->host_memory && !caps->staged;
    assert_int_equal(caps->host_memory,
        caps->is_cpu && caps->unified && !caps->slow); /* every known driver of a processor */
    assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build("mnist-conv2", graph, &params), OCLNN_OK);
    assert_int_equal(oclnn_model_create(ctx, &graph, NULL, &net), OCLNN_OK);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 28 * 28; k++)
            image[i][k] = (float)((i + 2) * (k + 1) % 37) / 37;
        assert_int_equal(oclnn_model_run(net, OCLNN_IN(image[i]), OCLNN_OUT(want[i])), OCLNN_OK);
    }
    const uint64_t before = onn_context_counters(ctx).transfers;
    for (int i = 0; i < 3; i++)
        assert_int_equal(oclnn_model_run(net, OCLNN_IN(image[i]), OCLNN_OUT(got[i])), OCLNN_OK);
    assert_memory_equal(got, want, sizeof got);
    assert_int_equal(onn_context_counters(ctx).transfers - before, open ? 0 : 6);
    memset(got, 0, sizeof got);
    for (int run = 0; run < 20; run++) {
        oclnn_job *job[3] = {NULL, NULL, NULL};
        for (int i = 0; i < 3; i++)
            assert_int_equal(oclnn_model_run_async(net, OCLNN_IN(image[i]), OCLNN_OUT(got[i]), &job[i]),
                OCLNN_OK);
        for (int i = run % 2 ? 0 : 2; i >= 0 && i < 3; i += run % 2 ? 1 : -1)
            assert_int_equal(oclnn_job_wait(&job[i]), OCLNN_OK);
        assert_memory_equal(got, want, sizeof got);
    }
    oclnn_model_destroy(&net);
    oclnn_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_allocates_nothing),
        cmocka_unit_test(staged_run_allocates_nothing), cmocka_unit_test(host_memory_needs_no_transfers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
