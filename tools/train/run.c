/* The run itself: callbacks of fit, files, interrupts. */
#include "common/tool.h"
#include "train/train.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t wants_save;

static void on_hangup(int number)
{
    wants_save = number;
}

/* ---- callbacks ---- */

/* 0.001f is 0.00100000005 as a double: seven digits are what a float holds. */
static double without_float_tail(double value)
{
    char text[32];

    snprintf(text, sizeof(text), "%.7g", value);
    return strtod(text, NULL);
}

static struct history_row row_of(const struct session *s, const struct oclnn_progress *p)
{
    struct history_row row = {.epoch = p->epoch + 1,
        .step = p->step,
        .steps = oclnn_trainer_get_steps(s->trainer),
        .loss = p->loss,
        .top1 = p->top1,
        .val_loss = NAN,
        .val_top1 = NAN,
        .val_top5 = NAN,
        .val_iou = NAN,
        .lr = without_float_tail(p->lr),
        .images_per_s = p->images_per_s,
        .seconds = (tool_now_ms() - s->epoch_ms) / 1e3,
        .improved = p->improved};

    if (p->validation) {
        row.val_loss = p->validation->loss;
        row.val_top1 = p->validation->top1;
        if (s->train.info.per_pixel)
            row.val_iou = p->validation->iou;
        else
            row.val_top5 = p->validation->top5;
    }
    return row;
}

static void keep_last(struct session *s, const struct oclnn_progress *p)
{
    s->last = *p;
    s->last.validation = NULL; /* lives for the call only */
    s->has_last = true;
}

/* SIGHUP: save now, go on. */
static int save_on_request(struct session *s)
{
    enum oclnn_status status;

    if (!wants_save)
        return TOOL_OK;
    wants_save = 0;
    train_clear_line(s);
    if (!s->o->checkpoint) {
        tool_warn("SIGHUP: there is no --checkpoint to save to");
        return TOOL_OK;
    }
    status = oclnn_trainer_save(s->trainer, s->o->checkpoint);
    if (status != OCLNN_OK) {
        tool_warn("SIGHUP: %s", oclnn_error_text(NULL));
        return TOOL_OK; /* there are more occasions */
    }
    if (!s->o->quiet)
        printf("saved %s\n", s->o->checkpoint);
    fflush(stdout);
    return TOOL_OK;
}

static int stop(struct session *s, int code)
{
    s->code = code;
    return code != TOOL_OK || tool_interrupted();
}

static int on_step(void *user, oclnn_trainer *trainer, const struct oclnn_progress *p)
{
    struct session *s = user;
    int code = TOOL_OK;

    (void)trainer;
    if (!s->has_last)
        code = history_settle(&s->history, p->epoch + 1, p->step - 1);
    if (!s->has_last && s->o->verbose && !s->o->quiet)
        train_show_bytes(s);
    keep_last(s, p);
    if (code == TOOL_OK && s->o->log_steps && p->step % s->o->log_steps == 0) {
        struct history_row row = row_of(s, p);

        code = history_add_step(&s->history, &row);
        if (code == TOOL_OK)
            code = train_events_step(s, &row);
    }
    if (code == TOOL_OK)
        code = save_on_request(s);
    train_show_step(s, p);
    return stop(s, code);
}

static int on_epoch(void *user, oclnn_trainer *trainer, const struct oclnn_progress *p)
{
    struct session *s = user;
    struct history_row row = row_of(s, p);
    int code = TOOL_OK;

    (void)trainer;
    if (s->has_last && s->last.epoch == p->epoch)
        row.images_per_s = s->last.images_per_s; /* training alone, without the validation after it */
    if (!s->has_last) /* it was stopped behind the epoch's last step */
        code = history_settle(&s->history, p->epoch + 1, p->step);
    keep_last(s, p);
    train_show_epoch(s, &row, p);
    if (code == TOOL_OK)
        code = history_add_epoch(&s->history, &row);
    if (code == TOOL_OK)
        code = train_events_epoch(s, &row);
    s->epoch_ms = tool_now_ms();
    return stop(s, code);
}

/* ---- the end ---- */

/* A run that has not come to its end is not lost: without --checkpoint it lies beside --out. */
static void keep_progress(struct session *s, const char *what)
{
    const struct train_options *o = s->o;
    char *path = o->checkpoint ? tool_strdup(o->checkpoint) : o->out ? tool_format("%s.ckpt", o->out) : NULL;
    enum oclnn_status status = OCLNN_OK;

    train_clear_line(s);
    if (!path) {
        tool_warn("%s: nothing was saved, there is neither --checkpoint nor --out", what);
        return;
    }
    if (!o->checkpoint) /* with one, fit has saved */
        status = oclnn_trainer_save(s->trainer, path);
    if (status == OCLNN_OK && !tool_is_file(path))
        tool_warn("%s: %s could not be written", what, path);
    else if (status == OCLNN_OK)
        fprintf(stderr, "%s: %s: go on with --resume %s\n", tool_name(), what, path);
    else
        tool_fail(status, "%s: %s", what, path);
    free(path);
}

