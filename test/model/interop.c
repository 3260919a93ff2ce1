/* A program's own cl_mem as inputs and outputs: every way in which an output can lie in memory gives the bytes that host
 * arrays get, nothing around the buffers is touched, and what does not fit is told. */
#include "model/model.h"
#include "runtime/internal.h"
#include <oclnn/opencl.h>
#include <oclnn/oclnn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum {
    ELEMENTS = 2 * 3 * 9 * 7 /* a batch of 2 */,
    BYTES = ELEMENTS * 4,
    PAGE = 4096,
    ROOM = 3 * PAGE,
    MAX_OUT = 2
};

#define good(call) \
    do { \
        if ((call) != OCLNN_OK) \
            fail_msg("%s: %s", #call, oclnn_error_text(NULL)); \
    } while (0)

static struct {
    cl_context cl;
    cl_command_queue queue;
    oclnn_context *ctx;
} my;

/* ---- networks: how outputs lie ---- */

static oclnn_value input(oclnn_graph *g)
{
    return oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 3, 9, 7));
}

static oclnn_value same_conv(oclnn_graph *g, oclnn_value x, int filters)
{
    return oclnn_conv2d(g, x, filters, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}});
}

static void chain(oclnn_graph *g) /* computed last, read by nobody */
{
    oclnn_output(g, "y", oclnn_relu(g, same_conv(g, same_conv(g, input(g), 8), 3)));
}

static void residual(oclnn_graph *g) /* reads its input once more at the end */
{
    oclnn_value x = input(g);
    oclnn_output(g, "y", oclnn_add(g, same_conv(g, same_conv(g, x, 5), 3), x));
}

static void joined(oclnn_graph *g) /* several writers */
{
    oclnn_value x = input(g);
    oclnn_value part[3] = {oclnn_max_pool2d(g, x, 3,
                               &(struct oclnn_pool){.stride = {1, 1}, .pad = {1, 1, 1, 1}}),
        same_conv(g, x, 5), x};
    oclnn_output(g, "y", oclnn_concat(g, part, 3, 1));
}

static void reshaped(oclnn_graph *g) /* a view of what was computed */
{
    oclnn_output(g, "y", oclnn_flatten(g, oclnn_sigmoid(g, same_conv(g, input(g), 3))));
}

static void read_again(oclnn_graph *g) /* the first output is an operand of the second */
{
    oclnn_value t = same_conv(g, input(g), 3);
    oclnn_output(g, "t", t);
    oclnn_output(g, "y", oclnn_tanh(g, same_conv(g, t, 3)));
}

static void twice(oclnn_graph *g) /* two outputs in the same bytes */
{
    oclnn_value t = same_conv(g, input(g), 3);
    oclnn_output(g, "t", t);
    oclnn_output(g, "y", oclnn_flatten(g, t));
}

static void part(oclnn_graph *g) /* a part of something larger */
{
    oclnn_value rows = oclnn_reshape(g, oclnn_tanh(g, input(g)), OCLNN_SHAPE(9, -1));
    oclnn_output(g, "y", oclnn_slice(g, rows, 0, 0, 5, 1));
    oclnn_output(g, "z", oclnn_slice(g, rows, 1, 2, 5, 1));
}

static void itself(oclnn_graph *g) /* an output that is the input */
{
    oclnn_value x = input(g);
    oclnn_output(g, "x2", x);
    oclnn_output(g, "y", oclnn_relu(g, x));
}

static void classes(oclnn_graph *g)
{
    oclnn_output(g, "y", oclnn_softmax(g, oclnn_dense(g, oclnn_flatten(g, input(g)), 6, NULL), 1));
}

