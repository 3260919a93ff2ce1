/* A file that takes one image at a time is opened for batches: the first dimension becomes free. */
#include "model/model.h"
#include "ops/op.h"
#include "pass/infer.h"

#include <string.h>

/* A value as it was, to be put back when the network turns out to depend on its batch. */
struct change {
    int32_t value;
    struct onn_desc desc;
    struct onn_blob *blob; /* own reference, NULL: stays */
};

struct opening {
    struct onn_graph *g;
    int64_t batch; /* today */
    struct change *change;
    int n;
};

static void keep(struct opening *o, int32_t v)
{
    struct onn_value *value = &o->g->value[v];
    o->change[o->n++] = (struct change){v, value->desc, onn_blob_ref(value->blob)};
}

static void free_first(struct opening *o, int32_t v)
{
    struct onn_desc *d = &o->g->value[v].desc;
    if (d->rank < 1 || d->dim[0] != o->batch)
        return;
    keep(o, v);
    d->dim[0] = -1;
    *d = onn_desc_make(d->dtype, d->rank, d->dim);
}

/* Reshape to {batch, …}: 0 there means "as in the input". */
static enum oclnn_status open_reshape(struct opening *o, const struct onn_node *n)
{
    struct onn_blob *fresh = NULL;
    const int32_t shape = n->n_in > 1 ? n->in[1] : 0;
    struct onn_value *v = &o->g->value[shape];
    if (!shape || !v->blob || o->g->value[n->in[0]].blob || onn_desc_elements(&v->blob->desc) < 1 ||
        onn_blob_get_i64(v->blob, 0) != o->batch)
        return OCLNN_OK;
    const enum oclnn_status status = onn_blob_create(&v->blob->desc, v->blob->data, &fresh);
    if (status != OCLNN_OK)
        return status;
    onn_blob_set_i64(fresh, 0, 0);
    keep(o, shape);
    onn_blob_unref(&v->blob);
    v->blob = fresh;
    return OCLNN_OK;
}

static void put_back(struct opening *o)
{
    while (o->n > 0) {
        struct change *c = &o->change[--o->n];
        struct onn_value *v = &o->g->value[c->value];
        v->desc = c->desc;
        onn_blob_unref(&v->blob);
        v->blob = c->blob;
        c->blob = NULL;
    }
}

/* Do all shapes fit for another batch, and does the first output follow? */
static enum oclnn_status try_batch(const struct opening *o)
{
    enum oclnn_status status = OCLNN_OK;
    const int64_t batch = o->batch + 2;
    struct onn_graph *g = NULL;
    struct onn_binding *b = onn_calloc((size_t)o->g->n_inputs + 1, sizeof *b);
    ONN_TRY(b ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < o->g->n_inputs; i++) {
        const struct onn_desc *d = &o->g->value[o->g->input[i]].desc;
        int64_t dim[ONN_MAX_RANK] = {0};
        for (int k = 0; k < d->rank; k++)
            dim[k] = d->dim[k] >= 0 ? d->dim[k] : k == 0 ? batch : 64;
        b[i].desc = onn_desc_make(d->dtype, d->rank > 0 ? d->rank : 0, dim);
    }
    ONN_TRY(onn_pass_infer(o->g, b, false, &g));
    const struct onn_desc *y = &g->value[g->output[0]].desc;
    ONN_CHECK(y->rank > 0 && y->dim[0] == batch, OCLNN_ERROR_SHAPE,
        "output '%s' does not grow with the batch", o->g->value[o->g->output[0]].name);
fail:
    onn_free(b);
    onn_graph_destroy(&g);
    return status;
}

enum oclnn_status oclnn_model_free_batch(oclnn_model *model)
{
    enum oclnn_status status = OCLNN_OK;
    struct opening o = {0};
    ONN_CHECK(model, OCLNN_ERROR_ARGUMENT, "the model is NULL");
    o.g = model->graph;
    ONN_CHECK(o.g->n_inputs > 0 && o.g->n_outputs > 0, OCLNN_ERROR_ARGUMENT,
        "the model has no input or no output");
    const struct onn_desc *first = &o.g->value[o.g->input[0]].desc;
    ONN_CHECK(first->rank > 0, OCLNN_ERROR_SHAPE, "input '%s' has no dimension",
        o.g->value[o.g->input[0]].name);
    if (first->dim[0] < 0)
        return OCLNN_OK;
    o.batch = first->dim[0];
    o.change = onn_calloc((size_t)o.g->n_values + (size_t)o.g->n_nodes + 1, sizeof *o.change);
    ONN_TRY(o.change ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int32_t v = 1; v < o.g->n_values; v++)
        if (!o.g->value[v].blob && o.g->value[v].role != ONN_ROLE_PARAM)
            free_first(&o, v);
    for (int32_t k = 0; k < o.g->n_nodes; k++)
        if (strcmp(o.g->node[k].op->name, "reshape") == 0)
            ONN_TRY(open_reshape(&o, &o.g->node[k]));
    ONN_TRY(try_batch(&o));
    onn_model_forget_plans(model);
    for (int i = 0; i < o.n; i++)
        onn_blob_unref(&o.change[i].blob);
    o.n = 0;
fail:
    if (o.change)
        put_back(&o);
    onn_free(o.change);
    return status;
}
