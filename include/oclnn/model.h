/* Models: load or create, run, look at. Tier 4. */
#ifndef OCLNN_MODEL_H
#define OCLNN_MODEL_H

#include <oclnn/device.h>
#include <oclnn/graph.h>
#include <oclnn/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A network with its parameters on one context, and the plans made for it. Thread-safety: one thread at a time.
 *
 * Strict: every tensor is computed by a kernel on the context's device. There is no fall-back to the host or to another
 * device: an operator, element type or shape that no kernel takes is OCLNN_ERROR_UNSUPPORTED, with the node's name and
 * the cause, when the file is loaded or the plan is made. On the host are computed constants and the numbers that steer
 * shapes and branches; a shape that hangs on computed tensors is an error.
 * Element types: f16 and bf16 become f32 inside, unless oclnn_model_params.dtype says otherwise. f64 is computed in double by
 * element-wise operators, convolutions, products, pools, reductions, softmax and normalisations, which a device without double
 * refuses; resizing, local response normalisation and scatter compute it in fp32. */
typedef struct oclnn_model oclnn_model;

/** Zero means default in every field. */
struct oclnn_model_params {
    /** Comma-separated pass names to leave out, e.g. "fuse,views"; NULL: $OCLNN_PASSES_OFF or none.
     *  Passes: patterns, addend, transpose, pad, fold, slopes, fuse, updates, early, layout, views,
     *  inplace, arena, chain. */
    const char *passes_off;
    /** Choose only this kernel variant where it does not refuse ("reference", "clblast"); NULL: the fastest. */
    const char *variant;
    /** Prefer this format inside: "plain", "nhwc", "c8", "c16"; NULL: chosen by predicted time. */
    const char *format;
    int plans; /**< plans kept for different shapes; default 8, the least recently used goes first */
    /** 0: kernels are chosen by the tuning database ($XDG_CACHE_HOME/oclnn/tune.txt, then what comes with the library)
     *  and by predicted time where it says nothing. 1: what it lacks is measured when a plan is made, checked against the
     *  plain kernels, and written to it. 2: predicted time only. */
    int tune;
    double tune_ms; /**< time for measuring, all plans together; default 20000 */
    /** What oclnn_model_choices gave: plan exactly so. A plan that it does not fit (another network, other shapes, a
     *  device without such a kernel) fails with OCLNN_ERROR_ARGUMENT and the node's name. NULL: choose. */
    const char *choices;
    /** Element type in which f32 tensors are stored between the steps. 0 or OCLNN_F32: f32. OCLNN_F16: half the bytes,
     *  with three digits and numbers up to 65504; each step still computes in fp32, and inputs and outputs keep the model's
     *  types. Constants are rounded once. Steps without f16 kernels stay f32, and so do long sums (ReduceSum, CumSum, ...),
     *  casts of integers, and steps with weights beyond 65504, which the log names. Only for running: no trainer takes such
     *  a model. Others: OCLNN_ERROR_UNSUPPORTED. */
    enum oclnn_dtype dtype;
};

/**
 * Loads an ONNX file.
 * Errors: OCLNN_ERROR_IO, _FORMAT, _UNSUPPORTED (all unsupported operators are listed), _SHAPE, _MEMORY.
 * The caller destroys *out before ctx.
 */
OCLNN_API enum oclnn_status oclnn_model_load(oclnn_context *ctx, const char *path,
    const struct oclnn_model_params *params, oclnn_model **out);
/** The same from `size` bytes in memory (no external data). The bytes are not needed afterwards. */
OCLNN_API enum oclnn_status oclnn_model_load_memory(oclnn_context *ctx, const void *bytes, size_t size,
    const struct oclnn_model_params *params, oclnn_model **out);
/**
 * Makes a model of a graph that was built with the functions of ops.h. Takes the graph over, also when it fails
 * (*graph is NULL afterwards). The first mistake made while building is reported here, with its layer's name.
 * Errors: OCLNN_ERROR_ARGUMENT (NULL, no output), _MEMORY, those of the builders in ops.h. The caller destroys *out before
 * ctx.
 */
OCLNN_API enum oclnn_status oclnn_model_create(oclnn_context *ctx, oclnn_graph **graph,
    const struct oclnn_model_params *params, oclnn_model **out);
