/* Gradients of LSTM, GRU and RNN. lstm_dx walks back through time and leaves dz, the gradient in front of the gates'
 * activations, for all steps; everything else is one product or sum over all steps. */
#include "ops/concat.h"
#include "ops/gemm.h"
#include "ops/grads.h"
#include "ops/lstm.h"
#include "ops/transpose.h"

enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H0, IN_C0, IN_PEEP };
enum { DX_DZ, DX_BEFORE, DX_H0, DX_C0, DX_OTHER = DX_C0, DX_PEEP };
#define MOST_OUT 5

struct frame {
    struct onn_grad *g;
    const struct onn_lstm_cell *cell;
    int64_t rows, directions, hidden, inputs;
    int32_t out[MOST_OUT]; /* of lstm_dx */
};

static int32_t input(const struct onn_grad *g, int i)
{
    return i < g->n_in ? g->in[i] : 0;
}

static bool needs(const struct onn_grad *g, int i)
{
    return input(g, i) && g->needed[i];
}

static int32_t product(struct onn_grad *g, int32_t a, bool trans_a, int32_t b)
{
    const struct onn_gemm_attr attr = {.alpha = 1, .beta = 1, .trans_a = trans_a};
    return onn_grad_2(g, "gemm", &attr, a, b);
}

/* y and what was kept of the steps; where the forward node has no such outputs it runs once more. */
static enum oclnn_status forward(struct frame *f, const struct onn_prob *p, int32_t *y, int32_t *kept)
{
    struct onn_grad *g = f->g;
    const int at = f->cell->kept ? f->cell->kept_out : 0;
    int32_t out[MOST_OUT] = {0};
    enum oclnn_status status = OCLNN_OK;

    for (int i = 0; i < g->n_out; i++)
        out[i] = g->out[i];
    if (!out[0] || !out[at])
        status = g->emit_many(g, p->op->name, p->attr, g->n_in, g->in, at + 1, out);
    *y = out[0];
    *kept = f->cell->kept ? out[at] : 0;
    return status;
}

static enum oclnn_status walk_back(struct frame *f, const struct onn_prob *p)
{
    enum oclnn_status status;
    struct onn_grad *g = f->g;
    struct onn_lstm_attr a = *(const struct onn_lstm_attr *)p->attr;
    const int n_out = f->cell->gates == 4 ? (input(g, IN_PEEP) ? 5 : 4) : f->cell->kept ? 4 : 3;
    int32_t y = 0, kept = 0;

    a.input_forget = 0;
    ONN_TRY(forward(f, p, &y, &kept));
    const int32_t in[] = {y, g->in[IN_R], kept, input(g, IN_H0), input(g, IN_C0), input(g, IN_PEEP),
        g->dout[0], g->n_out > 1 ? g->dout[1] : 0, f->cell->gates == 4 && g->n_out > 2 ? g->dout[2] : 0};
    ONN_TRY(g->emit_many(g, f->cell->dx, &a, (int)(sizeof in / sizeof *in), in, n_out, f->out));
    return OCLNN_OK;
fail:
    return status;
}

/* v, of `directions` vectors in each row, as a matrix of rows. */
static int32_t matrix(struct frame *f, int32_t v)
{
    return v && !f->g->graph->status
        ? onn_grad_reshape(f->g, v, 2,
              (int64_t[]){f->rows, onn_desc_elements(onn_grad_desc(f->g, v)) / (f->rows ? f->rows : 1)})
        : 0;
}

/* Gates first … end - 1, which lie along `axis` of v. */
static int32_t gates(struct frame *f, int32_t v, int axis, int64_t first, int64_t end)
{
    struct onn_graph *graph = f->g->graph;
    if (!v || graph->status)
        return 0;
    const int32_t in[4] = {v, onn_graph_add_i64(graph, (int64_t[]){first * f->hidden}, 1),
        onn_graph_add_i64(graph, (int64_t[]){end * f->hidden}, 1),
        onn_graph_add_i64(graph, (int64_t[]){axis}, 1)};
    return graph->status ? 0 : f->g->emit(f->g, "slice", NULL, 4, in);
}

static int32_t beside(struct frame *f, int32_t a, int32_t b)
{
    const struct onn_concat_attr attr = {.axis = 1};
    return onn_grad_2(f->g, "concat", &attr, a, b);
}

