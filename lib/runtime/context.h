/* A context: one device with its queue, program cache, log. Safe to share between threads. */
#ifndef ONN_RUNTIME_CONTEXT_H
#define ONN_RUNTIME_CONTEXT_H

#include "base/log.h"
#include "base/mem.h"
#include "runtime/caps.h"
#include <oclnn/device.h>

const struct onn_caps *onn_context_caps(const struct oclnn_context *ctx);
const struct onn_log *onn_context_log(const struct oclnn_context *ctx);
/* Measures peak_gflops, bandwidth_gbs and launch_us once per device and driver (kept in the cache folder). */
enum oclnn_status onn_context_measure(struct oclnn_context *ctx);

/* Counters that only grow; for tests and oclnn-bench. */
struct onn_counters {
    uint64_t buffers_created, kernels_created, programs_built, cache_hits, cache_misses, launches,
        transfers; /* all other commands: reads, writes, copies, fills, markers */
    double build_ms;
};
struct onn_counters onn_context_counters(const struct oclnn_context *ctx);

/* ---- buffers: device memory. cl_mem stays inside this room. ---- */
struct onn_buffer;
struct onn_event; /* see the queue below */
enum oclnn_status onn_buffer_create(struct oclnn_context *ctx, size_t bytes, struct onn_buffer **out);
/* The same where host and device are to work in the same bytes, if the device can (caps.host_memory). */
enum oclnn_status onn_buffer_create_open(struct oclnn_context *ctx, size_t bytes, struct onn_buffer **out);
/* The host's address of such bytes, to be used while no command does; NULL: only commands reach them. */
void *onn_buffer_host(const struct onn_buffer *buffer);
/* The size of a program's own cl_mem. */
enum oclnn_status onn_cl_mem_bytes(void *cl_mem_handle, size_t *bytes);
/* Wraps a program's own cl_mem (retained); `bytes` is asked from OpenCL. */
enum oclnn_status onn_buffer_wrap(struct oclnn_context *ctx, void *cl_mem_handle, struct onn_buffer **out);
/* A wrapper that stands for no memory yet, and later for one cl_mem after the other (retained; NULL: for none again). The
 * same one again costs nothing, and none of it allocates. On errors it stands for none. */
enum oclnn_status onn_buffer_wrap_none(struct oclnn_context *ctx, struct onn_buffer **out);
enum oclnn_status onn_buffer_rewrap(struct onn_buffer *wrapper, void *cl_mem_handle);
/* Does it stand for this one? */
bool onn_buffer_is(const struct onn_buffer *wrapper, const void *cl_mem_handle);
/* Do two wrapped buffers share bytes? Wrappers of nothing share none. */
bool onn_buffer_overlaps(const struct onn_buffer *a, const struct onn_buffer *b);
/* May kernels read and write a wrapped buffer? */
bool onn_buffer_is_readable(const struct onn_buffer *wrapper);
bool onn_buffer_is_writable(const struct onn_buffer *wrapper);
/* Makes a block of onn_alloc the device's, where that takes no copy: a processor that works in the host's memory. Then
 * (true) the buffer owns the block, which both sides may use as long as the buffer lives; else nothing has happened. */
bool onn_buffer_share(struct oclnn_context *ctx, void *block, size_t bytes, struct onn_buffer **out);
void onn_buffer_destroy(struct onn_buffer **buffer);
size_t onn_buffer_bytes(const struct onn_buffer *buffer);
/* Host to device. Returns after the bytes were taken over if `blocking`; else `src` must stay until the queue passed. */
enum oclnn_status onn_buffer_write(struct oclnn_context *ctx, struct onn_buffer *b, size_t offset,
    size_t bytes, const void *src, bool blocking);
enum oclnn_status onn_buffer_read(struct oclnn_context *ctx, struct onn_buffer *b, size_t offset,
    size_t bytes, void *dst, bool blocking);
/* Enqueues a read; *event (destroyed first if there is one) becomes its, so that the last of several can be waited for. */
enum oclnn_status onn_buffer_read_start(struct oclnn_context *ctx, struct onn_buffer *b, size_t offset,
    size_t bytes, void *dst, struct onn_event **event);
enum oclnn_status onn_buffer_copy(struct oclnn_context *ctx, struct onn_buffer *from, size_t from_offset,
    struct onn_buffer *to, size_t to_offset, size_t bytes);
