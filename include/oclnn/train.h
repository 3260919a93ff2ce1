/* Training: loss, optimiser, steps, whole runs with evaluation, checkpoints. Tier 4. */
#ifndef OCLNN_TRAIN_H
#define OCLNN_TRAIN_H

#include <oclnn/data.h>
#include <oclnn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Trains one model. The backward pass and the update are graph nodes appended to the model's graph; parameters,
 * batch-norm statistics and optimiser moments live on the device and are shared with the model's own plans: running
 * the model between steps uses the newest weights. Thread-safety: one thread at a time, model included.
 */
typedef struct oclnn_trainer oclnn_trainer;

/**
 * y: prediction (K classes along axis 1), t: target; means are over all elements of the batch.
 * Data sets give classes to every loss. To those that want numbers t is 1 for the class and 0 for the other K - 1; where y
 * has a single output, the data set has two classes and t is the class itself, right is what lies on its side of 1/2 (of
 * 0 where a loss takes logits). Positions that do not count are left out of sums and means.
 */
enum oclnn_loss {
    /** -log softmax(y)[t]; targets are classes, i64, without axis 1. A Softmax that the network ends in is the one that
     * is meant: it is not applied twice. */
    OCLNN_LOSS_SOFTMAX_CE,
    OCLNN_LOSS_NLL, /**< -y[t], y = log-probabilities; targets are classes */
    OCLNN_LOSS_BCE, /**< -(t log y + (1 - t) log(1 - y)); this and the following: t f32 of y's shape */
    OCLNN_LOSS_BCE_LOGITS, /**< the same of sigmoid(y), y = logits */
    OCLNN_LOSS_FOCAL, /**< binary focal loss of sigmoid(y), alpha and gamma */
    OCLNN_LOSS_MSE, /**< (y - t)^2 */
    OCLNN_LOSS_L1, /**< |y - t| */
    OCLNN_LOSS_HUBER, /**< quadratic up to alpha, linear beyond */
    OCLNN_LOSS_KL, /**< t (log t - y), y = log-probabilities; summed, divided by the batch */
    /** 1 - (2 sum(y t) + alpha) / (sum y + sum t + alpha) of each image and class (of each image where there are no
     * pixels), then their mean; y = probabilities. Where nothing counts it is 0. Milletari et al. 2016, without squares. */
    OCLNN_LOSS_DICE,
    OCLNN_LOSS_DICE_LOGITS /**< the same of softmax(y) along axis 1, of sigmoid(y) where y has one output */
};

enum oclnn_optimizer_kind {
    OCLNN_SGD, /**< momentum, nesterov */
    OCLNN_ADAM,
    OCLNN_ADAMW, /**< weight decay apart from the gradient */
    OCLNN_RMSPROP, /**< beta2 is the decay of the mean square (0 = 0.99), momentum */
    OCLNN_ADAGRAD,
    OCLNN_LARS,
    OCLNN_LAMB
};

/** Zero means default: what PyTorch takes for the same optimiser. */
struct oclnn_optimizer {
    enum oclnn_optimizer_kind kind;
    float lr; /**< 0 = 0.01 (sgd, rmsprop, adagrad, lars), 0.001 (adam, adamw, lamb) */
    float momentum, weight_decay;
    float beta1, beta2; /**< 0 = 0.9, 0.999 */
    float epsilon; /**< 0 = 1e-8 (adagrad 1e-10, lamb 1e-6) */
    int nesterov;
};

enum oclnn_schedule_kind {
    OCLNN_CONSTANT,
    OCLNN_STEP, /**< lr * gamma^floor(e / size) */
    OCLNN_MULTI_STEP, /**< lr * gamma^(milestones passed) */
    OCLNN_EXPONENTIAL, /**< lr * gamma^e */
    OCLNN_POLYNOMIAL, /**< lr * (1 - e / epochs)^power */
    OCLNN_COSINE, /**< end + (lr - end) (1 + cos(pi e / period)) / 2, restarted every `period` epochs (0 = once) */
    OCLNN_ONE_CYCLE, /**< cosine up from lr / 25 during the first 30 %, then down to lr / 250000 */
    OCLNN_PLATEAU /**< lr * gamma after `size` epochs none of which was the best so far (oclnn_fit.monitor) */
};
/** The learning rate as a function of e, the epochs done (a fraction inside an epoch for the smooth kinds). */
struct oclnn_schedule {
    enum oclnn_schedule_kind kind;
    int size; /**< step, plateau; 0 = 10 */
    float gamma; /**< 0 = 0.1 (exponential 0.95) */
    int milestones[8]; /**< multi-step: ascending, 0 ends the list */
    float power; /**< polynomial; 0 = 1 */
    float period; /**< cosine, in epochs */
    float end; /**< cosine: smallest rate */
    float warmup; /**< epochs of linear rise from 0 before everything else */
};

