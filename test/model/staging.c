/* Models whose inputs and outputs go through pinned memory give the same bits as those that work on the program's arrays:
 * one run at a time, jobs waited for in any order or only asked for, several shapes in turn, outputs listed twice, jobs that
 * outlive their plan. */
#include "model/model.h"
#include <oclnn/oclnn.h>
#include <oclnn/opencl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCHES = 3, PIXELS = 28 * 28, JOBS = ONN_MAX_JOBS, Y = 10, Z = 6 * 28 * 28 };

#define good(call) \
    do { \
        if ((call) != OCLNN_OK) \
            fail_msg("%s: %s", #call, oclnn_error_text(NULL)); \
    } while (0)

static oclnn_context *ctx[2]; /* staged or not */
static float image[JOBS][BATCHES * PIXELS];

struct answer {
    float y[BATCHES * Y], z[BATCHES * Z], y2[BATCHES * Y];
};
static struct answer want[JOBS], got[JOBS];

/* Two outputs, the larger one computed first. */
static oclnn_model *network(oclnn_context *c, const struct oclnn_model_params *params)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 7}, &g));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 1, 28, 28));
    oclnn_value z = oclnn_relu(g, oclnn_conv2d(g, x, 6, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}}));
    oclnn_output(g, "y", oclnn_dense(g, oclnn_flatten(g, oclnn_max_pool2d(g, z, 2, NULL)), Y, NULL));
    oclnn_output(g, "z", z);
    good(oclnn_model_create(c, &g, params, &m));
    return m;
}

static int batch_of(int k)
{
    return 1 + k % BATCHES;
}

/* The lists of job k; `fixed`: all of one size. */
struct lists {
    struct oclnn_binding in[2], out[4];
};
static struct lists lists(int k, int n, struct answer *a)
{
    const size_t y = (size_t)n * Y * sizeof(float), z = (size_t)n * Z * sizeof(float);
    return (struct lists){.in = {{.data = image[k],
                              .bytes = (size_t)n * PIXELS * sizeof(float),
                              .shape = OCLNN_SHAPE(n, 1, 28, 28)}},
        .out = {{.name = "y", .data = a->y, .bytes = y}, {.name = "z", .data = a->z, .bytes = z},
            {.name = "y", .data = a->y2, .bytes = y}}};
}

/* What arrays of the program's give, one run at a time. */
static void expect(int n)
{
    oclnn_model *m = network(ctx[0], NULL);
    memset(want, 0, sizeof want);
    memset(got, 0, sizeof got);
    for (int k = 0; k < JOBS; k++) {
        struct lists l = lists(k, n ? n : batch_of(k), &want[k]);
        good(oclnn_model_run(m, l.in, l.out));
        assert_memory_equal(want[k].y, want[k].y2, sizeof want[k].y);
    }
    assert_true(want[0].y[0] != want[1].y[0]);
    oclnn_model_destroy(&m);
}

static void one_run_at_a_time(void **state)
{
    (void)state;
    expect(0);
    oclnn_model *m = network(ctx[1], NULL);
    struct oclnn_plan_info with, without;
    for (int k = 0; k < JOBS; k++) {
        struct lists l = lists(k, batch_of(k), &got[k]);
        good(oclnn_model_run(m, l.in, l.out));
        assert_memory_equal(&got[k], &want[k], sizeof *got);
        if (k % 3 == 2)
            good(oclnn_model_run_resident(m));
    }
    /* a fresh tensor as output */
    oclnn_tensor *fresh = NULL;
    struct lists l = lists(1, 2, &got[1]);
    const struct oclnn_binding out[] = {{.name = "z", .result = &fresh}, {0}};
    good(oclnn_model_run(m, l.in, out));
    assert_memory_equal(oclnn_tensor_data(fresh), want[1].z, 2 * Z * sizeof(float));
    oclnn_tensor_destroy(&fresh);
    good(oclnn_model_plan_info(m, &with));
    oclnn_model_destroy(&m);
    m = network(ctx[0], NULL);
    good(oclnn_model_prepare(m, l.in));
    good(oclnn_model_plan_info(m, &without));
    oclnn_model_destroy(&m);
    const size_t both = 2 * (PIXELS + Y + Z) * sizeof(float); /* batch of 2 */
    assert_true(with.staging_bytes >= without.staging_bytes + 2 * both);
    assert_true(with.staging_bytes <= without.staging_bytes + 2 * both + 3 * 2 * 64);
}

/* As many jobs as there may be, waited for in several orders. */
static void jobs_in_any_order(void **state)
{
    static const int order[][JOBS] = {{0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0},
        {3, 0, 7, 1, 6, 2, 5, 4}};
    (void)state;
    for (int same = 0; same < 2; same++) { /* one plan, or three in turn */
        expect(same ? 2 : 0);
        oclnn_model *m = network(ctx[1], NULL);
        for (int way = 0; way < 3; way++) {
            oclnn_job *job[JOBS];
            memset(got, 0, sizeof got);
            for (int k = 0; k < JOBS; k++) {
                struct lists l = lists(k, same ? 2 : batch_of(k), &got[k]);
                good(oclnn_model_run_async(m, l.in, l.out, &job[k]));
            }
            for (int k = 0; k < JOBS; k++) {
                good(oclnn_job_wait(&job[order[way][k]]));
                assert_memory_equal(&got[order[way][k]], &want[order[way][k]], sizeof *got);
            }
        }
        oclnn_model_destroy(&m);
    }
}

