/* Quality of the current weights over a data set. */
#include "train/batch.h"

#include <math.h>

/* Mean over the classes that are in a mask or were found in an image. */
static double mean_iou(const struct onn_tally *t, int classes)
{
    double sum = 0;
    int n = 0;
    for (int k = 0; k < classes; k++) {
        const int64_t *c = t->pixels + 3 * (size_t)k, either = c[1] + c[2] - c[0];
        if (either == 0)
            continue;
        sum += (double)c[0] / (double)either;
        n++;
    }
    return n ? sum / n : 0;
}

enum oclnn_status oclnn_trainer_evaluate(oclnn_trainer *t, const oclnn_dataset *data, int batch,
    struct oclnn_score *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_feed feed = {0};
    struct onn_loader *loader = NULL;
    struct onn_batch b;
    struct onn_tally tally = {0};
    double loss = 0;
    int64_t at = 0;
    bool end = false;
    ONN_CHECK(t && data && out, OCLNN_ERROR_ARGUMENT, "the trainer, the data set or out is NULL");
    ONN_CHECK(batch >= 0, OCLNN_ERROR_ARGUMENT, "batch = %d", batch);
    ONN_TRY(onn_feed_init(&feed, t, data));
    if (feed.info.per_pixel) {
        tally.pixels = onn_calloc((size_t)feed.info.classes, 3 * sizeof *tally.pixels);
        ONN_TRY(tally.pixels ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    }
    const struct onn_loader_params params = {.batch = feed.fixed_batch ? feed.fixed_batch
            : batch                                                    ? batch
                                                                       : 64,
        .drop_last = feed.fixed_batch > 0,
        .use_ignore = t->p.use_ignore,
        .ignore_index = t->p.ignore_index};
    ONN_TRY(onn_loader_create(data, &params, &loader));
    for (;;) {
        struct onn_step_plan *p = NULL;
        float part = 0;
        size_t offset = 0;
        const int64_t before = tally.labels;
        ONN_TRY(onn_loader_next(loader, &b, &end));
        if (end)
            break;
        ONN_TRY(onn_feed_plan(&feed, t, b.n, false, false, &p));
        ONN_TRY(onn_feed_write(&feed, p, &b));
        ONN_TRY(onn_plan_run(p->plan, NULL));
        struct onn_buffer *out0 = onn_plan_output(p->plan, 0, &offset);
        ONN_TRY(onn_buffer_read(t->ctx, out0, offset, sizeof part, &part, true));
        ONN_TRY(onn_feed_count(&feed, t, p, &b, &tally));
        at += b.n;
        if (tally.labels == before) /* nothing that counts */
            continue;
        ONN_CHECK(isfinite(part), OCLNN_ERROR_NUMERIC, "evaluation: the loss of samples %lld to %lld is %s",
            (long long)(at - b.n), (long long)(at - 1), isnan(part) ? "not a number" : "infinite");
        loss += (double)part * (double)(tally.labels - before);
    }
    const double n = (double)tally.labels;
    ONN_CHECK(n > 0, OCLNN_ERROR_ARGUMENT, "the data set %s",
        feed.info.per_pixel             ? "has no pixel that counts"
            : at > 0 && t->p.use_ignore ? "has no image that counts"
                                        : "is too small for one batch");
    *out = (struct oclnn_score){.count = tally.labels,
        .loss = loss / n,
        .top1 = (double)tally.right[0] / n,
        .top5 = (double)tally.right[1] / n,
        .iou = tally.pixels ? mean_iou(&tally, feed.info.classes) : 0};
fail:
    if (t)
        onn_queue_finish(t->ctx);
    onn_loader_destroy(&loader);
    onn_feed_finish(&feed);
    onn_free(tally.pixels);
    return status;
}
