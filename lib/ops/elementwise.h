/* The element-wise operators: one table of rows. A row is an operator and an expression, so the same row runs alone,
 * as a step of a chain behind another node (its epilogue), and on the host. */
#ifndef ONN_OPS_ELEMENTWISE_H
#define ONN_OPS_ELEMENTWISE_H

#include "ops/activation.h"
#include "ops/op.h"

/* Attributes of every row; a row's attribute list names those it has. */
struct onn_ew_attr {
    float alpha, beta; /* Clip as a step of a chain without extra inputs: its bounds */
    int64_t to; /* Cast: ONNX's type number */
    int64_t fmod; /* Mod: sign of the dividend */
    int64_t negative, positive; /* IsInf: which infinities count */
    const char *approximate; /* Gelu: "none" or "tanh" */
};

enum onn_ew_flags {
    ONN_EW_ZERO = 1, /* f(0, …, 0) = 0: pad lanes stay zero by themselves */
    ONN_EW_BOOL = 2, /* result is bool */
    ONN_EW_CAST = 4, /* result has the type of attribute `to` */
    ONN_EW_COND = 8, /* operand 0 is bool, the others carry the type (Where) */
    ONN_EW_MIXED = 16, /* operands may have different types; the first one counts (Pow) */
    ONN_EW_FLOAT = 32, /* float types only */
    ONN_EW_SCALAR_INT = 64, /* the integer expression is written for scalars: vector width 1 */
    ONN_EW_CHAIN = 128, /* n-ary: v = row(v, next) for each further input */
    ONN_EW_MEAN = 256, /* … and a division by their number at the end */
    ONN_EW_LEFT = 512, /* the output has operand 0's shape: the others are broadcast to it, not it to them */
    ONN_EW_COMMUTES = 1024,
    ONN_EW_LIKE = 4096, /* operand 1 only lends its type (CastLike) */
    ONN_EW_TEXT = 2048, /* the expression names its operands x0, x1, …: rows that are no operators */
};

/* One row. op comes first: a pointer to the operator is a pointer to its row. Expressions use a, b, c, parameters p0
 * and p1 (all of type T, scalar or vector) and a temporary t; text with ';' assigns v itself. */
struct onn_ew_row {
    struct onn_op op;
    const char *expr; /* float domain */
    const char *expr_int; /* integer domains; NULL = none */
    uint32_t ew_flags;
    int8_t params; /* how many of alpha, beta become p0, p1 */
    int8_t activation; /* enum onn_activation of the same function, 0 = none */
    double cost; /* flop of one element */
    double (*host)(double a, double b, double c, const struct onn_ew_attr *attr);
    int64_t (
        *host_int)(int64_t a, int64_t b, int64_t c, const struct onn_ew_attr *attr); /* NULL = through host */
};

/* The row of an operator of this family, else NULL. */
const struct onn_ew_row *onn_ew_row(const struct onn_op *op);

/* Can this node (element-wise, inferred, p->value[] filled where known) be a step behind the producer of its input
 * `via`? Then fills the step (attributes in `arena`); *extra_in is the node's input that becomes the step's extra one,
 * -1 = none (step->extra is left -1 or 0 accordingly). The result has via's shape and type. False with step->op NULL:
 * memory was short. */
bool onn_ew_as_step(const struct onn_prob *p, int via, struct onn_arena *arena, struct onn_epi_step *step,
    int *extra_in);
/* Bounds of a Clip (or Relu) whose bounds are known: true for those. An absent input counts as the attribute, and
 * attributes that are both 0 (never set) as no bound. */
bool onn_ew_clip_bounds(const struct onn_prob *p, float *lo, float *hi);
/* One step on the host, in double: what the kernels compute in float. */
double onn_ew_step_host(const struct onn_epi_step *step, double v, double extra);

/* ---- generator (ew_gen.c) ---- */
enum onn_ew_domain { ONN_EW_F = 0, ONN_EW_I, ONN_EW_L, ONN_EW_D }; /* float, int, long, double */
/* In which type is data of this element type computed? fp64: the device has it. */
enum onn_ew_domain onn_ew_domain_of(enum oclnn_dtype dtype, bool fp64);

static inline bool onn_ew_is_real(enum onn_ew_domain domain)
{
    return domain == ONN_EW_F || domain == ONN_EW_D;
}

#define ONN_EW_OPERANDS 8 /* output and seven inputs */
#define ONN_EW_PARAMS 16
enum onn_ew_class { ONN_EW_VECTOR, ONN_EW_SCALAR, ONN_EW_GATHER, ONN_EW_LANES };
/* What one generated kernel computes. */
struct onn_ew_code {
    enum onn_ew_domain domain;
    int n_in; /* loaded operands */
    enum oclnn_dtype in_type[ONN_EW_OPERANDS], out_type;
    enum onn_ew_class in_class[ONN_EW_OPERANDS]; /* how operand i goes along the innermost dimension */
    int width; /* vector width, 1 = scalar only */
    struct onn_str body; /* statements from x0 … to v */
    int n_params;
    float param[ONN_EW_PARAMS];
    bool fp64; /* the device has double */
    bool keeps_zero, out_gather; /* out_gather: the output is strided along the innermost dimension */
};
enum onn_ew_shape { ONN_EW_FLAT, ONN_EW_ND, ONN_EW_BLOCKED, ONN_EW_BLOCKED_ND };
/* Appends one step "v = row(operands)" to the body; operand names are variables of the body. */
void onn_ew_emit(struct onn_ew_code *code, const struct onn_ew_row *row, const struct onn_ew_attr *attr,
    const char *a, const char *b, const char *c);
/* The kernel's text (in the arena) and its name. */
enum oclnn_status onn_ew_kernel(const struct onn_ew_code *code, enum onn_ew_shape shape,
    struct onn_arena *arena, const char **name, const char **text);

/* Callbacks of the rows (ew_infer.c). */
enum oclnn_status onn_ew_infer(const struct onn_prob *p, struct onn_desc *out);
enum oclnn_status onn_ew_host(const struct onn_prob *p, struct onn_blob *const *out);
/* + - x / of f32 constants, row by row; false: not of that kind (ew_host_fast.c). */
bool onn_ew_host_rows(const struct onn_prob *p, struct onn_blob *out);
double onn_ew_flop(const struct onn_prob *p);
/* Rows that others name; clip_lo … square are no operators: v = a < b ? b : a and a > b ? b : a (a Clip with bounds in tensors), and a tanh Gelu. */
extern const struct onn_ew_row onn_ew_clip_lo, onn_ew_clip_hi, onn_ew_gelu_tanh, onn_ew_square, onn_ew_clip,
    onn_ew_relu, onn_ew_add, onn_ew_batchnorm;
/* The row that really computes this operator with these attributes (Gelu has two). */
const struct onn_ew_row *onn_ew_row_for(const struct onn_op *op, const struct onn_ew_attr *attr);

/* Variants (ew_bind.c). */
extern const struct onn_variant *const onn_ew_variants[];

#endif
