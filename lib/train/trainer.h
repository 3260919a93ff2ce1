/* A trainer: the parameters of a model with their optimiser state, and the plans of its steps. */
#ifndef ONN_TRAIN_TRAINER_H
#define ONN_TRAIN_TRAINER_H

#include "model/model.h"
#include "pass/trainable.h"
#include <oclnn/train.h>

#define ONN_MAX_MOMENTS 2
/* Accumulation has three kinds, each for whole batches and for the rest of an epoch; evaluation has two sizes. */
#define ONN_TRAINER_PLANS 10

/* One parameter of the model. */
struct onn_train_param {
    struct onn_blob *blob; /* borrowed from the model's graph */
    const char *name;
    bool frozen;
    int rate; /* which learning rate input */
    float weight_decay;
    struct onn_blob *moment[ONN_MAX_MOMENTS], *sum; /* NULL where not needed */
};

/* The average of a parameter or of a normalisation's statistics. */
struct onn_average {
    struct onn_blob *of; /* borrowed from the model's graph */
    struct onn_blob *blob;
    bool of_statistics;
    const char *name, *entry; /* of what it is an average; its own in checkpoints */
};

/* What one run of a step plan does with the gradients. */
enum onn_batch_kind {
    ONN_BATCH_UPDATE, /* one batch, one update */
    ONN_BATCH_FIRST, /* accumulation: sum = gradient */
    ONN_BATCH_MORE, /* sum += gradient */
    ONN_BATCH_LAST /* update with sum + gradient */
};
/* MASKS: targets are bytes, one per pixel; OCLNN_MASK_IGNORE does not count. */
enum onn_front { ONN_FRONT_NONE, ONN_FRONT_PIXELS, ONN_FRONT_MIXUP, ONN_FRONT_MASKS };

/* A training or evaluation graph and its plan. With a front, pixels stand in place of the model's input 0. */
struct onn_step_plan {
    bool training;
    enum onn_batch_kind kind;
    enum onn_front front;
    bool gradients, labelled;
    struct onn_desc *desc; /* of the model's inputs, before the front: the key */
    struct onn_plan *plan;
    int *input, target, target2, lambda, table, norm, *rate; /* numbers of inputs, -1 = not there; input: the
                     * model's; rate: one per learning rate */
    /* Outputs; the loss is output 0. MASKS: the prediction is the best class, i32. */
    int prediction, first_gradient;
    struct onn_desc target_desc, prediction_desc;
    float *rate_sent; /* what the device holds */
    int32_t forward_nodes; /* of the graph: before the backward part */
    size_t recomputed, aim; /* bytes not kept; what recompute aimed at, 0 = not recomputed */
    uint64_t used;
};

/* What fit trains on, named in source.c; empty texts: not known. */
#define ONN_SOURCE_FIELDS 5
struct onn_train_source {
    char text[ONN_SOURCE_FIELDS][256];
};

/* Of a checkpoint, or given by the program: how a step plan of that key is planned. */
struct onn_saved_choices {
    const char *key, *text;
    size_t target; /* of recompute, 0 = not recomputed */
    bool is_given; /* must fit */
    struct onn_saved_choices *next;
};

struct oclnn_trainer {
    struct oclnn_model *model;
    struct oclnn_context *ctx;
    struct oclnn_trainer_params p; /* pointers inside are copies */
    struct onn_arena text, names; /* copies of the parameters' texts; of the profile */
    int prediction; /* index of the model's output */
    bool as_written; /* the file says what is in training form */
    struct onn_train_param *param;
    int n_params;
    struct onn_average *average; /* none without `ema` */
    int n_averages;
    float *rate_scale; /* per learning rate */
    int n_rates;
    struct onn_blob *counter, *random, *class_weights;
    struct onn_blob *group; /* accumulate > 1: NaN if a loss of the batches added up so far was not finite */
    struct onn_step_plan plan[ONN_TRAINER_PLANS];
    struct onn_step_plan *current; /* of the last step */
    uint64_t stamp;
    float lr; /* of the next step */
    int64_t steps, batches; /* updates; batches since the last update are batches % accumulate */
    bool keep_gradients;
    /* of fit, for checkpoints */
    int epoch;
    int64_t batch_in_epoch;
    struct onn_train_source source; /* of these batches */
    double loss_sum; /* of the labels of this epoch so far */
    int64_t seen, right; /* labels; those that were right */
    enum oclnn_monitor monitor; /* of `best` */
    double best; /* less is better; infinite: none yet */
    int since_best;
    float plateau;
    bool is_broken; /* the last loss that was read was not finite */
    struct onn_saved_choices *saved, *given;
    struct onn_arena saved_text; /* what is given lies in `text` */
};

/* What a step graph is made for. */
struct onn_step_spec {
    bool training, gradients;
    bool labelled; /* targets are classes where the loss compares with numbers */
    enum onn_batch_kind kind;
    enum onn_front front;
    const struct onn_binding *input; /* one per input of the model */
    int pixel_height, pixel_width; /* front: size of the stored images */
};
/* step_graph.c: builds graph and input numbers; out->plan stays NULL. */
enum oclnn_status onn_step_graph(struct oclnn_trainer *t, const struct onn_step_spec *spec,
    struct onn_step_plan *out, struct onn_graph **graph);
