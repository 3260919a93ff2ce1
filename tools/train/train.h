/* The parts of oclnn-train. */
#ifndef OCLNN_TOOLS_TRAIN_TRAIN_H
#define OCLNN_TOOLS_TRAIN_TRAIN_H

#include "common/tb_events.h"
#include "train/history.h"
#include "train/options.h"
#include <oclnn/zoo.h>

/* A data set and what it is a part of; both are destroyed together. */
struct train_set {
    oclnn_dataset *data, *whole;
    struct oclnn_dataset_info info;
};

struct session {
    const struct train_options *o;
    oclnn_context *ctx;
    oclnn_model *model;
    oclnn_trainer *trainer;
    struct train_set train, val, test; /* data NULL: there is none; test may be val's */
    bool test_is_val;
    struct oclnn_zoo_info network; /* built-in; name NULL: a file */
    struct oclnn_shape input; /* of the network, before training; -1 = free */
    long batch, classes; /* classes: outputs of the network */
    float *weights; /* of classes; NULL: all the same */
    struct oclnn_checkpoint_info resumed; /* --resume */
    uint64_t seed; /* --seed, or what the resumed run has */
    struct history history;
    struct tb_events events; /* --tensorboard */
    /* of the run */
    struct oclnn_progress last; /* of the most recent step or epoch */
    bool has_last;
    double start_ms, epoch_ms, shown_ms;
    bool line_open; /* the progress line is on the screen */
    int code; /* a callback's own failure */
};

/* All return an exit code, TOOL_OK to go on, after a message. */

/* setup.c: device, data sets, model, trainer, checkpoint. */
int train_setup(struct session *s);
/* data.c: opens --data, --val, --test; the network's channels and size are known for folders. */
int train_open_data(struct session *s);
/* Classes that the network can tell: two by one output, where the loss takes numbers. */
long train_network_classes(const struct session *s);
/* weights.c: --class-weights, when data and network are known. */
int train_settle_weights(struct session *s, struct oclnn_trainer_params *params);
/* Labels of every set must fit the network and each other. */
int train_check_data(const struct session *s);
/* run.c: trains, tells how it goes, writes what was asked for. */
int train_run(struct session *s);
/* tensorboard.c: nothing without --tensorboard. */
int train_events_open(struct session *s);
int train_events_step(struct session *s, const struct history_row *row);
int train_events_epoch(struct session *s, const struct history_row *row);
/* progress.c: the lines that people read. */
void train_show_step(struct session *s, const struct oclnn_progress *p);
void train_show_epoch(struct session *s, const struct history_row *row, const struct oclnn_progress *p);
void train_clear_line(struct session *s);
void train_show_start(const struct session *s);
void train_show_bytes(const struct session *s);
int train_show_result(const struct session *s);

#endif
