/* Scalars and histograms of weights for TensorBoard; the horizontal axis counts updates. */
#include "common/tool.h"
#include "train/train.h"
#include <math.h>
#include <stdlib.h>

int train_events_open(struct session *s)
{
    return s->o->tensorboard ? tb_events_open(&s->events, s->o->tensorboard) : TOOL_OK;
}

static int add_all(struct session *s, int64_t step, const char *const *tags, const double *values, int n)
{
    int code = TOOL_OK;

    for (int i = 0; i < n && code == TOOL_OK; i++)
        if (isfinite(values[i]))
            code = tb_events_scalar(&s->events, tags[i], step, values[i]);
    return code;
}

int train_events_step(struct session *s, const struct history_row *row)
{
    static const char *const tags[] = {"steps/loss", "steps/accuracy", "steps/learning_rate"};
    const double values[] = {row->loss, row->top1, row->lr};

    return s->events.file ? add_all(s, row->steps, tags, values, 3) : TOOL_OK;
}

static int add_weights(struct session *s, int64_t step)
{
    struct oclnn_model_io io;
    int code = TOOL_OK;

    for (int i = 0; code == TOOL_OK && oclnn_model_parameter(s->model, i, &io) == OCLNN_OK; i++) {
        size_t n = 1;
        float *value;
        char *tag;
        enum oclnn_status status;

        for (int k = 0; k < io.shape.rank; k++)
            n *= (size_t)io.shape.dim[k];
        if (io.dtype != OCLNN_F32 || n == 0)
            continue;
        value = tool_alloc(n, sizeof(*value));
        tag = tool_format("weights/%s", io.name);
        status = oclnn_model_read_parameter(s->model, io.name, value, n * sizeof(*value));
        code = status == OCLNN_OK ? tb_events_histogram(&s->events, tag, step, value, n)
                                  : tool_fail(status, "%s", io.name);
        free(tag);
        free(value);
    }
    return code;
}

int train_events_epoch(struct session *s, const struct history_row *row)
{
    static const char *const tags[] = {"loss/training", "loss/validation", "accuracy/training",
        "accuracy/validation", "iou/validation", "learning_rate", "images_per_s"};
    const double values[] = {row->loss, row->val_loss, row->top1, row->val_top1, row->val_iou, row->lr,
        row->images_per_s};
    int code;

    if (!s->events.file)
        return TOOL_OK;
    code = add_all(s, row->steps, tags, values, 7);
    return code == TOOL_OK ? add_weights(s, row->steps) : code;
}
