/* Class labels as targets of the losses that compare a prediction with numbers: 1 for the class, 0 for the others; a
 * prediction of one output tells class 1 of two. */
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "pass/rewrite.h"
#include "train/trainer.h"

#include <string.h>

/* What the numbers of a prediction are to a loss. */
enum scores { ANY, PROBABILITIES, LOGITS, LOG_PROBABILITIES };
static const struct {
    enum scores scores;
    const char *takes;
} losses[] = {
    [OCLNN_LOSS_SOFTMAX_CE] = {ANY, ""},
    [OCLNN_LOSS_NLL] = {ANY, ""},
    [OCLNN_LOSS_BCE] = {PROBABILITIES,
        "bce takes probabilities: Softmax or Sigmoid at the end, or bce-logits"},
    [OCLNN_LOSS_BCE_LOGITS] = {LOGITS, "bce-logits takes what stands before it: bce, or without it"},
    [OCLNN_LOSS_FOCAL] = {LOGITS, "focal takes what stands before it: leave it out"},
    [OCLNN_LOSS_MSE] = {ANY, ""},
    [OCLNN_LOSS_L1] = {ANY, ""},
    [OCLNN_LOSS_HUBER] = {ANY, ""},
    [OCLNN_LOSS_KL] = {LOG_PROBABILITIES, "kl takes log-probabilities: LogSoftmax at the end"},
    [OCLNN_LOSS_DICE] = {PROBABILITIES,
        "dice takes probabilities: Softmax or Sigmoid at the end, or dice-logits"},
    [OCLNN_LOSS_DICE_LOGITS] = {LOGITS, "dice-logits takes what stands before it: dice, or without it"},
};

bool onn_loss_takes_labels(enum oclnn_loss loss)
{
    return loss == OCLNN_LOSS_SOFTMAX_CE || loss == OCLNN_LOSS_NLL;
}

bool onn_is_binary(const struct oclnn_trainer *t, const struct onn_desc *prediction)
{
    return !onn_loss_takes_labels(t->p.loss) && prediction->rank > 1 && prediction->dim[1] == 1;
}

float onn_loss_threshold(enum oclnn_loss loss)
{
    return losses[loss].scores == LOGITS ? 0 : 0.5f;
}

static bool is_one_of(const char *op, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(op, *list) == 0)
            return true;
    return false;
}

/* A network that ends in scores of another kind would train, but not what is meant. */
static enum oclnn_status check_end(const struct onn_graph *g, enum oclnn_loss loss, int32_t prediction)
{
    static const char *const wrong[][7] = {[ANY] = {NULL},
        [PROBABILITIES] = {"conv", "convtranspose", "gemm", "matmul", "logsoftmax", NULL},
        [LOGITS] = {"softmax", "sigmoid", NULL},
        [LOG_PROBABILITIES] = {"conv", "convtranspose", "gemm", "matmul", "softmax", "sigmoid", NULL}};
    const struct onn_value *v = &g->value[prediction];
    const struct onn_node *n = v->node >= 0 ? &g->node[v->node] : NULL;
    if (!n || !is_one_of(n->op->name, wrong[losses[loss].scores]))
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "the prediction '%s' comes from %s '%s': the loss %s", v->name,
        n->op->onnx ? n->op->onnx : n->op->name, n->name, losses[loss].takes);
}

enum oclnn_status onn_target_check(const struct oclnn_trainer *t, const struct onn_graph *g,
    int32_t prediction)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *d = &g->value[prediction].desc;
    const int64_t classes = onn_is_binary(t, d) ? 2 : d->dim[1];
    ONN_CHECK(d->dtype == OCLNN_F32, OCLNN_ERROR_DTYPE, "the prediction '%s' is %s, f32 is wanted",
        g->value[prediction].name, oclnn_dtype_name(d->dtype));
    ONN_CHECK(t->p.loss != OCLNN_LOSS_KL || d->dim[1] > 1, OCLNN_ERROR_ARGUMENT,
        "the loss kl compares at least two classes, the prediction '%s' has one output",
        g->value[prediction].name);
    ONN_CHECK(!t->p.class_count || t->p.class_count == classes, OCLNN_ERROR_ARGUMENT,
        "there are weights of %d classes, the prediction has %lld", t->p.class_count, (long long)classes);
    ONN_TRY(check_end(g, t->p.loss, prediction));
fail:
    return status;
}

static int32_t emit(struct onn_graph *g, const char *op, const void *attr, int n, const int32_t *in)
{
    return onn_emit_all(g, op, "target", attr, n, in);
}

