/* The graph of one step: the model in training (or inference) form, its loss, the backward part, the update. */
#include "ops/arg.h"
#include "ops/cross_entropy.h"
#include "ops/elementwise.h"
#include "ops/softmax.h"
#include "pass/grad.h"
#include "pass/loss.h"
#include "pass/rewrite.h"
#include "ops/augment.h"
#include "train/trainer.h"

#include <string.h>

struct build {
    struct oclnn_trainer *t;
    const struct onn_step_spec *spec;
    struct onn_step_plan *out;
    struct onn_form form;
};

static bool is_frozen(void *user, const char *name)
{
    const struct build *b = user;
    for (int i = 0; i < b->t->n_params; i++)
        if (strcmp(b->t->param[i].name, name) == 0)
            return b->t->param[i].frozen;
    return false;
}

/* Stored pixels, random changes and normalisation in place of input 0. */
static int32_t front(void *user, struct onn_graph *g, int i, const struct onn_desc *desc)
{
    struct build *b = user;
    const struct onn_step_spec *s = b->spec;
    int32_t in[3];
    b->out->input[i] = g->n_inputs;
    if (i != 0 || s->front == ONN_FRONT_NONE)
        return 0;
    const int64_t n = desc->dim[0], c = desc->dim[1];
    const struct onn_desc pixels =
        onn_desc_make(OCLNN_U8, 4, (int64_t[]){n, c, s->pixel_height, s->pixel_width});
    const struct onn_desc table = onn_desc_make(OCLNN_F32, 2, (int64_t[]){n, ONN_AUGMENT_ROW});
    const struct onn_desc norm = onn_desc_make(OCLNN_F32, 2, (int64_t[]){c, 2});
    in[0] = onn_graph_add_input(g, "oclnn.pixels", &pixels);
    b->out->table = g->n_inputs;
    in[1] = onn_graph_add_input(g, "oclnn.table", &table);
    b->out->norm = g->n_inputs;
    in[2] = onn_graph_add_input(g, "oclnn.norm", &norm);
    const struct onn_augment_attr attr = {.height = (int)desc->dim[2], .width = (int)desc->dim[3]};
    return g->status == OCLNN_OK ? onn_emit(g, "augment", "augment", &attr, 3, in) : 0;
}

static int32_t cast(struct onn_graph *g, int32_t v, enum oclnn_dtype to)
{
    const struct onn_ew_attr attr = {.to = onn_dtype_to_onnx(to)};
    return onn_emit_all(g, "cast", "cast", &attr, 1, &v);
}

/* What the host reads: scores, or for masks the best class of each pixel, which is less. */
static int32_t answer(const struct build *b, struct onn_graph *g, int32_t prediction)
{
    const struct onn_arg_attr attr = {.axis = 1};
    const enum oclnn_loss loss = b->t->p.loss;
    if (b->spec->front != ONN_FRONT_MASKS)
        return prediction;
    if (onn_is_binary(b->t, &g->value[prediction].desc)) {
        const int32_t threshold = onn_graph_add_f32(g, onn_loss_threshold(loss));
        const int32_t above = onn_emit(g, "greater", "best", NULL, 2, (int32_t[]){prediction, threshold});
        return cast(g, above, OCLNN_I32);
    }
    return cast(g, onn_emit(g, "argmax", "best", &attr, 1, &prediction), OCLNN_I32);
}

static enum oclnn_status add_target(struct build *b, struct onn_graph *g, int32_t prediction,
    int32_t target[3])
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_desc d = g->value[prediction].desc;
    const enum oclnn_loss kind = b->t->p.loss;
    const struct onn_step_spec *s = b->spec;
    char text[160];
    if (s->front == ONN_FRONT_MASKS) /* told here, before anything is compiled */
        ONN_CHECK(d.rank == 4 && d.dim[2] == s->pixel_height && d.dim[3] == s->pixel_width,
            OCLNN_ERROR_ARGUMENT,
            "the prediction is %s: a data set with one class per pixel wants N x classes x %d x %d",
            onn_desc_text(&d, text), s->pixel_height, s->pixel_width);
    d = onn_desc_make(OCLNN_F32, d.rank, d.dim);
    ONN_CHECK(s->labelled || onn_loss_takes_labels(kind) || !b->t->class_weights, OCLNN_ERROR_ARGUMENT,
        "class_weights are for targets that are classes, this loss has others here");
    if (s->labelled || onn_loss_takes_labels(kind)) {
        ONN_CHECK(d.rank >= 2, OCLNN_ERROR_SHAPE,
            "the prediction '%s' is %s: classes along axis 1 are needed", g->value[prediction].name,
            onn_desc_text(&d, text));
        int64_t dim[ONN_MAX_RANK] = {d.dim[0]};
        for (int i = 2; i < d.rank; i++)
            dim[i - 1] = d.dim[i];
        d = onn_desc_make(s->front == ONN_FRONT_MASKS ? OCLNN_U8 : OCLNN_I64, d.rank - 1, dim);
        if (s->labelled)
            ONN_TRY(onn_target_check(b->t, g, prediction));
    }
    b->out->target = g->n_inputs;
    b->out->target_desc = d;
    target[0] = onn_graph_add_input(g, "oclnn.target", &d);
    if (s->front == ONN_FRONT_MASKS)
        target[0] = cast(g, target[0], OCLNN_I32);
    if (s->front == ONN_FRONT_MIXUP) {
        const struct onn_desc one = onn_desc_make(OCLNN_F32, 1, (int64_t[]){1});
        b->out->target2 = g->n_inputs;
        target[1] = onn_graph_add_input(g, "oclnn.target2", &d);
        b->out->lambda = g->n_inputs;
        target[2] = onn_graph_add_input(g, "oclnn.lambda", &one);
    }
    status = g->status;
