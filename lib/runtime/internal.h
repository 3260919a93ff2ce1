/* What the files of this room share and no other room sees. */
#ifndef ONN_RUNTIME_INTERNAL_H
#define ONN_RUNTIME_INTERNAL_H

#include "base/hash.h"
#include "base/thread.h"
#include "runtime/cl.h"
#include "runtime/context.h"
#include <stdatomic.h>

/* ---- device.c: one row of the list of devices ---- */
struct onn_device {
    cl_platform_id platform;
    cl_device_id id;
    cl_device_type type;
    int platform_index, device_index;
    bool simulator; /* last choice; see probe.c */
    char uuid[40];
    struct oclnn_device_info info;
};
/* Every device, in the loader's order; free *out with onn_free. NO_DEVICE when there is no platform. */
enum oclnn_status onn_device_find_all(struct onn_device **out, int *count);
/* Fills one row from a handle that a program brought along. */
enum oclnn_status onn_device_describe(cl_device_id id, struct onn_device *out);
/* Is `word` one of the space-separated words of `list`? */
bool onn_device_has_word(const char *list, const char *word);
/* The extensions; free with onn_free. NULL when memory is short. */
char *onn_device_extensions(cl_device_id id);
/* A number of any integer type, 0 where the device does not know the question. */
uint64_t onn_device_number(cl_device_id id, cl_device_info what);

/* ---- select.c ---- */
enum oclnn_status onn_device_select(const struct onn_device *devices, int count, const char *selector,
    int *chosen);

/* ---- probe.c ---- */
/* Is this a simulator, judged by what it reports? (The only place that knows names.) */
bool onn_probe_is_simulator(const struct onn_device *device);
void onn_probe_reported(const struct onn_device *device, const char *extensions, struct onn_caps *caps);
/* What tests and comparisons want otherwise: $OCLNN_VECTOR_WIDTH (processors: 4, 8, 16), $OCLNN_STAGING and $OCLNN_CHAIN (on,
 * off). ARGUMENT: something else. */
enum oclnn_status onn_probe_wanted(struct onn_caps *caps);
/* Compiles and runs what the device claims; corrects ctx->caps. Never fails: in doubt a feature is off. */
void onn_probe_run(struct oclnn_context *ctx, const char *extensions);
/* Does the driver keep compiled programs itself, so that our cache may stay out of the way? Found out once, by building a
 * program of its own: to be asked only when there is something to write. */
bool onn_probe_driver_caches(struct oclnn_context *ctx);

/* ---- notes.c: small text files of numbers per device and driver in the cache folder ---- */
struct onn_note {
    const char *name;
    double value;
};
/* Reads `count` numbers; false (all unchanged) unless every one is there and the file is whole. */
bool onn_notes_read(struct oclnn_context *ctx, const char *kind, struct onn_note *notes, int count);
void onn_notes_write(struct oclnn_context *ctx, const char *kind, const struct onn_note *notes, int count);

/* ---- cache.c ---- */
/* Which folder: `wanted` (params.cache_dir) or the environment's. *out NULL: no cache. */
enum oclnn_status onn_cache_find_dir(const char *wanted, char **out);
/* Hash of all that identifies the device and its compiler. */
struct onn_hash onn_cache_device_key(const struct onn_device *device);
/* A file's contents if there is a good one for the key, else NULL; free with onn_free. */
void *onn_cache_read(const struct oclnn_context *ctx, struct onn_hash key, size_t *bytes);
/* Best effort. */
void onn_cache_write(const struct oclnn_context *ctx, struct onn_hash key, const void *data, size_t bytes);

/* ---- program.c ---- */
struct onn_program {
    struct onn_program *next;
    struct onn_hash identity; /* of name, defines, prelude */
    struct onn_hash key; /* in the disk cache */
    char *name, *defines;
    bool has_prelude;
    cl_program cl;
    bool unsaved; /* compiled here, not yet in the disk cache */
};
void onn_program_finish_all(struct oclnn_context *ctx);
/* Builds without a line in the table; for probes. On failure *out is NULL. */
enum oclnn_status onn_program_build(struct oclnn_context *ctx, const char *name, const char *defines,
    const char *prelude, struct onn_program **out);
void onn_program_destroy(struct onn_program *program);

/* ---- objects ---- */
struct onn_buffer {
    struct oclnn_context *ctx;
    cl_mem mem; /* NULL: a wrapper that stands for nothing yet */
    size_t bytes;
    void *host; /* where the host sees the bytes without a command; NULL: nowhere */
    cl_mem root; /* wrappers: the buffer that this one is a part of, or itself; where in it */
    size_t origin;
    cl_mem_flags flags; /* wrappers */
};
struct onn_kernel {
    struct oclnn_context *ctx;
    cl_kernel cl;
    char *name;
    size_t required_local[3]; /* reqd_work_group_size, 0 if none */
};

/* ---- queue.c ---- */
enum oclnn_status onn_queue_open(struct oclnn_context *ctx, cl_command_queue given);
void onn_queue_close(struct oclnn_context *ctx);
/* The current queue, or DEVICE_LOST. */
enum oclnn_status onn_queue_get(struct oclnn_context *ctx, cl_command_queue *out);
/* Notes a lost device; hands `status` through. */
enum oclnn_status onn_queue_failed(struct oclnn_context *ctx, enum oclnn_status status);
/* An onn_event is a cl_event under another name: no allocation per launch. */
static inline struct onn_event *onn_event_from_cl(cl_event event)
{
    return (struct onn_event *)(void *)event;
}
/* Waits for an event of OpenCL and releases it: the way that suits the device. */
enum oclnn_status onn_event_wait_cl(struct oclnn_context *ctx, cl_command_queue queue, cl_event event);

/* ---- tunedb.c, tunedb_shipped.c ---- */
struct onn_tunedb;
extern const char onn_tunedb_shipped[];
void onn_tunedb_destroy(struct onn_tunedb *db);

/* ---- clblast.c: drops the kernels that CLBlast keeps, and with them its hold on contexts ---- */
void onn_clblast_forget(void);

struct oclnn_context {
    struct onn_device device;
    struct onn_caps caps;
    struct onn_log log;
    char *cache_dir; /* NULL: no disk cache */
    bool log_builds; /* OCLNN_VERBOSE=build */
    atomic_bool used_clblast;
    struct onn_hash device_key;

    cl_context cl;
    cl_command_queue plain, profiled; /* either may be NULL until asked for */
    cl_command_queue given; /* by the program, one of the two above; NULL: none */
    _Atomic(cl_command_queue) queue; /* the one in use */
    atomic_bool lost;
    struct onn_mutex queue_lock; /* making and switching queues */

    struct onn_mutex program_lock; /* the table and building: compilers are serial anyway */
    struct onn_program *programs;

    struct onn_mutex measure_lock;
    bool measured;

    struct onn_mutex tune_lock;
    struct onn_tunedb *tunedb; /* NULL until asked for */

    _Atomic uint64_t buffers_created, kernels_created, programs_built, cache_hits, cache_misses, launches,
        transfers;
    _Atomic uint64_t build_ns;
};

#endif
