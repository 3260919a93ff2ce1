/* Saving a training run; exporting the trained model. Neither writes weights that are no numbers over a good file. */
#include "train/checkpoint_file.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum oclnn_status visit_param(const struct onn_train_param *p, int k, onn_visit_fn visit, void *user)
{
    enum oclnn_status status = OCLNN_OK;
    const struct {
        const char *what;
        struct onn_blob *blob;
    } rows[] = {{"weight", p->blob}, {"moment1", p->moment[0]}, {"moment2", p->moment[1]}, {"sum", p->sum}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[300];
        snprintf(name, sizeof name, "%s/%d/%s", rows[i].what, k, p->name);
        if (rows[i].blob)
            ONN_TRY(visit(user, name, rows[i].blob));
    }
fail:
    return status;
}

enum oclnn_status onn_trainer_visit(struct oclnn_trainer *t, onn_visit_fn visit, void *user)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = t->model->graph;
    for (int k = 0; k < t->n_params; k++)
        ONN_TRY(visit_param(&t->param[k], k, visit, user));
    for (int32_t v = 1, k = 0; v < g->n_values; v++) {
        char name[300];
        if (g->value[v].role != ONN_ROLE_STATE || !g->value[v].blob)
            continue;
        snprintf(name, sizeof name, "state/%d/%s", k++, g->value[v].name);
        ONN_TRY(visit(user, name, g->value[v].blob));
    }
    for (int i = 0; i < t->n_averages; i++)
        ONN_TRY(visit(user, t->average[i].entry, t->average[i].blob));
    ONN_TRY(visit(user, "counter", t->counter));
    ONN_TRY(visit(user, "random", t->random));
    if (t->group)
        ONN_TRY(visit(user, "group", t->group));
fail:
    return status;
}

/* ---- are they numbers? ---- */

/* The square of such a number overflows: no network computes with it. */
#define EXPLODED 0x1p64

/* The first element that is not finite, or whose magnitude is `limit` or more; -1: there is none. */
static int64_t find_bad(const struct onn_blob *b, double limit)
{
    const int64_t n = onn_desc_elements(&b->desc);
    int64_t i = 0;
    if (b->desc.dtype == OCLNN_F32) { /* in blocks, which compilers make vectors of */
        const float *v = b->data, most = (float)limit;
        for (bool fine = true; i + 64 <= n && fine; i += fine ? 64 : 0) {
            int bad = 0;
            for (int k = 0; k < 64; k++)
                bad += !(fabsf(v[i + k]) < most);
            fine = bad == 0;
        }
    }
    for (; i < n; i++)
        if (!(fabs(onn_blob_get_f64(b, i)) < limit))
            return i;
    return -1;
}

static enum oclnn_status check_numbers(struct onn_blob *b, const char *what, const char *name, double limit,
    const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    if (!b || !onn_dtype_is_float(b->desc.dtype))
        return OCLNN_OK;
    ONN_TRY(onn_blob_sync_host(b));
    const int64_t i = find_bad(b, limit);
    ONN_CHECK(i < 0, OCLNN_ERROR_NUMERIC,
        "%s is not written: element %lld of the %s of '%s' is %g: training has exploded", path, (long long)i,
        what, name, onn_blob_get_f64(b, i));
fail:
    return status;
}

/* Sums of gradients are left out: a bad batch among them is known by `group`. */
static enum oclnn_status check_moments(const struct onn_train_param *p, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    for (int k = 0; k < ONN_MAX_MOMENTS; k++)
        ONN_TRY(check_numbers(p->moment[k], "moment", p->name, INFINITY, path));
fail:
    return status;
}

/* Errors: OCLNN_ERROR_NUMERIC names the first number that is none. */
static enum oclnn_status check_all(struct oclnn_trainer *t, bool moments, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = t->model->graph;
    for (int k = 0; k < t->n_params; k++) {
        const struct onn_train_param *p = &t->param[k];
        if (p->frozen)
            continue;
        ONN_TRY(check_numbers(p->blob, "weights", p->name, EXPLODED, path));
        if (moments)
            ONN_TRY(check_moments(p, path));
    }
    for (int32_t v = 1; v < g->n_values; v++)
        if (g->value[v].role == ONN_ROLE_STATE)
            ONN_TRY(check_numbers(g->value[v].blob, "statistics", g->value[v].name, INFINITY, path));
    for (int i = 0; i < t->n_averages; i++)
        ONN_TRY(check_numbers(t->average[i].blob,
            t->average[i].of_statistics ? "averaged statistics" : "averaged weights", t->average[i].name,
            t->average[i].of_statistics ? INFINITY : EXPLODED, path));
fail:
    return status;
}

/* ---- saving ---- */

static enum oclnn_status add_blob(void *user, const char *name, struct onn_blob *blob)
{
    return onn_checkpoint_add_blob(user, name, blob);
}

enum oclnn_status oclnn_trainer_save(oclnn_trainer *t, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_checkpoint c = {0};
    ONN_CHECK(t && path, OCLNN_ERROR_ARGUMENT, "the trainer or the path is NULL");
    ONN_CHECK(!t->is_broken, OCLNN_ERROR_NUMERIC, "%s is left alone: the last loss was not finite", path);
    ONN_TRY(check_all(t, true, path));
    ONN_TRY(onn_checkpoint_add_text(&c, "optimizer", onn_optimizer_op(&t->p.optimizer)));
    ONN_TRY(onn_checkpoint_add_i64(&c, "seed", (int64_t)t->p.seed));
    ONN_TRY(onn_checkpoint_add_i64(&c, "steps", t->steps));
    ONN_TRY(onn_checkpoint_add_i64(&c, "batches", t->batches));
    ONN_TRY(onn_checkpoint_add_i64(&c, "epoch", t->epoch));
    ONN_TRY(onn_checkpoint_add_i64(&c, "batch_in_epoch", t->batch_in_epoch));
    ONN_TRY(onn_checkpoint_add_f64(&c, "loss_sum", t->loss_sum));
    ONN_TRY(onn_checkpoint_add_i64(&c, "seen", t->seen));
    ONN_TRY(onn_checkpoint_add_i64(&c, "right", t->right));
    ONN_TRY(onn_checkpoint_add_i64(&c, "since_best", t->since_best));
    ONN_TRY(onn_checkpoint_add_i64(&c, "monitor", t->monitor));
    ONN_TRY(onn_checkpoint_add_f64(&c, "best", t->best));
    ONN_TRY(onn_checkpoint_add_f64(&c, "plateau", (double)t->plateau));
    ONN_TRY(onn_checkpoint_add_f64(&c, "lr", (double)t->lr));
    ONN_TRY(onn_checkpoint_add_i64(&c, "accumulate", t->p.accumulate));
    ONN_TRY(onn_source_save(t, &c));
    ONN_TRY(onn_trainer_save_choices(t, &c));
    ONN_TRY(onn_trainer_visit(t, add_blob, &c));
    ONN_TRY(onn_checkpoint_write(&c, path));
fail:
    onn_checkpoint_finish(&c);
    return status;
}

/* ---- export ---- */

enum oclnn_status oclnn_trainer_export(oclnn_trainer *t, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK(t && path, OCLNN_ERROR_ARGUMENT, "the trainer or the path is NULL");
    ONN_TRY(check_all(t, false, path));
    onn_averages_swap(t);
    status = oclnn_model_save(t->model, path);
    onn_averages_swap(t);
fail:
    return status;
}