static const struct {
    const char *name;
    void (*build)(oclnn_graph *g);
    enum onn_plan_where where[MAX_OUT];
} networks[] = {
    {"chain", chain, {ONN_BOUND_DIRECT}},
    {"residual", residual, {ONN_BOUND_DIRECT}},
    {"joined", joined, {ONN_BOUND_DIRECT}},
    {"reshaped", reshaped, {ONN_BOUND_DIRECT}},
    {"read_again", read_again, {ONN_BOUND_DIRECT, ONN_BOUND_DIRECT}},
    {"twice", twice, {ONN_BOUND_COPY, ONN_BOUND_COPY}},
    {"part", part, {ONN_BOUND_COPY, ONN_BOUND_DIRECT}},
    {"itself", itself, {ONN_BOUND_COPY, ONN_BOUND_DIRECT}},
    {"classes", classes, {ONN_BOUND_DIRECT}},
};

static oclnn_model *model_of(void (*build)(oclnn_graph *g))
{
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    good(oclnn_graph_create(NULL, &g));
    build(g);
    good(oclnn_model_create(my.ctx, &g, NULL, &net));
    return net;
}

/* ---- buffers: a part of a larger one whose other bytes are watched ---- */

struct piece {
    cl_mem whole, mem;
};

static struct piece piece_of(size_t bytes, cl_mem_flags flags)
{
    struct piece b;
    cl_int code;
    const unsigned char poison = 0xA5;
    cl_buffer_region region = {PAGE, bytes};
    b.whole = clCreateBuffer(my.cl, CL_MEM_READ_WRITE, PAGE + ROOM + PAGE, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_int_equal(clEnqueueFillBuffer(my.queue, b.whole, &poison, 1, 0, PAGE + ROOM + PAGE, 0, NULL, NULL),
        CL_SUCCESS);
    b.mem = clCreateSubBuffer(b.whole, flags, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    assert_int_equal(code, CL_SUCCESS);
    return b;
}

static void put(const struct piece *b, const float *data)
{
    assert_int_equal(clEnqueueWriteBuffer(my.queue, b->mem, CL_TRUE, 0, BYTES, data, 0, NULL, NULL),
        CL_SUCCESS);
}

/* The first `bytes` are want's, the others untouched. */
static void holds(const struct piece *b, const void *want, size_t bytes, const char *what)
{
    static unsigned char all[PAGE + ROOM + PAGE];
    assert_int_equal(clEnqueueReadBuffer(my.queue, b->whole, CL_TRUE, 0, sizeof all, all, 0, NULL, NULL),
        CL_SUCCESS);
    for (size_t i = 0; i < sizeof all; i++)
        if ((i < PAGE || i >= PAGE + bytes) && all[i] != 0xA5)
            fail_msg("%s: byte %zd of a buffer of %zu was written", what, (ssize_t)i - PAGE, bytes);
    if (want && memcmp(all + PAGE, want, bytes) != 0)
        fail_msg("%s: other numbers than from host arrays", what);
}

static void drop(struct piece *b)
{
    clReleaseMemObject(b->mem);
    clReleaseMemObject(b->whole);
}

static const float *numbers(int seed)
{
    static float x[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++)
        x[i] = (float)((seed * 37 + 5) * (i + 11) % 101) / 50 - 1;
    return x;
}

struct wanted {
    float host[MAX_OUT][ROOM / 4];
    size_t bytes[MAX_OUT];
    int n;
};

/* What host arrays get. */
static void run_on_host(oclnn_model *net, const float *x, struct wanted *w)
{
    oclnn_tensor *got[MAX_OUT] = {NULL, NULL};
    struct oclnn_binding out[MAX_OUT + 1] = {{.result = &got[0]}, {.result = &got[1]}, {0}};
    w->n = oclnn_model_output_count(net);
    memset(&out[w->n], 0, sizeof *out);
    good(oclnn_model_run(net, (struct oclnn_binding[]){{.data = (void *)x, .bytes = BYTES}, {0}}, out));
    for (int i = 0; i < w->n; i++) {
        w->bytes[i] = oclnn_tensor_bytes(got[i]);
        assert_true(w->bytes[i] <= ROOM);
        memcpy(w->host[i], oclnn_tensor_data(got[i]), w->bytes[i]);
        oclnn_tensor_destroy(&got[i]);
    }
}

static void every_network(void **state)
{
    static struct wanted a, b;
    (void)state;
    for (size_t k = 0; k < sizeof networks / sizeof *networks; k++) {
        oclnn_model *net = model_of(networks[k].build);
        const char *name = networks[k].name;
        struct piece in = piece_of(BYTES, 0), out[2][MAX_OUT];
        run_on_host(net, numbers(1), &a);
        run_on_host(net, numbers(2), &b);
        struct oclnn_binding from[2] = {{.cl_mem = in.mem}, {0}}, to[2][MAX_OUT + 1];
        memset(to, 0, sizeof to);
        for (int i = 0; i < 2 * a.n; i++) {
            out[i & 1][i / 2] = piece_of(a.bytes[i / 2], 0);
            to[i & 1][i / 2].cl_mem = out[i & 1][i / 2].mem;
        }
        static const int order[] = {0, 1, 0, 1, 1};
        for (size_t run = 0; run < sizeof order / sizeof *order; run++) {
            const int set = order[run];
            const struct wanted *w = set ? &b : &a;
            put(&in, numbers(set + 1));
            good(oclnn_model_run(net, from, to[set]));
            for (int i = 0; i < w->n; i++) {
                holds(&out[set][i], w->host[i], w->bytes[i], name);
                const enum onn_plan_where where = net->current->plan->out[i].where;
                if (where != networks[k].where[i])
                    fail_msg("%s: output %d is bound in way %d", name, i, where);
            }
        }
        /* host arrays again: the buffers are left alone */
        run_on_host(net, numbers(1), &b);
        for (int i = 0; i < a.n; i++) {
            assert_memory_equal(a.host[i], b.host[i], a.bytes[i]);
            holds(&out[0][i], a.host[i], a.bytes[i], name);
        }
        oclnn_model_destroy(&net);
        drop(&in);
        for (int i = 0; i < 2 * a.n; i++)
            drop(&out[i & 1][i / 2]);
    }
}

/* One buffer as input and output: the input is gone afterwards, but read before. */
static void in_place(void **state)
{
    static struct wanted w;
    (void)state;
    void (*const build[])(oclnn_graph * g) = {chain, residual, reshaped};
    for (int k = 0; k < 3; k++) {
        oclnn_model *net = model_of(build[k]);
        struct piece b = piece_of(BYTES, 0);
        run_on_host(net, numbers(3), &w);
        for (int run = 0; run < 2; run++) {
            put(&b, numbers(3));
            good(oclnn_model_run(net, OCLNN_IN_CL(b.mem), OCLNN_OUT_CL(b.mem)));
            holds(&b, w.host[0], BYTES, "in place");
            assert_int_equal(net->current->plan->out[0].where, ONN_BOUND_COPY);
        }
        struct piece other = piece_of(BYTES, 0);
        good(oclnn_model_run(net, OCLNN_IN_CL(other.mem), OCLNN_OUT_CL(b.mem)));
        assert_int_equal(net->current->plan->out[0].where, ONN_BOUND_DIRECT);
        good(oclnn_model_run(net, OCLNN_IN_CL(b.mem),
            OCLNN_OUT_CL(b.mem))); /* the same output, another input */
        assert_int_equal(net->current->plan->out[0].where, ONN_BOUND_COPY);
        oclnn_model_destroy(&net);
        drop(&b);
        drop(&other);
    }
    /* the identity in place copies nothing */
    oclnn_model *net = model_of(itself);
    struct piece b = piece_of(BYTES, 0);
    put(&b, numbers(3));
    good(oclnn_model_run(net, OCLNN_IN_CL(b.mem), OCLNN_OUT_CL(b.mem)));
    holds(&b, numbers(3), BYTES, "itself in place");
    oclnn_model_destroy(&net);
    drop(&b);
}

/* Parts of one buffer share nothing unless they overlap; what kernels may not read back is copied to. */
static void parts_and_flags(void **state)
{
    static struct wanted w;
    (void)state;
    oclnn_model *net = model_of(read_again);
    run_on_host(net, numbers(4), &w);
    cl_int code;
    cl_mem whole = clCreateBuffer(my.cl, CL_MEM_READ_WRITE, 2 * (size_t)PAGE, NULL, &code), half[2];
    for (size_t i = 0; i < 2; i++) {
        cl_buffer_region region = {i * PAGE, PAGE};
        half[i] = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
        assert_int_equal(code, CL_SUCCESS);
    }
    struct piece y = piece_of(BYTES, CL_MEM_WRITE_ONLY), t = piece_of(BYTES, CL_MEM_WRITE_ONLY);
    assert_int_equal(clEnqueueWriteBuffer(my.queue, half[0], CL_TRUE, 0, BYTES, numbers(4), 0, NULL, NULL),
        CL_SUCCESS);
    struct oclnn_binding out[] = {{.cl_mem = half[1]}, {.cl_mem = y.mem}, {0}};
    struct oclnn_binding in[] = {{.cl_mem = half[0], .bytes = BYTES}, {0}};
    good(oclnn_model_run(net, in, out));
    assert_int_equal(net->current->plan->out[0].where, ONN_BOUND_DIRECT);
    assert_int_equal(net->current->plan->out[1].where, ONN_BOUND_DIRECT);
    holds(&y, w.host[1], BYTES, "write-only");
    out[0].cl_mem = t.mem; /* also an operand of the second output */
    good(oclnn_model_run(net, in, out));
    assert_int_equal(net->current->plan->out[0].where, ONN_BOUND_COPY);
    holds(&t, w.host[0], BYTES, "write-only operand");
    holds(&y, w.host[1], BYTES, "behind it");
    oclnn_model_destroy(&net);
    drop(&y);
    drop(&t);
    for (int i = 0; i < 2; i++)
        clReleaseMemObject(half[i]);
    clReleaseMemObject(whole);
}

/* Buffers over a program's own arrays, which begin at any float: kernels expect no more. */
static void any_float(void **state)
{
    static struct wanted w;
    static float from[ELEMENTS + 1], to[ROOM / 4 + 1];
    (void)state;
    for (size_t k = 0; k < sizeof networks / sizeof *networks; k++) {
        oclnn_model *net = model_of(networks[k].build);
        cl_int code;
        run_on_host(net, numbers(2), &w);
        memcpy(from + 1, numbers(2), BYTES);
        cl_mem in = clCreateBuffer(my.cl, CL_MEM_USE_HOST_PTR, BYTES, from + 1, &code);
        cl_mem out = clCreateBuffer(my.cl, CL_MEM_USE_HOST_PTR, w.bytes[0], to + 1, &code);
        if (in && out) { /* else the driver wants more itself */
            good(oclnn_model_run(net, OCLNN_IN_CL(in), OCLNN_OUT_CL(out)));
            assert_int_equal(clEnqueueReadBuffer(my.queue, out, CL_TRUE, 0, w.bytes[0], to + 1, 0, NULL,
                                 NULL),
                CL_SUCCESS);
            assert_memory_equal(to + 1, w.host[0], w.bytes[0]);
        }
        oclnn_model_destroy(&net);
        if (in)
            clReleaseMemObject(in);
        if (out)
            clReleaseMemObject(out);
    }
}

/* One output on the device and on the host; one that is not listed any more. */
static void mixed(void **state)
{
    static struct wanted w;
    static float host[ELEMENTS];
    (void)state;
    oclnn_model *net = model_of(read_again);
    struct piece in = piece_of(BYTES, 0), t = piece_of(BYTES, 0);
    run_on_host(net, numbers(5), &w);
    put(&in, numbers(5));
    struct oclnn_binding out[] = {{.name = "t", .cl_mem = t.mem}, {.name = "y", .data = host, .bytes = BYTES},
        {0}};
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), out));
    assert_memory_equal(host, w.host[1], BYTES);
    holds(&t, w.host[0], BYTES, "mixed");
    out[1] = (struct oclnn_binding){.name = "t", .data = host, .bytes = BYTES};
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), out));
    assert_memory_equal(host, w.host[0], BYTES);
    drop(&t);
    t = piece_of(BYTES, 0);
    out[0].cl_mem = t.mem;
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), out));
    good(oclnn_model_run(net, (struct oclnn_binding[]){{.data = (void *)numbers(6), .bytes = BYTES}, {0}},
        &(struct oclnn_binding){0})); /* other numbers, nobody asks for them */
    holds(&t, w.host[0], BYTES, "no longer listed");
    oclnn_model_destroy(&net);
    drop(&in);
    drop(&t);
}