/**
 * Writes the model as an ONNX file: the network as it was loaded or built, with the newest values of its parameters and
 * statistics. IR version 8 and the oldest opset from 17 on in which every node can be written; files that were loaded in
 * an older form come out in today's. Inputs' free dimensions are named "<input>_dim<k>"; values without a name get one.
 * The file appears whole or not at all (temporary file, fsync, rename).
 * Errors: OCLNN_ERROR_ARGUMENT, _UNSUPPORTED (every node that ONNX has no form for is listed; more than 2 GiB), _IO (the
 * old file is untouched), _MEMORY, and those of reading from the device.
 */
OCLNN_API enum oclnn_status oclnn_model_save(oclnn_model *model, const char *path);
/** Waits for the device, destroys and NULLs *model; accepts NULL and a pointer to NULL. Its jobs end with it: wait for them
 *  before, they must not be touched afterwards. */
OCLNN_API void oclnn_model_destroy(oclnn_model **model);

/** An input or output of a model. */
struct oclnn_model_io {
    const char *name; /**< owned by the model */
    enum oclnn_dtype dtype;
    struct oclnn_shape shape; /**< -1: free; rank -1: nothing is known */
};
/** How many inputs the model has. */
OCLNN_API int oclnn_model_input_count(const oclnn_model *model);
/** How many outputs the model has. */
OCLNN_API int oclnn_model_output_count(const oclnn_model *model);
/** Describes input `index` as the file says. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_model_input(const oclnn_model *model, int index,
    struct oclnn_model_io *out);
/** Describes output `index` as the file says. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_model_output(const oclnn_model *model, int index,
    struct oclnn_model_io *out);

/**
 * Parameters: what training changes. A network built in C has them from its layers; in a loaded file they are found
 * when a trainer is made (before that the count is 0): weights, biases and scales of layers by their places; factors of
 * Mul and addends of Add behind such layers and tables of Gather where they are f32, have more than one number and look
 * learned (within +-1e4, and not whole numbers that differ, which are grids and masks). Running statistics are no
 * parameters. What shall stay as it is: oclnn_trainer_params.freeze.
 */
OCLNN_API int oclnn_model_parameter_count(const oclnn_model *model);
/** How many f32 constants of more than one number the model has beside its parameters and running statistics: training
 *  leaves these as they are. A file's are known when a trainer is made. */
OCLNN_API int oclnn_model_fixed_count(const oclnn_model *model);
/** Describes parameter `index`. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_model_parameter(const oclnn_model *model, int index,
    struct oclnn_model_io *out);
/**
 * Copies the newest value of parameter `name` into `to`: f32, row-major; `bytes` must be its size.
 * Errors: OCLNN_ERROR_NOT_FOUND, _SHAPE (other size), _DTYPE (not f32), _ARGUMENT, those of reading from the device.
 */
OCLNN_API enum oclnn_status oclnn_model_read_parameter(oclnn_model *model, const char *name, float *to,
    size_t bytes);

/**
 * Gives the last layer in front of the first output (Conv, Gemm or MatMul; behind it only operators that keep classes
 * apart, such as Softmax, pooling, Reshape) `classes` classes and fresh weights: uniform in +-1 / sqrt(inputs of a
 * class), bias 0. The other parameters stay. Call it before a trainer is made; plans are made anew.
 * Errors: OCLNN_ERROR_ARGUMENT, _UNSUPPORTED (what stands in the way is named), _DTYPE (not f32), _SHAPE, _MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_model_replace_head(oclnn_model *model, int classes, uint64_t seed);

/**
 * Makes the first dimension of the inputs free where a file fixes it (often to 1), and with it that of every value and
 * of the shapes that Reshape is given. Nothing happens where it is free already.
 * Errors: OCLNN_ERROR_SHAPE and others of shape inference: the network does not work with another batch; it is
 * unchanged then. OCLNN_ERROR_ARGUMENT, _MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_model_free_batch(oclnn_model *model);

/**
 * One input or output of a run; a list ends with a zeroed entry. Exactly one of data, tensor, result, cl_mem is set.
 * Without names the entries are taken in graph order.
 *
 * Buffers (cl_mem): made in the context's cl_context; sub-buffers are fine. Kernels read an input where it lies and write
 * an output where it shall be, without a copy; only an output that shares bytes with an input, is one, or is a part of
 * something larger, is computed elsewhere and copied by the device. The model retains the buffers of its most recent run
 * until a run with others, with other shapes, or oclnn_model_destroy. Inputs that steer shapes or branches must be in host
 * memory.
 */