/* target.c: classes are its targets, not numbers of the prediction's shape. */
bool onn_loss_takes_labels(enum oclnn_loss loss);
/* A single output that tells class 1 of two. */
bool onn_is_binary(const struct oclnn_trainer *t, const struct onn_desc *prediction);
/* Above it a single output is class 1. */
float onn_loss_threshold(enum oclnn_loss loss);
/* Does the network end in what such a loss takes, for classes? Errors: OCLNN_ERROR_ARGUMENT, _DTYPE. */
enum oclnn_status onn_target_check(const struct oclnn_trainer *t, const struct onn_graph *g,
    int32_t prediction);
/* Numbers of the prediction's shape from labels [N, …], and how much each position counts (0: all the same). */
int32_t onn_target_of_labels(const struct oclnn_trainer *t, struct onn_graph *g, bool masks, float smoothing,
    int32_t prediction, int32_t labels, int32_t *where);
/* update.c: what gradients are multiplied by, 1 / accumulated batches; NaN if the loss is not finite: every update then
 * leaves everything as it is. */
int32_t onn_update_scale(struct oclnn_trainer *t, struct onn_graph *g, int32_t loss);
/* Appends clipping, accumulation, optimiser, averages. gradient[n_params], 0 = frozen or no path; form: has the new
 * statistics. */
void onn_update_append(struct oclnn_trainer *t, struct onn_graph *g, enum onn_batch_kind kind, int32_t scale,
    const int32_t *param, const int32_t *gradient, const struct onn_form *form, struct onn_step_plan *plan);
/* average.c: averages begin at the weights and statistics. */
enum oclnn_status onn_averages_create(struct oclnn_trainer *t);
void onn_averages_destroy(struct oclnn_trainer *t);
/* In graph g, or to and fro in the model's, they stand in place of what they are averages of. */
void onn_averages_use(const struct oclnn_trainer *t, struct onn_graph *g);
void onn_averages_swap(struct oclnn_trainer *t);
/* The nodes that go on with them, behind the updates. */
void onn_averages_append(const struct oclnn_trainer *t, struct onn_graph *g, const struct onn_form *form,
    const int32_t *param, const int32_t *gradient, int32_t scale, int32_t counter);
/* optimizer.c: the operator and attributes of a parameter. */
enum oclnn_status onn_optimizer_check(struct oclnn_optimizer *o);
const char *onn_optimizer_op(const struct oclnn_optimizer *o);
int onn_optimizer_moments(const struct oclnn_optimizer *o);
/* step_plan.c: finds or makes the plan. */
enum oclnn_status onn_step_plan_get(struct oclnn_trainer *t, const struct onn_step_spec *spec,
    struct onn_step_plan **out);
void onn_step_plan_finish(struct onn_step_plan *p);
/* Writes the learning rates that changed. */
enum oclnn_status onn_step_write_rates(struct oclnn_trainer *t, struct onn_step_plan *p);
/* Which kind the next step is. */
enum onn_batch_kind onn_batch_kind_next(const struct oclnn_trainer *t);
/* Enqueues the plan of the step whose inputs are in place; reads the loss if wanted; counts. */
enum oclnn_status onn_step_run(struct oclnn_trainer *t, struct onn_step_plan *p, float *loss);
/* Waits for the step and reads its loss. Errors: OCLNN_ERROR_NUMERIC. */
enum oclnn_status onn_step_loss(struct oclnn_trainer *t, struct onn_step_plan *p, float *loss);
/* state.c: every blob that training changes, with a name that does not hang on the order of plans. */
typedef enum oclnn_status (*onn_visit_fn)(void *user, const char *name, struct onn_blob *blob);
enum oclnn_status onn_trainer_visit(struct oclnn_trainer *t, onn_visit_fn visit, void *user);
/* schedule.c: defaults and checks; the rate after e epochs. */
enum oclnn_status onn_schedule_check(struct oclnn_schedule *s);
float onn_schedule_rate(const struct oclnn_schedule *s, float base, double e, int epochs, float plateau);

/* source.c: compares with what the epoch so far was made of. Errors: OCLNN_ERROR_ARGUMENT names what differs. */
struct onn_checkpoint;
struct onn_feed;
enum oclnn_status onn_source_settle(struct oclnn_trainer *t, const struct onn_feed *feed,
    const struct oclnn_fit *fit, int batch);
/* The data may be other ones when the epoch goes on. */
void onn_source_forget_data(struct oclnn_trainer *t);
enum oclnn_status onn_source_save(const struct oclnn_trainer *t, struct onn_checkpoint *c);
void onn_source_load(const struct onn_checkpoint *c, struct onn_train_source *out);
/* 0: not known. */
int onn_source_batch(const struct onn_train_source *s);

/* choices.c */
enum oclnn_status onn_trainer_save_choices(const struct oclnn_trainer *t, struct onn_checkpoint *c);
enum oclnn_status onn_trainer_load_choices(struct oclnn_trainer *t, const struct onn_checkpoint *c);
/* Takes a text that the program gives; NULL: none. Errors: OCLNN_ERROR_ARGUMENT names the line. */
enum oclnn_status onn_trainer_read_choices(struct oclnn_trainer *t, const char *text);
/* *out NULL: choose. Errors: OCLNN_ERROR_ARGUMENT: the program's text lacks this training step. */
enum oclnn_status onn_trainer_find_choices(const struct oclnn_trainer *t, const struct onn_step_plan *p,
    const struct onn_saved_choices **out);

#endif