static void write_line(void *user, const char *line)
{
    fprintf(user, "%s\n", line);
}

/* --choices-out: of every plan that there is by now. */
static int save_choices(const struct session *s)
{
    const char *path = s->o->choices_out;
    FILE *f = path && s->has_last ? fopen(path, "w") : NULL;
    enum oclnn_status status;

    if (!path || !s->has_last) /* no step, no plan */
        return TOOL_OK;
    if (!f)
        return tool_error("cannot write %s: %s", path, strerror(errno));
    status = oclnn_trainer_choices(s->trainer, write_line, f);
    if (fclose(f) && status == OCLNN_OK)
        return tool_error("cannot write %s: %s", path, strerror(errno));
    return status == OCLNN_OK ? TOOL_OK : tool_fail(status, "%s", path);
}

static int save_out(struct session *s)
{
    enum oclnn_status status = s->o->out ? oclnn_trainer_export(s->trainer, s->o->out) : OCLNN_OK;

    if (status == OCLNN_OK)
        return TOOL_OK;
    tool_fail(status, "%s", s->o->out);
    if (status != OCLNN_ERROR_NUMERIC)
        keep_progress(s, "trained");
    return TOOL_FAILED;
}

static int tell_failure(struct session *s, enum oclnn_status status)
{
    train_clear_line(s);
    if (status != OCLNN_ERROR_NUMERIC) {
        tool_fail(status, "%s", s->o->model);
        if (s->has_last && oclnn_trainer_get_epochs(s->trainer) >= s->o->epochs)
            save_out(s); /* only some other file is missing */
        else if (s->has_last)
            keep_progress(s, "stopped");
        return TOOL_FAILED;
    }
    tool_fail(status, "training ends here");
    fprintf(stderr,
        "Nothing was saved over earlier files. Try a smaller --lr, --clip-norm 1, or --schedule with "
        "warmup=1.\n");
    return TOOL_FAILED;
}

static void tell_end(const struct session *s)
{
    static const char *const monitors[] = {"loss", "accuracy", "IoU"};
    const int epochs = oclnn_trainer_get_epochs(s->trainer);

    if (s->o->quiet)
        return;
    if (epochs < s->o->epochs)
        printf("stopped early: no better validation %s for %ld epochs\n", monitors[s->o->monitor],
            s->o->early_stop);
    if (!s->has_last)
        printf("nothing left to train: %s has seen %d epochs\n", s->o->resume, epochs);
}

static enum oclnn_status fit(struct session *s)
{
    const struct train_options *o = s->o;
    struct oclnn_fit fit = {.epochs = (int)o->epochs,
        .batch = (int)s->batch,
        .augment = o->augment,
        .keep_order = o->keep_order,
        .keep_last = o->keep_last,
        .restart_epoch = o->restart_epoch,
        .early_stop = (int)o->early_stop,
        .monitor = o->monitor,
        .checkpoint = o->checkpoint,
        .best = o->best,
        .best_checkpoint = o->best_checkpoint,
        .checkpoint_steps = (int)o->checkpoint_steps,
        .on_step = on_step,
        .on_epoch = on_epoch,
        .user = s};

    return oclnn_trainer_fit(s->trainer, s->train.data, s->val.data, &fit);
}

int train_run(struct session *s)
{
    struct sigaction action = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
    enum oclnn_status status;
    int code =
        s->o->dry_run ? TOOL_OK : history_open(&s->history, s->o->log, s->o->svg, s->o->resume != NULL);

    sigemptyset(&action.sa_mask);
    sigaction(SIGHUP, &action, NULL);
    if (code == TOOL_OK && !s->o->dry_run)
        code = train_events_open(s);
    if (code != TOOL_OK)
        return code;
    train_show_start(s);
    if (s->o->dry_run)
        return TOOL_OK;
    s->start_ms = s->epoch_ms = tool_now_ms();
    status = fit(s);
    train_clear_line(s);
    if (s->code != TOOL_OK) {
        code = s->code;
        keep_progress(s, "stopped");
    } else if (status != OCLNN_OK) {
        code = tell_failure(s, status);
    } else if (tool_interrupted()) {
        code = TOOL_INTERRUPTED;
        keep_progress(s, "interrupted");
    } else {
        tell_end(s);
    }
    if (code == TOOL_OK)
        code = save_out(s);
    if (code == TOOL_OK)
        code = train_show_result(s);
    if (code == TOOL_OK || code == TOOL_INTERRUPTED)
        code = save_choices(s) == TOOL_OK ? code : TOOL_FAILED;
    return code;
}
