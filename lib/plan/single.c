#include "plan/single.h"

#include "base/clock.h"
#include "ops/reorder.h"
#include "tensor/host_format.h"

#include <stdlib.h>
#include <string.h>

#define POISON 0xff /* as floats NaN, as integers -1: what is read by mistake shows up */

/* One operand on the device and the image of its buffer on the host. */
struct side {
    struct onn_desc desc; /* offset counts from the buffer's start */
    struct onn_buffer *buffer;
    unsigned char *image; /* what the buffer should hold: sentinels, elements, padding lanes */
    size_t bytes;
};

struct single {
    struct oclnn_context *ctx;
    const struct onn_problem *problem;
    const struct onn_variant *variant;
    const struct onn_single_options *options;
    struct onn_single_result *result;
    struct onn_prob prob;
    struct onn_arena arena;
    struct onn_desc *in_desc, *out_desc;
    struct side *in, *out;
    struct onn_tune tune;
    struct onn_buffer *workspace;
    struct onn_step *step;
    int n_steps;
};

const struct onn_variant *onn_single_variant(const struct onn_op *op, const char *name)
{
    for (int i = 0; op->variants && op->variants[i]; i++)
        if (!strcmp(op->variants[i]->name, name))
            return op->variants[i];
    return NULL;
}

/* Gives a desc its format; an opaque pack's size is known to the reorder operator. */
static enum oclnn_status set_format(struct onn_desc *d, const struct onn_format *format)
{
    if (!format->pack) {
        onn_desc_set_format(d, *format);
        return OCLNN_OK;
    }
    const struct onn_op *op = onn_op_find("reorder");
    struct onn_reorder_attr attr = {.format = *format};
    struct onn_desc plain = onn_desc_make(d->dtype, d->rank, d->dim);
    struct onn_prob p = {.op = op, .attr = &attr, .n_in = 1, .n_out = 1, .in = &plain, .out = d};
    if (!op)
        return onn_error(OCLNN_ERROR_NOT_FOUND, "no operator 'reorder': weights cannot be packed");
    return op->infer(&p, d);
}

const char *onn_single_formats(const struct oclnn_context *ctx, const struct onn_problem *p,
    const struct onn_variant *v, int index, struct onn_prob *prob, struct onn_desc *in, struct onn_desc *out)
{
    struct onn_formats tuple[ONN_SINGLE_TUPLES];
    *prob = p->prob;
    prob->caps = onn_context_caps(ctx);
    int n = onn_variant_formats(v, prob, tuple, ONN_SINGLE_TUPLES);
    if (index < 0 || index >= n)
        return "";
    for (int i = 0; i < prob->n_out; i++)
        out[i] = p->out[i];
    for (int i = 0; i < prob->n_in; i++) {
        in[i] = p->in[i];
        if (in[i].dtype && set_format(&in[i], onn_formats_in(&tuple[index], &p->prob, i)) != OCLNN_OK)
            return "its weight packing does not take this shape";
    }
    for (int i = 0; i < prob->n_out; i++)
        if (out[i].dtype && set_format(&out[i], onn_formats_out(&tuple[index], i)) != OCLNN_OK)
            return "it writes a packing that does not take this shape";
    prob->in = in;
    prob->out = out;
    return onn_variant_refuse(v, prob);
}

void onn_single_formats_text(const struct onn_prob *prob, struct onn_str *s)
{
    char name[48];
    onn_str_add(s, "in");
    for (int i = 0; i < prob->n_in; i++)
        onn_str_add(s, " %s", prob->in[i].dtype ? onn_format_name(&prob->in[i].format, name) : "-");
    onn_str_add(s, " out");
    for (int i = 0; i < prob->n_out; i++)
        onn_str_add(s, " %s", onn_format_name(&prob->out[i].format, name));
}

/* Makes d a view that starts one element (block) in along every dimension of a tensor two larger along each. */
static void make_view(struct onn_desc *d)
{
    struct onn_desc parent = *d;
    for (int i = 0; i < d->rank; i++)
        parent.dim[i] += 2 * (i == d->format.axis && d->format.block > 1 ? d->format.block : 1);
    if (onn_desc_elements(&parent) < 0)
        return;
    onn_desc_set_format(&parent, d->format);
    memcpy(d->stride, parent.stride, sizeof d->stride);
    d->offset = 0;
    for (int i = 0; i < d->rank; i++)
        d->offset += d->stride[i];
}

