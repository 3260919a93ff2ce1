/* What the library can do, for oclnn-info; and the device's round trip. */
#include "base/clock.h"
#include "model/selftest.h"
#include "ops/op.h"
#include "runtime/context.h"
#include <oclnn/info.h>

#include <stdlib.h>

struct search {
    int index, at;
    const struct onn_op *found;
};

static void look(const struct onn_op *op, void *user)
{
    struct search *s = user;
    if (s->at++ == s->index)
        s->found = op;
}

static const struct onn_op *op_at(int index)
{
    struct search s = {.index = index};
    onn_op_each(look, &s);
    return s.found;
}

int oclnn_operator_count(void)
{
    struct search s = {.index = -1};
    onn_op_each(look, &s);
    return s.at;
}

enum oclnn_status oclnn_operator(int index, struct oclnn_operator_info *out)
{
    const struct onn_op *op = op_at(index);
    if (!out || !op)
        return onn_error(OCLNN_ERROR_ARGUMENT, out ? "there is no operator %d" : "oclnn_operator: out is NULL", index);
    *out = (struct oclnn_operator_info){.name = op->name,
        .onnx = op->onnx,
        .since = op->since,
        .until = op->until,
        .min_inputs = op->min_in,
        .max_inputs = op->max_in == ONN_VARIADIC ? -1 : op->max_in,
        .min_outputs = op->min_out,
        .max_outputs = op->max_out == ONN_VARIADIC ? -1 : op->max_out,
        .has_gradient = op->grad != NULL,
        .dtypes = onn_self_test_dtypes(op)};
    while (op->variants && op->variants[out->variants])
        out->variants++;
    return OCLNN_OK;
}

const char *oclnn_operator_variant(int index, int variant)
{
    const struct onn_op *op = op_at(index);
    for (int i = 0; op && op->variants && op->variants[i] && variant >= 0; i++)
        if (i == variant)
            return op->variants[i]->name;
    return NULL;
}

#define ROUND_TRIPS 31

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static enum oclnn_status one_trip(struct oclnn_context *ctx, struct onn_buffer *buffer, const struct onn_kernel *kernel,
    double *ms)
{
    enum oclnn_status status;
    size_t one = 1;
    float number = 1;
    uint64_t start = onn_clock_ns();
    ONN_TRY(onn_buffer_write(ctx, buffer, 0, sizeof number, &number, false));
    ONN_TRY(onn_queue_launch(ctx, kernel, 1, &one, &one, NULL));
    ONN_TRY(onn_buffer_read(ctx, buffer, 0, sizeof number, &number, true));
    *ms = (double)(onn_clock_ns() - start) * 1e-6;
fail:
    return status;
}

enum oclnn_status oclnn_context_round_trip(oclnn_context *ctx, double *ms)
{
    enum oclnn_status status;
    struct onn_buffer *buffer = NULL;
    struct onn_program *program = NULL;
    struct onn_kernel *kernel = NULL;
    double time[ROUND_TRIPS];
    const int never = 0;
    int n = 0;
    ONN_CHECK(ctx && ms, OCLNN_ERROR_ARGUMENT, "oclnn_context_round_trip: %s is NULL", ctx ? "ms" : "ctx");
    ONN_TRY(onn_buffer_create(ctx, 64, &buffer));
    ONN_TRY(onn_program_get(ctx, "measure", "", NULL, &program)); /* default defines: groups of one work-item */
    ONN_TRY(onn_kernel_create(ctx, program, "measure_empty", &kernel));
    ONN_TRY(onn_kernel_set_buffer(kernel, 0, buffer));
    ONN_TRY(onn_kernel_set_bytes(kernel, 1, sizeof never, &never));
    ONN_TRY(one_trip(ctx, buffer, kernel, &time[0])); /* the first one may compile */
    uint64_t start = onn_clock_ns();
    while (n < ROUND_TRIPS && (n < 3 || onn_clock_ns() - start < 200000000))
        ONN_TRY(one_trip(ctx, buffer, kernel, &time[n++]));
    qsort(time, (size_t)n, sizeof *time, compare_times);
    *ms = time[n / 2];
fail:
    onn_kernel_destroy(&kernel);
    onn_buffer_destroy(&buffer);
    return status;
}
