/* Batches of a data set into the inputs of a step. */
#include "train/batch.h"

#include <string.h>

enum oclnn_status onn_feed_init(struct onn_feed *f, struct oclnn_trainer *t, const oclnn_dataset *data)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = t->model->graph;
    char have[160], want[160];
    *f = (struct onn_feed){.data = data};
    ONN_TRY(oclnn_dataset_get_info(data, &f->info));
    ONN_CHECK(g->n_inputs == 1, OCLNN_ERROR_ARGUMENT, "a data set feeds one input, the model has %d",
        g->n_inputs);
    const struct onn_value *v = &g->value[g->input[0]];
    const struct oclnn_shape *s = &f->info.shape;
    int64_t dim[ONN_MAX_RANK] = {-1};
    for (int i = 0; i < s->rank && i + 1 < ONN_MAX_RANK; i++)
        dim[i + 1] = s->dim[i];
    f->sample = onn_desc_make(OCLNN_F32, s->rank + 1, dim);
    bool fits = v->desc.dtype == OCLNN_F32 && (v->desc.rank < 0 || v->desc.rank == s->rank + 1);
    for (int i = 1; fits && i < v->desc.rank; i++)
        fits = v->desc.dim[i] < 0 || v->desc.dim[i] == f->sample.dim[i];
    ONN_CHECK(fits, OCLNN_ERROR_ARGUMENT, "the model's input '%s' is %s of %s, samples are %s", v->name,
        onn_desc_text(&v->desc, want), oclnn_dtype_name(v->desc.dtype), onn_desc_text(&f->sample, have));
    f->fixed_batch = v->desc.rank > 0 && v->desc.dim[0] > 0 ? v->desc.dim[0] : 0;
    if (f->info.dtype == OCLNN_U8) {
        f->norm = onn_calloc((size_t)(2 * s->dim[0]), sizeof *f->norm);
        ONN_TRY(f->norm ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        onn_dataset_norm(data, f->norm);
    }
fail:
    return status;
}

void onn_feed_finish(struct onn_feed *f)
{
    onn_free(f->norm);
    onn_free(f->answers);
    *f = (struct onn_feed){0};
}

enum oclnn_status onn_feed_plan(const struct onn_feed *f, struct oclnn_trainer *t, int64_t n, bool training,
    bool mixup, struct onn_step_plan **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_binding input = {.desc = f->sample};
    struct onn_step_spec spec = {.training = training,
        .gradients = training && t->keep_gradients,
        .labelled = !onn_loss_takes_labels(t->p.loss),
        .kind = training ? onn_batch_kind_next(t) : ONN_BATCH_UPDATE,
        .input = &input};
    input.desc.dim[0] = n;
    input.desc = onn_desc_make(OCLNN_F32, input.desc.rank, input.desc.dim);
    ONN_CHECK(!f->fixed_batch || n == f->fixed_batch, OCLNN_ERROR_SHAPE,
        "the model takes batches of %lld samples only, this one has %lld", (long long)f->fixed_batch,
        (long long)n);
    if (f->info.dtype == OCLNN_U8) {
        spec.front = f->info.per_pixel ? ONN_FRONT_MASKS : mixup ? ONN_FRONT_MIXUP : ONN_FRONT_PIXELS;
        spec.pixel_height = (int)f->info.shape.dim[1];
        spec.pixel_width = (int)f->info.shape.dim[2];
    }
    ONN_TRY(onn_step_plan_get(t, &spec, out));
    const struct onn_desc *y = &(*out)->prediction_desc;
    const int64_t classes = onn_is_binary(t, y) ? 2 : y->rank > 1 ? y->dim[1] : 0;
    ONN_CHECK(f->info.classes <= classes, OCLNN_ERROR_ARGUMENT,
        "the data set has %d classes, the prediction only %lld", f->info.classes, (long long)classes);
    ONN_CHECK(f->info.per_pixel || onn_desc_elements(&(*out)->target_desc) == n, OCLNN_ERROR_ARGUMENT,
        "the prediction has %d dimensions: a data set with one class per image fits predictions of 2",
        y->rank);
fail:
    return status;
}

static enum oclnn_status write(struct onn_step_plan *p, int input, const void *data)
{
    if (input < 0 || !data)
        return OCLNN_OK;
    return onn_plan_write(p->plan, input, data, ONN_WRITE_QUEUED);
}

enum oclnn_status onn_feed_write(const struct onn_feed *f, struct onn_step_plan *p, const struct onn_batch *b)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_TRY(write(p, p->input[0], b->x));
    ONN_TRY(write(p, p->table, b->table));
    ONN_TRY(write(p, p->norm, f->norm));
    ONN_TRY(write(p, p->target, b->mask ? (const void *)b->mask : b->label));
    ONN_TRY(write(p, p->target2, b->label2));
    ONN_TRY(write(p, p->lambda, b->lambda));
fail:
    return status;
}

/* Classes before the right one: of greater scores, or of equal ones and a smaller number. -1: a score is no number. */
static int64_t classes_before(const float *y, int64_t classes, int64_t label)
{
    int64_t before = 0;
    for (int64_t k = 0; k < classes; k++)
        before += y[k] > y[label] || (k < label && y[k] == y[label]);
    return y[label] == y[label] ? before : -1;
}

static void count_images(const struct oclnn_trainer *t, const struct onn_desc *d, const float *y,
    const int64_t *label, struct onn_tally *tally)
{
    const int64_t n = d->dim[0], outputs = d->dim[1];
    const bool one = onn_is_binary(t, d);
    const float threshold = onn_loss_threshold(t->p.loss);
    for (int64_t i = 0; i < n; i++) {
        const float *own = y + i * outputs;
        if (t->p.use_ignore && label[i] == t->p.ignore_index)
            continue;
        const int64_t before = !one ? classes_before(own, outputs, label[i])
            : *own != *own          ? -1
                                    : (*own > threshold) != (label[i] == 1);
        tally->labels++;
        tally->right[0] += before == 0;
        tally->right[1] += before >= 0 && before < 5;
    }
}

static void count_pixels(int classes, int64_t n, const int32_t *best, const uint8_t *mask,
    struct onn_tally *tally)
{
    for (int64_t i = 0; i < n; i++) {
        if (mask[i] == OCLNN_MASK_IGNORE)
            continue;
        const bool right = best[i] == mask[i];
        tally->labels++;
        tally->right[0] += right;
        if (!tally->pixels)
            continue;
        tally->pixels[3 * mask[i]] += right;
        tally->pixels[3 * mask[i] + 1]++;
        if (best[i] >= 0 && best[i] < classes)
            tally->pixels[3 * best[i] + 2]++;
    }
}

enum oclnn_status onn_feed_count(struct onn_feed *f, struct oclnn_trainer *t, const struct onn_step_plan *p,
    const struct onn_batch *b, struct onn_tally *tally)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *d = onn_plan_output_desc(p->plan, p->prediction);
    const size_t bytes = onn_desc_bytes(d);
    size_t offset = 0;
    if (bytes > f->answer_bytes) {
        void *larger = onn_realloc(f->answers, bytes, 1);
        ONN_TRY(larger ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        f->answers = larger;
        f->answer_bytes = bytes;
    }
    struct onn_buffer *at = onn_plan_output(p->plan, p->prediction, &offset);
    ONN_TRY(onn_buffer_read(t->ctx, at, offset, bytes, f->answers, true));
    if (b->mask)
        count_pixels(f->info.classes, onn_desc_elements(d), f->answers, b->mask, tally);
    else
        count_images(t, &p->prediction_desc, f->answers, b->label, tally);
fail:
    return status;
}
