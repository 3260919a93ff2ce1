/* What the library can do, for oclnn-info. */
#include "model/selftest.h"
#include "ops/op.h"
#include <oclnn/info.h>

struct search {
    int index, at;
    const struct onn_op *found;
};

static void look(const struct onn_op *op, void *user)
{
    struct search *s = user;
    if (s->at++ == s->index)
        s->found = op;
}

static const struct onn_op *op_at(int index)
{
    struct search s = {.index = index};
    onn_op_each(look, &s);
    return s.found;
}

int oclnn_operator_count(void)
{
    struct search s = {.index = -1};
    onn_op_each(look, &s);
    return s.at;
}

enum oclnn_status oclnn_operator(int index, struct oclnn_operator_info *out)
{
    const struct onn_op *op = op_at(index);
    if (!out || !op)
        return onn_error(OCLNN_ERROR_ARGUMENT,
            out ? "there is no operator %d" : "oclnn_operator: out is NULL", index);
    *out = (struct oclnn_operator_info){.name = op->name,
        .onnx = op->onnx,
        .since = op->since,
        .until = op->until,
        .min_inputs = op->min_in,
        .max_inputs = op->max_in == ONN_VARIADIC ? -1 : op->max_in,
        .min_outputs = op->min_out,
        .max_outputs = op->max_out == ONN_VARIADIC ? -1 : op->max_out,
        .has_gradient = op->grad != NULL,
        .dtypes = onn_self_test_dtypes(op)};
    while (op->variants && op->variants[out->variants])
        out->variants++;
    return OCLNN_OK;
}

const char *oclnn_operator_variant(int index, int variant)
{
    const struct onn_op *op = op_at(index);
    for (int i = 0; op && op->variants && op->variants[i] && variant >= 0; i++)
        if (i == variant)
            return op->variants[i]->name;
    return NULL;
}