static size_t edge_bytes(const struct single *s)
{
    return (s->options->sentinel_bytes + 63) / 64 * 64;
}

/* Lays a tensor out in a buffer of its own, with sentinels around it. */
static enum oclnn_status make_side(struct single *s, const struct onn_desc *desc, bool strided,
    struct side *side)
{
    enum oclnn_status status;
    size_t size = oclnn_dtype_size(desc->dtype), edge = edge_bytes(s);
    side->desc = *desc;
    if (strided && !desc->format.pack && onn_desc_elements(desc) > 0)
        make_view(&side->desc);
    int64_t extent = onn_desc_extent(&side->desc);
    ONN_CHECK(extent >= 0 && onn_mul_size((size_t)extent, size, &side->bytes) &&
            onn_add_size(side->bytes, 2 * edge, &side->bytes),
        OCLNN_ERROR_SHAPE, "a tensor is too big");
    if (side->bytes == 0)
        side->bytes = 64; /* OpenCL has no empty buffers */
    if (!desc->format.pack)
        side->desc.offset += (int64_t)(edge / size);
    else
        side->desc.offset = (int64_t)(edge / size);
    side->image = onn_alloc(side->bytes);
    ONN_CHECK(side->image, OCLNN_ERROR_MEMORY, "out of host memory");
    memset(side->image, POISON, side->bytes);
    ONN_TRY(onn_buffer_create(s->ctx, side->bytes, &side->buffer));
    return OCLNN_OK;
fail:
    return status;
}

/* The desc as a planner would hand it to bind: a view's strides and offset, without the sentinels before it. */
static void place_desc(const struct single *s, struct onn_desc *d, const struct onn_desc *lies)
{
    *d = *lies;
    d->offset -= (int64_t)(edge_bytes(s) / oclnn_dtype_size(d->dtype));
}

static void finish_side(struct side *side)
{
    onn_buffer_destroy(&side->buffer);
    onn_free(side->image);
    *side = (struct side){0};
}

static enum oclnn_status upload(struct single *s, struct side *side)
{
    return onn_buffer_write(s->ctx, side->buffer, 0, side->bytes, side->image, true);
}

static enum oclnn_status resolve(void *user, enum onn_arg_kind kind, int index, struct onn_spot *out)
{
    struct single *s = user;
    *out = (struct onn_spot){0};
    if (kind == ONN_ARG_WORKSPACE) {
        out->buffer = s->workspace;
        return s->workspace ? OCLNN_OK
                            : onn_error(OCLNN_ERROR_INTERNAL, "a kernel uses a workspace of 0 bytes");
    }
    int n = kind == ONN_ARG_IN ? s->prob.n_in : s->prob.n_out;
    if (index < 0 || index >= n)
        return onn_error(OCLNN_ERROR_INTERNAL, "a kernel uses %s %d of %d",
            kind == ONN_ARG_IN ? "input" : "output", index, n);
    const struct side *side = kind == ONN_ARG_IN ? &s->in[index] : &s->out[index];
    if (kind == ONN_ARG_OUT && index == 0 && s->result->inplace)
        side = &s->in[0];
    out->buffer = side->buffer;
    out->offset = side->desc.offset;
    return OCLNN_OK;
}

static void finish_steps(struct single *s)
{
    for (int i = 0; i < s->n_steps; i++)
        onn_step_finish(&s->step[i]);
    onn_free(s->step);
    s->step = NULL;
    s->n_steps = 0;
}

/* Binds s->prob with s->variant and makes its steps. */
static enum oclnn_status make_steps(struct single *s)
{
    enum oclnn_status status;
    struct onn_bind bind = {.arena = &s->arena};
    size_t bytes = onn_variant_workspace(s->variant, &s->prob, &s->tune);
    if (bytes)
        ONN_TRY(onn_buffer_create(s->ctx, bytes, &s->workspace));
    s->result->workspace = bytes;
    ONN_TRY(s->variant->bind(&s->prob, &s->tune, &bind));
    ONN_TRY(bind.status);
    s->step = onn_calloc((size_t)bind.n, sizeof *s->step);
    ONN_CHECK(s->step, OCLNN_ERROR_MEMORY, "out of host memory");
    for (int i = 0; i < bind.n; i++, s->n_steps++)
        ONN_TRY(onn_step_init(s->ctx, &bind.launch[i], NULL, resolve, s, &s->step[i]));
    s->result->n_launches = s->n_steps;
    status = OCLNN_OK;
fail:
    onn_bind_finish(&bind);
    return status;
}

