/* Whole runs: epochs of steps, validation, schedule, early stopping, checkpoints. */
#include "base/clock.h"
#include "runtime/context.h"
#include "train/batch.h"

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
    bool no_checkpoint, no_best; /* the last attempt to write it failed */
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

/* Validation, plateau, best so far, checkpoint. */
static enum oclnn_status end_of_epoch(struct fit *f)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_trainer *t = f->t;
    struct oclnn_score score;
    f->progress.validation = NULL;
    f->progress.improved = 0;
    if (f->validation) {
        ONN_TRY(oclnn_trainer_evaluate(t, f->validation, f->batch, &score));
        f->progress.validation = &score;
        f->progress.improved = score.loss < t->best_loss;
        t->since_best = f->progress.improved ? 0 : t->since_best + 1;
        if (f->progress.improved) {
            t->best_loss = score.loss;
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
    ONN_CHECK(!f->no_best, OCLNN_ERROR_IO, "'%s' does not have the best weights: it could not be written",
        f->o->best);
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
    ONN_CHECK(f.o->epochs >= 0 && f.o->batch >= 0 && f.o->early_stop >= 0, OCLNN_ERROR_ARGUMENT,
        "epochs = %d, batch = %d, early_stop = %d", f.o->epochs, f.o->batch, f.o->early_stop);
    ONN_CHECK(!f.o->early_stop || validation, OCLNN_ERROR_ARGUMENT, "early stopping needs a validation set");
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
