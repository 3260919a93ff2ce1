/* Dropout in inference: the identity. */
#include "harness/harness.h"

static void ref(struct onn_ref *r)
{
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        r->out[0][i] = r->in[0][i];
        if (r->n_out > 1)
            r->out[1][i] = 1;
    }
}

static const struct onn_case cases[] = {
    {.problem = "dropout x=2x11x5x7", .ref = ref},
    {.problem = "dropout x=3x9 ratio=scalar outs=2", .ref = ref},
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