static enum oclnn_status enqueue(struct single *s)
{
    for (int i = 0; i < s->n_steps; i++) {
        enum oclnn_status status = onn_step_enqueue(s->ctx, &s->step[i], NULL);
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}

/* Fills an opaque pack on the device by a problem of its own, then reads its image back. */
static enum oclnn_status pack(struct single *s, struct side *side, const void *plain)
{
    enum oclnn_status status;
    struct onn_single_options none = {0};
    struct onn_single_result result = {0};
    struct onn_reorder_attr attr = {.format = side->desc.format};
    struct onn_desc from = onn_desc_make(side->desc.dtype, side->desc.rank, side->desc.dim);
    struct side source = {0};
    struct single inner = {.ctx = s->ctx, .options = &none, .result = &result, .in = &source, .out = side};
    inner.prob = (struct onn_prob){.op = onn_op_find("reorder"),
        .attr = &attr,
        .n_in = 1,
        .n_out = 1,
        .in = &from,
        .out = &side->desc,
        .caps = s->prob.caps};
    ONN_TRY(make_side(&inner, &from, false, &source));
    onn_host_scatter(&source.desc, plain, source.image);
    ONN_TRY(upload(s, &source));
    ONN_TRY(upload(s, side));
    inner.variant = inner.prob.op->variants[0];
    for (int i = 1; onn_variant_refuse(inner.variant, &inner.prob) && inner.prob.op->variants[i]; i++)
        inner.variant = inner.prob.op->variants[i];
    onn_tune_defaults(inner.variant, &inner.tune);
    ONN_TRY(make_steps(&inner));
    ONN_TRY(enqueue(&inner));
    ONN_TRY(onn_buffer_read(s->ctx, side->buffer, 0, side->bytes, side->image, true));
fail:
    onn_queue_finish(s->ctx);
    finish_steps(&inner);
    finish_side(&source);
    onn_buffer_destroy(&inner.workspace);
    onn_arena_finish(&inner.arena);
    return status == OCLNN_OK ? OCLNN_OK : onn_error_at(status, "packing a weight");
}

static enum oclnn_status make_inputs(struct single *s, const void *const *in)
{
    enum oclnn_status status;
    bool strided = s->options->strided && s->variant->flags & ONN_VARIANT_STRIDED_IN;
    for (int i = 0; i < s->prob.n_in; i++) {
        if (!s->in_desc[i].dtype)
            continue;
        const struct onn_blob *value = s->problem->value[i];
        const void *plain = in && in[i] ? in[i] : value ? value->data : NULL;
        ONN_TRY(make_side(s, &s->in_desc[i], strided, &s->in[i]));
        ONN_CHECK(plain, OCLNN_ERROR_ARGUMENT, "input %d has no data", i);
        if (s->in_desc[i].format.pack)
            ONN_TRY(pack(s, &s->in[i], plain));
        else
            onn_host_scatter(&s->in[i].desc, plain, s->in[i].image);
        place_desc(s, &s->in_desc[i], &s->in[i].desc);
    }
    return OCLNN_OK;
fail:
    return status;
}

static enum oclnn_status make_outputs(struct single *s)
{
    bool strided = s->options->strided && s->variant->flags & ONN_VARIANT_STRIDED_OUT;
    for (int i = 0; i < s->prob.n_out; i++) {
        if (!s->out_desc[i].dtype)
            continue;
        enum oclnn_status status = make_side(s, &s->out_desc[i], strided, &s->out[i]);
        if (status != OCLNN_OK)
            return status;
        place_desc(s, &s->out_desc[i], &s->out[i].desc);
    }
    const struct onn_desc *a = s->prob.n_in ? &s->in_desc[0] : NULL,
                          *b = s->prob.n_out ? &s->out_desc[0] : NULL;
    s->result->inplace = s->options->inplace && a && b && s->variant->flags & ONN_VARIANT_INPLACE0 &&
        a->dtype == b->dtype && onn_format_equal(&a->format, &b->format) && onn_desc_same_shape(a, b) &&
        !memcmp(a->stride, b->stride, sizeof a->stride) && s->in[0].bytes == s->out[0].bytes;
    return OCLNN_OK;
}

/* Written, not filled: oclgrind 21.10 calls what kernels later store in a filled buffer uninitialised. */
static enum oclnn_status poison(struct single *s, struct onn_buffer *b, size_t bytes)
{
    unsigned char *block = onn_alloc(bytes ? bytes : 1);
    if (!block)
        return OCLNN_ERROR_MEMORY;
    memset(block, POISON, bytes);
    enum oclnn_status status = onn_buffer_write(s->ctx, b, 0, bytes, block, true);
    onn_free(block);
    return status;
}

/* Sets every buffer to its image (outputs: poison), the workspace to poison, and runs once. */
static enum oclnn_status run_fresh(struct single *s)
{
    enum oclnn_status status;
    for (int i = 0; i < s->prob.n_in; i++)
        if (s->in[i].buffer)
            ONN_TRY(upload(s, &s->in[i]));
    for (int i = 0; i < s->prob.n_out; i++)
        if (s->out[i].buffer)
            ONN_TRY(poison(s, s->out[i].buffer, s->out[i].bytes));
    if (s->workspace)
        ONN_TRY(poison(s, s->workspace, s->result->workspace));
    ONN_TRY(enqueue(s));
    status = onn_queue_finish(s->ctx);
fail:
    return status;
}

/* What the buffer holds against what it may hold: tensor elements are free, padding lanes 0, all else unchanged. */
static enum oclnn_status check_output(struct single *s, const struct side *side, const unsigned char *got)
{
    size_t size = oclnn_dtype_size(side->desc.dtype), n = side->bytes / size;
    unsigned char *mask = onn_calloc(n ? n : 1, 1);
    if (!mask)
        return OCLNN_ERROR_MEMORY;
    if (side->desc.format.pack)
        memset(mask + side->desc.offset, 1, (size_t)side->desc.stride[0]);
    else
        onn_host_mask(&side->desc, mask);
    for (size_t i = 0; i < side->bytes; i++) {
        int kind = i / size < n ? mask[i / size] : 0;
        if (kind == 0 && got[i] != POISON)
            s->result->sentinels_ok = false;
        /* the last byte of a float may carry a sign: -0 is 0 */
        bool sign = onn_dtype_is_float(side->desc.dtype) && i % size == size - 1;
        if (kind == 2 && got[i] != 0 && !(sign && got[i] == 0x80))
            s->result->padlanes_ok = false;
    }
    onn_free(mask);
    return OCLNN_OK;
}

/* Reads an output, checks it and hands its elements to `plain`. keep: the raw bytes are stored there or compared. */
static enum oclnn_status read_output(struct single *s, int i, void *plain, bool second)
{
    enum oclnn_status status;
    struct side *side = &s->out[i];
    const struct side *lies = i == 0 && s->result->inplace ? &s->in[0] : side;
    unsigned char *got = onn_alloc(side->bytes);
    ONN_CHECK(got, OCLNN_ERROR_MEMORY, "out of host memory");
    ONN_TRY(onn_buffer_read(s->ctx, lies->buffer, 0, side->bytes, got, true));
    ONN_TRY(check_output(s, side, got));
    if (second && memcmp(got, side->image, side->bytes))
        s->result->repeat_ok = false;
    memcpy(side->image, got, side->bytes);
    if (plain && side->desc.format.pack)
        memcpy(plain, got + (size_t)side->desc.offset * oclnn_dtype_size(side->desc.dtype),
            (size_t)side->desc.stride[0] * oclnn_dtype_size(side->desc.dtype));
    else if (plain)
        onn_host_gather(&side->desc, got, plain);
fail:
    onn_free(got);
    return status;
}

static enum oclnn_status read_back(struct single *s, void *const *out, bool second)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < s->prob.n_out; i++)
        if (s->out[i].buffer)
            ONN_TRY(read_output(s, i, out ? out[i] : NULL, second));
    for (int i = s->result->inplace; i < s->prob.n_in; i++) {
        struct side *side = &s->in[i];
        if (!side->buffer)
            continue;
        unsigned char *got = onn_alloc(side->bytes);
        ONN_CHECK(got, OCLNN_ERROR_MEMORY, "out of host memory");
        status = onn_buffer_read(s->ctx, side->buffer, 0, side->bytes, got, true);
        if (status == OCLNN_OK && !(s->prob.op->flags & ONN_OP_UPDATES) &&
            memcmp(got, side->image, side->bytes))
            s->result->inputs_ok = false;
        if (status == OCLNN_OK && s->options->updated && s->options->updated[i] && !side->desc.format.pack)
            onn_host_gather(&side->desc, got, s->options->updated[i]);
        onn_free(got);
        ONN_TRY(status);
    }
