/* Optimisers of the public interface as operators. */
#include "train/trainer.h"

static const struct {
    const char *op;
    float lr, beta2, epsilon;
    int moments;
} kinds[] = {
    [OCLNN_SGD] = {"sgd", 0.01f, 0, 0, 0},
    [OCLNN_ADAM] = {"adam", 0.001f, 0.999f, 1e-8f, 2},
    [OCLNN_ADAMW] = {"adamw", 0.001f, 0.999f, 1e-8f, 2},
    [OCLNN_RMSPROP] = {"rmsprop", 0.01f, 0.99f, 1e-8f, 1},
    [OCLNN_ADAGRAD] = {"adagrad", 0.01f, 0, 1e-10f, 1},
    [OCLNN_LARS] = {"lars", 0.01f, 0, 1e-8f, 1},
    [OCLNN_LAMB] = {"lamb", 0.001f, 0.999f, 1e-6f, 2},
};

enum oclnn_status onn_optimizer_check(struct oclnn_optimizer *o)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK((unsigned)o->kind < sizeof kinds / sizeof *kinds, OCLNN_ERROR_ARGUMENT, "optimizer.kind = %d",
        (int)o->kind);
    o->lr = o->lr != 0 ? o->lr : kinds[o->kind].lr;
    o->beta1 = o->beta1 != 0 ? o->beta1 : 0.9f;
    o->beta2 = o->beta2 != 0 ? o->beta2 : kinds[o->kind].beta2;
    o->epsilon = o->epsilon != 0 ? o->epsilon : kinds[o->kind].epsilon;
    ONN_CHECK(o->lr > 0 && o->lr < 1e6f, OCLNN_ERROR_ARGUMENT, "optimizer.lr = %g", (double)o->lr);
    ONN_CHECK(o->momentum >= 0 && o->momentum < 1, OCLNN_ERROR_ARGUMENT, "optimizer.momentum = %g",
        (double)o->momentum);
    ONN_CHECK(o->beta1 >= 0 && o->beta1 < 1 && o->beta2 >= 0 && o->beta2 < 1, OCLNN_ERROR_ARGUMENT,
        "optimizer.beta1 = %g, beta2 = %g", (double)o->beta1, (double)o->beta2);
    ONN_CHECK(o->weight_decay >= 0 && o->epsilon >= 0, OCLNN_ERROR_ARGUMENT,
        "optimizer.weight_decay = %g, epsilon = %g", (double)o->weight_decay, (double)o->epsilon);
fail:
    return status;
}

const char *onn_optimizer_op(const struct oclnn_optimizer *o)
{
    return kinds[o->kind].op;
}

int onn_optimizer_moments(const struct oclnn_optimizer *o)
{
    return kinds[o->kind].moments +
        (o->momentum > 0 && (o->kind == OCLNN_SGD || o->kind == OCLNN_RMSPROP) ? 1 : 0);
}
