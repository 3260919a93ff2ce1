/* Pinned host memory between a program's arrays and a device that has memory of its own (caps.staged).
 *
 * Such a device fetches and stores by itself only what cannot be moved ("pinned"). Given an ordinary array, a driver copies
 * it by way of pinned memory of its own, and the call that was to enqueue only waits for that. Here the host's copy goes
 * into or comes from memory that OpenCL pinned, so nothing waits; two slots in turn, so that the next array is copied while
 * the device works on the one before.
 *
 * All commands go through the one in-order queue: an input crosses the bus behind the kernels of the run before. A second
 * queue would hide that time too, but every input would have to be on the device twice, with kernel arguments that change
 * from run to run or one more copy there, and with events between queues in every run. It could gain at most what
 * oclnn-bench shows as pipelined_ms beside the time of a run with --resident, and no GPU has been asked yet.
 * Constants do not come here: they are written once, when nothing else is to be done meanwhile.
 * Used by one thread at a time; running allocates nothing. */
#ifndef ONN_RUNTIME_STAGING_H
#define ONN_RUNTIME_STAGING_H

#include "runtime/context.h"

#define ONN_STAGING_MOST ((size_t)64 << 20) /* bytes of a tensor; pinned memory is taken from everybody */

struct onn_staging; /* of one tensor, for one direction */
/* For transfers of `bytes`. *out is NULL, and that is no error, where the device is not staged, there is nothing or too much
 * to stage, or the driver has no such memory: then the program's arrays are given to the driver. Errors: MEMORY, DEVICE_LOST. */
enum oclnn_status onn_staging_create(struct oclnn_context *ctx, size_t bytes, struct onn_staging **out);
/* Waits for what is under way; what was read is still delivered. Accepts NULL. */
void onn_staging_destroy(struct onn_staging **staging);
/* Pinned bytes; 0 for NULL. */
size_t onn_staging_bytes(const struct onn_staging *staging);
/* Enqueues a write to the front of `to`. `from` may change when it returns. Waits where both slots are under way. */
enum oclnn_status onn_staging_write(struct onn_staging *s, struct onn_buffer *to, const void *from);
/* Enqueues a read for run number `run`; *event as in onn_buffer_read_start. The bytes come to `to` when the run is settled,
 * or earlier: where both slots are under way, the older one's read is waited for and delivered. */
enum oclnn_status onn_staging_read_start(struct onn_staging *s, struct onn_buffer *from, size_t offset,
    void *to, uint64_t run, struct onn_event **event);
/* Waits for the reads of this run and of those before it, and delivers them. */
enum oclnn_status onn_staging_settle(struct onn_staging *s, uint64_t run);

#endif
