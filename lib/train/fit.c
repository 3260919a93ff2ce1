/* Whole runs: epochs of steps, validation, schedule, early stopping, checkpoints. */
#include "base/clock.h"
#include "runtime/context.h"
#include "train/batch.h"

#include <math.h>
#include <string.h>

struct fit {
    struct oclnn_trainer *t;
    const struct oclnn_fit *o;
    struct onn_feed feed;
    const oclnn_dataset *validation;
    int epochs, batch;
    struct oclnn_progress progress;
    int64_t images; /* since `start` */
    uint64_t start; /* of the epoch, or of its rest after a resume */
    bool stop;
    bool no_checkpoint, no_best, no_best_checkpoint; /* the last attempt to write it failed */
};

/* A full disk at one moment does not end a run: it is told, and tried again at the next occasion. Weights that are no
 * numbers do. */
static enum oclnn_status forgive(const struct fit *f, enum oclnn_status status, bool *failed)
{
    *failed = status != OCLNN_OK;
    if (!*failed || status == OCLNN_ERROR_NUMERIC)
        return status;
    onn_log(onn_context_log(f->t->ctx), OCLNN_LOG_WARN, "%s; training goes on", oclnn_error_text(NULL));
    return OCLNN_OK;
}

static enum oclnn_status save(struct fit *f)
{
    if (!f->o->checkpoint)
        return OCLNN_OK;
    return forgive(f, oclnn_trainer_save(f->t, f->o->checkpoint), &f->no_checkpoint);
}

static enum oclnn_status save_best(struct fit *f)
{
    if (!f->o->best)
        return OCLNN_OK;
    return forgive(f, oclnn_trainer_export(f->t, f->o->best), &f->no_best);
}

static enum oclnn_status save_best_checkpoint(struct fit *f)
{
    if (!f->o->best_checkpoint)
        return OCLNN_OK;
    return forgive(f, oclnn_trainer_save(f->t, f->o->best_checkpoint), &f->no_best_checkpoint);
}

static void tell(struct fit *f, oclnn_progress_function function)
{
    struct oclnn_trainer *t = f->t;
    const double seconds = (double)(onn_clock_ns() - f->start) * 1e-9;
    struct oclnn_progress *p = &f->progress;
    if (!function)
        return;
    p->epoch = t->epoch;
    p->epochs = f->epochs;
    p->step = t->batch_in_epoch;
    p->loss = t->seen ? t->loss_sum / (double)t->seen : 0;
    p->top1 = t->seen ? (double)t->right / (double)t->seen : 0;
    p->lr = (double)t->lr;
    p->images_per_s = seconds > 0 ? (double)f->images / seconds : 0;
    p->seconds_left = p->images_per_s > 0 ? (double)((p->steps - p->step) * f->batch) / p->images_per_s : 0;
    p->arena_bytes = t->current ? t->current->plan->stats.arena_bytes : 0;
    if (function(f->o->user, t, p))
        f->stop = true;
}

static void set_rate(struct fit *f)
{
    struct oclnn_trainer *t = f->t;
    const double part = f->progress.steps ? (double)t->batch_in_epoch / (double)f->progress.steps : 0;
    t->lr =
        onn_schedule_rate(&t->p.schedule, t->p.optimizer.lr, (double)t->epoch + part, f->epochs, t->plateau);
}

/* Reads what the step in flight gave and counts it. */
static enum oclnn_status settle(struct fit *f, struct onn_step_plan *p, const struct onn_batch *b)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_tally tally = {0};
    float loss = 0;
    ONN_TRY(onn_step_loss(f->t, p, &loss));
    ONN_TRY(onn_feed_count(&f->feed, f->t, p, b, &tally));
    f->t->loss_sum += (double)loss * (double)tally.labels;
    f->t->seen += tally.labels;
    f->t->right += tally.right[0];
    f->t->batch_in_epoch++;
    f->images += b->n;
    tell(f, f->o->on_step);
    if (f->o->checkpoint_steps > 0 && f->t->steps % f->o->checkpoint_steps == 0)
        ONN_TRY(save(f));
fail:
    return status;
}

