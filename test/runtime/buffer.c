/* Buffers, kernels' arguments, the queue, CLBlast, and a program's own OpenCL objects. */
#include "runtime/common.h"
#include <oclnn/opencl.h>

static void round_trip(void **state)
{
    struct oclnn_context *ctx = *state;
    unsigned char from[1000], to[1000] = {0};
    struct onn_buffer *a, *b;
    for (int i = 0; i < 1000; i++)
        from[i] = (unsigned char)(i * 7);
    must(onn_buffer_create(ctx, 1000, &a));
    must(onn_buffer_create(ctx, 1003, &b));
    assert_int_equal(onn_buffer_bytes(b), 1003);
    must(onn_buffer_write(ctx, a, 0, 1000, from, false));
    must(onn_buffer_fill(ctx, b, 0xA5));
    must(onn_buffer_copy(ctx, a, 10, b, 3, 500));
    must(onn_buffer_read(ctx, b, 0, 1000, to, true));
    for (int i = 0; i < 1000; i++)
        assert_int_equal(to[i], i >= 3 && i < 503 ? from[i + 7] : 0xA5);
    must(onn_buffer_write(ctx, b, 1002, 1, from, true));
    must(onn_buffer_read(ctx, b, 1000, 3, to, true));
    assert_true(to[0] == 0xA5 && to[1] == 0xA5 && to[2] == from[0]);
    must(onn_buffer_read(ctx, b, 1003, 0, NULL, true));
    onn_buffer_destroy(&a);
    onn_buffer_destroy(&b);
    assert_null(b);
    onn_buffer_destroy(&b);
}

static void ranges_are_checked(void **state)
{
    struct oclnn_context *ctx = *state;
    char byte[16] = {0};
    struct onn_buffer *b;
    must(onn_buffer_create(ctx, 16, &b));
    assert_int_equal(onn_buffer_write(ctx, b, 1, 16, byte, true), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_buffer_read(ctx, b, 17, 0, byte, true), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_buffer_read(ctx, b, 8, SIZE_MAX, byte, true), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_buffer_copy(ctx, b, 0, b, 8, 9), OCLNN_ERROR_ARGUMENT);
    onn_buffer_destroy(&b);
    assert_int_equal(onn_buffer_create(ctx, SIZE_MAX / 2, &b), OCLNN_ERROR_DEVICE_MEMORY);
    assert_null(b);
    assert_non_null(strstr(oclnn_error_text(NULL), "in one piece"));
}

static void empty_buffers_work(void **state)
{
    struct oclnn_context *ctx = *state;
    struct onn_buffer *b;
    must(onn_buffer_create(ctx, 0, &b));
    must(onn_buffer_fill(ctx, b, 1));
    must(onn_buffer_write(ctx, b, 0, 0, NULL, true));
    onn_buffer_destroy(&b);
}

/* Launch with events and all kinds of arguments; profiled and not, in order across the switch. */
static void launches(void **state)
{
    struct oclnn_context *ctx = *state;
    struct onn_program *program;
    struct onn_kernel *kernel;
    struct onn_buffer *x;
    struct onn_event *event = NULL, *marker = NULL;
    float data[64] = {0}, y = 1.5f;
    const size_t global = 64, local = 8, empty = 0;
    must(onn_program_get(ctx, "probe", "-D PLUS=2", TEST_KERNEL, &program));
    must(onn_kernel_create(ctx, program, "test_add", &kernel));
    must(onn_buffer_create(ctx, sizeof data, &x));
    must(onn_buffer_write(ctx, x, 0, sizeof data, data, true));
    must(onn_kernel_set_buffer(kernel, 0, x));
    must(onn_kernel_set_bytes(kernel, 1, sizeof y, &y));
    must(onn_kernel_set_local(kernel, 2, local * sizeof(float)));
    must(onn_queue_launch(ctx, kernel, 1, &global, &local, &event));
    must(onn_queue_flush(ctx));
    must(onn_event_wait(ctx, &event));
    assert_null(event);
    must(onn_queue_set_profiling(ctx, true));
    must(onn_queue_launch(ctx, kernel, 1, &global, &local, &event));
    must(onn_queue_marker(ctx, &marker));
    must(onn_event_wait(ctx, &marker));
    /* rusticl 22.3 completes a marker, even clFinish, a moment before the event of the kernel in front of it. */
    for (int i = 0; i < 1000 && !onn_event_is_done(event); i++)
        usleep(1000);
    assert_true(onn_event_is_done(event) && onn_event_is_done(NULL));
    assert_true(onn_event_time_ns(event) >= 0 && onn_event_time_ns(NULL) == 0);
    onn_event_destroy(&event);
    must(onn_queue_set_profiling(ctx, false));
    must(onn_queue_launch(ctx, kernel, 1, &global, &local, NULL));
    must(onn_queue_launch(ctx, kernel, 1, &empty, &local, &event));
    assert_null(event);
    must(onn_event_wait(ctx, &event));
    must(onn_queue_finish(ctx));
    must(onn_buffer_read(ctx, x, 0, sizeof data, data, true));
    for (int i = 0; i < 64; i++)
        assert_true(data[i] == 9.0f);
    const size_t odd = 63;
    assert_int_equal(onn_queue_launch(ctx, kernel, 1, &odd, &local, NULL), OCLNN_ERROR_INTERNAL);
    assert_non_null(strstr(oclnn_error_text(NULL), "test_add"));
    assert_int_not_equal(onn_kernel_set_bytes(kernel, 99, 4, &y), OCLNN_OK);
    assert_non_null(strstr(oclnn_error_text(NULL), "argument 99"));
    assert_non_null(strstr(oclnn_error_text(NULL), "clSetKernelArg failed: CL_INVALID_ARG_INDEX (-49)"));
    onn_kernel_destroy(&kernel);
    assert_int_equal(onn_kernel_create(ctx, program, "no_such_kernel", &kernel), OCLNN_ERROR_NOT_FOUND);
    onn_buffer_destroy(&x);
}