/* dz^T state for each direction: [directions, gates of dz * hidden, hidden]. */
static int32_t weights(struct frame *f, int32_t dz, int32_t state)
{
    struct onn_grad *g = f->g;
    if (!dz || !state || g->graph->status)
        return 0;
    const int64_t width = onn_grad_desc(g, dz)->dim[3];
    if (f->directions == 1)
        return onn_grad_reshape(g, product(g, matrix(f, dz), true, matrix(f, state)), 3,
            (int64_t[]){1, width, f->hidden});
    const struct onn_transpose_attr columns = {.perm = onn_grad_list(g, (int64_t[]){1, 2, 0}, 3)};
    const struct onn_transpose_attr rows = {.perm = onn_grad_list(g, (int64_t[]){1, 0, 2}, 3)};
    dz = onn_grad_reshape(g, dz, 3, (int64_t[]){f->rows, f->directions, width});
    state = onn_grad_reshape(g, state, 3, (int64_t[]){f->rows, f->directions, f->hidden});
    return onn_grad_2(g, "matmul", NULL, onn_grad_1(g, "transpose", &columns, dz),
        onn_grad_1(g, "transpose", &rows, state));
}

/* Sum over all rows: [directions, numbers]. */
static int32_t sums(struct frame *f, int32_t dz)
{
    if (!dz || f->g->graph->status)
        return 0;
    return onn_grad_reshape(f->g, onn_grad_reduce(f->g, "reducesum", matrix(f, dz), 1), 2,
        (int64_t[]){f->directions, onn_grad_desc(f->g, dz)->dim[3]});
}

static void recurrent(struct frame *f, bool linear)
{
    const int32_t dz = f->out[DX_DZ], before = f->out[DX_BEFORE], other = f->out[DX_OTHER];

    if (f->cell->gates != 3)
        f->g->add(f->g, IN_R, weights(f, dz, before));
    else /* GRU: the third gate multiplies R with something else, or what it multiplies is scaled behind it */
        f->g->add(f->g, IN_R,
            beside(f, weights(f, gates(f, dz, 3, 0, 2), before),
                linear ? weights(f, other, before) : weights(f, gates(f, dz, 3, 2, 3), other)));
}

static void bias(struct frame *f, bool linear)
{
    const int32_t all = sums(f, f->out[DX_DZ]);
    int32_t rest = all;

    if (f->cell->gates == 3 && linear)
        rest = beside(f, gates(f, all, 1, 0, 2), sums(f, f->out[DX_OTHER]));
    f->g->add(f->g, IN_B, beside(f, all, rest));
}

enum oclnn_status onn_lstm_grad(struct onn_grad *g, const struct onn_prob *p)
{
    enum oclnn_status status;
    const struct onn_lstm_attr *a = p->attr;
    const struct onn_desc x = p->in[IN_X], r = p->in[IN_R];
    struct frame f = {.g = g,
        .cell = onn_lstm_cell(p->op),
        .rows = x.dim[0] * x.dim[1],
        .directions = r.dim[0],
        .hidden = r.dim[2],
        .inputs = x.dim[2]};

    for (int i = 0; i < g->n_in; i++)
        if (needs(g, i) && a->clip > 0)
            return onn_grad_refuse(g, i, "clip is set");
    if (f.cell->kept && g->n_out > f.cell->kept_out && g->dout[f.cell->kept_out])
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "node '%s' (%s): output %d is the gradient's own", g->name,
            p->op->onnx, f.cell->kept_out);
    ONN_TRY(walk_back(&f, p));
    const int32_t dz = matrix(&f, f.out[DX_DZ]);
    const int64_t width = f.directions * f.cell->gates * f.hidden;
    if (needs(g, IN_X))
        g->add(g, IN_X,
            onn_grad_reshape_like(g,
                product(g, dz, false, onn_grad_reshape(g, g->in[IN_W], 2, (int64_t[]){width, f.inputs})),
                g->in[IN_X]));
    if (needs(g, IN_W))
        g->add(g, IN_W, onn_grad_reshape_like(g, product(g, dz, true, matrix(&f, g->in[IN_X])), g->in[IN_W]));
    if (needs(g, IN_R))
        recurrent(&f, a->linear_before_reset != 0);
    if (needs(g, IN_B))
        bias(&f, a->linear_before_reset != 0);
    if (needs(g, IN_H0))
        g->add(g, IN_H0, f.out[DX_H0]);
    if (needs(g, IN_C0))
        g->add(g, IN_C0, f.out[DX_C0]);
    if (needs(g, IN_PEEP))
        g->add(g, IN_PEEP,
            onn_grad_reshape_like(g, onn_grad_reduce(g, "reducesum", f.out[DX_PEEP], 1), g->in[IN_PEEP]));
    return OCLNN_OK;
fail:
    return status;
}
