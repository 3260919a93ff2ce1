/* Running a model allocates nothing: neither host memory nor, by the context's own counters, device objects. */
#include "harness/heap.h"
#include "runtime/context.h"
#include <oclnn/opencl.h>
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void run_allocates_nothing(void **state)
{
    (void)state;
    oclnn_context *ctx = NULL;
    oclnn_graph *graph = NULL;
    oclnn_model *net = NULL;
    cl_context cl;
    cl_mem mem[4];
    static float image[2 * 28 * 28], scores[2 * 10];
    struct oclnn_binding in[2] = {{.data = image, .bytes = sizeof image, .shape = OCLNN_SHAPE(2, 1, 28, 28)},
        {0}};
    const struct oclnn_zoo_params params = {0};
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE)
        skip();
    assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build("mnist-conv2", graph, &params), OCLNN_OK);
    assert_int_equal(oclnn_model_create(ctx, &graph, NULL, &net), OCLNN_OK);
    assert_int_equal(oclnn_model_run(net, in, OCLNN_OUT(scores)), OCLNN_OK);
    assert_true(onn_heap_calls() > 0); /* the counter counts */
    assert_int_equal(oclnn_context_get_cl(ctx, &cl, NULL, NULL), OCLNN_OK);
    for (int i = 0; i < 4; i++)
        assert_non_null(mem[i] = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof image, NULL, NULL));
    const struct onn_counters before = onn_context_counters(ctx);
    onn_heap_fail(0, false);
    for (int i = 0; i < 20; i++) {
        oclnn_job *job[2] = {NULL, NULL};
        assert_int_equal(oclnn_model_run(net, in, OCLNN_OUT(scores)), OCLNN_OK);
        assert_int_equal(oclnn_model_run_async(net, in, OCLNN_OUT(scores), &job[0]), OCLNN_OK);
        assert_int_equal(oclnn_model_run_async(net, in, OCLNN_OUT(scores), &job[1]), OCLNN_OK);
        assert_int_equal(oclnn_job_wait(&job[0]), OCLNN_OK);
        assert_int_equal(oclnn_job_wait(&job[1]), OCLNN_OK);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_allocates_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
