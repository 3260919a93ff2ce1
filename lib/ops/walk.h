/* Strided copies as values: most data movement (reorder, transpose, concat, slice, tile, depth to space …) is one
 * walk over dimensions with a stride on either side. A walk runs on the host (folding) or becomes a launch. */
#ifndef ONN_OPS_WALK_H
#define ONN_OPS_WALK_H

#include "ops/op.h"

#define ONN_WALK_RANK 16
/* dim, strides in elements; offsets count from the operand's own first element (the launch adds desc.offset).
 * Masked walks (one blocked axis): c = sum of coordinate * weight; elements with c < limit are copied, those with
 * limit <= c < to_limit are written as 0 (pad lanes), the others are skipped. */
struct onn_walk {
    int rank;
    bool masked;
    int64_t dim[ONN_WALK_RANK], from[ONN_WALK_RANK], to[ONN_WALK_RANK], weight[ONN_WALK_RANK];
    int64_t limit, to_limit;
    int64_t from_offset, to_offset;
};

/* Appends a dimension (outermost first). */
void onn_walk_add(struct onn_walk *w, int64_t dim, int64_t from, int64_t to);
/* From one desc to another of the same dims, any strides and formats (offsets stay 0). False for opaque packs and
 * for two blockings that do not nest. */
bool onn_walk_descs(struct onn_walk *w, const struct onn_desc *from, const struct onn_desc *to);
/* Row-major strides of dim[rank]. */
void onn_plain_strides(int rank, const int64_t *dim, int64_t *stride);
/* Drops extents of 1, lifts a mask that never bites, sorts by the target's stride and merges neighbours. */
void onn_walk_simplify(struct onn_walk *w);

/* Runs the walk on host memory, elements of `size` bytes; from and to point at the operands' first elements. */
void onn_walk_host(const struct onn_walk *w, size_t size, const void *from, void *to);
/* Adds the launches that run the walk from input `in` to output `out` of p. Nothing for 0 elements. */
enum oclnn_status onn_walk_bind(const struct onn_prob *p, struct onn_bind *b, int in, int out,
    const struct onn_walk *w);

/* Copies between two descs of the same dims and element type: from lies in input `in` of p, to in output `out`; both
 * carry absolute offsets like p's own descs (start from a copy of p->in[in] and move offset, dim and stride). */
enum oclnn_status onn_bind_copy(const struct onn_prob *p, struct onn_bind *b, int in,
    const struct onn_desc *from, int out, const struct onn_desc *to);
/* Fills `to` (within output `out`) with one element whose bits are given; pad lanes become 0. */
enum oclnn_status onn_bind_fill(const struct onn_prob *p, struct onn_bind *b, int out,
    const struct onn_desc *to, uint64_t bits);

/* out = in with only `count` elements along axis, from `start` on in steps of `step` (may be negative). False for
 * opaque packs, and along a blocked axis unless the cut falls between blocks (or is the dimension's end). */
bool onn_view_slice(const struct onn_desc *in, int axis, int64_t start, int64_t count, int64_t step,
    struct onn_desc *out);

/* Do the strides fall in the order of the format, with unit steps (or whole blocks) innermost? Kernels that read
 * views rely on rows of neighbours: other views are not offered to the planner. */
bool onn_view_is_tame(const struct onn_desc *view);

/* ---- what data movement families share (ops/move.c) ---- */

/* Input i's value, or NULL where it is not known on the host. */
const struct onn_blob *onn_prob_value(const struct onn_prob *p, int i);
/* Reads a 1-d (or scalar) integer input into v[]; n = its length. False if its value is unknown or longer than
 * ONN_MAX_RANK. */
bool onn_prob_ints(const struct onn_prob *p, int i, int64_t v[ONN_MAX_RANK], int *n);
/* Elements of the 1-d input i, -1 if unknown. */
int64_t onn_prob_length(const struct onn_prob *p, int i);
/* OCLNN_OK or an OCLNN_ERROR_DTYPE sentence: input i must be i32 or i64. */
enum oclnn_status onn_check_index_type(const struct onn_prob *p, int i, const char *what);

/* The same format everywhere: blocked by the device's vector width (vector CPUs), plain, channels last. Inputs from
 * `data_in` on are plain (shapes, indices); data_in 0 = all inputs carry data. */
int onn_formats_same(const struct onn_prob *p, struct onn_formats *out, int max, int data_in);
/* Any of those formats in, plain out: for copies that reorder by the way. */
int onn_formats_to_plain(const struct onn_prob *p, struct onn_formats *out, int max);
/* Bytes of outputs, as much read, one launch, no arithmetic. */
struct onn_cost onn_cost_copy(const struct onn_prob *p, const struct onn_tune *t);
double onn_flop_none(const struct onn_prob *p);

/* Calls bind for a device that is no vector CPU: the kernels that suit any device. This is how `reference` variants
 * are made of operators whose launches depend on the device, and how both kinds are tested everywhere. */
typedef enum oclnn_status (
    *onn_bind_fn)(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b);
enum oclnn_status onn_bind_any_device(onn_bind_fn bind, const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b);
struct onn_cost onn_cost_reference(const struct onn_prob *p, const struct onn_tune *t);

/* OpenCL C's unsigned type of 1, 2, 4 or 8 bytes. */
const char *onn_cl_uint(size_t size);
/* Elements of that size that copying kernels move at once: 8, or as many as 32 bytes hold. */
int onn_cl_width(size_t size);
/* Work-items that share `units` pieces of `bytes` each on a vector CPU: units per work-item (>= 1). */
int64_t onn_cpu_chunk(const struct onn_caps *caps, int64_t units, int64_t bytes);

#endif
