/* If. Loop and Scan are not supported. */
#include "ops/control.h"
#include "ops/walk.h"

#include <stddef.h>

/* Types and shapes that both branches agree on; the value itself comes from inlining. */
static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_if_attr *a = p->attr;
    const struct onn_blob *cond = onn_prob_value(p, 0);
    ONN_CHECK(a->then_branch && a->else_branch, OCLNN_ERROR_FORMAT, "a branch is missing");
    ONN_CHECK(p->in[0].dtype == OCLNN_BOOL, OCLNN_ERROR_DTYPE, "the condition is %s, not bool",
        oclnn_dtype_name(p->in[0].dtype));
    for (int i = 0; i < p->n_out; i++) {
        const struct onn_graph *branch[2] = {a->else_branch, a->then_branch};
        ONN_CHECK(i < branch[0]->n_outputs && i < branch[1]->n_outputs, OCLNN_ERROR_FORMAT,
            "the branches have %d and %d outputs, the node %d", (int)branch[1]->n_outputs,
            (int)branch[0]->n_outputs, p->n_out);
        const struct onn_desc *d[2];
        for (int k = 0; k < 2; k++)
            d[k] = &branch[k]->value[branch[k]->output[i]].desc;
        if (cond) {
            const struct onn_desc *taken = d[onn_blob_get_i64(cond, 0) != 0];
            out[i] = onn_desc_make(taken->dtype, taken->rank, taken->dim);
            continue;
        }
        int64_t dim[ONN_MAX_RANK];
        const int rank = d[0]->rank == d[1]->rank ? d[0]->rank : -1;
        for (int k = 0; k < rank; k++)
            dim[k] = d[0]->dim[k] == d[1]->dim[k] ? d[0]->dim[k] : -1;
        out[i] = onn_desc_make(d[1]->dtype ? d[1]->dtype : d[0]->dtype, rank, dim);
    }
fail:
    return status;
}

static uint32_t host_inputs(const struct onn_prob *p)
{
    (void)p;
    return 1;
}

static const struct onn_attr attrs[] = {
    {.name = "then",
        .onnx = "then_branch",
        .type = ONN_ATTR_GRAPH,
        .offset = offsetof(struct onn_if_attr, then_branch)},
    {.name = "else",
        .onnx = "else_branch",
        .type = ONN_ATTR_GRAPH,
        .offset = offsetof(struct onn_if_attr, else_branch)},
    {.type = ONN_ATTR_END},
};

static const struct onn_op if_op = {
    .name = "if",
    .onnx = "If",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = ONN_VARIADIC,
    .flags = ONN_OP_HOST_ONLY,
    .attr_size = sizeof(struct onn_if_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host_inputs = host_inputs,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_control[] = {&if_op, NULL};