/** Parameters whose name fits `pattern` (* and ? as in file names). The first group that fits counts. */
struct oclnn_param_group {
    const char *pattern;
    float lr_scale; /**< factor of the rate; 0 = 1 */
    float weight_decay; /**< instead of the optimiser's; 0 = the optimiser's, negative = none */
    int freeze; /**< 1: not trained */
};

/** Zero means default in every field. */
struct oclnn_trainer_params {
    enum oclnn_loss loss;
    float
        label_smoothing; /**< s: t becomes (1 - s) t + s / K in training (K = 2 for one output); of classes only */
    /** How much a position of each class counts; class_count numbers, one per class. Of targets that are classes, not for
     * dice. NULL: all the same. */
    const float *class_weights;
    int class_count;
    /** 1: targets equal to ignore_index do not count; in masks OCLNN_MASK_IGNORE never does. */
    int use_ignore;
    int64_t ignore_index;
    float alpha, gamma; /**< focal (0.25, 2; negative alpha: none), huber (1), dice (1) */
    struct oclnn_optimizer optimizer;
    struct oclnn_schedule schedule;
    float clip_value; /**< gradients limited to -clip_value … clip_value */
    float clip_norm; /**< all gradients scaled so that their joint 2-norm is at most this */
    int accumulate; /**< steps whose mean gradient makes one update; 0 = 1 */
    /** Decay of averages of the weights and of the normalisations' statistics, which evaluation and saving use in place of
     * them; after t updates it is (1 + t) / (10 + t) at most. 0 = none. */
    float ema;
    const struct oclnn_param_group *groups;
    int group_count;
    /** Comma-separated patterns of parameters that are not trained; one with "!" in front takes back: "*,!fc*" trains
     * fc only. The last that fits counts. */
    const char *freeze;
    const char *output; /**< the prediction; NULL = the model's first output */
    size_t
        memory_budget; /**< bytes of activations, gradients and workspace; more is computed again. 0 = no limit */
    uint64_t seed; /**< of shuffling, augmentation, dropout */
    /** What oclnn_trainer_choices gave: training steps are planned exactly so, whatever was measured or tuned, and before
     * what a checkpoint says. One that the text lacks or that does not fit (another network, batch, budget, a device
     * without such a kernel) fails with OCLNN_ERROR_ARGUMENT, which names the plan and the node. Plans of evaluation that
     * the text lacks are chosen. NULL: choose. */
    const char *choices;
};

/**
 * Makes a trainer. A graph without a normalisation or dropout in training form is put into that form; a file that says
 * training_mode = 1 somewhere is taken as it says. Nothing is compiled yet.
 * Errors: OCLNN_ERROR_ARGUMENT (no such output, no parameter to train, a pattern that fits no parameter, bad rates, choices
 * that are no such text),
 * _DTYPE (a parameter to train is not f32), _UNSUPPORTED (the node that has no gradient is named), _MEMORY. The caller
 * destroys *out before the model.
 */
OCLNN_API enum oclnn_status oclnn_trainer_create(oclnn_model *model,
    const struct oclnn_trainer_params *params, oclnn_trainer **out);
/** Destroys and NULLs *trainer; accepts NULL and a pointer to NULL. The model keeps the trained weights. */
OCLNN_API void oclnn_trainer_destroy(oclnn_trainer **trainer);

/**
 * One step: forward, loss, backward, update (every `accumulate`-th time). in: the model's inputs; target: one entry.
 * in NULL: the batch of the last step, which is still on the device. loss: receives the batch's mean loss; NULL: the
 * step is only enqueued, and arrays that it reads stay as they are until a later call waits (a loss, evaluate, save).
 * Errors: those of oclnn_model_run; OCLNN_ERROR_ARGUMENT (a class of a host target is none of the prediction's: which one);
 * OCLNN_ERROR_NUMERIC: the loss is NaN or infinite. That step has changed no parameter, statistic, moment or average, nor
 * the count that corrects the bias of moments, also where nobody read its loss; with `accumulate` the whole group that it
 * belongs to makes no update. Later steps go on as if it had not been.
 */
OCLNN_API enum oclnn_status oclnn_trainer_step(oclnn_trainer *trainer, const struct oclnn_binding *in,
    const struct oclnn_binding *target, float *loss);
