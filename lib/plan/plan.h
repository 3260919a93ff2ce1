/* A plan: one graph with all shapes known, made ready for one device. Running it is a loop of enqueues that
 * allocates nothing. Used by one thread at a time; parents (context, derived cache, blobs) outlive it. */
#ifndef ONN_PLAN_PLAN_H
#define ONN_PLAN_PLAN_H

#include "pass/infer.h"
#include "plan/chain.h"
#include "plan/derived.h"
#include "plan/exec.h"
#include "plan/place.h"
#include "runtime/staging.h"

struct onn_plan_options {
    enum onn_math math;
    bool freeze; /* parameters count as constants */
    enum oclnn_dtype storage; /* OCLNN_F16: of the f32 tensors between the nodes; else they stay f32 */
    const char
        *passes_off; /* a list of the names in passes.h, "layout", "views", "inplace", "arena", "chain";
                     NULL: none */
    const char *variant, *format;
    onn_adjust_fn adjust; /* see plan/assign.h; NULL: predicted times only */
    void *adjust_user;
    const char *choices; /* plan/choices.h; NULL: chosen here */
    bool stage_outputs; /* all of them may be asked for after every run */
};

/* A graph input or output, the program's own buffer that may stand in for it, and how host bytes come and go. */
enum onn_plan_where {
    ONN_BOUND_OWN, /* the plan's own memory */
    ONN_BOUND_DIRECT, /* kernels work in the program's buffer */
    ONN_BOUND_COPY /* outputs: copied there at the end of every run */
};
struct onn_plan_bound {
    struct onn_buffer *user; /* a wrapper; it keeps the memory while it is bound */
    enum onn_plan_where where;
    bool movable; /* outputs: all of the storage is this output, so it may lie in the program's buffer */
    bool is_read; /* outputs: kernels of the plan read it, too */
    struct onn_staging *staging; /* for host bytes; NULL: they go straight */
};

/* The launches of one node. */
struct onn_plan_node {
    int first, n; /* in steps[] */
};

struct onn_plan_stats {
    double flop, plan_ms, build_ms;
    int kernels, programs;
    size_t parameter_bytes, derived_bytes, staging_bytes, arena_bytes;
};

struct onn_plan {
    struct oclnn_context *ctx;
    struct onn_derived_cache *cache;
    struct onn_graph *graph; /* final: formats chosen, reorders inserted */
    struct onn_choice *choice;
    struct onn_str choices; /* as text, to be saved and given back */
    struct onn_placement place;
    struct onn_place_options place_options;
    struct onn_buffer **segment;
    struct onn_buffer **own; /* per storage: INPUT buffers made by this plan */
    struct onn_derived **derived; /* per storage */
    struct onn_plan_node *node; /* per node of the graph */
    struct onn_step *step;
    int n_steps, cap_steps;
    struct onn_chain *chain; /* in the order of their nodes */
    int n_chains;
    bool chains_off, unchained; /* unchained: nodes in chains have kernels of their own, too */
    struct onn_plan_bound *in, *out; /* per graph input, per graph output */
    uint64_t *version; /* per node of the graph, derived ones only: of what it is made from */
    uint64_t derived_stamp; /* sum of source versions at the last derived run */
    bool derived_done, stage_outputs;
    struct onn_plan_stats stats;
};

/* source: the model's graph; bindings: one per graph input. Errors name the node. */
enum oclnn_status onn_plan_create(struct oclnn_context *ctx, const struct onn_graph *source,
    const struct onn_binding *bindings, const struct onn_plan_options *options,
    struct onn_derived_cache *cache, struct onn_plan **out);
/* As onn_plan_create, but without memory on the device and without kernels: stats.arena_bytes tells what it would take.
 * onn_plan_build makes the rest; until then it can only be destroyed. */
enum oclnn_status onn_plan_lay_out(struct oclnn_context *ctx, const struct onn_graph *source,
    const struct onn_binding *bindings, const struct onn_plan_options *options,
    struct onn_derived_cache *cache, struct onn_plan **out);
enum oclnn_status onn_plan_build(struct onn_plan *p);
void onn_plan_destroy(struct onn_plan **plan);
/* Is `word` in the comma-separated list? */
bool onn_list_has(const char *list, const char *word);
/* The name of the i-th thing that can be left out; NULL: there are no more. */
const char *onn_plan_pass(int i);
/* Is every word of a passes_off list (NULL: none) the name of something that can be left out? */
enum oclnn_status onn_plan_check_passes(const char *list);
/* Is it the name of a kernel variant of any operator, of a format (NULL: no wish)? */
enum oclnn_status onn_plan_check_variant(const char *name);
enum oclnn_status onn_plan_check_format(const char *name);

/* The plan's own memory for graph input i; packed, row-major. */
struct onn_buffer *onn_plan_input(const struct onn_plan *p, int i);
const struct onn_desc *onn_plan_input_desc(const struct onn_plan *p, int i);
/* Where graph output i is after a run: buffer and byte offset; packed, row-major. */
struct onn_buffer *onn_plan_output(const struct onn_plan *p, int i, size_t *offset_bytes);
const struct onn_desc *onn_plan_output_desc(const struct onn_plan *p, int i);
/* From now on input i is read from, or output i is written to, this cl_mem (NULL: the plan's own memory again). Inputs
 * come first: an output that shares bytes with one is computed elsewhere and copied, and so is one whose memory has other
 * values in it. The buffer stays retained while it is bound. Allocates
 * nothing, but the first time nodes in a chain may get kernels of their own. After an error the plan's own is bound. */
enum oclnn_status onn_plan_bind_input(struct onn_plan *p, int i, void *cl_mem_handle);
enum oclnn_status onn_plan_bind_output(struct onn_plan *p, int i, void *cl_mem_handle);
/* The plan's own memory for everything. */
void onn_plan_unbind(struct onn_plan *p);
/* How long host bytes that are written must stay as they are. */
enum onn_plan_write {
    ONN_WRITE_QUEUED, /* until the queue has passed; a run that reads the input may be under way */
    ONN_WRITE_IDLE, /* the same; no run that reads the input is under way */
    ONN_WRITE_TAKEN /* not at all */
};
/* Host bytes into the plan's own memory for input i. Enqueues; waits only for what it must. */
enum oclnn_status onn_plan_write(struct onn_plan *p, int i, const void *from, enum onn_plan_write how);
/* Output i as the host sees it without a command, once the run is over; NULL: it must be read. */
const void *onn_plan_output_host(const struct onn_plan *p, int i);
/* Enqueues reading output i for run number `run` (it only grows); *event as in onn_buffer_read_start. The bytes are there
 * when the event is done and the run was settled. */
enum oclnn_status onn_plan_read_start(struct onn_plan *p, int i, void *to, uint64_t run,
    struct onn_event **event);
/* Waits for the reads of this run and of those before it, and completes the arrays they go to. */
enum oclnn_status onn_plan_settle(struct onn_plan *p, uint64_t run);
/* Enqueues derived values that are out of date, then every step, then copies to bound outputs where they are needed.
 * *last (last may be NULL): the event of the last kernel, NULL where the end of the run has none. */
enum oclnn_status onn_plan_run(struct onn_plan *p, struct onn_event **last);
/* Runs with an event per launch; time_ns[n_nodes] gets the device time of each node (0: no kernel). Waits. */
enum oclnn_status onn_plan_profile(struct onn_plan *p, double *time_ns);
/* One line per node: name, operator, variant, formats, memory. */
void onn_plan_dump(const struct onn_plan *p, struct onn_str *out);

#endif
