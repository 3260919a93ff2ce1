/* How much each class counts in the loss: --class-weights. */
#include "common/tool.h"
#include "train/train.h"
#include <stdlib.h>

/* n / (k n_c): every class of n_c labels counts as much in all as each of the k others that there are; 1 for a class without
 * labels. */
static void balance(const int64_t *counts, int classes, float *out)
{
    double sum = 0;
    int there = 0;

    for (int k = 0; k < classes; k++) {
        sum += (double)counts[k];
        there += counts[k] > 0;
    }
    for (int k = 0; k < classes; k++)
        out[k] = counts[k] > 0 ? (float)(sum / (there * (double)counts[k])) : 1;
}

static int count_and_balance(struct session *s, int classes)
{
    int64_t *counts =
        tool_alloc((size_t)classes, sizeof(*counts)); /* zeros: a network may have more classes */
    enum oclnn_status status = oclnn_dataset_get_counts(s->train.data, counts, s->train.info.classes);

    if (status == OCLNN_OK)
        balance(counts, classes, s->weights);
    free(counts);
    return status == OCLNN_OK ? TOOL_OK : tool_fail(status, "--class-weights balanced");
}

static void show(const struct session *s, int classes)
{
    printf("class weights");
    for (int k = 0; k < classes; k++) {
        const char *name = oclnn_dataset_class_name(s->train.data, k);

        printf("%s %s %.4g", k ? "," : "", name ? name : "?", (double)s->weights[k]);
    }
    printf("\n");
}

int train_settle_weights(struct session *s, struct oclnn_trainer_params *params)
{
    const struct train_options *o = s->o;
    int classes = (int)train_network_classes(s), code = TOOL_OK;

    if (!o->n_weights && !o->balanced)
        return TOOL_OK;
    if (o->n_weights && o->n_weights != classes)
        return tool_error("--class-weights has %d numbers, the network tells %d classes", o->n_weights,
            classes);
    s->weights = tool_alloc((size_t)classes, sizeof(*s->weights));
    for (int k = 0; k < o->n_weights; k++)
        s->weights[k] = o->weights[k];
    if (o->balanced)
        code = count_and_balance(s, classes);
    if (code == TOOL_OK && o->verbose && !o->quiet)
        show(s, classes);
    params->class_weights = s->weights;
    params->class_count = classes;
    return code;
}