struct oclnn_binding {
    const char *name; /**< NULL: by order */
    void *data; /**< host array, row-major, of the model's element type */
    size_t
        bytes; /**< of data, checked against the shape; of cl_mem: the same, or 0: as much as the shape needs */
    struct oclnn_shape
        shape; /**< input with free dimensions: its shape; rank 0 with dim[0] 0: take the model's, and where one
                    dimension of that is free (the batch) deduce it from `bytes`, or from the whole cl_mem */
    oclnn_tensor *tensor; /**< input: shape and data; output: must have the right shape */
    oclnn_tensor **result; /**< output only: receives a fresh tensor, which the caller destroys */
    void *
        cl_mem; /**< device buffer of the context (see opencl.h), row-major without gaps from its first byte */
};
/** OCLNN_IN(array), OCLNN_OUT(array): one host array as a list (C only; the size comes from the array's type). */
#define OCLNN_IN(array) \
    ((const struct oclnn_binding[]){{.data = (array), .bytes = sizeof(array)}, {.data = 0}})
#define OCLNN_OUT(array) OCLNN_IN(array)
/** OCLNN_IN_CL(buffer), OCLNN_OUT_CL(buffer): one cl_mem as a list (C only). */
#define OCLNN_IN_CL(buffer) ((const struct oclnn_binding[]){{.cl_mem = (buffer)}, {.data = 0}})
#define OCLNN_OUT_CL(buffer) OCLNN_IN_CL(buffer)

/**
 * Runs the model once and waits. The first run with new shapes plans and compiles; later ones only enqueue.
 * Outputs that are not listed are computed but not copied.
 * It does not wait where every listed input and output is a cl_mem and the context works on the program's own queue
 * (oclnn_context_create_from_cl): then all is enqueued there, behind what the program put into the queue before and in
 * front of what it puts there next, and flushed.
 * Errors: OCLNN_ERROR_ARGUMENT (unknown name; a cl_mem of another cl_context, no buffer, or not for kernels to read or
 * write), _SHAPE (also: a buffer that is too small), _DTYPE, _UNSUPPORTED, _DEVICE_MEMORY (needed/limit are told),
 * _BUILD, _OPENCL, _DEVICE_LOST.
 */
OCLNN_API enum oclnn_status oclnn_model_run(oclnn_model *model, const struct oclnn_binding *in,
    const struct oclnn_binding *out);
/** Plans and compiles for these inputs without running (their data may be NULL when only shapes matter).
 *  Errors: those of oclnn_model_run. */
OCLNN_API enum oclnn_status oclnn_model_prepare(oclnn_model *model, const struct oclnn_binding *in);

/** A run in flight. It belongs to its model and ends with it. */
typedef struct oclnn_job oclnn_job;
/** Enqueues a run and returns. Arrays must stay untouched until the job was waited for.
 *  Two runs in flight keep a device busy. Where it has memory of its own, arrays of up to 64 MiB go through pinned memory
 *  that the plan has twice, so that transfers hold nobody up; there a third run first waits for the outputs of the first.
 *  Errors: those of oclnn_model_run; OCLNN_ERROR_ARGUMENT when 8 jobs are in flight. *job is NULL then. */
OCLNN_API enum oclnn_status oclnn_model_run_async(oclnn_model *model, const struct oclnn_binding *in,
    const struct oclnn_binding *out, oclnn_job **job);
/** Waits for the job and gives it back to its model (*job is NULL afterwards, also after an error); accepts NULL and a
 *  pointer to NULL. To be called before the model is destroyed.
 *  Errors: those of running and reading: OCLNN_ERROR_OPENCL, _DEVICE_LOST, _DEVICE_MEMORY, _MEMORY. */
OCLNN_API enum oclnn_status oclnn_job_wait(oclnn_job **job);
/** 1 when the job's outputs are there, 0 otherwise. */
OCLNN_API int oclnn_job_is_done(const oclnn_job *job);

