/* The operator descriptor: everything the engine knows of an operator stands in one const struct.
 * This room is device-free: kernels are described as values (launches), never called. */
#ifndef ONN_OPS_OP_H
#define ONN_OPS_OP_H

#include "base/mem.h"
#include "graph/graph.h"
#include "ops/epilogue.h"
#include "ops/launch.h"
#include "runtime/caps.h"
#include "tensor/desc.h"

/* ---- attributes: rows drive ONNX import/export, the string grammar, validation and docs ---- */
enum onn_attr_type {
    ONN_ATTR_END,
    ONN_ATTR_INT, /* int64_t */
    ONN_ATTR_FLOAT, /* float */
    ONN_ATTR_INTS, /* struct onn_ints */
    ONN_ATTR_FLOATS, /* struct onn_floats */
    ONN_ATTR_STRING, /* const char * (in the graph's arena, NULL if unset) */
    ONN_ATTR_TENSOR, /* struct onn_blob * (not owned: kept alive by the graph's blobs list) */
    ONN_ATTR_GRAPH, /* struct onn_graph * (owned by the enclosing graph) */
};
/* Lists inside an attribute struct: in the graph's arena; n = -1 when the attribute is absent. */
struct onn_ints {
    int32_t n;
    const int64_t *v;
};
struct onn_floats {
    int32_t n;
    const float *v;
};
struct onn_attr {
    const char *name; /* oclnn's name in the string grammar: "stride" */
    const char *onnx; /* ONNX's name: "strides"; NULL if ONNX has none */
    enum onn_attr_type type;
    uint16_t offset; /* offsetof in the attribute struct */
    double def; /* default of INT and FLOAT */
    double min, max; /* allowed range of INT, FLOAT and every element of INTS; min == max == 0: any */
};

/* ---- one instance of an operator ---- */
enum onn_math { ONN_MATH_FP32, ONN_MATH_TF32, ONN_MATH_FP16, ONN_MATH_BF16 };

struct onn_op;
struct onn_prob {
    const struct onn_op *op;
    const void *attr;
    int n_in, n_out; /* n_in counts the operator's own inputs and the epilogue's extra ones behind them */
    const struct onn_desc *in, *out; /* dtype NONE = optional and absent. Outputs unknown while inferring */
    const struct onn_blob *const
        *value; /* an input's value where it is known on the host, else NULL; may be NULL itself */
    const struct onn_epilogue *epi; /* NULL = none */
    const struct onn_caps *caps; /* NULL while inferring and folding */
    enum onn_math math;
    int opset; /* of the source model; 0 = newest. Only for rules that cannot be rewritten at import */
};
/* Own inputs, without the epilogue's extra ones. */
int onn_prob_own_inputs(const struct onn_prob *p);
/* Is optional input i there? */
bool onn_prob_has(const struct onn_prob *p, int i);

/* Formats that a variant reads and writes: in[] of own inputs (the last entry counts for all further ones). Extra
 * epilogue inputs of the output's shape follow out[0]; others are plain. */
#define ONN_FORMAT_SLOTS 8
struct onn_formats {
    int n_in, n_out;
    struct onn_format in[ONN_FORMAT_SLOTS], out[ONN_FORMAT_SLOTS];
};

struct onn_cost {
    double flop; /* really executed */
    double bytes; /* moved to and from memory */
    double launches;
    double
        efficiency; /* expected fraction of peak for the flop part, 0 … 1; above 1 where an algorithm saves work */
};

struct onn_tunable {
    const char *name;
    int32_t def;
    const int32_t *values; /* ends with 0 */
};
#define ONN_TUNABLES 6
struct onn_tune {
    int32_t v[ONN_TUNABLES];
};

