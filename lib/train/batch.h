/* A data set as the source of steps: does it fit the model, and into which inputs its batches go. */
#ifndef ONN_TRAIN_BATCH_H
#define ONN_TRAIN_BATCH_H

#include "train/loader.h"
#include "train/trainer.h"

struct onn_feed {
    const oclnn_dataset *data;
    struct oclnn_dataset_info info;
    struct onn_desc sample; /* the model's input with a free batch */
    int64_t fixed_batch; /* the only batch size that the model takes, 0 = any */
    float *norm;
    void *answers; /* of the batch that was counted last */
    size_t answer_bytes;
};
enum oclnn_status onn_feed_init(struct onn_feed *f, struct oclnn_trainer *t, const oclnn_dataset *data);
void onn_feed_finish(struct onn_feed *f);
/* The plan for n samples. */
enum oclnn_status onn_feed_plan(const struct onn_feed *f, struct oclnn_trainer *t, int64_t n, bool training,
    bool mixup, struct onn_step_plan **out);
/* Enqueues the uploads; the batch must stay until the queue has passed them. */
enum oclnn_status onn_feed_write(const struct onn_feed *f, struct onn_step_plan *p,
    const struct onn_batch *b);
/* Answers so far. */
struct onn_tally {
    int64_t labels, right[2]; /* right at once; among the best five (images only) */
    /* masks, if there: pixels of class k that were found, that there are, that were taken for it; 3 * classes */
    int64_t *pixels;
};
/* Reads the predictions of a batch and adds its answers. */
enum oclnn_status onn_feed_count(struct onn_feed *f, struct oclnn_trainer *t, const struct onn_step_plan *p,
    const struct onn_batch *b, struct onn_tally *tally);

#endif
