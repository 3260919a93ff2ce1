/* The parts of oclnn-run. */
#ifndef OCLNN_TOOLS_RUN_RUN_H
#define OCLNN_TOOLS_RUN_RUN_H

#include "common/json.h"
#include "run/options.h"
#include <oclnn/model.h>

struct runner {
    const struct run_options *o;
    oclnn_context *ctx, *other_ctx; /* other: --compare-device, --compare-variant */
    oclnn_model *model, *other;
    char **label;
    int n_labels;
    json_t *results; /* with --json: an array that every part appends to */
};

/* All return an exit code and print their message. */
/* Runs the model on a feed, and on the other device where there is one, and compares the two. */
int run_feed(struct runner *r, struct tool_feed *f);
/* After a mismatch of output `output` between the two: names the first layer whose results differ. */
void run_diverge(struct runner *r, const struct tool_feed *f, int output);
/* --data: every set against its promised outputs. */
int run_data(struct runner *r);
/* --eval */
int run_evaluate(struct runner *r);
/* Images and .npz from the command line. */
int run_inputs(struct runner *r);

/* How the model wants images: layout, size, channels, element type. TOOL_FAILED if no input takes an image. */
int run_image_params(const struct runner *r, struct oclnn_image_params *out, struct oclnn_model_io *io);
/* Prints what the outputs of one run say: classes, or figures of the values; writes --out. name: of the input. */
int run_answers(struct runner *r, const struct tool_feed *f, const char *name);
/* Positions of the k largest of n numbers of `scores` from `first` on, best first. */
void run_top(const oclnn_tensor *scores, int64_t first, int64_t n, int k, int64_t *top);
/* "tabby, tabby cat", or NULL. */
const char *run_label(const struct runner *r, int64_t class_number);

#endif
