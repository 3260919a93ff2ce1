/* Resuming a training run from a checkpoint. */
#include "runtime/context.h"
#include "train/checkpoint_file.h"
#include "train/trainer.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* What a run has not whose layer was frozen, or that did not accumulate or average. */
static bool is_optional(const char *name)
{
    static const char *const starts[] = {"moment1/", "moment2/", "sum/", "average/", "state/average/",
        "group"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static enum oclnn_status check_blob(void *user, const char *name, struct onn_blob *blob)
{
    const struct onn_entry *e = onn_checkpoint_find(user, ONN_ENTRY_TENSOR, name);
    char have[160], want[160];
    if (!e && is_optional(name))
        return OCLNN_OK;
    if (!e)
        return onn_error(OCLNN_ERROR_SHAPE, "the checkpoint is of another network: it has no '%s'", name);
    if (e->desc.dtype != blob->desc.dtype || !onn_desc_same_shape(&e->desc, &blob->desc))
        return onn_error(OCLNN_ERROR_SHAPE, "the checkpoint is of another network: '%s' is %s there, %s here",
            name, onn_desc_text(&e->desc, have), onn_desc_text(&blob->desc, want));
    return OCLNN_OK;
}

/* Nothing newer stays on the device. */
static enum oclnn_status sync_blob(void *user, const char *name, struct onn_blob *blob)
{
    (void)user;
    (void)name;
    return onn_blob_sync_host(blob);
}

static enum oclnn_status load_blob(void *user, const char *name, struct onn_blob *blob)
{
    const struct onn_entry *e = onn_checkpoint_find(user, ONN_ENTRY_TENSOR, name);
    if (e && e->bytes)
        memcpy(blob->data, e->data, e->bytes);
    else if (!e)
        memset(blob->data, 0, onn_desc_bytes(&blob->desc));
    blob->version++;
    return OCLNN_OK;
}

/* Averages that the saved run did not keep begin at the weights. */
static void begin_averages(const struct oclnn_trainer *t, const struct onn_checkpoint *c)
{
    for (int i = 0; i < t->n_averages; i++) {
        const struct onn_average *a = &t->average[i];
        if (onn_checkpoint_find(c, ONN_ENTRY_TENSOR, a->entry))
            continue;
        memcpy(a->blob->data, a->of->data, onn_desc_bytes(&a->of->desc));
        a->blob->version++;
    }
}

struct numbers {
    int64_t accumulate, seed, steps, batches, epoch, batch_in_epoch, seen, right, since_best, monitor;
    double loss_sum, best, plateau, lr;
};

static enum oclnn_status read_numbers(const struct onn_checkpoint *c, struct numbers *n)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_TRY(onn_checkpoint_get_i64(c, "seed", &n->seed));
    ONN_TRY(onn_checkpoint_get_i64(c, "steps", &n->steps));
    ONN_TRY(onn_checkpoint_get_i64(c, "batches", &n->batches));
    ONN_TRY(onn_checkpoint_get_i64(c, "epoch", &n->epoch));
    ONN_TRY(onn_checkpoint_get_i64(c, "batch_in_epoch", &n->batch_in_epoch));
    ONN_TRY(onn_checkpoint_get_f64(c, "loss_sum", &n->loss_sum));
    ONN_TRY(onn_checkpoint_get_i64(c, "seen", &n->seen));
    ONN_TRY(onn_checkpoint_get_i64(c, "right", &n->right));
    ONN_TRY(onn_checkpoint_get_i64(c, "since_best", &n->since_best));
    ONN_TRY(onn_checkpoint_get_i64(c, "monitor", &n->monitor));
    ONN_TRY(onn_checkpoint_get_f64(c, "best", &n->best));
    ONN_TRY(onn_checkpoint_get_f64(c, "plateau", &n->plateau));
    ONN_TRY(onn_checkpoint_get_f64(c, "lr", &n->lr));
    ONN_TRY(onn_checkpoint_get_i64(c, "accumulate", &n->accumulate));
    ONN_CHECK(n->accumulate > 0 && n->batches >= 0 && n->epoch >= 0 && n->epoch < INT_MAX &&
            n->batch_in_epoch >= 0 && n->since_best >= 0 && n->since_best < INT_MAX && n->monitor >= 0 &&
            n->monitor <= OCLNN_MONITOR_IOU,
        OCLNN_ERROR_FORMAT, "the checkpoint's counters are out of range");
fail:
    return status;
}

/* Where the next batch stands in its group. Another length of groups begins with a whole one. */
static int64_t batches_of(const struct oclnn_trainer *t, const struct numbers *n)
{
    const int64_t begun = n->batches % n->accumulate;
    if (n->accumulate == t->p.accumulate)
        return n->batches;
    if (begun)
        onn_log(onn_context_log(t->ctx), OCLNN_LOG_WARN,
            "the saved run accumulated %lld batches, this one %d: the %lld of a begun group are left out",
            (long long)n->accumulate, t->p.accumulate, (long long)begun);
    return 0;
}

enum oclnn_status oclnn_checkpoint_get_info(const char *path, struct oclnn_checkpoint_info *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_checkpoint c = {0};
    struct onn_train_source source;
    struct numbers n;
    ONN_CHECK(path && out, OCLNN_ERROR_ARGUMENT, "the path or out is NULL");
    ONN_TRY(onn_checkpoint_read(path, &c));
    ONN_TRY(read_numbers(&c, &n));
    onn_source_load(&c, &source);
    *out = (struct oclnn_checkpoint_info){.seed = (uint64_t)n.seed,
        .epochs = (int)n.epoch,
        .steps = n.steps,
        .batch_in_epoch = n.batch_in_epoch,
        .batch = onn_source_batch(&source)};
fail:
    onn_checkpoint_finish(&c);
    return status;
}

enum oclnn_status oclnn_trainer_load(oclnn_trainer *t, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_checkpoint c = {0};
    struct numbers n;
    const char *optimizer = "";
    ONN_CHECK(t && path, OCLNN_ERROR_ARGUMENT, "the trainer or the path is NULL");
    ONN_TRY(onn_checkpoint_read(path, &c));
    ONN_TRY(onn_checkpoint_get_text(&c, "optimizer", &optimizer));
    ONN_CHECK(strcmp(optimizer, onn_optimizer_op(&t->p.optimizer)) == 0, OCLNN_ERROR_SHAPE,
        "the checkpoint is of optimiser %s, this run has %s", optimizer, onn_optimizer_op(&t->p.optimizer));
    ONN_TRY(read_numbers(&c, &n));
    ONN_TRY(onn_trainer_visit(t, check_blob, &c));
    ONN_TRY(onn_queue_finish(t->ctx));
    ONN_TRY(onn_trainer_visit(t, sync_blob, NULL));
    ONN_TRY(onn_trainer_load_choices(t, &c));
    /* From here on nothing can fail: the trainer is as it was, or as the file says. */
    ONN_TRY(onn_trainer_visit(t, load_blob, &c));
    begin_averages(t, &c);
    onn_source_load(&c, &t->source);
    t->p.seed = (uint64_t)n.seed;
    t->steps = n.steps;
    t->batches = batches_of(t, &n);
    t->epoch = (int)n.epoch;
    t->batch_in_epoch = n.batch_in_epoch;
    t->loss_sum = n.loss_sum;
    t->seen = n.seen;
    t->right = n.right;
    t->since_best = (int)n.since_best;
    t->monitor = (enum oclnn_monitor)n.monitor;
    t->best = n.best;
    t->plateau = (float)n.plateau;
    t->lr = (float)n.lr;
    t->is_broken = false;
    for (int i = 0; i < ONN_TRAINER_PLANS; i++) /* planned as the saved run did from now on */
        onn_step_plan_finish(&t->plan[i]);
    t->current = NULL;
fail:
    onn_checkpoint_finish(&c);
    return status;
}
