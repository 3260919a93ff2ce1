/* The gradients of gathers: the forward operator's walk, adding. */
#include "ops/gather_dx.h"
#include "harness/harness.h"
#include <math.h>
#include <string.h>

static int64_t wrap(double v, int64_t n)
{
    return v < 0 ? (int64_t)v + n : (int64_t)v;
}

static void ref(struct onn_ref *r)
{
    const struct onn_gather_dx_attr *a = r->prob->attr;
    const struct onn_desc *dy = &r->prob->in[0], *k = &r->prob->in[1], *x = &r->prob->out[0];
    const bool elements = !strncmp(r->prob->op->name, "gathere", 7),
               nd = !strncmp(r->prob->op->name, "gathern", 7);
    int64_t at[ONN_MAX_RANK], to[ONN_MAX_RANK], in[ONN_MAX_RANK] = {0};
    int axis = 0;
    onn_axis_resolve(a->axis, x->rank, &axis);
    for (int64_t i = 0; i < r->in_n[0]; i++) {
        onn_ref_index(dy, i, at);
        if (elements) {
            memcpy(to, at, sizeof to);
            to[axis] = wrap(r->in[1][i], x->dim[axis]);
        } else if (nd) {
            const int depth = (int)k->dim[k->rank - 1], batch = (int)a->batch_dims;
            for (int d = 0; d < batch; d++)
                to[d] = at[d];
            memcpy(in, at, (size_t)(k->rank - 1) * sizeof *in);
            for (int d = 0; d < depth; d++) {
                in[k->rank - 1] = d;
                to[batch + d] = wrap(r->in[1][onn_ref_at(k, in)], x->dim[batch + d]);
            }
            for (int d = batch + depth; d < x->rank; d++)
                to[d] = at[k->rank - 1 + d - batch - depth];
        } else {
            for (int d = 0; d < x->rank; d++)
                to[d] = d < axis ? at[d] : d > axis ? at[d + k->rank - 1] : 0;
            memcpy(in, at + axis, (size_t)k->rank * sizeof *in);
            to[axis] = wrap(r->in[1][onn_ref_at(k, in)], x->dim[axis]);
        }
        r->out[0][onn_ref_at(x, to)] += r->in[0][i];
        r->scale[0][onn_ref_at(x, to)] += fabs(r->in[0][i]);
    }
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref \
    }
static const struct onn_case cases[] = {
    CASE("gather_dx dy=4x5 k=@2,0,2,-1:i64 shape=3,5"),
    CASE("gather_dx dy=2x4x5 k=@1,1,1,0:i32 axis=1 shape=2,3,5"),
    CASE("gather_dx dy=3x6 k=6:i64 axis=1 shape=3,4"),
    CASE("gather_dx dy=3 k=@1:i64:scalar axis=1 shape=3,4"),
    CASE("gatherelements_dx dy=3x4 k=3x4:i64 axis=0 shape=4,4"),
    CASE("gatherelements_dx dy=2x5x2 k=2x5x2:i32 axis=1 shape=3,4,3"),
    CASE("gathernd_dx dy=4x3 k=4x1:i64 shape=4,3"),
    CASE("gathernd_dx dy=5 k=5x2:i64 shape=4,4"),
    CASE("gathernd_dx dy=2x4x3 k=2x4x1:i64 batch_dims=1 shape=2,4,3"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