/** Learning rate of the following steps (fit sets its own by the schedule). Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_trainer_set_lr(oclnn_trainer *trainer, float lr);
/** The learning rate in force. */
OCLNN_API float oclnn_trainer_get_lr(const oclnn_trainer *trainer);
/** Updates made so far. */
OCLNN_API int64_t oclnn_trainer_get_steps(const oclnn_trainer *trainer);
/** Whole epochs that fit has trained, those before a resume included. */
OCLNN_API int oclnn_trainer_get_epochs(const oclnn_trainer *trainer);
/** From the next step on gradients are kept for oclnn_trainer_read_gradient: they are outputs of the plan then, which
 *  takes more memory. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_trainer_keep_gradients(oclnn_trainer *trainer);
/** Reads the gradient of parameter `name` of the most recent step into `to`: f32, `bytes` must be its size.
 *  Errors: OCLNN_ERROR_ARGUMENT (no gradients are kept), _NOT_FOUND, _SHAPE (another size), those of reading from the device. */
OCLNN_API enum oclnn_status oclnn_trainer_read_gradient(oclnn_trainer *trainer, const char *name, float *to,
    size_t bytes);

/** Quality over a data set. */
struct oclnn_score {
    int64_t count; /**< of labels: of images, or of the pixels that count */
    double loss; /**< mean */
    double top1, top5; /**< fraction of right answers; top5: of images only */
    /** Pixels: for each class those found right / (those of the class or taken for it), mean over the classes that occur */
    double iou;
};
/**
 * Runs the network in its inference form over the data set. batch 0 = 64.
 * Errors: OCLNN_ERROR_NUMERIC (a loss is NaN or infinite: of which samples), those of the data set; *out is left alone then.
 */
OCLNN_API enum oclnn_status oclnn_trainer_evaluate(oclnn_trainer *trainer, const oclnn_dataset *data,
    int batch, struct oclnn_score *out);

/** What a callback of fit is told. */
struct oclnn_progress {
    int epoch, epochs; /**< from 0 */
    int64_t step, steps; /**< in this epoch, from 1 */
    /** Means of this epoch so far (its part before a resume included), over training batches as they were seen. */
    double loss, top1;
    double lr, images_per_s, seconds_left; /**< seconds_left: of the epoch */
    const struct oclnn_score *validation; /**< end of an epoch with a validation set, else NULL */
    int improved; /**< end of an epoch: the best validation so far */
    size_t arena_bytes;
};
/** Returns 0 to go on; anything else ends fit after saving, with OCLNN_OK. */
typedef int (
    *oclnn_progress_function)(void *user, oclnn_trainer *trainer, const struct oclnn_progress *progress);

/** What the best epoch is the best of: of a score on the validation set. */
enum oclnn_monitor {
    OCLNN_MONITOR_LOSS, /**< smallest oclnn_score.loss */
    OCLNN_MONITOR_ACCURACY, /**< largest oclnn_score.top1 */
    OCLNN_MONITOR_IOU /**< largest oclnn_score.iou; of classes of pixels only */
};

/** Zero means default in every field. */
struct oclnn_fit {
    int epochs; /**< 0 = 1; counted from the start of training, also after a resume */
    int batch; /**< 0 = 64 */
    struct oclnn_augment augment;
    int keep_order; /**< 1: not shuffled */
    /** 1: what is left of an epoch behind its whole batches is a step too, of its own size: its loss is the mean over its
     * own samples. Not for models with a fixed batch, unless nothing is left. 0: it is left out. */
    int keep_last;
    /** What early_stop, best, best_checkpoint and the plateau schedule go by. Checkpoints keep it with the best value so
     * far; with another one the search for the best begins anew, with a warning in the log. */
    enum oclnn_monitor monitor;
    /** Ends after so many epochs that were not the best so far, those before a resume included: a run that has ended so
     * stays ended. 0 = never. */
    int early_stop;
    const char *checkpoint; /**< file, written after every epoch and when fit is stopped */
    const char *best; /**< file: the model as ONNX whenever an epoch is the best so far */
    /** File: the checkpoint of the best epoch so far, from which training goes on behind that epoch; not `checkpoint`. */
    const char *best_checkpoint;
    int checkpoint_steps; /**< also after so many steps; 0 = not */
    /** 1: an epoch that was interrupted begins anew. It goes on with the same batch, data, order and augmentation only;
     * between epochs they may change. Data count as the same while so do the number of samples and a fingerprint: of all
     * labels and at most 1024 samples (16 MiB) of sets in memory, of all names, file sizes and labels of folders, of 16
     * samples of a program's own set. It is not compared where a sample could not be read. */
    int restart_epoch;
    oclnn_progress_function on_step, on_epoch;
    void *user;
};
/**
 * Trains on `train` (the last, incomplete batch of an epoch is left out, or kept: keep_last), evaluates on `validation`
 * (may be NULL) after each epoch. Batches are read, decoded and uploaded while the device computes.
 * A data set with a class per image takes a prediction N x classes, one with a class per pixel N x classes x H x W; one
 * output is enough for two classes where the loss wants numbers.
 * A file that cannot be written is a warning in the log and tried again when the next one is due; only at the end it is an
 * error. A sample that cannot be read ends fit, after the checkpoint was saved with all steps before it.
 * Errors: those of oclnn_trainer_step and of the data sets, OCLNN_ERROR_ARGUMENT (data that does not fit the model: both
 * shapes are told; labels beyond the prediction's classes; class_weights of another number of classes; a network whose last
 * layer gives other scores than the loss takes, as logits where it takes probabilities; a monitor without validation set,
 * or of the IoU where pixels have no classes), OCLNN_ERROR_NUMERIC (a loss of training or validation is no number, or
 * weights have exploded: no file is written over), OCLNN_ERROR_IO, _NOT_FOUND (checkpoint or best not written: training
 * state is intact).
 */
