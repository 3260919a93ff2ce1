/* What goes into a model and comes out: from files, from a seed, in host memory. */
#ifndef OCLNN_TOOLS_FEED_H
#define OCLNN_TOOLS_FEED_H

#include "common/compare.h"
#include <oclnn/model.h>

/* "--shape image=1x3x224x224", any number of times. Zeroed is empty. */
struct tool_shapes {
    int n;
    struct tool_shape {
        char *name;
        struct oclnn_shape shape;
    } * item;
};
/* Returns -1, or TOOL_USAGE after a message. */
int tool_shapes_add(struct tool_shapes *s, const char *text);
void tool_shapes_finish(struct tool_shapes *s);

/* Host tensors of one run. Zeroed is empty. */
struct tool_feed {
    int n_in, n_out, n_want;
    oclnn_tensor **in; /* one per input of the model */
    oclnn_tensor **out; /* one per output; NULL before the first run */
    oclnn_tensor **want; /* the outputs that the data promise, in graph order */
    struct oclnn_binding *bind_in, *bind_out;
};

/* Fill an empty feed; return TOOL_OK or TOOL_FAILED after a message. The model must outlive the feed's use. */
/* input_0.pb … and output_0.pb … of an ONNX test_data_set folder. */
int tool_feed_folder(struct tool_feed *f, const oclnn_model *model, const char *folder);
/* Arrays named like the inputs; a file with one array feeds a model with one input whatever its name. */
int tool_feed_npz(struct tool_feed *f, const oclnn_model *model, const char *path);
/* One tensor for a model's only input; takes it over, also on failure. */
int tool_feed_one(struct tool_feed *f, const oclnn_model *model, oclnn_tensor *tensor);
/* Numbers from a seed. Free dimensions come from `shapes` (may be NULL); a free first one is `batch` (0 = 1). */
int tool_feed_random(struct tool_feed *f, const oclnn_model *model, const struct tool_shapes *shapes,
    long batch);
/* A copy of the inputs of `from`, for a second model. */
int tool_feed_like(struct tool_feed *f, const oclnn_model *model, const struct tool_feed *from);
/* Makes bind_in of the inputs, for calls other than tool_feed_run. */
void tool_feed_bind(struct tool_feed *f);
/* One run from host memory to host memory. The first one makes the output tensors, later ones write into them. */
enum oclnn_status tool_feed_run(struct tool_feed *f, oclnn_model *model);
/* Size of the first dimension of the first input that has two or more; 1 if there is none. */
int64_t tool_feed_batch(const struct tool_feed *f);
/* Writes out[] as out_0, out_1, …; TOOL_OK or TOOL_FAILED after a message. */
int tool_feed_save(const struct tool_feed *f, const char *path);
void tool_feed_finish(struct tool_feed *f);

/* The test_data_set folders that `path` stands for: itself, or its test_data_set_* in order; *out as with
 * tool_device_expand. TOOL_OK or TOOL_FAILED after a message. */
int tool_data_sets(const char *path, char ***out, int *n);

#endif