/** Shape of output `index` in the most recent run or prepare. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_model_output_shape(const oclnn_model *model, int index,
    struct oclnn_shape *out);

/** What the current plan needs and costs; figures of the most recent run or prepare. */
struct oclnn_plan_info {
    int nodes, kernels, programs;
    double flop; /**< of one run, 1 multiply-add = 2, counted as direct algorithms */
    size_t parameter_bytes, derived_bytes, arena_bytes, arena_tensor_bytes, arena_lower_bound,
        workspace_bytes, padding_bytes, staging_bytes;
    double
        tune_ms; /**< spent on measuring kernels for the model's plans (oclnn_model_params.tune), part of plan_ms */
    double plan_ms, build_ms; /**< planning without compiling; compiling or loading programs */
    int cache_hits, cache_misses;
};
/** Tells what the current plan needs. Errors: OCLNN_ERROR_ARGUMENT when nothing was run or prepared yet. */
OCLNN_API enum oclnn_status oclnn_model_plan_info(const oclnn_model *model, struct oclnn_plan_info *out);

/** One row of a profile: a kernel or a group of kernels of one node. */
struct oclnn_profile_row {
    const char *node, *op, *variant, *format; /**< owned by the model until the next profile */
    char shape[96];
    double time_ms, flop, bytes;
};
/** Runs the current plan `runs` times (1 … 1000) with timing per node (median).
 *  @param rows  room for `capacity` of them, may be NULL. @param count  set to the rows there are.
 *  Errors: OCLNN_ERROR_ARGUMENT when nothing was run or prepared yet, _MEMORY, _OPENCL, _DEVICE_LOST. */
OCLNN_API enum oclnn_status oclnn_model_profile(oclnn_model *model, int runs, struct oclnn_profile_row *rows,
    int capacity, int *count);
/** Runs the current plan again with the inputs that are on the device (nothing is copied from or to the host) and waits.
 *  Buffers of the most recent run are read and written again.
 *  Errors: OCLNN_ERROR_ARGUMENT when nothing was run yet, _OPENCL, _DEVICE_LOST. */
OCLNN_API enum oclnn_status oclnn_model_run_resident(oclnn_model *model);

/** A step of the network as the file or the builder has it, before any pass. Steps are in an order of computation. */
struct oclnn_layer {
    const char *name, *op; /**< owned by the model; the name may be "" */
    const char *output; /**< name of the first value it makes */
    int inputs; /**< how many inputs it has */
};
/** How many steps the network has. */
OCLNN_API int oclnn_model_layer_count(const oclnn_model *model);
/** Describes step `layer`. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_model_layer(const oclnn_model *model, int layer, struct oclnn_layer *out);
/** The step that makes input `input` of step `layer`; -1: none does (an input of the model, weights, an input left out)
 *  or there is no such step or input. */
OCLNN_API int oclnn_model_layer_input(const oclnn_model *model, int layer, int input);
/** The step that makes output `index` of the model; -1 as above. */
OCLNN_API int oclnn_model_output_layer(const oclnn_model *model, int index);
/**
 * To look inside: everything that step `layer` makes becomes additional outputs, behind the model's own, in place of those
 * of an earlier call; -1: none any more. Plans are made anew; nothing is fused across the step.
 * Errors: OCLNN_ERROR_ARGUMENT, _MEMORY. Threads: as the model.
 */
OCLNN_API enum oclnn_status oclnn_model_watch(oclnn_model *model, int layer);

/**
 * Writes the table people know: layer, output shape, parameters, FLOP; through `line`, once per line.
 * Needs a plan (run or prepare first) when the model has free dimensions.
 * Errors: OCLNN_ERROR_ARGUMENT, _MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_model_summary(oclnn_model *model,
    void (*line)(void *user, const char *text), void *user);
/**
 * Writes the choices of the current plan (kernel variant, formats, tunables per node) in the same way, to be given back
 * as oclnn_model_params.choices (lines joined by line breaks).
 * Errors: OCLNN_ERROR_ARGUMENT when nothing was run or prepared yet.
 */
OCLNN_API enum oclnn_status oclnn_model_choices(oclnn_model *model,
    void (*line)(void *user, const char *text), void *user);
/** Writes the plan (node, variant, format, tuning, memory) as text, in the same way.
 *  Errors: OCLNN_ERROR_ARGUMENT when nothing was run or prepared yet, _MEMORY. */
OCLNN_API enum oclnn_status oclnn_model_dump(oclnn_model *model, void (*line)(void *user, const char *text),
    void *user);

#ifdef __cplusplus
}
#endif
#endif
