/* build: buffers, programs, kernel arguments of a placed plan. */
#ifndef ONN_PLAN_BUILD_H
#define ONN_PLAN_BUILD_H

#include "plan/exec.h"

struct onn_plan;
/* The device copy, made or brought up to date, of a value that has a blob. */
enum oclnn_status onn_plan_blob(const struct onn_plan *p, int v, struct onn_buffer **out);
/* bind.c: room for what inputs and outputs may be bound to, once the storages are known. */
enum oclnn_status onn_plan_init_bound(struct onn_plan *p);
void onn_plan_finish_bound(struct onn_plan *p);
/* transfer.c: pinned memory for them, where the device wants it. */
enum oclnn_status onn_plan_init_staging(struct onn_plan *p);
/* What is left to do for bound outputs when the last kernel is enqueued; *copied: something was. */
enum oclnn_status onn_plan_copy_outputs(struct onn_plan *p, bool *copied);
/* The nodes in chains get kernels of their own, too. */
enum oclnn_status onn_plan_unchain(struct onn_plan *p);
/* Where value v is. */
enum oclnn_status onn_plan_locate(const struct onn_plan *p, int v, struct onn_spot *out);

#endif
