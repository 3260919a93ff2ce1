/* What people see of a run: a line that changes on a terminal, one line per epoch, the result. */
#include "common/tool.h"
#include "train/train.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

#define SHOW_EVERY_MS 100
#define BAR 20

/* "0:07", "12:34", "1:02:03". */
static const char *time_text(double seconds, char text[static 32])
{
    long s = isfinite(seconds) && seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;

    if (s >= 3600)
        snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 32, "%ld:%02ld", s / 60, s % 60);
    return text;
}

/* "0.1234", "3.6e+24". */
static const char *loss_text(double loss, char text[static 32])
{
    snprintf(text, 32, fabs(loss) < 1e4 ? "%.4f" : "%.4g", loss);
    return text;
}

void train_clear_line(struct session *s)
{
    if (s->line_open)
        fputs("\r\033[K", stderr);
    s->line_open = false;
}

void train_show_step(struct session *s, const struct oclnn_progress *p)
{
    double now = tool_now_ms(), left = p->seconds_left;
    char bar[BAR + 1], text[32], loss[32];
    int full = p->steps > 0 ? (int)(p->step * BAR / p->steps) : 0;

    if (s->o->quiet || !isatty(STDERR_FILENO) || (s->shown_ms > 0 && now - s->shown_ms < SHOW_EVERY_MS))
        return;
    s->shown_ms = now;
    if (p->images_per_s > 0)
        left += (double)(p->epochs - p->epoch - 1) * (double)p->steps * (double)s->batch / p->images_per_s;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < full ? '=' : i == full ? '>' : ' ';
    bar[BAR] = 0;
    fprintf(stderr, "\r\033[Kepoch %d/%d [%s] %lld/%lld  loss %s  acc %.2f %%  %.0f images/s  %s left",
        p->epoch + 1, p->epochs, bar, (long long)p->step, (long long)p->steps, loss_text(p->loss, loss),
        100 * p->top1, p->images_per_s, time_text(left, text));
    fflush(stderr);
    s->line_open = true;
}

void train_show_epoch(struct session *s, const struct history_row *row, const struct oclnn_progress *p)
{
    int digits = snprintf(NULL, 0, "%d", p->epochs);
    char loss[32];

    train_clear_line(s);
    if (s->o->quiet)
        return;
    printf("epoch %*d/%d  loss %s", digits, p->epoch + 1, p->epochs, loss_text(p->loss, loss));
    printf("  acc %6.2f %%", 100 * p->top1);
    if (p->validation) {
        printf("  val loss %s  val acc %6.2f %%", loss_text(p->validation->loss, loss),
            100 * p->validation->top1);
        if (s->train.info.per_pixel)
            printf("  val IoU %6.2f %%", 100 * p->validation->iou);
    }
    printf("  lr %.3g  %.0f images/s  %.1f s%s\n", row->lr, row->images_per_s, row->seconds,
        p->validation && p->improved ? "  best" : "");
    fflush(stdout);
}

void train_show_start(const struct session *s)
{
    struct oclnn_device_info device = {0};
    const struct train_set *t = &s->train;
    char text[200];
    struct oclnn_trainer_bytes bytes = {0};

    if (s->o->quiet)
        return;
    oclnn_context_device(s->ctx, &device);
    oclnn_trainer_get_bytes(s->trainer, &bytes);
    printf("%s: %zu parameters", s->o->model, bytes.parameters / sizeof(float));
    if (bytes.gradients < bytes.parameters)
        printf(", %zu of them trained", bytes.gradients / sizeof(float));
    if (oclnn_model_fixed_count(s->model))
        printf(", %d constants stay fixed", oclnn_model_fixed_count(s->model));
    printf(", on %s\n", device.name);
    printf("%s: %lld images of %s, %d classes%s", s->o->data, (long long)t->info.count,
        tool_shape_text(&t->info.shape, text), t->info.classes, t->info.per_pixel ? " of pixels" : "");
    if (s->val.data)
        printf("; %lld for validation", (long long)s->val.info.count);
    printf("; %ld a step", s->batch);
    if (s->o->trainer.ema > 0)
        printf("; averaged weights (--ema %g)", s->o->trainer.ema);
    putchar('\n');
    fflush(stdout);
}

void train_show_bytes(const struct session *s)
{
    struct oclnn_trainer_bytes b;
    struct oclnn_dataset_info data;
    char text[32];
    const struct {
        const char *name;
        size_t offset;
    } rows[] = {
        {"parameters", offsetof(struct oclnn_trainer_bytes, parameters)},
        {"gradients", offsetof(struct oclnn_trainer_bytes, gradients)},
        {"moments", offsetof(struct oclnn_trainer_bytes, moments)},
        {"activations", offsetof(struct oclnn_trainer_bytes, activations)},
        {"workspace", offsetof(struct oclnn_trainer_bytes, workspace)},
        {"arena", offsetof(struct oclnn_trainer_bytes, arena)},
        {"arena, lower bound", offsetof(struct oclnn_trainer_bytes, arena_lower_bound)},
        {"computed again", offsetof(struct oclnn_trainer_bytes, recomputed)},
    };

    if (oclnn_trainer_get_bytes(s->trainer, &b) != OCLNN_OK)
        return;
    puts("bytes");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t bytes;

        memcpy(&bytes, (const char *)&b + rows[i].offset, sizeof(bytes));
        printf("  %-18s %14zu  %s\n", rows[i].name, bytes, tool_bytes_text((double)bytes, text));
    }
    if (oclnn_dataset_get_info(s->train.whole ? s->train.whole : s->train.data, &data) == OCLNN_OK)
        printf("  %-18s %14zu  %s (host, limit %zu)\n", "data", data.memory_bytes,
            tool_bytes_text((double)data.memory_bytes, text), data.memory_limit);
    fflush(stdout);
}

static void print_score(const struct session *s, const struct oclnn_score *score)
{
    const char *name = s->test_is_val ? "val" : "test";

    printf(" %s_count=%lld %s_loss=%.6g", name, (long long)score->count, name, score->loss);
    printf(" %s_top1=%.6f", name, score->top1);
    if (s->train.info.per_pixel)
        printf(" %s_iou=%.6f", name, score->iou);
    else
        printf(" %s_top5=%.6f", name, score->top5);
}

int train_show_result(const struct session *s)
{
    struct oclnn_score score;

    if (s->test.data) {
        enum oclnn_status status = oclnn_trainer_evaluate(s->trainer, s->test.data, (int)s->batch, &score);

        if (status != OCLNN_OK)
            return tool_fail(status, "test");
    }
    printf("result: epochs=%d updates=%lld", oclnn_trainer_get_epochs(s->trainer),
        (long long)oclnn_trainer_get_steps(s->trainer));
    if (s->has_last)
        printf(" loss=%.6g top1=%.6f", s->last.loss, s->last.top1);
    if (s->test.data)
        print_score(s, &score);
    printf(" seconds=%.1f\n", (tool_now_ms() - s->start_ms) / 1e3);
    return tool_finish(TOOL_OK);
}
