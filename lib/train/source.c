/* What fit trains on, as far as a resume can tell: in the middle of an epoch the position is a number of batches, which means
 * other samples when the batch, the data set or its order is another one. */
#include "runtime/context.h"
#include "train/augment.h"
#include "train/batch.h"
#include "train/checkpoint_file.h"
#include "train/dataset.h"

#include <stdio.h>
#include <string.h>

static const char *const names[ONN_SOURCE_FIELDS] = {"batch", "samples", "order", "augmentation",
    "data's fingerprint"};
#define DATA (ONN_SOURCE_FIELDS - 1)

static enum oclnn_status describe(const struct onn_feed *feed, const struct oclnn_fit *fit, int batch,
    struct onn_train_source *out)
{
    enum { SIZE = sizeof *out->text };
    snprintf(out->text[0], SIZE, "%d%s", batch, fit->keep_last ? " and the rest" : "");
    snprintf(out->text[1], SIZE, "%lld", (long long)feed->info.count);
    snprintf(out->text[2], SIZE, "%s", fit->keep_order ? "as it is" : "shuffled");
    onn_augment_text(&fit->augment, out->text[3], SIZE);
    return onn_dataset_fingerprint(feed->data, out->text[DATA]);
}

/* The fields that changed, as "batch 25 (now 50), …". */
static bool differences(const struct onn_train_source *was, const struct onn_train_source *now,
    struct onn_str *out)
{
    bool any = false;
    for (int i = 0; i < ONN_SOURCE_FIELDS; i++) {
        if (!*was->text[i] || !*now->text[i] || strcmp(was->text[i], now->text[i]) == 0)
            continue;
        onn_str_add(out, "%s%s %s (now %s)", any ? ", " : "", names[i], was->text[i], now->text[i]);
        any = true;
    }
    return any;
}

enum oclnn_status onn_source_settle(struct oclnn_trainer *t, const struct onn_feed *feed,
    const struct oclnn_fit *fit, int batch)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_train_source now;
    struct onn_str text = {0};
    ONN_TRY(describe(feed, fit, batch, &now));
    const bool differ = differences(&t->source, &now, &text);
    ONN_CHECK(onn_str_ok(&text), OCLNN_ERROR_MEMORY, "out of host memory");
    ONN_CHECK(!differ || t->batch_in_epoch == 0, OCLNN_ERROR_ARGUMENT,
        "epoch %d was interrupted after %lld batches that were made otherwise: %s; it goes on with the same "
        "only, or "
        "begins anew (restart_epoch)",
        t->epoch + 1, (long long)t->batch_in_epoch, onn_str_text(&text));
    if (differ)
        onn_log(onn_context_log(t->ctx), OCLNN_LOG_WARN, "from epoch %d on batches are made otherwise: %s",
            t->epoch + 1, onn_str_text(&text));
    t->source = now;
fail:
    onn_str_finish(&text);
    return status;
}

void onn_source_forget_data(struct oclnn_trainer *t)
{
    *t->source.text[DATA] = '\0';
}

enum oclnn_status onn_source_save(const struct oclnn_trainer *t, struct onn_checkpoint *c)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < ONN_SOURCE_FIELDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "data/%s", names[i]);
        if (*t->source.text[i])
            ONN_TRY(onn_checkpoint_add_text(c, name, t->source.text[i]));
    }
fail:
    return status;
}

void onn_source_load(const struct onn_checkpoint *c, struct onn_train_source *out)
{
    *out = (struct onn_train_source){0};
    for (int i = 0; i < ONN_SOURCE_FIELDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "data/%s", names[i]);
        const struct onn_entry *e = onn_checkpoint_find(c, ONN_ENTRY_TEXT, name);
        if (e)
            snprintf(out->text[i], sizeof out->text[i], "%s", (const char *)e->data);
    }
}

int onn_source_batch(const struct onn_train_source *s)
{
    int batch = 0;
    return sscanf(s->text[0], "%d", &batch) == 1 ? batch : 0;
}
