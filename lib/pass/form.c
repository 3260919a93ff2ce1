/* Training form and inference form of a graph: see trainable.h. */
#include "ops/dropout_train.h"
#include "ops/grads.h"
#include "ops/lstm.h"
#include "ops/norm.h"
#include "pass/rewrite.h"
#include "pass/trainable.h"

#include <string.h>

struct frame {
    struct onn_rewrite r;
    struct onn_form *form;
    int32_t random; /* the generator's state in the new graph */
    int64_t streams; /* dropouts so far */
};

static enum oclnn_status add_update(struct onn_form *f, int32_t state, int32_t value)
{
    struct onn_form_update *grown = onn_realloc(f->update, (size_t)f->n_updates + 1, sizeof *grown);
    if (!grown)
        return OCLNN_ERROR_MEMORY;
    f->update = grown;
    f->update[f->n_updates++] = (struct onn_form_update){state, value};
    return OCLNN_OK;
}

/* Is the normalisation to use the statistics of the batch? */
static bool norm_trains(const struct frame *f, const struct onn_node *n)
{
    const struct onn_batchnorm_attr *a = n->attr;
    const struct onn_form *form = f->form;
    if (!form->training || (form->as_written && !a->training_mode))
        return false;
    return !form->is_frozen || !form->is_frozen(form->user, f->r.in->value[n->in[1]].name);
}

static enum oclnn_status norm(struct frame *f, const struct onn_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_batchnorm_attr a = *(const struct onn_batchnorm_attr *)n->attr;
    int32_t in[5], out[5];
    for (int i = 0; i < 5; i++)
        in[i] = onn_rewrite_value(&f->r, n->in[i]);
    ONN_TRY(f->r.out->status);
    a.training_mode = norm_trains(f, n);
    ONN_TRY(onn_emit_many(f->r.out, n->op, n->name, &a, 5, in, a.training_mode ? 5 : 1, out));
    onn_rewrite_set(&f->r, n->out[0], out[0]);
    for (int i = 1; i < n->n_out && i < 3; i++) /* a file's own use of the new statistics */
        if (n->out[i])
            onn_rewrite_set(&f->r, n->out[i], a.training_mode ? out[i] : in[2 + i]);
    for (int i = 1; i < 3 && a.training_mode; i++)
        if (f->r.out->value[in[2 + i]].role == ONN_ROLE_STATE)
            ONN_TRY(add_update(f->form, in[2 + i], out[i]));
fail:
    return status;
}

static enum oclnn_status dropout(struct frame *f, const struct onn_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *in = f->r.in;
    const struct onn_blob *ratio = n->n_in > 1 && n->in[1] ? in->value[n->in[1]].blob : NULL;
    const struct onn_blob *mode = n->n_in > 2 && n->in[2] ? in->value[n->in[2]].blob : NULL;
    const bool written = mode && mode->data && onn_blob_get_i64(mode, 0);
    struct onn_dropout_train_attr a = {.ratio = 0.5f, .stream = f->streams++};
    const int32_t x = onn_rewrite_value(&f->r, n->in[0]);
    ONN_TRY(f->r.out->status);
    ONN_CHECK(n->n_out < 2 || !n->out[1] || !f->r.uses[n->out[1]], OCLNN_ERROR_UNSUPPORTED,
        "node '%s' (Dropout): its mask is used", n->name);
    if (!f->form->training || (f->form->as_written && !written)) {
        f->r.map[n->out[0]] = x;
        return OCLNN_OK;
    }
    ONN_CHECK(n->n_in < 2 || !n->in[1] || (ratio && ratio->data), OCLNN_ERROR_UNSUPPORTED,
        "node '%s' (Dropout): its ratio is no constant", n->name);
    if (ratio)
        a.ratio = (float)onn_blob_get_f64(ratio, 0);
    if (!f->random)
        f->random = onn_graph_add_blob(f->r.out, "dropout.random", ONN_ROLE_STATE, f->form->random);
    const int32_t y = onn_emit(f->r.out, "dropout_train", n->name, &a, 2, (int32_t[]){x, f->random});
    ONN_TRY(f->r.out->status);
    onn_rewrite_set(&f->r, n->out[0], y);
fail:
    return status;
}

/* LSTM, GRU, RNN: the node also keeps what its gradient reads of every step. */
static enum oclnn_status recurrent(struct frame *f, const struct onn_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_lstm_cell *cell = onn_lstm_cell(n->op);
    const int outs = cell->kept ? cell->kept_out + 1 : 2;
    int32_t in[8], out[4];
    for (int i = 0; i < n->n_in; i++)
        in[i] = onn_rewrite_value(&f->r, n->in[i]);
    ONN_TRY(f->r.out->status);
    ONN_TRY(onn_emit_many(f->r.out, n->op, n->name, n->attr, n->n_in, in, outs, out));
    for (int i = 0; i < n->n_out && i < outs; i++)
        if (n->out[i])
            onn_rewrite_set(&f->r, n->out[i], out[i]);
fail:
    return status;
}

static enum oclnn_status inputs(struct frame *f)
{
    for (int i = 0; i < f->r.in->n_inputs; i++) {
        const int32_t old = f->r.in->input[i];
        const int32_t made =
            f->form->front ? f->form->front(f->form->user, f->r.out, i, &f->r.in->value[old].desc) : 0;
        if (made)
            onn_rewrite_set(&f->r, old, made);
        else
            onn_rewrite_value(&f->r, old);
    }
    return f->r.out->status;
}

enum oclnn_status onn_pass_form(const struct onn_graph *in, struct onn_form *form, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct frame f = {.form = form};
    form->update = NULL;
    form->n_updates = 0;
    ONN_TRY(onn_rewrite_init(&f.r, in));
    ONN_TRY(inputs(&f));
    for (int32_t k = 0; k < in->n_nodes; k++) {
        const struct onn_node *n = &in->node[k];
        if (strcmp(n->op->name, "batchnormalization") == 0)
            ONN_TRY(norm(&f, n));
        else if (strcmp(n->op->name, "dropout") == 0)
            ONN_TRY(dropout(&f, n));
        else if (form->training && n->op->grad == onn_lstm_grad)
            ONN_TRY(recurrent(&f, n));
        else
            ONN_TRY(onn_rewrite_copy_node(&f.r, k));
    }
    ONN_TRY(onn_rewrite_outputs(&f.r));
fail:
    status = onn_rewrite_finish(&f.r, status, out);
    if (status != OCLNN_OK) {
        onn_free(form->update);
        form->update = NULL;
        form->n_updates = 0;
    }
    return status;
}
