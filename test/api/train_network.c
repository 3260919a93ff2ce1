/* Program 3: a network is trained on a program's own data, saved, resumed and exported. */
#include <oclnn/oclnn.h>
#include <stdio.h>

enum { SKIP = 77, SIDE = 8, CLASSES = 3, COUNT = 192, EPOCHS = 6 };

/* Class 0: a bright row, 1: a bright column, 2: a bright diagonal; the rest is noise. */
static enum oclnn_status picture(void *user, int64_t index, void *x, int64_t *label)
{
    unsigned char *pixel = x;
    unsigned noise = (unsigned)index * 2654435761u + *(const unsigned *)user;
    *label = index % CLASSES;
    int place = (int)(index / CLASSES % SIDE);
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            noise = noise * 1664525u + 1013904223u;
            int bright = *label == 0 ? r == place : *label == 1 ? c == place : (r + place) % SIDE == c;
            pixel[r * SIDE + c] = (unsigned char)((noise >> 26) + (bright ? 160 : 0));
        }
    return OCLNN_OK;
}

struct losses {
    double value[EPOCHS];
    int n;
};

static int keep_loss(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct losses *l = user;
    (void)t;
    if (l->n < EPOCHS)
        l->value[l->n++] = p->loss;
    return 0;
}

static enum oclnn_status build(oclnn_context *ctx, oclnn_model **net)
{
    oclnn_graph *g = NULL;
    enum oclnn_status status = oclnn_graph_create(&(struct oclnn_graph_params){.seed = 7}, &g);
    if (status)
        return status;
    oclnn_value x = oclnn_input(g, "image", OCLNN_F32, OCLNN_SHAPE(-1, 1, SIDE, SIDE));
    x = oclnn_max_pool2d(g, oclnn_relu(g, oclnn_conv2d(g, x, 8, 3, NULL)), 2, NULL);
    oclnn_output(g, "logits", oclnn_dense(g, oclnn_flatten(g, x), CLASSES, NULL));
    return oclnn_model_create(ctx, &g, NULL, net);
}

/* `epochs` in all, continued from the checkpoint where `resume` says so. */
static enum oclnn_status train(oclnn_context *ctx, const oclnn_dataset *data, int epochs, int resume,
    const char *out, struct losses *l, struct oclnn_score *score)
{
    struct oclnn_trainer_params tp = {.loss = OCLNN_LOSS_SOFTMAX_CE,
        .optimizer = {.kind = OCLNN_ADAM, .lr = 1e-2f},
        .seed = 7};
    struct oclnn_fit fit = {.epochs = epochs, .batch = 32, .on_epoch = keep_loss, .user = l};
    oclnn_model *net = NULL;
    oclnn_trainer *t = NULL;
    enum oclnn_status status = build(ctx, &net);
    if (!status)
        status = oclnn_trainer_create(net, &tp, &t);
    if (!status && resume)
        status = oclnn_trainer_load(t, "half.ckpt");
    if (!status)
        status = oclnn_trainer_fit(t, data, NULL, &fit);
    if (!status && !resume)
        status = oclnn_trainer_save(t, "half.ckpt");
    if (!status)
        status = oclnn_trainer_evaluate(t, data, 64, score);
    if (!status && out)
        status = oclnn_model_save(net, out);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&net);
    return status;
}

/* The exported file gives a class the largest score where training did. */
static int exported(oclnn_context *ctx, unsigned seed)
{
    static unsigned char pixel[SIDE * SIDE];
    static float image[SIDE * SIDE], logits[CLASSES];
    oclnn_model *net = NULL;
    int right = 0, bad = oclnn_model_load(ctx, "trained.onnx", NULL, &net);
    for (int i = 0; !bad && i < CLASSES * SIDE; i++) {
        int64_t label = 0;
        picture(&seed, i, pixel, &label);
        for (int k = 0; k < SIDE * SIDE; k++)
            image[k] = (float)pixel[k] / 255;
        bad = oclnn_model_run(net,
            (const struct oclnn_binding[]){{.data = image,
                                               .bytes = sizeof image,
                                               .shape = OCLNN_SHAPE(1, 1, SIDE, SIDE)},
                {.data = NULL}},
            OCLNN_OUT(logits));
        int best = logits[1] > logits[0];
        right += (logits[2] > logits[best] ? 2 : best) == label;
    }
    oclnn_model_destroy(&net);
    if (!bad && right < CLASSES * SIDE * 9 / 10)
        fprintf(stderr, "the exported network finds %d of %d\n", right, CLASSES * SIDE);
    return bad || right < CLASSES * SIDE * 9 / 10;
}

int main(void)
{
    static unsigned seed = 5;
    oclnn_context *ctx = NULL;
    oclnn_dataset *data = NULL;
    struct losses first = {.n = 0}, second = {.n = 0};
    struct oclnn_score half, whole;
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    if (!status)
        status = oclnn_dataset_create(ctx, COUNT, OCLNN_SHAPE(1, SIDE, SIDE), OCLNN_U8, CLASSES, picture,
            &seed, NULL, &data);
    if (!status)
        status = train(ctx, data, EPOCHS / 2, 0, NULL, &first, &half);
    if (!status)
        status = train(ctx, data, EPOCHS, 1, "trained.onnx", &second, &whole);
    int failed = status != OCLNN_OK;
    if (!failed &&
        (first.n != EPOCHS / 2 || second.n != EPOCHS - EPOCHS / 2 || !(second.value[0] < first.value[0]) ||
            !(whole.loss < half.loss) || !(whole.top1 > 0.9))) {
        fprintf(stderr, "%d and %d epochs, loss %g then %g, top-1 %g\n", first.n, second.n, half.loss,
            whole.loss, whole.top1);
        failed = 1;
    } else if (!failed) {
        failed = exported(ctx, seed);
    }
    if (status)
        fprintf(stderr, "%s\n", oclnn_error_text(ctx));
    remove("half.ckpt");
    remove("trained.onnx");
    oclnn_dataset_destroy(&data);
    oclnn_context_destroy(&ctx);
    return failed;
}