/* Fills with a repeated byte; also the way to touch every byte of a lazily allocated buffer. */
enum oclnn_status onn_buffer_fill(struct oclnn_context *ctx, struct onn_buffer *b, unsigned char byte);

/* ---- programs and kernels ---- */
struct onn_program;
/* The program made of `prelude` (generated text, may be NULL) and the embedded file(s) `name` ("conv_blocked" or
 * "pool+softmax": several files as one program), compiled with `defines` ("-D VL=8 …"). Built once per context,
 * kept until the context dies; through the disk cache. Errors: OCLNN_ERROR_BUILD with kernel, options, device, log. */
enum oclnn_status onn_program_get(struct oclnn_context *ctx, const char *name, const char *defines,
    const char *prelude, struct onn_program **out);
/* The programs that the context has, one after the other (NULL: the first; NULL after the last), and what they were made
 * of. */
struct onn_program *onn_program_next(struct oclnn_context *ctx, const struct onn_program *before);
void onn_program_origin(const struct onn_program *p, const char **name, const char **defines,
    bool *has_prelude);
/* The text of such a program, appended to *out. */
enum oclnn_status onn_source_text(const char *names, const char *prelude, struct onn_str *out);
/* Does the identifier (`length` characters) occur in the kernel file(s) `name` or in `prelude` (may be NULL)? True in
 * doubt. Errors: OCLNN_ERROR_MEMORY. */
enum oclnn_status onn_source_mentions(const char *name, const char *prelude, const char *identifier,
    size_t length, bool *out);
/* Writes what was compiled since the last call to the disk cache (called after the first answer). */
void onn_program_cache_flush(struct oclnn_context *ctx);

struct onn_kernel;
enum oclnn_status onn_kernel_create(struct oclnn_context *ctx, struct onn_program *program, const char *name,
    struct onn_kernel **out);
void onn_kernel_destroy(struct onn_kernel **kernel);
enum oclnn_status onn_kernel_set_buffer(struct onn_kernel *k, int index, const struct onn_buffer *buffer);
enum oclnn_status onn_kernel_set_bytes(struct onn_kernel *k, int index, size_t size, const void *value);
enum oclnn_status onn_kernel_set_local(struct onn_kernel *k, int index, size_t bytes);

/* ---- the in-order compute queue ---- */
struct onn_event; /* one enqueued thing; NULL pointers are accepted */
/* local[0] == 0: the driver chooses. event may be NULL. Enqueues only. */
enum oclnn_status onn_queue_launch(struct oclnn_context *ctx, const struct onn_kernel *k, int dims,
    const size_t *global, const size_t *local, struct onn_event **event);
enum oclnn_status onn_queue_marker(struct oclnn_context *ctx, struct onn_event **event);
/* Is the queue in use one that the program brought along? */
bool onn_queue_is_given(const struct oclnn_context *ctx);
enum oclnn_status onn_queue_flush(struct oclnn_context *ctx);
enum oclnn_status onn_queue_finish(struct oclnn_context *ctx);
/* Waits for (and destroys) the event; accepts NULL. */
enum oclnn_status onn_event_wait(struct oclnn_context *ctx, struct onn_event **event);
bool onn_event_is_done(const struct onn_event *event);
/* Device time from start to end in ns, 0 if the queue does not profile; needs a finished event. */
double onn_event_time_ns(const struct onn_event *event);
void onn_event_destroy(struct onn_event **event);
/* Switches profiling of new launches on or off (a second queue if the first was made without). */
enum oclnn_status onn_queue_set_profiling(struct oclnn_context *ctx, bool on);

/* ---- CLBlast: one candidate for GEMM. C[M,N] = alpha op(A) op(B) + beta C, row-major, fp32. ---- */
struct onn_gemm_call {
    bool a_transposed, b_transposed;
    int64_t m, n, k, lda, ldb, ldc;
    float alpha, beta;
};
enum oclnn_status onn_clblast_gemm(struct oclnn_context *ctx, const struct onn_gemm_call *call,
    const struct onn_buffer *a, int64_t a_offset, const struct onn_buffer *b, int64_t b_offset,
    struct onn_buffer *c, int64_t c_offset, struct onn_event **event);

#endif
