/* Any operator by its name, with attributes in the problem grammar; constants. */
#include "model/graph_api.h"

#include "ops/problem.h"
#include "tensor/tensor.h"

#include <string.h>

/* "conv pad=1 stride=2 in0=1x3x8x8 in1=16x3x3x3": the parser sees the inputs' ranks, which short lists need. */
static void write_problem(const struct onn_layer *l, const char *op, const char *attributes, int n,
    const oclnn_value *in, struct onn_str *s)
{
    onn_str_add(s, "%s %s", op, attributes ? attributes : "");
    for (int i = 0; i < n; i++) {
        onn_str_add(s, " in%d=", i);
        if (!in[i]) {
            onn_str_add(s, "-");
            continue;
        }
        const struct onn_desc *d = onn_layer_desc(l, in[i]);
        if (d->rank == 0)
            onn_str_add(s, "scalar");
        for (int k = 0; k < d->rank; k++) {
            if (d->dim[k] < 0)
                onn_str_add(s, "%s?", k ? "x" : "");
            else
                onn_str_add(s, "%s%lld", k ? "x" : "", (long long)d->dim[k]);
        }
        onn_str_add(s, ":%s", oclnn_dtype_name(d->dtype));
    }
}

/* Sets l->op and l->attr. The attributes live as long as the graph: copied to its arena, tensors held. */
static void read_attributes(struct onn_layer *l, const char *op, const char *attributes, int n,
    const oclnn_value *in)
{
    struct onn_problem problem;
    struct onn_str text = {0};
    write_problem(l, op, attributes, n, in, &text);
    if (!onn_str_ok(&text)) {
        onn_layer_fail(l, OCLNN_ERROR_MEMORY, "out of host memory");
    } else {
        enum oclnn_status status = onn_problem_parse(onn_str_text(&text), &problem);
        if (status != OCLNN_OK) {
            onn_layer_fail(l, status, "%s", oclnn_error_text(NULL));
        } else {
            l->op = problem.prob.op;
            if (problem.prob.n_in != n || problem.prob.epi || problem.formats || problem.prob.opset)
                onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "\"%s\" has more than attributes", attributes);
            for (int i = 0; i < problem.n_held && l->g->status == OCLNN_OK; i++)
                onn_graph_hold_blob(l->g, problem.held[i]);
            l->attr = onn_attr_copy(l->op, problem.prob.attr, &l->g->arena);
            if (!l->attr)
                onn_layer_fail(l, OCLNN_ERROR_MEMORY, "out of host memory");
            onn_problem_finish(&problem);
        }
    }
    onn_str_finish(&text);
}

oclnn_value oclnn_op_many(oclnn_graph *graph, const char *op, const char *attributes,
    const oclnn_value *inputs, int count, oclnn_value *out, int outputs)
{
    struct onn_layer l;
    if (out && outputs > 0)
        memset(out, 0, (size_t)outputs * sizeof *out);
    if (!onn_layer_begin(&l, graph, op && *op ? op : "op", NULL, 0, NULL))
        return 0;
    if (!op || !*op)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "the operator's name is missing");
    if (!out || outputs < 1)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "%d outputs", outputs);
    if (count < 0 || (count && !inputs))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "%d inputs", count);
    for (int i = 0; i < count; i++)
        if (inputs[i] < 0 || inputs[i] >= l.g->n_values)
            return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT,
                "input %d is value %d, which this graph does not have", i, (int)inputs[i]);
    read_attributes(&l, op, attributes, count, inputs);
    onn_layer_emit_many(&l, NULL, count, inputs, outputs, out);
    return out[0];
}

oclnn_value oclnn_op(oclnn_graph *graph, const char *op, const char *attributes, const oclnn_value *inputs,
    int count)
{
    oclnn_value out;
    return oclnn_op_many(graph, op, attributes, inputs, count, &out, 1);
}

oclnn_value oclnn_constant(oclnn_graph *graph, const oclnn_tensor *tensor)
{
    struct onn_layer l;
    struct onn_blob *blob = NULL;
    if (!onn_layer_begin(&l, graph, "constant", NULL, 0, NULL))
        return 0;
    if (!tensor)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "the tensor is NULL");
    struct onn_desc desc = onn_desc_of_shape(oclnn_tensor_dtype(tensor), oclnn_tensor_shape(tensor));
    enum oclnn_status status = onn_blob_create(&desc, oclnn_tensor_data(tensor), &blob);
    if (status != OCLNN_OK)
        return onn_layer_fail(&l, status, "%s", oclnn_error_text(NULL));
    oclnn_value v = onn_graph_add_blob(l.g, l.name, ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    return v;
}

oclnn_value oclnn_scalar(oclnn_graph *graph, enum oclnn_dtype dtype, double number)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "scalar", NULL, 0, NULL))
        return 0;
    if (!oclnn_dtype_size(dtype))
        return onn_layer_fail(&l, OCLNN_ERROR_DTYPE, "element type %d", (int)dtype);
    return onn_layer_number(&l, dtype, number);
}
