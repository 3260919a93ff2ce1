/* What is kept of a run: a log of JSON lines, curves, TensorBoard events. */
#ifndef OCLNN_TOOLS_TRAIN_HISTORY_H
#define OCLNN_TOOLS_TRAIN_HISTORY_H

#include <oclnn/train.h>
#include <stdio.h>

/* One epoch; what was not measured is NaN. */
struct history_row {
    int epoch; /* from 1 */
    int64_t step, steps; /* in the epoch; updates since the start of training */
    double loss, top1, val_loss, val_top1, val_top5, val_iou, lr, images_per_s, seconds;
    int improved;
};

struct history {
    struct history_row *row;
    int n;
    const char *log_path, *svg_path;
    FILE *log;
    long *line_end; /* per line of a log that is gone on with: where it ends */
    int *line_epoch;
    int64_t *line_step; /* 0: of an epoch */
    int n_lines;
    int settled; /* what a resumed run does again is cut off the log */
};

/* Opens the files. is_resumed: goes on with a log that is there. TOOL_OK, or TOOL_FAILED after a message. */
int history_open(struct history *h, const char *log, const char *svg, int is_resumed);
/* A resumed run begins in `epoch` (from 1) behind `step` steps: what the log says about later ones is forgotten. */
int history_settle(struct history *h, int epoch, int64_t step);
int history_add_step(struct history *h, const struct history_row *row);
/* Also draws the curves. */
int history_add_epoch(struct history *h, const struct history_row *row);
int history_close(struct history *h);

#endif