/* The batch after the one that the device works on is fetched meanwhile. */
static enum oclnn_status steps(struct fit *f, struct onn_loader *loader)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_batch now, next;
    bool end;
    ONN_TRY(onn_loader_next(loader, &now, &end));
    while (!end && !f->stop) {
        struct onn_step_plan *p = NULL;
        ONN_TRY(onn_feed_plan(&f->feed, f->t, now.n, true, now.label2 != NULL, &p));
        ONN_TRY(onn_feed_write(&f->feed, p, &now));
        set_rate(f);
        ONN_TRY(onn_step_run(f->t, p, NULL));
        const enum oclnn_status fetched = onn_loader_next(loader, &next, &end);
        ONN_TRY(settle(f, p, &now));
        if (fetched !=
            OCLNN_OK) { /* what was trained until then is not lost, and goes on once the data are mended */
            onn_source_forget_data(f->t);
            ONN_TRY(save(f));
            ONN_TRY(onn_loader_next(loader, &next, &end)); /* fails again with the same words */
        }
        now = next;
    }
fail:
    return status;
}

static void begin_epoch(struct oclnn_trainer *t)
{
    t->batch_in_epoch = 0;
    t->loss_sum = 0;
    t->seen = t->right = 0;
}

static bool has_stopped(const struct fit *f)
{
    return f->o->early_stop > 0 && f->t->since_best >= f->o->early_stop;
}

/* Less is better. */
static double measure(const struct oclnn_score *score, enum oclnn_monitor monitor)
{
    return monitor == OCLNN_MONITOR_ACCURACY ? -score->top1
        : monitor == OCLNN_MONITOR_IOU       ? -score->iou
                                             : score->loss;
}

/* Validation, plateau, best so far, checkpoint. */
static enum oclnn_status end_of_epoch(struct fit *f)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_trainer *t = f->t;
    struct oclnn_score score;
    bool improved = false;
    f->progress.validation = NULL;
    f->progress.improved = 0;
    if (f->validation) {
        ONN_TRY(oclnn_trainer_evaluate(t, f->validation, f->batch, &score));
        f->progress.validation = &score;
        const double value = measure(&score, t->monitor);
        improved = value < t->best;
        f->progress.improved = improved;
        t->since_best = improved ? 0 : t->since_best + 1;
        if (improved) {
            t->best = value;
            ONN_TRY(save_best(f));
        } else if (t->p.schedule.kind == OCLNN_PLATEAU && t->since_best % t->p.schedule.size == 0) {
            t->plateau *= t->p.schedule.gamma;
        }
    }
    tell(f, f->o->on_epoch);
    f->progress.validation = NULL;
    t->epoch++;
    begin_epoch(t);
    f->stop |= has_stopped(f);
    if (improved) /* behind the epoch: a resume begins with the next one */
        ONN_TRY(save_best_checkpoint(f));
    ONN_TRY(save(f));
fail:
    return status;
}

static enum oclnn_status epoch(struct fit *f)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_trainer *t = f->t;
    struct onn_loader *loader = NULL;
    const struct onn_loader_params params = {.batch = f->batch,
        .shuffle = !f->o->keep_order,
        .drop_last = !f->o->keep_last,
        .augment = f->o->augment,
        .use_ignore = t->p.use_ignore,
        .ignore_index = t->p.ignore_index,
        .seed = t->p.seed,
        .epoch = t->epoch,
        .first_batch = t->batch_in_epoch};
    f->images = 0;
    f->start = onn_clock_ns();
    ONN_TRY(onn_loader_create(f->feed.data, &params, &loader));
    f->progress.steps = onn_loader_batches(loader);
    ONN_CHECK(f->progress.steps > 0, OCLNN_ERROR_ARGUMENT, "the data set has %lld samples, a batch needs %d",
        (long long)f->feed.info.count, f->batch);
    ONN_TRY(steps(f, loader));
    if (!f->stop)
        ONN_TRY(end_of_epoch(f));
    else
        ONN_TRY(save(f));
fail:
    onn_queue_finish(t->ctx); /* the loader's memory may still be read */
    onn_loader_destroy(&loader);
    return status;
}

/* Files that could not be written: the checkpoint once more; better weights than the last ones are gone. */
static enum oclnn_status settle_files(const struct fit *f)
{
    enum oclnn_status status = OCLNN_OK;
    if (f->no_checkpoint)
        ONN_TRY(oclnn_trainer_save(f->t, f->o->checkpoint));
    ONN_CHECK(!f->no_best && !f->no_best_checkpoint, OCLNN_ERROR_IO,
        "'%s' does not have the best weights: it could not be written",
        f->no_best ? f->o->best : f->o->best_checkpoint);
fail:
    return status;
}