OCLNN_API enum oclnn_status oclnn_trainer_fit(oclnn_trainer *trainer, const oclnn_dataset *train,
    const oclnn_dataset *validation, const struct oclnn_fit *fit);

/**
 * Writes everything that a bit-exact continuation needs: weights, statistics, moments, counters, position in the data,
 * schedule, the plan's choices. The file appears whole or not at all (temporary file, fsync, rename).
 * Errors: OCLNN_ERROR_IO (the old file is untouched), _NOT_FOUND (no such folder), _NUMERIC (the last loss that was read
 * is not finite, or a weight, average, moment or statistic is not, which is named; or a weight is beyond 2^64).
 */
OCLNN_API enum oclnn_status oclnn_trainer_save(oclnn_trainer *trainer, const char *path);
/**
 * Continues from a checkpoint of the same network and optimiser, at first with the kernels that the saved run had. Other
 * options may change: what a layer lacks that was frozen begins at zero, an average at the weights, and where the step is
 * another graph (clipping, frozen layers) it is planned anew, with a warning in the log. The seed is the checkpoint's.
 * Errors: OCLNN_ERROR_NOT_FOUND, _FORMAT (damaged), _SHAPE (of another network: the first difference is named), _MEMORY;
 * the trainer is unchanged then.
 */
OCLNN_API enum oclnn_status oclnn_trainer_load(oclnn_trainer *trainer, const char *path);

/** Of a checkpoint file, without a trainer. */
struct oclnn_checkpoint_info {
    uint64_t seed; /**< a split of the data by the run's seed needs it before they are opened */
    int epochs; /**< whole ones */
    int64_t steps; /**< updates */
    int64_t batch_in_epoch; /**< batches of the epoch that was interrupted; 0: between epochs */
    int batch; /**< samples per step in fit; 0: fit was not called */
};
/** Errors: OCLNN_ERROR_ARGUMENT, _NOT_FOUND, _IO, _FORMAT (no checkpoint, or a damaged one). */
OCLNN_API enum oclnn_status oclnn_checkpoint_get_info(const char *path, struct oclnn_checkpoint_info *out);

/**
 * Writes the model as ONNX, as oclnn_model_save does; with `ema` the averages stand in place of the weights.
 * Errors: those of oclnn_model_save, OCLNN_ERROR_ARGUMENT, _NUMERIC (a trained weight or a statistic is not finite, which is
 * named; or a weight is beyond 2^64).
 */
OCLNN_API enum oclnn_status oclnn_trainer_export(oclnn_trainer *trainer, const char *path);

/**
 * Writes how the steps made so far are planned (per kind of step and shapes: kernel variant, formats, tunables of every
 * node, what is computed again) through `line`, once per line, to be given back as oclnn_trainer_params.choices (lines
 * joined by line breaks): runs of one text on one device give the same bits.
 * Errors: OCLNN_ERROR_ARGUMENT when there was no step yet, _MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_trainer_choices(const oclnn_trainer *trainer,
    void (*line)(void *user, const char *text), void *user);

/** Bytes by purpose, of the plan of the most recent step; before the first one those of a plan are 0. */
struct oclnn_trainer_bytes {
    size_t parameters, gradients, moments, activations, workspace, arena, arena_lower_bound;
    size_t recomputed; /**< activations that are computed again instead of kept */
};
/** Tells the bytes. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_trainer_get_bytes(const oclnn_trainer *trainer,
    struct oclnn_trainer_bytes *out);
/**
 * Median device time per node of the training step, as oclnn_model_profile. Each run is a step with the batch of the last
 * one and changes weights and moments as oclnn_trainer_step does: save before and load after to keep them.
 * Errors: those of oclnn_model_profile; OCLNN_ERROR_ARGUMENT before the first step.
 */
OCLNN_API enum oclnn_status oclnn_trainer_profile(oclnn_trainer *trainer, int runs,
    struct oclnn_profile_row *rows, int capacity, int *count);

#ifdef __cplusplus
}
#endif
#endif
