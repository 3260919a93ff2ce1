#include "plan/exec.h"

/* To the kernel, if there is one. */
static enum oclnn_status set_slot(const struct onn_step *step, const struct onn_step_slot *slot)
{
    if (!step->kernel)
        return OCLNN_OK;
    enum oclnn_status status = onn_kernel_set_buffer(step->kernel, slot->arg, slot->spot.buffer);
    if (status == OCLNN_OK)
        status =
            onn_kernel_set_bytes(step->kernel, slot->arg + 1, sizeof slot->spot.offset, &slot->spot.offset);
    return status;
}

static enum oclnn_status place_slot(struct onn_step *step, struct onn_step_slot *slot, struct onn_spot spot)
{
    spot.offset = spot.buffer ? spot.offset + slot->extra : 0;
    slot->spot = spot;
    if (step->is_gemm)
        step->operand[slot->arg] = spot;
    return set_slot(step, slot);
}

static enum oclnn_status add_slot(struct onn_step *step, const struct onn_arg *arg, int position,
    onn_resolve_fn resolve, void *user)
{
    struct onn_spot spot = {0};
    struct onn_step_slot *slot = &step->slot[step->n_slots++];
    *slot = (struct onn_step_slot){.kind = arg->kind,
        .index = arg->kind == ONN_ARG_WORKSPACE ? 0 : arg->index,
        .arg = position};
    if (arg->bytes % sizeof(float))
        return onn_error(OCLNN_ERROR_INTERNAL, "argument %d: offset %zu is not whole floats", position,
            arg->bytes);
    slot->extra = (int64_t)(arg->bytes / sizeof(float));
    enum oclnn_status status = resolve(user, slot->kind, slot->index, &spot);
    if (arg->kind == ONN_ARG_WORKSPACE && arg->index > 1) { /* both are floats so far */
        slot->extra *= arg->index;
        spot.offset *= arg->index;
    }
    return status == OCLNN_OK ? place_slot(step, slot, spot) : status;
}

static bool is_tensor(const struct onn_arg *arg)
{
    return arg->kind == ONN_ARG_IN || arg->kind == ONN_ARG_OUT || arg->kind == ONN_ARG_WORKSPACE;
}

static enum oclnn_status add_slots(struct onn_step *step, const struct onn_launch *launch,
    onn_resolve_fn resolve, void *user)
{
    enum oclnn_status status = OCLNN_OK;
    int position = 0;
    for (int i = 0; i < launch->n_args && status == OCLNN_OK; i++) {
        if (is_tensor(&launch->arg[i]))
            status = add_slot(step, &launch->arg[i], position, resolve, user);
        position += is_tensor(&launch->arg[i]) && !step->is_gemm ? 2 : 1;
    }
    return status;
}

/* A launch that leaves its work-group's shape open. A compiler for CPUs may make a kernel of its own for every shape, so
 * there are few: powers of two that divide the sizes, 64 items at most. Elsewhere the driver knows better. */
static void choose_group(struct onn_step *step, const struct onn_caps *caps)
{
    size_t items = 1;
    if (step->local[0] || !caps->vector_cpu)
        return;
    for (int i = 0; i < step->dims; i++) {
        step->local[i] = 1;
        while (items < 64 && step->global[i] && step->global[i] % (2 * step->local[i]) == 0) {
            step->local[i] *= 2;
            items *= 2;
        }
    }
}

