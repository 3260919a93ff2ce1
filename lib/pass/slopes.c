/* A Relu or Clip behind a BatchNormalization in training: its gradient is taken by batchnorm_dx, which computes the sign
 * again from the x that it reads anyway. Saves writing and reading a tensor, and reading y twice. */
#include "ops/batchnorm_train.h"
#include "ops/elementwise.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

static const struct onn_node *made_by(const struct onn_graph *g, int32_t v, const char *op)
{
    const struct onn_node *n = v > 0 && g->value[v].node >= 0 ? &g->node[g->value[v].node] : NULL;
    return n && !n->epi && strcmp(n->op->name, op) == 0 ? n : NULL;
}

/* The gradient before the activation, and its mask in attr; 0 if it has to stay. */
static int32_t match(const struct onn_rewrite *r, const struct onn_node *n,
    struct onn_batchnorm_dx_attr *attr, int32_t *bias)
{
    const struct onn_graph *g = r->in;
    if (strcmp(n->op->name, "batchnorm_dx") != 0 || n->n_in != 5 || r->uses[n->in[0]] != 1)
        return 0;
    const struct onn_node *relu = made_by(g, n->in[0], "relu_dx"), *clip = made_by(g, n->in[0], "clip_dx");
    const struct onn_node *slope = relu ? relu : clip;
    const struct onn_node *forward = slope ? made_by(g, slope->in[1], relu ? "relu" : "clip") : NULL;
    const struct onn_node *norm = forward ? made_by(g, forward->in[0], "batchnormalization") : NULL;
    if (!norm || forward->in[0] != norm->out[0] || norm->n_out != 5 || norm->in[0] != n->in[1] ||
        norm->in[1] != n->in[2] || norm->out[3] != n->in[3] || norm->out[4] != n->in[4])
        return 0;
    *attr = (struct onn_batchnorm_dx_attr){.mask = relu ? ONN_MASK_RELU : ONN_MASK_CLIP};
    if (clip) {
        const struct onn_ew_attr *bounds = clip->attr;
        attr->lo = bounds->alpha;
        attr->hi = bounds->beta;
    }
    *bias = norm->in[2];
    return slope->in[0];
}

static enum oclnn_status copy_masked(struct onn_rewrite *r, int32_t k)
{
    const struct onn_node *n = &r->in->node[k];
    struct onn_batchnorm_dx_attr attr;
    int32_t in[6];
    const int32_t dy = match(r, n, &attr, &in[5]);
    if (!dy)
        return onn_rewrite_copy_node(r, k);
    for (int i = 0; i < 6; i++)
        in[i] = onn_rewrite_value(r, i == 0 ? dy : i < 5 ? n->in[i] : in[5]);
    return r->out->status ? r->out->status : onn_rewrite_copy_node_as(r, k, &attr, 6, in);
}

enum oclnn_status onn_pass_slopes(const struct onn_graph *in, struct onn_graph **out)
{
    return onn_rewrite_nodes(in, copy_masked, out);
}