static int32_t binary(struct onn_graph *g, const char *op, int32_t a, int32_t b)
{
    return emit(g, op, NULL, 2, (int32_t[]){a, b});
}

static int32_t cast(struct onn_graph *g, int32_t v, enum oclnn_dtype to)
{
    const struct onn_ew_attr attr = {.to = onn_dtype_to_onnx(to)};
    return emit(g, "cast", &attr, 1, &v);
}

/* The numbers first … first + n - 1 along axis 1 of a tensor of `rank` dimensions. */
static int32_t numbers(struct onn_graph *g, int64_t first, int64_t n, int rank)
{
    int64_t dim[ONN_MAX_RANK];
    struct onn_blob *blob = NULL;
    for (int i = 0; i < rank; i++)
        dim[i] = i == 1 ? n : 1;
    const struct onn_desc d = onn_desc_make(OCLNN_I32, rank, dim);
    if (onn_blob_create(&d, NULL, &blob) != OCLNN_OK) {
        onn_graph_fail(g, OCLNN_ERROR_MEMORY, "no memory for the targets");
        return 0;
    }
    for (int64_t i = 0; i < n; i++)
        onn_blob_set_i64(blob, i, first + i);
    const int32_t v = onn_graph_add_blob(g, "", ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    return v;
}

/* 1 where a position is of class first, first + 1, …, else 0: [N, n, …]. labels: i32 [N, 1, …]. */
static int32_t is_class(struct onn_graph *g, int32_t labels, int64_t first, int64_t n)
{
    if (!labels)
        return 0;
    return cast(g, binary(g, "equal", labels, numbers(g, first, n, g->value[labels].desc.rank)), OCLNN_F32);
}

/* [N, …] as [N, 1, …], i32. */
static int32_t with_axis(struct onn_graph *g, int32_t labels, const struct onn_desc *prediction)
{
    int64_t dim[ONN_MAX_RANK];
    for (int i = 0; i < prediction->rank; i++)
        dim[i] = i == 1 ? 1 : prediction->dim[i];
    if (labels && g->value[labels].desc.dtype != OCLNN_I32)
        labels = cast(g, labels, OCLNN_I32);
    return binary(g, "reshape", labels, onn_graph_add_i64(g, dim, prediction->rank));
}

/* How much each position counts; 0: all the same. */
static int32_t weights_of(const struct oclnn_trainer *t, struct onn_graph *g, bool masks, int32_t labels)
{
    int32_t where = 0;
    if (masks || t->p.use_ignore) {
        const int64_t ignored = masks ? OCLNN_MASK_IGNORE : t->p.ignore_index;
        where = binary(g, "sub", onn_graph_add_f32(g, 1), is_class(g, labels, ignored, 1));
    }
    if (!t->class_weights || !labels)
        return where;
    int64_t dim[ONN_MAX_RANK], classes = t->p.class_count;
    const int rank = g->value[labels].desc.rank;
    for (int i = 0; i < rank; i++)
        dim[i] = i == 1 ? classes : 1;
    const int32_t list = onn_graph_add_blob(g, "class_weights", ONN_ROLE_CONST, t->class_weights);
    const int32_t row = binary(g, "reshape", list, onn_graph_add_i64(g, dim, rank));
    const int32_t own = binary(g, "mul", is_class(g, labels, 0, classes), row);
    const struct onn_reduce_attr attr = {.keepdims = 1};
    const int32_t sum =
        emit(g, "reducesum", &attr, 2, (int32_t[]){own, onn_graph_add_i64(g, (int64_t[]){1}, 1)});
    return where ? binary(g, "mul", where, sum) : sum;
}

int32_t onn_target_of_labels(const struct oclnn_trainer *t, struct onn_graph *g, bool masks, float smoothing,
    int32_t prediction, int32_t labels, int32_t *where)
{
    const struct onn_desc d = g->value[prediction].desc;
    const bool one = onn_is_binary(t, &d);
    labels = with_axis(g, labels, &d);
    *where = weights_of(t, g, masks, labels);
    const int32_t exact = is_class(g, labels, one ? 1 : 0, d.dim[1]);
    if (!(smoothing > 0))
        return exact;
    const float rest = smoothing / (one ? 2.0f : (float)d.dim[1]);
    return binary(g, "add", binary(g, "mul", exact, onn_graph_add_f32(g, 1 - smoothing)),
        onn_graph_add_f32(g, rest));
}