enum onn_variant_flags {
    ONN_VARIANT_EXACT = 1, /* integer data come out with tolerance 0 */
    ONN_VARIANT_WINOGRAD = 2, /* error class of F(4,3) */
    ONN_VARIANT_EPILOGUE = 4, /* takes standard epilogues: bias, residual, clip */
    ONN_VARIANT_CHAIN = 8, /* takes any element-wise epilogue chain too */
    ONN_VARIANT_STRIDED_IN = 16, /* reads inputs that are views: own strides and offset */
    ONN_VARIANT_STRIDED_OUT = 32, /* writes outputs that are views */
    ONN_VARIANT_INPLACE0 = 64, /* output 0 may lie on input 0 (same format, same extent) */
    ONN_VARIANT_REFERENCE = 128,
};

struct onn_variant {
    const char *name; /* "blocked" "tiled" "winograd43" "clblast" "reference" */
    uint32_t flags;
    /* NULL = can do it; else the reason. Descs have their formats set when called with formats (assign calls it once
     * per format tuple). The last variant of a list never refuses a valid problem. NULL = never refuses. */
    const char *(*refuse)(const struct onn_prob *p);
    /* Format tuples it can work with, best first; returns how many. NULL = all inputs and outputs plain. */
    int (*formats)(const struct onn_prob *p, struct onn_formats *out, int max);
    /* NULL = bytes of all operands, flop of op->flop, one launch, efficiency 0.05. */
    struct onn_cost (*cost)(const struct onn_prob *p, const struct onn_tune *t);
    /* Scratch bytes in the arena; NULL = 0. */
    size_t (*workspace)(const struct onn_prob *p, const struct onn_tune *t);
    /* Adds its launches to b. p's descs carry final formats, strides and offsets. */
    enum oclnn_status (*bind)(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b);
    const struct onn_tunable *tunables; /* ends with a NULL name; NULL = none */
};

/* ---- gradients ---- */
struct onn_grad; /* pass/grad.h: gives access to inputs, outputs, their gradients; adds nodes */

enum onn_op_flags {
    ONN_OP_ELEMENTWISE = 1, /* a row of the element-wise table */
    ONN_OP_HOST_ONLY = 2, /* must be folded on the host (Shape, If): left over at plan time = error */
    ONN_OP_VIEW = 4, /* out may be a view of in 0 (op->view) */
    ONN_OP_RANDOM = 8,
    ONN_OP_UPDATES = 16, /* writes its STATE/PARAM inputs in place (optimisers) */
    ONN_OP_FROM_SHAPE = 64, /* host() looks at shapes only: folds as soon as they are known (Shape, Size) */
    ONN_OP_NO_GRAD = 32, /* gradient is zero or undefined by nature (Shape, ArgMax, comparisons) */
};

#define ONN_VARIADIC 255
struct onn_op {
    const char *name; /* "conv": the string grammar and kernels */
    const char *onnx; /* "Conv" in the default domain; NULL: internal */
    uint8_t min_in, max_in, min_out, max_out; /* ONN_VARIADIC */
    uint32_t flags;
    size_t attr_size;
    const struct onn_attr *attrs; /* ends with ONN_ATTR_END */
    int since, until; /* ONNX opset versions understood as this canonical form; until 0 = newest */
    /* Rewrites attributes/inputs of an older opset form into the canonical one; see io/onnx_opset.c. */
    /* Fills out[i] (dtype, rank, dim; format plain) from in[] and value[]. Dims may be -1 if an input's are.
     * Errors: a sentence without the node's name (the caller adds it). */
    enum oclnn_status (*infer)(const struct onn_prob *p, struct onn_desc *out);
    /* Evaluates on the host: all needed value[] known, out descs inferred; out[i] are fresh blobs of those descs.
     * NULL = cannot. This is how constants and shape arithmetic are folded. */
    enum oclnn_status (*host)(const struct onn_prob *p, struct onn_blob *const *out);
    /* Inputs that steer shapes and must be known on the host at plan time: bit i. */
    uint32_t (*host_inputs)(const struct onn_prob *p);
    /* For ONN_OP_VIEW: the desc of out[0] as a view of in[0]'s bytes, given in[0]'s format and strides; false if its
     * layout does not allow it. */
    bool (*view)(const struct onn_prob *p, struct onn_desc *out);
    /* Split-like: out[i] as a view of in[0]. Concat-like: in[i] as a view of out[0] (its format, strides are given). */
    bool (*view_out)(const struct onn_prob *p, int i, struct onn_desc *view);
    bool (*view_in)(const struct onn_prob *p, int i, struct onn_desc *view);
    enum oclnn_status (*grad)(struct onn_grad *g, const struct onn_prob *p);
    const struct onn_variant *const *variants; /* NULL-terminated, best first; the last never refuses */
    double (*flop)(const struct onn_prob *p); /* NULL = one per output element */
};