static cl_uint references(cl_mem mem)
{
    cl_uint n = 0;
    assert_int_equal(clFinish(my.queue), CL_SUCCESS); /* commands in flight hold buffers, too */
    assert_int_equal(clGetMemObjectInfo(mem, CL_MEM_REFERENCE_COUNT, sizeof n, &n, NULL), CL_SUCCESS);
    return n;
}

/* Buffers that the program has released work on in run_resident and profile, and are let go when others come. */
static void lifetimes(void **state)
{
    static struct wanted w;
    static float twice_as_many[2 * ELEMENTS];
    (void)state;
    oclnn_model *net = model_of(chain);
    cl_int code;
    run_on_host(net, numbers(7), &w);
    struct piece in = piece_of(BYTES, 0), out = piece_of(BYTES, 0);
    put(&in, numbers(7));
    const cl_uint before = references(out.mem);
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), OCLNN_OUT_CL(out.mem)));
    drop(&in);
    holds(&out, w.host[0], BYTES, "run");
    static const float zeros[ELEMENTS];
    put(&out, zeros);
    good(oclnn_model_run_resident(net));
    holds(&out, w.host[0], BYTES, "run again");
    put(&out, zeros);
    good(oclnn_model_profile(net, 1, NULL, 0, &(int){0}));
    holds(&out, w.host[0], BYTES, "profile");
    assert_true(references(out.mem) > before);
    run_on_host(net, numbers(7), &w);
    assert_int_equal(references(out.mem), before);
    in = piece_of(BYTES, 0);
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), OCLNN_OUT_CL(out.mem)));
    good(oclnn_model_run(net, (struct oclnn_binding[]){{.data = twice_as_many, .bytes = 2 * BYTES}, {0}},
        &(struct oclnn_binding){0})); /* another plan */
    assert_int_equal(references(out.mem), before);
    assert_int_equal(references(in.mem), before);
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), OCLNN_OUT_CL(out.mem)));
    assert_int_equal(clFinish(my.queue), CL_SUCCESS);
    oclnn_model_destroy(&net);
    assert_int_equal(references(out.mem), before);
    drop(&in);
    drop(&out);
    /* the batch is what the buffer has room for */
    net = model_of(chain);
    cl_mem two = clCreateBuffer(my.cl, CL_MEM_READ_WRITE, 2 * BYTES, NULL, &code);
    struct oclnn_shape shape;
    good(oclnn_model_run(net, OCLNN_IN_CL(two), NULL));
    good(oclnn_model_output_shape(net, 0, &shape));
    assert_int_equal(shape.dim[0], 4);
    good(oclnn_model_run(net, (struct oclnn_binding[]){{.cl_mem = two, .bytes = BYTES}, {0}}, NULL));
    good(oclnn_model_output_shape(net, 0, &shape));
    assert_int_equal(shape.dim[0], 2);
    oclnn_model_destroy(&net);
    clReleaseMemObject(two);
}

