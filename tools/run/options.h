/* What the command line of oclnn-run says. */
#ifndef OCLNN_TOOLS_RUN_OPTIONS_H
#define OCLNN_TOOLS_RUN_OPTIONS_H

#include "common/feed.h"
#include <oclnn/io.h>

struct run_options {
    const char *model;
    const char **input; /* images, or one .npz */
    int n_inputs;
    const char *device, *compare_device, *compare_variant;
    const char *data, *eval, *labels, *out, *export_path;
    struct tool_shapes shapes;
    const char *variant, *format, *passes_off;
    long top, batch, limit, label_offset;
    enum oclnn_dtype dtype;
    double tolerance;
    struct oclnn_image_params image; /* sizes 0 = to fit the model */
    bool has_resize, has_crop, has_layout, dump, summary, json, quiet;
    enum oclnn_log_level log_level;
};

/* Fills `o`. Returns -1 to go on, else the exit code (after --help, --version or a mistake). */
int run_options_parse(struct run_options *o, int argc, char **argv);
void run_options_finish(struct run_options *o);

#endif