/* By what the best is known. Values of different kinds cannot be compared. */
static enum oclnn_status settle_monitor(const struct fit *f)
{
    static const char *const names[] = {"loss", "accuracy", "IoU"};
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_trainer *t = f->t;
    const enum oclnn_monitor monitor = f->o->monitor;
    struct oclnn_dataset_info info;
    ONN_CHECK((unsigned)monitor <= OCLNN_MONITOR_IOU, OCLNN_ERROR_ARGUMENT, "monitor = %d", (int)monitor);
    ONN_CHECK(f->validation || monitor == OCLNN_MONITOR_LOSS, OCLNN_ERROR_ARGUMENT,
        "the monitor %s needs a validation set", names[monitor]);
    if (!f->validation)
        return OCLNN_OK;
    ONN_TRY(oclnn_dataset_get_info(f->validation, &info));
    ONN_CHECK(monitor != OCLNN_MONITOR_IOU || info.per_pixel, OCLNN_ERROR_ARGUMENT,
        "the monitor IoU needs classes of pixels, the validation set has a class per image");
    if (monitor == t->monitor)
        return OCLNN_OK;
    if (isfinite(t->best))
        onn_log(onn_context_log(t->ctx), OCLNN_LOG_WARN,
            "the best epoch so far is the best by %s: the search for the best by %s begins anew",
            names[t->monitor], names[monitor]);
    t->monitor = monitor;
    t->best = INFINITY;
    t->since_best = 0;
fail:
    return status;
}

static enum oclnn_status check_fit(const struct fit *f)
{
    enum oclnn_status status = OCLNN_OK;
    const struct oclnn_fit *o = f->o;
    ONN_CHECK(o->epochs >= 0 && o->batch >= 0 && o->early_stop >= 0, OCLNN_ERROR_ARGUMENT,
        "epochs = %d, batch = %d, early_stop = %d", o->epochs, o->batch, o->early_stop);
    ONN_CHECK(!o->early_stop || f->validation, OCLNN_ERROR_ARGUMENT, "early stopping needs a validation set");
    ONN_CHECK(!o->best_checkpoint || f->validation, OCLNN_ERROR_ARGUMENT,
        "the best checkpoint needs a validation set");
    ONN_CHECK(!o->checkpoint || !o->best_checkpoint || strcmp(o->checkpoint, o->best_checkpoint) != 0,
        OCLNN_ERROR_ARGUMENT, "checkpoint and best_checkpoint are the same file, %s", o->checkpoint);
    ONN_TRY(settle_monitor(f));
fail:
    return status;
}

enum oclnn_status oclnn_trainer_fit(oclnn_trainer *t, const oclnn_dataset *train,
    const oclnn_dataset *validation, const struct oclnn_fit *params)
{
    enum oclnn_status status = OCLNN_OK;
    static const struct oclnn_fit none = {0};
    struct fit f = {.t = t, .o = params ? params : &none, .validation = validation};
    ONN_CHECK(t && train, OCLNN_ERROR_ARGUMENT, "the trainer or the data set is NULL");
    ONN_TRY(check_fit(&f));
    ONN_TRY(onn_feed_init(&f.feed, t, train));
    f.epochs = f.o->epochs ? f.o->epochs : 1;
    f.batch = f.feed.fixed_batch ? (int)f.feed.fixed_batch : f.o->batch ? f.o->batch : 64;
    f.stop = has_stopped(&f); /* before it was resumed */
    if (f.o->restart_epoch)
        begin_epoch(t);
    ONN_CHECK(!f.o->keep_last || !f.feed.fixed_batch || f.feed.info.count % f.batch == 0,
        OCLNN_ERROR_ARGUMENT,
        "keep_last: the model takes batches of %d samples only, an epoch of %lld leaves %lld", f.batch,
        (long long)f.feed.info.count, (long long)(f.feed.info.count % f.batch));
    ONN_TRY(onn_source_settle(t, &f.feed, f.o, f.batch));
    while (t->epoch < f.epochs && !f.stop)
        ONN_TRY(epoch(&f));
    ONN_TRY(settle_files(&f));
fail:
    onn_feed_finish(&f.feed);
    return status;
}