/* A run between the program's own commands waits for those in front of it and for nobody else. */
static void returns_early(void **state)
{
    static struct wanted w;
    (void)state;
    oclnn_model *net = model_of(chain);
    struct piece in = piece_of(BYTES, 0), out = piece_of(BYTES, 0);
    cl_int code, at = CL_COMPLETE;
    oclnn_job *job = NULL;
    run_on_host(net, numbers(8), &w);
    put(&in, numbers(8));
    cl_event gate = clCreateUserEvent(my.cl, &code), behind;
    assert_int_equal(code, CL_SUCCESS);
    assert_int_equal(clEnqueueBarrierWithWaitList(my.queue, 1, &gate, NULL), CL_SUCCESS);
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), OCLNN_OUT_CL(out.mem))); /* would hang if it waited */
    good(oclnn_model_run_async(net, OCLNN_IN_CL(in.mem), OCLNN_OUT_CL(out.mem), &job));
    assert_false(oclnn_job_is_done(job));
    assert_int_equal(clEnqueueMarkerWithWaitList(my.queue, 0, NULL, &behind), CL_SUCCESS);
    assert_int_equal(clGetEventInfo(behind, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof at, &at, NULL),
        CL_SUCCESS);
    assert_int_not_equal(at, CL_COMPLETE);
    assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
    good(oclnn_job_wait(&job));
    holds(&out, w.host[0], BYTES, "behind the gate");
    clReleaseEvent(gate);
    clReleaseEvent(behind);
    oclnn_model_destroy(&net);
    drop(&in);
    drop(&out);
}