fail:
    return status;
}

static int32_t binary(struct onn_graph *g, const char *op, int32_t a, int32_t b)
{
    return onn_emit_all(g, op, "loss", NULL, 2, (int32_t[]){a, b});
}

static int32_t scalar(struct onn_graph *g, int32_t v)
{
    return binary(g, "reshape", v, onn_graph_add_i64(g, NULL, 0));
}

/* softmax-ce has its own softmax: one that the network ends in is not applied twice. */
static int32_t logits_of(const struct onn_graph *g, int32_t prediction)
{
    const struct onn_value *v = &g->value[prediction];
    const struct onn_node *n = v->node >= 0 ? &g->node[v->node] : NULL;
    if (!n || strcmp(n->op->name, "softmax") != 0)
        return prediction;
    const struct onn_softmax_attr *a = n->attr;
    int axis = 0;
    bool others = false;
    for (int i = 2; i < v->desc.rank; i++)
        others |= v->desc.dim[i] != 1;
    if (!onn_axis_resolve(a->axis, v->desc.rank, &axis) || axis != 1 || (a->legacy && others))
        return prediction;
    return n->in[0];
}

static int32_t loss_of(const struct build *b, struct onn_graph *g, struct onn_loss loss, int32_t prediction,
    int32_t target)
{
    const bool masks = b->spec->front == ONN_FRONT_MASKS;
    if (b->spec->labelled)
        target = onn_target_of_labels(b->t, g, masks, loss.smoothing, prediction, target, &loss.where);
    return target ? onn_loss_append(g, &loss, prediction, target) : 0;
}

static int32_t add_loss(struct build *b, struct onn_graph *g, int32_t prediction, const int32_t *target)
{
    static const char *const names[] = {[OCLNN_LOSS_SOFTMAX_CE] = "softmax_ce",
        [OCLNN_LOSS_NLL] = "nll",
        [OCLNN_LOSS_BCE] = "bce",
        [OCLNN_LOSS_BCE_LOGITS] = "bce_logits",
        [OCLNN_LOSS_FOCAL] = "focal",
        [OCLNN_LOSS_MSE] = "mse",
        [OCLNN_LOSS_L1] = "l1",
        [OCLNN_LOSS_HUBER] = "huber",
        [OCLNN_LOSS_KL] = "kl",
        [OCLNN_LOSS_DICE] = "dice",
        [OCLNN_LOSS_DICE_LOGITS] = "dice_logits"};
    const struct oclnn_trainer_params *p = &b->t->p;
    const bool masks = b->spec->front == ONN_FRONT_MASKS;
    if (p->loss == OCLNN_LOSS_SOFTMAX_CE)
        prediction = logits_of(g, prediction);
    struct onn_loss loss = {.name = names[p->loss],
        .smoothing = b->spec->training ? p->label_smoothing : 0,
        .ignore = p->use_ignore || masks,
        .ignore_index = masks ? OCLNN_MASK_IGNORE : p->ignore_index,
        .alpha = p->alpha,
        .gamma = p->gamma};
    if (b->t->class_weights && onn_loss_takes_labels(p->loss))
        loss.weights = onn_graph_add_blob(g, "class_weights", ONN_ROLE_CONST, b->t->class_weights);
    const int32_t first = loss_of(b, g, loss, prediction, target[0]);
    if (!first || !target[1])
        return first;
    /* mixup: lambda L(t) + (1 - lambda) L(t2) */
    const int32_t second = loss_of(b, g, loss, prediction, target[1]);
    const int32_t part = binary(g, "mul", binary(g, "sub", first, second), scalar(g, target[2]));
    return binary(g, "add", second, part);
}