/* "Done" means that the outputs are there. */
static void done_without_waiting(void **state)
{
    (void)state;
    expect(1);
    oclnn_model *m = network(ctx[1], NULL);
    for (int k = 0; k < JOBS; k++) {
        oclnn_job *job = NULL;
        struct lists l = lists(k, 1, &got[k]);
        good(oclnn_model_run_async(m, l.in, l.out, &job));
        while (!oclnn_job_is_done(job))
            ;
        assert_memory_equal(&got[k], &want[k], sizeof *got);
        assert_int_equal(oclnn_job_is_done(job), 1);
        good(oclnn_job_wait(&job));
    }
    oclnn_model_destroy(&m);
}

/* Room for one plan: the next shape drops the one before, whose job nobody has waited for. A run that fails leaves the
 * others alone. */
static void jobs_outlive_their_plan(void **state)
{
    (void)state;
    expect(0);
    oclnn_model *m = network(ctx[1], &(struct oclnn_model_params){.plans = 1});
    oclnn_job *job[JOBS];
    for (int k = 0; k < JOBS; k++) {
        oclnn_job *none = NULL;
        struct lists l = lists(k, batch_of(k), &got[k]), bad = l;
        if (k == 4) {
            bad.out[1].bytes--;
            assert_int_equal(oclnn_model_run_async(m, bad.in, bad.out, &none), OCLNN_ERROR_SHAPE);
            assert_null(none);
        }
        good(oclnn_model_run_async(m, l.in, l.out, &job[k]));
    }
    for (int k = JOBS - 1; k >= 0; k--)
        good(oclnn_job_wait(&job[k]));
    assert_memory_equal(got, want, sizeof got);
    oclnn_model_destroy(&m);
}

/* Buffers of the program's own are not copied, and one output may go both ways. */
static void buffers_are_not_staged(void **state)
{
    (void)state;
    cl_context cl;
    cl_command_queue queue;
    cl_int code;
    expect(1);
    good(oclnn_context_get_cl(ctx[1], &cl, NULL, &queue));
    cl_mem x = clCreateBuffer(cl, CL_MEM_COPY_HOST_PTR, sizeof(float) * PIXELS, image[0], &code);
    cl_mem y = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof(float) * Y, NULL, &code);
    assert_true(x && y);
    oclnn_model *m = network(ctx[1], NULL);
    struct oclnn_binding in[] = {{.cl_mem = x, .shape = OCLNN_SHAPE(1, 1, 28, 28)}, {0}};
    struct oclnn_binding out[] = {{.name = "y", .cl_mem = y}, {0}, {0}};
    good(oclnn_model_run(m, in, out));
    const uint64_t before = onn_context_counters(ctx[1]).transfers;
    good(oclnn_model_run(m, in, out));
    assert_int_equal(onn_context_counters(ctx[1]).transfers, before);
    assert_int_equal(clEnqueueReadBuffer(queue, y, CL_TRUE, 0, sizeof(float) * Y, got[0].y2, 0, NULL, NULL),
        CL_SUCCESS);
    out[1] = (struct oclnn_binding){.name = "y", .data = got[0].y, .bytes = sizeof(float) * Y};
    good(oclnn_model_run(m, in, out));
    assert_memory_equal(got[0].y, want[0].y, sizeof got[0].y);
    assert_memory_equal(got[0].y2, want[0].y, sizeof got[0].y2);
    oclnn_model_destroy(&m);
    clReleaseMemObject(x);
    clReleaseMemObject(y);
}

static enum oclnn_status open_both(void)
{
    enum oclnn_status status = OCLNN_OK;
    for (int k = 0; k < 2 && status == OCLNN_OK; k++) {
        setenv("OCLNN_STAGING", k ? "on" : "off", 1);
        status = oclnn_context_create(NULL, &ctx[k]);
    }
    unsetenv("OCLNN_STAGING");
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_run_at_a_time),
        cmocka_unit_test(jobs_in_any_order),
        cmocka_unit_test(done_without_waiting),
        cmocka_unit_test(jobs_outlive_their_plan),
        cmocka_unit_test(buffers_are_not_staged),
    };
    if (open_both() == OCLNN_ERROR_NO_DEVICE)
        return 77;
    for (int k = 0; k < JOBS; k++)
        for (int i = 0; i < BATCHES * PIXELS; i++)
            image[k][i] = (float)((k + 2) * (i + 1) % 41) / 41;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx[0]);
    oclnn_context_destroy(&ctx[1]);
    return failed;
}