static void refused(oclnn_model *net, struct oclnn_binding in, struct oclnn_binding out,
    enum oclnn_status status, const char *why)
{
    struct oclnn_binding from[] = {in, {0}}, to[] = {out, {0}};
    if (oclnn_model_run(net, from, to) != status)
        fail_msg("'%s' is not found, but: %s", why, oclnn_error_text(NULL));
    if (!strstr(oclnn_error_text(NULL), why))
        fail_msg("'%s' says nothing of '%s'", oclnn_error_text(NULL), why);
}

static void mistakes(void **state)
{
    static struct wanted w;
    (void)state;
    oclnn_model *net = model_of(chain);
    oclnn_context *stranger = NULL;
    cl_context foreign;
    cl_int code;
    const cl_image_format format = {CL_RGBA, CL_FLOAT};
    const cl_image_desc desc = {.image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 64, .image_height = 64};
    float host[ELEMENTS];
    struct piece in = piece_of(BYTES, 0), out = piece_of(BYTES, 0), small = piece_of(BYTES - 4, 0),
                 only_write = piece_of(BYTES, CL_MEM_WRITE_ONLY),
                 only_read = piece_of(BYTES, CL_MEM_READ_ONLY);
    const struct oclnn_binding a = {.cl_mem = in.mem}, y = {.cl_mem = out.mem};
    good(oclnn_context_create(NULL, &stranger));
    good(oclnn_context_get_cl(stranger, &foreign, NULL, NULL));
    cl_mem theirs = clCreateBuffer(foreign, CL_MEM_READ_WRITE, BYTES, NULL, &code);
    cl_mem image = clCreateImage(my.cl, CL_MEM_READ_WRITE, &format, &desc, NULL, &code);
    run_on_host(net, numbers(9), &w);
    put(&in, numbers(9));
    const struct oclnn_binding foreign_one = {.cl_mem = theirs, .shape = OCLNN_SHAPE(2, 3, 9, 7)},
                               short_one = {.cl_mem = small.mem, .shape = OCLNN_SHAPE(2, 3, 9, 7)};
    refused(net, foreign_one, y, OCLNN_ERROR_ARGUMENT, "input 'x': the cl_mem belongs to another cl_context");
    refused(net, a, foreign_one, OCLNN_ERROR_ARGUMENT, "output 'y': the cl_mem belongs to another");
    refused(net, short_one, y, OCLNN_ERROR_SHAPE, "input 'x': 1512 bytes are needed, the buffer has 1508");
    refused(net, a, short_one, OCLNN_ERROR_SHAPE, "output 'y': 1512 bytes are needed, the buffer has 1508");
    refused(net, (struct oclnn_binding){.cl_mem = small.mem}, y, OCLNN_ERROR_SHAPE, "multiple");
    refused(net, (struct oclnn_binding){.cl_mem = in.mem, .bytes = BYTES, .shape = OCLNN_SHAPE(3, 3, 9, 7)},
        y, OCLNN_ERROR_SHAPE, "2268 bytes");
    refused(net, a, (struct oclnn_binding){.cl_mem = out.mem, .bytes = 8}, OCLNN_ERROR_SHAPE, "room for 8");
    refused(net, (struct oclnn_binding){.cl_mem = only_write.mem}, y, OCLNN_ERROR_ARGUMENT, "only write");
    refused(net, a, (struct oclnn_binding){.cl_mem = only_read.mem}, OCLNN_ERROR_ARGUMENT, "only read");
    refused(net, a, (struct oclnn_binding){.cl_mem = out.mem, .data = host, .bytes = BYTES},
        OCLNN_ERROR_ARGUMENT, "more than one");
    if (image)
        refused(net, a, (struct oclnn_binding){.cl_mem = image}, OCLNN_ERROR_ARGUMENT, "not a buffer");
    struct oclnn_binding both[] = {{.name = "y", .cl_mem = out.mem}, {.name = "y", .cl_mem = in.mem}, {0}};
    assert_int_equal(oclnn_model_run(net, OCLNN_IN_CL(in.mem), both), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "two buffers"));
    /* none of that has left anything behind */
    good(oclnn_model_run(net, OCLNN_IN_CL(in.mem), OCLNN_OUT_CL(out.mem)));
    holds(&out, w.host[0], BYTES, "after mistakes");
    run_on_host(net, numbers(9), &w);
    oclnn_model_destroy(&net);
    if (image)
        clReleaseMemObject(image);
    clReleaseMemObject(theirs);
    oclnn_context_destroy(&stranger);
    struct piece *all[] = {&in, &out, &small, &only_write, &only_read};
    for (int i = 0; i < 5; i++)
        drop(all[i]);
}