static enum oclnn_status add_backward(struct build *b, struct onn_graph *g, int32_t loss)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_trainer *t = b->t;
    const size_t n = (size_t)t->n_params + 1;
    int32_t *wanted = onn_calloc(n, sizeof *wanted), *gradient = onn_calloc(n, sizeof *gradient);
    int32_t *param = onn_calloc(n, sizeof *param), *all = onn_calloc(n, sizeof *all);
    int count = 0;
    ONN_TRY(wanted && gradient && param && all ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < t->n_params; i++)
        for (int32_t v = 1; v < g->n_values; v++)
            if (g->value[v].blob == t->param[i].blob)
                param[i] = v;
    for (int i = 0; i < t->n_params; i++)
        if (param[i] && !t->param[i].frozen)
            wanted[count++] = param[i];
    b->out->forward_nodes = g->n_nodes;
    const int32_t scale =
        onn_update_scale(t, g, loss); /* in front of the gradients: updates need not wait for it */
    ONN_TRY(onn_grad_append(g, loss, wanted, count, gradient));
    for (int i = 0, k = 0; i < t->n_params; i++)
        if (param[i] && !t->param[i].frozen)
            all[i] = gradient[k++];
    b->out->first_gradient = g->n_outputs;
    for (int i = 0; i < t->n_params && b->spec->gradients; i++)
        if (all[i])
            onn_graph_add_output(g, t->param[i].name, all[i]);
    for (int i = 0; i < b->form.n_updates && g->status == OCLNN_OK; i++)
        onn_graph_add_op(g, onn_op_find("assign"), "statistics", NULL, 3,
            (int32_t[]){b->form.update[i].state, b->form.update[i].value, scale}, 0);
    onn_update_append(t, g, b->spec->kind, scale, param, all, &b->form, b->out);
    for (int32_t v = 1; v < g->n_values; v++)
        if (g->value[v].blob == t->random) {
            onn_graph_add_op(g, onn_op_find("count_up"), "dropout.random", NULL, 1, &v, 0);
            break;
        }
    status = g->status;
fail:
    onn_free(wanted);
    onn_free(gradient);
    onn_free(param);
    onn_free(all);
    return status;
}

enum oclnn_status onn_step_graph(struct oclnn_trainer *t, const struct onn_step_spec *spec,
    struct onn_step_plan *out, struct onn_graph **graph)
{
    enum oclnn_status status = OCLNN_OK;
    struct build b = {.t = t, .spec = spec, .out = out};
    struct onn_graph *g = NULL, *shaped = NULL;
    int32_t target[3] = {0};
    b.form = (struct onn_form){.training = spec->training,
        .as_written = t->as_written,
        .is_frozen = is_frozen,
        .user = &b,
        .random = t->random,
        .front = front};
    out->target2 = out->lambda = out->table = out->norm = -1;
    for (int k = 0; k < t->n_rates; k++)
        out->rate[k] = -1;
    ONN_TRY(onn_pass_infer(t->model->graph, spec->input, false, &shaped));
    if (!spec->training)
        onn_averages_use(t, shaped);
    ONN_TRY(onn_pass_form(shaped, &b.form, &g));
    g->training = spec->training;
    const int32_t prediction = g->output[t->prediction];
    g->n_outputs = 0;
    ONN_TRY(add_target(&b, g, prediction, target));
    const int32_t loss = add_loss(&b, g, prediction, target);
    ONN_CHECK(loss && g->status == OCLNN_OK, g->status ? g->status : OCLNN_ERROR_INTERNAL, "%s",
        g->error ? g->error : "the loss could not be made");
    onn_graph_add_output(g, "oclnn.loss", loss);
    out->prediction = g->n_outputs;
    out->prediction_desc = g->value[prediction].desc;
    onn_graph_add_output(g, "oclnn.prediction", answer(&b, g, prediction));
    if (spec->training)
        ONN_TRY(add_backward(&b, g, loss));
    ONN_CHECK(g->status == OCLNN_OK, g->status, "%s", g->error ? g->error : "graph error");
    *graph = g;
    g = NULL;
fail:
    if (g && g->status != OCLNN_OK && g->error)
        status = onn_error(g->status, "%s", g->error);
    onn_free(b.form.update);
    onn_graph_destroy(&g);
    onn_graph_destroy(&shaped);
    return status;
}