/* ---- registry (generated table of families, lib/ops/meson.build) ---- */
extern const struct onn_op *const *const onn_op_families[];
const struct onn_op *onn_op_find(const char *name); /* by oclnn's name; NULL if there is none */
const struct onn_op *onn_op_find_onnx(const char *type); /* by ONNX's name */
/* Calls fn for every operator in table order. */
void onn_op_each(void (*fn)(const struct onn_op *op, void *user), void *user);

/* ---- attribute helpers (ops/attr.c) ---- */
/* A zeroed attribute struct with defaults in `arena`; NULL if out of memory. */
void *onn_attr_defaults(const struct onn_op *op, struct onn_arena *arena);
/* Checks ranges; the sentence names the attribute. */
enum oclnn_status onn_attr_check(const struct onn_op *op, const void *attr);
/* The row of oclnn's name; NULL if there is none. */
const struct onn_attr *onn_attr_find(const struct onn_op *op, const char *name, size_t length);
/* A deep copy in `arena`: lists and strings too; tensors and subgraphs stay shared. NULL attr gives the defaults. */
void *onn_attr_copy(const struct onn_op *op, const void *attr, struct onn_arena *arena);
/* onn_graph_add_node with a deep copy of the attributes (NULL = defaults) and references held of their tensors. */
int32_t onn_graph_add_op(struct onn_graph *g, const struct onn_op *op, const char *name, const void *attr,
    int n_in, const int32_t *in, int n_out);
/* ints.v[i], or `def` when the list is absent or too short. */
int64_t onn_ints_get(const struct onn_ints *list, int i, int64_t def);

/* ---- shared shape inference and host helpers (ops/common.c) ---- */
enum oclnn_status onn_infer_same(const struct onn_prob *p, struct onn_desc *out); /* out[0] like in[0] */
double onn_default_flop(const struct onn_prob *p);
/* The op's flop or the default; bytes of all operands, padding included. */
double onn_prob_flop(const struct onn_prob *p);
double onn_prob_bytes(const struct onn_prob *p);
/* A sentence where p computes with f64 and the device does not, else NULL. */
const char *onn_refuse_f64(const struct onn_prob *p);
/* One launch that moves the operands' bytes this many times. */
struct onn_cost onn_cost_passes(const struct onn_prob *p, double passes, double efficiency);
/* A variant's callbacks with the defaults that stand at struct onn_variant. */
const char *onn_variant_refuse(const struct onn_variant *v, const struct onn_prob *p);
int onn_variant_formats(const struct onn_variant *v, const struct onn_prob *p, struct onn_formats *out,
    int max);
struct onn_cost onn_variant_cost(const struct onn_variant *v, const struct onn_prob *p,
    const struct onn_tune *t);
size_t onn_variant_workspace(const struct onn_variant *v, const struct onn_prob *p, const struct onn_tune *t);
void onn_tune_defaults(const struct onn_variant *v, struct onn_tune *t);
/* The format that the tuple gives to input i (of any kind) and to output i of the problem. */
const struct onn_format *onn_formats_in(const struct onn_formats *f, const struct onn_prob *p, int i);
const struct onn_format *onn_formats_out(const struct onn_formats *f, int i);
/* The text of the problem: "conv x=1x64x56x56 w=64x64x3x3 pad=1,1,1,1 …" (grammar: ops/problem.h); appended to s. */
void onn_prob_text(const struct onn_prob *p, struct onn_str *s);

#endif