fail:
    return status;
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* A sample is as many runs as take about a millisecond, so that waiting for the queue does not count. */
static enum oclnn_status measure(struct single *s)
{
    enum oclnn_status status;
    int n = s->options->repeats, inner = 1;
    double *time = onn_calloc((size_t)n, sizeof *time);
    ONN_CHECK(time, OCLNN_ERROR_MEMORY, "out of host memory");
    for (int i = -1; i < n; i++) { /* -1 warms up and says how long one run takes */
        uint64_t start = onn_clock_ns();
        for (int k = 0; k < inner; k++)
            ONN_TRY(enqueue(s));
        ONN_TRY(onn_queue_finish(s->ctx));
        double ns = (double)(onn_clock_ns() - start);
        if (i < 0)
            inner = ns >= 1e6 ? 1 : ns < 1e4 ? 100 : (int)(1e6 / ns);
        else
            time[i] = ns / inner;
    }
    if (s->options->time_ns)
        memcpy(s->options->time_ns, time, (size_t)n * sizeof *time);
    qsort(time, (size_t)n, sizeof *time, compare_times);
    s->result->best_ns = time[0];
    s->result->median_ns = time[n / 2];
fail:
    onn_free(time);
    return status;
}

static enum oclnn_status run(struct single *s, int tuple, const void *const *in, void *const *out)
{
    enum oclnn_status status;
    const struct onn_problem *p = s->problem;
    int n_in = p->prob.n_in, n_out = p->prob.n_out;
    s->in_desc = onn_arena_calloc(&s->arena, (size_t)n_in + 1, sizeof *s->in_desc);
    s->out_desc = onn_arena_calloc(&s->arena, (size_t)n_out + 1, sizeof *s->out_desc);
    s->in = onn_arena_calloc(&s->arena, (size_t)n_in + 1, sizeof *s->in);
    s->out = onn_arena_calloc(&s->arena, (size_t)n_out + 1, sizeof *s->out);
    ONN_CHECK(s->in_desc && s->out_desc && s->in && s->out, OCLNN_ERROR_MEMORY, "out of host memory");
    const char *reason = onn_single_formats(s->ctx, p, s->variant, tuple, &s->prob, s->in_desc, s->out_desc);
    ONN_CHECK(!reason, OCLNN_ERROR_UNSUPPORTED, "variant %s refuses: %s", s->variant->name,
        *reason ? reason : "no such format tuple");
    ONN_TRY(make_inputs(s, in));
    ONN_TRY(make_outputs(s));
    ONN_TRY(make_steps(s));
    ONN_TRY(run_fresh(s));
    ONN_TRY(read_back(s, out, false));
    if (s->options->twice) {
        ONN_TRY(run_fresh(s));
        ONN_TRY(read_back(s, NULL, true));
    }
    if (s->options->repeats > 0)
        ONN_TRY(measure(s));
fail:
    return status;
}

enum oclnn_status onn_single_run(struct oclnn_context *ctx, const struct onn_problem *p,
    const struct onn_variant *v, int tuple, const struct onn_single_options *options, const void *const *in,
    void *const *out, struct onn_single_result *result)
{
    static const struct onn_single_options defaults = {0};
    struct onn_single_result mine;
    struct single s = {.ctx = ctx,
        .problem = p,
        .variant = v,
        .options = options ? options : &defaults,
        .result = result ? result : &mine};
    *s.result = (struct onn_single_result){.sentinels_ok = true,
        .padlanes_ok = true,
        .inputs_ok = true,
        .repeat_ok = true};
    if (s.options->tune)
        s.tune = *s.options->tune;
    else
        onn_tune_defaults(v, &s.tune);
    enum oclnn_status status = run(&s, tuple, in, out);
    if (s.n_steps)
        onn_queue_finish(ctx);
    finish_steps(&s);
    for (int i = 0; s.in && i < p->prob.n_in; i++)
        finish_side(&s.in[i]);
    for (int i = 0; s.out && i < p->prob.n_out; i++)
        finish_side(&s.out[i]);
    onn_buffer_destroy(&s.workspace);
    onn_arena_finish(&s.arena);
    return status;
}
