/* What this build and this driver can do: operators, the self-test, single operators for benchmarks. Tier 3. */
#ifndef OCLNN_INFO_H
#define OCLNN_INFO_H

#include <oclnn/device.h>
#include <oclnn/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An operator that the library knows. Strings have static storage. */
struct oclnn_operator_info {
    const char *name; /**< in problems and logs: "conv" */
    const char *onnx; /**< "Conv"; NULL: internal */
    int since, until; /**< ONNX opset versions that it is understood in; until 0: up to the newest */
    int min_inputs, max_inputs, min_outputs, max_outputs; /**< max -1: any number */
    int variants; /**< kernel variants; 0: evaluated on the host when a model is planned */
    int has_gradient;
    unsigned
        dtypes; /**< bit (1 << enum oclnn_dtype) for each element type of its first input; 0: not known */
};
/** How many operators there are. */
OCLNN_API int oclnn_operator_count(void);
/** Describes operator `index`, in table order. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_operator(int index, struct oclnn_operator_info *out);
/** Name of kernel variant `variant` of operator `index`, best first; NULL behind the last. */
OCLNN_API const char *oclnn_operator_variant(int index, int variant);

/** What the self-test says of one kernel variant on one problem. */
enum oclnn_verdict {
    OCLNN_PASS, /**< same numbers as the reference, nothing written beside its outputs, same bits twice */
    OCLNN_FAIL, /**< wrong, or it did not build or run: `reason` tells */
    OCLNN_REFUSED, /**< it does not do this problem on this device: `reason` tells */
    OCLNN_UNTESTED /**< no problem is known for this operator, or nothing to compare with */
};
struct oclnn_self_test_row {
    enum oclnn_verdict verdict;
    const char *op, *variant,
        *formats; /**< formats: "in c8 pack1(8,2,0) out c8"; "" if not known. Valid in the call */
    const char *problem; /**< in the problem grammar */
    const char *reason; /**< "" if there is none */
    double max_abs, limit; /**< largest difference found and allowed */
};
struct oclnn_self_test_count {
    int passed, failed, refused, untested;
};
/**
 * Runs every kernel variant of every operator (of `op` only, if not NULL) on small problems and compares it with the
 * operator's last variant, the plain one, which is itself compared with the host where the host can compute it.
 * @param report  called once per variant and format; may be NULL.
 * Errors: OCLNN_ERROR_NOT_FOUND (no such operator), OCLNN_ERROR_MEMORY. A wrong kernel is no error: see `count`.
 */
OCLNN_API enum oclnn_status oclnn_self_test(oclnn_context *ctx, const char *op,
    void (*report)(void *user, const struct oclnn_self_test_row *row), void *user,
    struct oclnn_self_test_count *count);

/** One operator with its operands, from a line such as "conv x=1x64x56x56 w=64x64x3x3 pad=1 +relu". */
typedef struct oclnn_problem oclnn_problem;
/** Parses and checks `text`. Errors: OCLNN_ERROR_ARGUMENT (with the column), _NOT_FOUND, _SHAPE, _DTYPE, _MEMORY. */
OCLNN_API enum oclnn_status oclnn_problem_create(const char *text, oclnn_problem **out);
/** Destroys and NULLs *problem; accepts NULL and a pointer to NULL. */
OCLNN_API void oclnn_problem_destroy(oclnn_problem **problem);
/** The problem in full, in the same grammar; owned by the problem. */
OCLNN_API const char *oclnn_problem_text(const oclnn_problem *problem);
/** Element type of the first input. */
OCLNN_API enum oclnn_dtype oclnn_problem_dtype(const oclnn_problem *problem);
/** Name of variant `index`, best first; NULL behind the last. */
OCLNN_API const char *oclnn_problem_variant(const oclnn_problem *problem, int index);

/** Zero means default in every field. */
struct oclnn_problem_params {
    int variant, formats; /**< which variant, and which of the format combinations that it offers */
    int runs; /**< timed runs; default 0 */
    int verify; /**< 1: compare with the plain variant */
    double tolerance; /**< |got-want| <= tolerance * max|want| + 1e-5; default 1e-3 */
};
struct oclnn_problem_result {
    char formats[128];
    double flop, bytes; /**< counted as a direct algorithm; operands read and written once */
    int launches;
    size_t workspace_bytes;
    int passed; /**< verify: 1 right, 0 wrong */
    double max_abs, max_rel; /**< verify: largest |got-want|, and that divided by the largest |want| */
};
/**
 * Runs one variant on made-up data in device memory.
 * @param time_ms  params->runs entries; may be NULL.
 * Errors: OCLNN_ERROR_NOT_FOUND (no such variant or format combination), OCLNN_ERROR_UNSUPPORTED (it refuses: the
 * sentence has the reason), OCLNN_ERROR_BUILD, _OPENCL, _MEMORY, _DEVICE_MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_problem_run(oclnn_context *ctx, const oclnn_problem *problem,
    const struct oclnn_problem_params *params, double *time_ms, struct oclnn_problem_result *out);

#ifdef __cplusplus
}
#endif
#endif