enum oclnn_status onn_step_prepare(struct oclnn_context *ctx, const struct onn_launch *launch,
    onn_resolve_fn resolve, void *user, struct onn_step *step)
{
    enum oclnn_status status;
    *step = (struct onn_step){0};
    ONN_CHECK(launch->n_args <= ONN_MAX_ARGS, OCLNN_ERROR_INTERNAL, "more than %d arguments", ONN_MAX_ARGS);
    step->slot = onn_calloc((size_t)launch->n_args, sizeof *step->slot);
    ONN_CHECK(step->slot, OCLNN_ERROR_MEMORY, "out of host memory");
    if (launch->gemm) {
        step->is_gemm = true;
        step->gemm = *(const struct onn_gemm_call *)launch->gemm;
        step->empty = !step->gemm.m || !step->gemm.n;
        ONN_CHECK(launch->n_args == 3, OCLNN_ERROR_INTERNAL, "a library call takes A, B and C");
        for (int i = 0; i < 3; i++)
            ONN_CHECK(launch->arg[i].kind <= ONN_ARG_WORKSPACE, OCLNN_ERROR_INTERNAL,
                "a library call takes tensors only");
    } else {
        step->dims = launch->dims;
        ONN_CHECK(launch->dims >= 1 && launch->dims <= 3, OCLNN_ERROR_INTERNAL, "no launch size was set");
        for (int i = 0; i < launch->dims; i++) {
            step->global[i] = launch->global[i];
            step->local[i] = launch->local[i];
            step->empty |= !launch->global[i];
        }
        choose_group(step, onn_context_caps(ctx));
    }
    ONN_TRY(add_slots(step, launch, resolve, user));
    return OCLNN_OK;
fail:
    onn_step_finish(step);
    return onn_error_at(status, "kernel %s", launch->kernel ? launch->kernel : "?");
}

enum oclnn_status onn_step_compile(struct oclnn_context *ctx, const struct onn_launch *launch,
    struct onn_program *program, struct onn_step *step)
{
    enum oclnn_status status = OCLNN_OK;
    int position = 0;
    if (step->is_gemm)
        return OCLNN_OK;
    if (!program)
        ONN_TRY(onn_program_get(ctx, launch->program ? launch->program : "", launch->defines, launch->source,
            &program));
    ONN_TRY(onn_kernel_create(ctx, program, launch->kernel, &step->kernel));
    for (int i = 0; i < step->n_slots; i++)
        ONN_TRY(set_slot(step, &step->slot[i]));
    for (int i = 0; i < launch->n_args; i++) {
        const struct onn_arg *arg = &launch->arg[i];
        if (arg->kind == ONN_ARG_BYTES)
            ONN_TRY(onn_kernel_set_bytes(step->kernel, position, arg->bytes, arg->value));
        else if (arg->kind == ONN_ARG_LOCAL)
            ONN_TRY(onn_kernel_set_local(step->kernel, position, arg->bytes));
        position += is_tensor(arg) ? 2 : 1;
    }
    return OCLNN_OK;
fail:
    onn_kernel_destroy(&step->kernel);
    return onn_error_at(status, "kernel %s", launch->kernel ? launch->kernel : "?");
}

enum oclnn_status onn_step_init(struct oclnn_context *ctx, const struct onn_launch *launch,
    struct onn_program *program, onn_resolve_fn resolve, void *user, struct onn_step *step)
{
    enum oclnn_status status = onn_step_prepare(ctx, launch, resolve, user, step);
    if (status == OCLNN_OK && (status = onn_step_compile(ctx, launch, program, step)) != OCLNN_OK)
        onn_step_finish(step);
    return status;
}

enum oclnn_status onn_step_rebind(struct onn_step *step, enum onn_arg_kind kind, int index,
    struct onn_spot spot)
{
    for (int i = 0; i < step->n_slots; i++) {
        struct onn_step_slot *slot = &step->slot[i];
        if (slot->kind != kind || slot->index != index)
            continue;
        enum oclnn_status status = place_slot(step, slot, spot);
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}

bool onn_step_uses(const struct onn_step *step, enum onn_arg_kind kind, int index)
{
    for (int i = 0; i < step->n_slots; i++)
        if (step->slot[i].kind == kind && step->slot[i].index == index)
            return true;
    return false;
}

enum oclnn_status onn_step_enqueue(struct oclnn_context *ctx, const struct onn_step *step,
    struct onn_event **event)
{
    if (event)
        *event = NULL;
    if (step->empty)
        return OCLNN_OK;
    if (step->is_gemm)
        return onn_clblast_gemm(ctx, &step->gemm, step->operand[0].buffer, step->operand[0].offset,
            step->operand[1].buffer, step->operand[1].offset, step->operand[2].buffer,
            step->operand[2].offset, event);
    return onn_queue_launch(ctx, step->kernel, step->dims, step->global, step->local, event);
}

void onn_step_finish(struct onn_step *step)
{
    onn_kernel_destroy(&step->kernel);
    onn_free(step->slot);
    *step = (struct onn_step){0};
}