/* 2 x 3 times 3 x 2, the second one stored transposed. */
static void clblast_multiplies(void **state)
{
    struct oclnn_context *ctx = *state;
    if (onn_context_caps(ctx)->slow)
        skip();
    const float a[6] = {1, 2, 3, 4, 5, 6}, bt[7] = {-1, 1, 0, 1, 0, 1, 1};
    const float expected[4] = {1 + 3, 2 + 3, 4 + 6, 5 + 6};
    float c[4] = {0};
    struct onn_buffer *x, *y, *z;
    struct onn_event *event = NULL;
    must(onn_buffer_create(ctx, sizeof a, &x));
    must(onn_buffer_create(ctx, sizeof bt, &y));
    must(onn_buffer_create(ctx, sizeof c, &z));
    must(onn_buffer_write(ctx, x, 0, sizeof a, a, true));
    must(onn_buffer_write(ctx, y, 0, sizeof bt, bt, true));
    must(onn_buffer_fill(ctx, z, 0));
    struct onn_gemm_call call =
        {.b_transposed = true, .m = 2, .n = 2, .k = 3, .lda = 3, .ldb = 3, .ldc = 2, .alpha = 1};
    must(onn_clblast_gemm(ctx, &call, x, 0, y, 1, z, 0, &event));
    must(onn_event_wait(ctx, &event));
    must(onn_buffer_read(ctx, z, 0, sizeof c, c, true));
    for (int i = 0; i < 4; i++)
        assert_true(c[i] == expected[i]);
    call.lda = 2;
    assert_int_not_equal(onn_clblast_gemm(ctx, &call, x, 0, y, 1, z, 0, NULL), OCLNN_OK);
    onn_buffer_destroy(&x);
    onn_buffer_destroy(&y);
    onn_buffer_destroy(&z);
}

/* A second context on the first one's OpenCL objects; its buffer wrapped there. */
static void shares_objects(void **state)
{
    struct oclnn_context *ctx = *state, *other = NULL;
    cl_context context;
    cl_device_id device;
    cl_command_queue queue, theirs;
    cl_int code;
    must(oclnn_context_get_cl(ctx, &context, &device, &queue));
    must(oclnn_context_create_from_cl(context, device, queue, NULL, &other));
    must(oclnn_context_get_cl(other, NULL, NULL, &theirs));
    assert_ptr_equal(queue, theirs);
    struct oclnn_device_info one, two;
    must(oclnn_context_device(ctx, &one));
    must(oclnn_context_device(other, &two));
    assert_string_equal(one.selector, two.selector);
    cl_mem mem = clCreateBuffer(context, CL_MEM_READ_WRITE, 32, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    struct onn_buffer *b;
    char text[32] = "";
    must(onn_buffer_wrap(other, mem, &b));
    assert_int_equal(onn_buffer_bytes(b), 32);
    must(onn_buffer_fill(other, b, 'x'));
    assert_int_equal(clEnqueueReadBuffer(queue, mem, CL_TRUE, 0, 32, text, 0, NULL, NULL), CL_SUCCESS);
    assert_true(text[0] == 'x' && text[31] == 'x');
    onn_buffer_destroy(&b);
    oclnn_context_destroy(&other);
    assert_int_equal(clReleaseMemObject(mem), CL_SUCCESS);
    assert_int_equal(oclnn_context_create_from_cl(NULL, device, queue, NULL, &other), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_buffer_wrap(ctx, NULL, &b), OCLNN_ERROR_ARGUMENT);
    /* A queue of another context is refused, and the half-made context taken down again. */
    struct oclnn_context *third = open_context(NULL);
    must(oclnn_context_get_cl(third, &context, NULL, NULL));
    assert_int_equal(oclnn_context_create_from_cl(context, device, queue, NULL, &other),
        OCLNN_ERROR_ARGUMENT);
    oclnn_context_destroy(&third);
}

static int open_shared(void **state)
{
    *state = open_context(NULL);
    return 0;
}

static int close_shared(void **state)
{
    oclnn_context_destroy((struct oclnn_context **)state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(ranges_are_checked),
        cmocka_unit_test(empty_buffers_work),
        cmocka_unit_test(launches),
        cmocka_unit_test(clblast_multiplies),
        cmocka_unit_test(shares_objects),
    };
    return has_device() ? cmocka_run_group_tests(tests, open_shared, close_shared) : SKIPPED;
}
