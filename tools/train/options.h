/* What the command line of oclnn-train says. */
#ifndef OCLNN_TOOLS_TRAIN_OPTIONS_H
#define OCLNN_TOOLS_TRAIN_OPTIONS_H

#include "common/training.h"
#include <stdbool.h>

struct train_options {
    const char *model; /* a file or a built-in network */
    const char *data, *val, *test; /* test NULL: train_test_spec finds one */
    double val_split; /* 0 = none */
    struct oclnn_dataset_params images; /* width 0: as the network wants */
    long classes; /* 0 = the data set's */
    bool replace_head, dry_run;
    long epochs, batch; /* batch 0 = what the network says, else 64 */
    long early_stop, checkpoint_steps, log_steps;
    struct oclnn_augment augment;
    struct oclnn_trainer_params trainer;
    char *freeze; /* every --freeze, joined by commas */
    struct oclnn_param_group *groups; /* every --group */
    int n_groups;
    float *weights; /* --class-weights */
    int n_weights;
    bool balanced; /* class weights from the labels that there are */
    struct oclnn_init init;
    enum oclnn_monitor monitor;
    bool keep_order, keep_last, restart_epoch;
    const char *out, *best, *best_checkpoint, *checkpoint, *resume, *log, *tensorboard, *svg;
    const char *choices, *choices_out;
    const char *device;
    bool quiet, verbose;
    enum oclnn_log_level log_level;
};

/* Fills `o`. Returns -1 to go on, else the exit code (after --help, --version or a mistake). */
int train_options_parse(struct train_options *o, int argc, char **argv);
/* One output is enough for two classes then. */
bool train_loss_takes_numbers(const struct train_options *o);
void train_options_finish(struct train_options *o);

#endif
