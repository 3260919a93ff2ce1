/* An addition behind a matrix product becomes the product's addend: MatMul + Add, also with a Reshape between them that
 * keeps the last dimension (what exporters make of a dense layer on a tensor of more than two dimensions), and Gemm
 * without an addend of its own. Full tensors stay: fuse makes residuals of them. */
#include "ops/gemm.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

struct found {
    const struct onn_node *product, *reshape; /* reshape NULL: none between */
    int32_t addend; /* old value */
};

/* The node of this operator that makes v for one reader only, else NULL. */
static const struct onn_node *only_maker(const struct onn_rewrite *r, int32_t v, const char *op)
{
    const struct onn_node *n = v && r->in->value[v].node >= 0 ? &r->in->node[r->in->value[v].node] : NULL;
    return n && !n->epi && r->uses[v] == 1 && strcmp(n->op->name, op) == 0 ? n : NULL;
}

static const struct onn_node *product_of(const struct onn_rewrite *r, int32_t v)
{
    const struct onn_node *n = only_maker(r, v, "matmul");
    n = n ? n : only_maker(r, v, "gemm");
    return n && (n->n_in == 2 || (n->n_in == 3 && !n->in[2])) ? n : NULL;
}

/* Is c one number for each column of y, or a single one? */
static bool per_column(const struct onn_desc *c, const struct onn_desc *y)
{
    const int64_t n = onn_desc_elements(c), columns = y->rank > 0 ? y->dim[y->rank - 1] : 1;
    return n == 1 || (n == columns && c->rank > 0 && c->dim[c->rank - 1] == columns);
}

/* Does operand `side` of the addition n come from a product that takes the other operand? */
static bool find(const struct onn_rewrite *r, const struct onn_node *n, int side, struct found *f)
{
    const struct onn_graph *g = r->in;
    const int32_t v = n->in[side], c = n->in[1 - side];
    const struct onn_desc *sum = &g->value[n->out[0]].desc, *dc = &g->value[c].desc;
    if (v == c || !onn_desc_same_shape(&g->value[v].desc, sum) || dc->dtype != sum->dtype)
        return false;
    *f = (struct found){.product = product_of(r, v), .addend = c};
    if (f->product)
        return onn_value_is_persistent(&g->value[c]) || !onn_desc_same_shape(dc, sum);
    f->reshape = only_maker(r, v, "reshape");
    f->product = f->reshape ? product_of(r, f->reshape->in[0]) : NULL;
    if (!f->product)
        return false;
    const struct onn_desc *y = &g->value[f->product->out[0]].desc;
    return y->rank > 0 && sum->rank > 0 && y->dim[y->rank - 1] == sum->dim[sum->rank - 1] &&
        per_column(dc, y);
}

static void merge(struct onn_rewrite *r, const struct onn_node *n, const struct found *f)
{
    struct onn_graph *g = r->out;
    const struct onn_node *p = f->product;
    const bool is_gemm = strcmp(p->op->name, "gemm") == 0;
    struct onn_gemm_attr attr = {0};
    int32_t in[3] = {onn_rewrite_value(r, p->in[0]), onn_rewrite_value(r, p->in[1]),
        onn_rewrite_value(r, f->addend)},
            id = 0;
    if (f->reshape && in[2]) {
        const int64_t columns = onn_desc_elements(&r->in->value[f->addend].desc);
        in[2] = onn_emit(g, "reshape", "", NULL, 2, (int32_t[]){in[2], onn_graph_add_i64(g, &columns, 1)});
    }
    if (is_gemm) {
        attr = *(const struct onn_gemm_attr *)p->attr;
        attr.beta = 1;
    }
    if (onn_emit_many(g, p->op, p->name, is_gemm ? &attr : p->attr, 3, in, 1, &id) != OCLNN_OK)
        return;
    if (f->reshape) {
        const struct onn_desc *d = &r->in->value[n->out[0]].desc;
        id = onn_emit(g, "reshape", f->reshape->name, NULL, 2,
            (int32_t[]){id, onn_graph_add_i64(g, d->dim, d->rank)});
    }
    if (id)
        onn_rewrite_set(r, n->out[0], id);
}

static enum oclnn_status copy_merged(struct onn_rewrite *r, int32_t k)
{
    const struct onn_node *n = &r->in->node[k];
    const bool add = strcmp(n->op->name, "add") == 0 && n->n_in == 2 && !n->epi;
    struct found f;
    if (!add || !(find(r, n, 0, &f) || find(r, n, 1, &f)))
        return onn_rewrite_copy_node(r, k);
    merge(r, n, &f);
    return r->out->status;
}

enum oclnn_status onn_pass_addend(const struct onn_graph *in, struct onn_graph **out)
{
    return onn_rewrite_nodes(in, copy_merged, out);
}