/* The program's context and queue, made without the library. */
static int open_cl(void **state)
{
    oclnn_context *any = NULL;
    cl_device_id device;
    cl_int code;
    (void)state;
    if (oclnn_context_create(NULL, &any) == OCLNN_ERROR_NO_DEVICE)
        return 0;
    good(oclnn_context_get_cl(any, NULL, &device, NULL));
    my.cl = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    my.queue = my.cl ? clCreateCommandQueue(my.cl, device, 0, &code) : NULL;
    good(oclnn_context_create_from_cl(my.cl, device, my.queue, NULL, &my.ctx));
    oclnn_context_destroy(&any);
    return 0;
}

static int close_cl(void **state)
{
    (void)state;
    oclnn_context_destroy(&my.ctx);
    if (my.queue)
        clReleaseCommandQueue(my.queue);
    if (my.cl)
        clReleaseContext(my.cl);
    return 0;
}

static int needs_device(void **state)
{
    (void)state;
    if (!my.ctx)
        skip();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_network, needs_device),
        cmocka_unit_test_setup(in_place, needs_device),
        cmocka_unit_test_setup(parts_and_flags, needs_device),
        cmocka_unit_test_setup(any_float, needs_device),
        cmocka_unit_test_setup(mixed, needs_device),
        cmocka_unit_test_setup(lifetimes, needs_device),
        cmocka_unit_test_setup(returns_early, needs_device),
        cmocka_unit_test_setup(mistakes, needs_device),
    };
    return cmocka_run_group_tests(tests, open_cl, close_cl);
}
