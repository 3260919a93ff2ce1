/* A launch made ready to run: kernel object with its arguments set, or a library call. */
#ifndef ONN_PLAN_EXEC_H
#define ONN_PLAN_EXEC_H

#include "ops/launch.h"
#include "runtime/context.h"

/* Where a tensor is: `offset` in elements of the tensor (its desc's offset included), in floats for a workspace.
 * buffer NULL: an optional tensor that is absent. */
struct onn_spot {
    struct onn_buffer *buffer;
    int64_t offset;
};
/* Says where input or output `index` of the node is (kind ONN_ARG_IN, ONN_ARG_OUT) or where the node's workspace
 * begins (ONN_ARG_WORKSPACE, index 0). */
typedef enum oclnn_status (
    *onn_resolve_fn)(void *user, enum onn_arg_kind kind, int index, struct onn_spot *out);

/* A tensor argument of a step, so that it can be set again. */
struct onn_step_slot {
    enum onn_arg_kind kind;
    int32_t index, arg; /* arg: position among the kernel's arguments; A, B, C of a library call: 0, 1, 2 */
    int64_t extra; /* added to the spot's offset: offset into the workspace, in floats */
    struct onn_spot spot; /* where it is now, `extra` included */
};

struct onn_step {
    struct onn_kernel *kernel; /* NULL for a library call, or not compiled */
    int dims;
    size_t global[3], local[3];
    bool empty; /* a global size is 0: nothing to run */
    bool is_gemm;
    struct onn_gemm_call gemm;
    struct onn_spot operand[3]; /* of the library call */
    struct onn_step_slot *slot;
    int n_slots;
};

/* Sizes and places of a launch, which is enough to know what it will touch. After an error nothing is left to finish. */
enum oclnn_status onn_step_prepare(struct oclnn_context *ctx, const struct onn_launch *launch,
    onn_resolve_fn resolve, void *user, struct onn_step *step);
/* The kernel object with its arguments, of the same launch. program: as in onn_step_init. */
enum oclnn_status onn_step_compile(struct oclnn_context *ctx, const struct onn_launch *launch,
    struct onn_program *program, struct onn_step *step);
/* Both. program: the one that holds the kernel, or NULL to get it from the launch (its file, defines and source).
 * After an error nothing is left to finish. */
enum oclnn_status onn_step_init(struct oclnn_context *ctx, const struct onn_launch *launch,
    struct onn_program *program, onn_resolve_fn resolve, void *user, struct onn_step *step);
/* Sets one tensor again everywhere in the step (a user's buffer). Not while the step is being enqueued. */
enum oclnn_status onn_step_rebind(struct onn_step *step, enum onn_arg_kind kind, int index,
    struct onn_spot spot);
/* Does the step use this tensor? */
bool onn_step_uses(const struct onn_step *step, enum onn_arg_kind kind, int index);
/* Enqueues; *event (may be NULL) is NULL afterwards if there was nothing to run. Allocates nothing. */
enum oclnn_status onn_step_enqueue(struct oclnn_context *ctx, const struct onn_step *step,
    struct onn_event **event);
/* Frees the kernel object; accepts a zeroed step. */
void onn_step_finish(struct onn_step *step);

#endif
