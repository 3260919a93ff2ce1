/* place: decides whose bytes every value uses. Views share the bytes of what they look at; everything else gets a
 * storage, and the storages of activations and workspaces get offsets in the arena by lifetime. Pure: no device. */
#ifndef ONN_PLAN_PLACE_H
#define ONN_PLAN_PLACE_H

#include "plan/assign.h"

enum onn_storage_kind {
    ONN_STORAGE_ARENA, /* activations, workspace: offset in a segment */
    ONN_STORAGE_BLOB, /* a constant, parameter or state: the blob's device buffer */
    ONN_STORAGE_INPUT, /* a graph input's device copy */
    ONN_STORAGE_DERIVED, /* computed from persistent values once per version */
};
struct onn_storage {
    enum onn_storage_kind kind;
    size_t bytes; /* with padding */
    size_t unpadded; /* largest unpadded value in it */
    int32_t value; /* its owner (workspace: 0) */
    int32_t node; /* workspace: whose */
    int32_t first, last; /* lifetime in node positions, both included */
    int32_t segment; /* ARENA */
    size_t offset; /* ARENA, bytes in the segment */
};

enum onn_step_kind {
    ONN_NODE_RUN, /* bind and launch */
    ONN_NODE_NONE, /* a view: nothing to do */
    ONN_NODE_PACK, /* a view that needs packed input: one copy of input 0 into the output's storage */
    ONN_NODE_GATHER /* concat: copies of the inputs that could not be placed as views */
};

struct onn_placement {
    int32_t n_values, n_storages, cap_storages;
    int32_t *storage; /* per value, -1 = none */
    struct onn_desc *desc; /* per value: format, strides, offset as it lies in its storage */
    int32_t *parent; /* per value: the concat's output that it lies in, 0 = none */
    struct onn_storage *store;
    uint8_t *kind; /* per node: enum onn_step_kind */
    bool *derived; /* per node: runs once per version, not in every run */
    int32_t *workspace; /* per node: storage or -1 */
    size_t *segment_bytes;
    int32_t n_segments;
    size_t lower_bound; /* largest sum of unpadded live tensors */
    size_t tensor_bytes; /* what the arena would take without any workspace */
    size_t padding, workspace_bytes; /* at the moment of the largest sum; the largest workspace */
};

struct onn_place_options {
    const struct onn_caps *caps;
    enum onn_math math;
    bool views_off, inplace_off, arena_off; /* arena_off: no two storages share bytes */
};
enum oclnn_status onn_placement_make(const struct onn_graph *g, const struct onn_choice *choice,
    const struct onn_place_options *options, struct onn_placement *out);
void onn_placement_finish(struct onn_placement *p);

/* The node's problem with final descs (p->caps set), for bind and workspace. */
enum oclnn_status onn_placed_prob(const struct onn_graph *g, const struct onn_placement *place, int node,
    const struct onn_place_options *options, struct onn_arena *arena, struct onn_prob *p);

/* Offsets for storages of kind ARENA by lifetime, in segments of at most max_segment bytes (memory.c). Beyond
 * ONN_MEMORY_MANY storages in one pass along the graph, which packs less tightly. */
#define ONN_MEMORY_MANY 3000
enum oclnn_status onn_memory_plan(struct onn_storage *store, int n, size_t align, size_t max_segment,
    bool share, size_t **segment_bytes, int32_t *n_segments);
/* Largest sum of tensors alive at once (no workspace), of their unpadded or real bytes. */
size_t onn_memory_lower_bound(const struct onn_storage *store, int n, int positions, bool unpadded);

#endif
