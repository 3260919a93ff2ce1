/* Quality of the current weights over a data set. */
#include "train/batch.h"

enum oclnn_status oclnn_trainer_evaluate(oclnn_trainer *t, const oclnn_dataset *data, int batch,
    struct oclnn_score *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_feed feed = {0};
    struct onn_loader *loader = NULL;
    struct onn_batch b;
    float *scratch = NULL;
    double loss = 0;
    int64_t right[2] = {0}, n = 0;
    bool end = false;
    ONN_CHECK(t && data && out, OCLNN_ERROR_ARGUMENT, "the trainer, the data set or out is NULL");
    ONN_CHECK(batch >= 0, OCLNN_ERROR_ARGUMENT, "batch = %d", batch);
    ONN_TRY(onn_feed_init(&feed, t, data));
    const struct onn_loader_params params = {.batch = feed.fixed_batch ? feed.fixed_batch
            : batch                                                    ? batch
                                                                       : 64,
        .drop_last = feed.fixed_batch > 0};
    ONN_TRY(onn_loader_create(data, &params, &loader));
    for (;;) {
        struct onn_step_plan *p = NULL;
        float part = 0;
        size_t offset = 0;
        ONN_TRY(onn_loader_next(loader, &b, &end));
        if (end)
            break;
        ONN_TRY(onn_feed_plan(&feed, t, b.n, false, false, &p));
        ONN_TRY(onn_feed_write(&feed, t, p, &b));
        ONN_TRY(onn_plan_run(p->plan));
        struct onn_buffer *at = onn_plan_output(p->plan, 0, &offset);
        ONN_TRY(onn_buffer_read(t->ctx, at, offset, sizeof part, &part, true));
        ONN_TRY(onn_feed_count(t, p, b.label, &scratch, right));
        loss += (double)part * (double)b.n;
        n += b.n;
    }
    ONN_CHECK(n > 0, OCLNN_ERROR_ARGUMENT, "the data set is too small for one batch");
    *out = (struct oclnn_score){.count = n,
        .loss = loss / (double)n,
        .top1 = (double)right[0] / (double)n,
        .top5 = (double)right[1] / (double)n};
fail:
    if (t)
        onn_queue_finish(t->ctx);
    onn_loader_destroy(&loader);
    onn_feed_finish(&feed);
    onn_free(scratch);
    return status;
}
