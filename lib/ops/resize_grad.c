/* Gradients of Resize, of Pad and of LRN's window: transposed maps along one axis after the other. */
#include "ops/axis_map.h"
#include "ops/grads.h"
#include "ops/norm.h"
#include "ops/pad.h"
#include "ops/resize.h"
#include "ops/slice_dx.h"

#include <math.h>
#include <string.h>

struct taps {
    struct onn_arena *arena;
    struct onn_axis_tap *tap;
    int64_t n;
};

/* Output o of dimension d takes input i. */
static void add_tap(struct taps *t, int64_t o, int64_t i, double weight)
{
    if (t->tap)
        t->tap[t->n++] = (struct onn_axis_tap){(int32_t)o, (int32_t)i, (float)weight};
}

static void cubic_taps(const struct onn_resize *r, int64_t o, double at, int64_t size, struct taps *t)
{
    const double a = r->cubic, low = floor(at), f = at - low, far[2] = {f + 1, 2 - f}, near[2] = {f, 1 - f};
    double w[4], sum = 0;
    for (int s = 0; s < 2; s++) {
        w[3 * s] = ((a * far[s] - 5 * a) * far[s] + 8 * a) * far[s] - 4 * a;
        w[1 + s] = ((a + 2) * near[s] - (a + 3)) * near[s] * near[s] + 1;
    }
    for (int k = 0; k < 4; k++) {
        const int64_t i = (int64_t)low - 1 + k;
        if (r->exclude && (i < 0 || i >= size))
            w[k] = 0;
        sum += w[k];
    }
    for (int k = 0; k < 4; k++) {
        const int64_t i = (int64_t)low - 1 + k;
        add_tap(t, o, i < 0 ? 0 : i >= size ? size - 1 : i, r->exclude ? w[k] / sum : w[k]);
    }
}

/* What the forward operator reads along dimension d. Positions outside that give the extrapolation value have no taps. */
static void resize_taps(const struct onn_resize *r, int d, struct taps *t)
{
    const int64_t size = r->axis[d].in;
    for (int64_t o = 0; o < r->axis[d].out; o++) {
        const float at = onn_resize_at(&r->axis[d], o);
        if (r->crop && (at < 0 || at > (float)(size - 1)))
            continue;
        if (r->mode == ONN_RESIZE_NEAREST) {
            add_tap(t, o, onn_resize_nearest(at, size, r->nearest), 1);
        } else if (r->mode == ONN_RESIZE_LINEAR) {
            const double in = at < 0 ? 0 : at > (float)(size - 1) ? (double)(size - 1) : at;
            const int64_t i = (int64_t)in;
            add_tap(t, o, i, 1 - (in - (double)i));
            add_tap(t, o, i + 1 < size ? i + 1 : i, in - (double)i);
        } else {
            cubic_taps(r, o, at, size, t);
        }
    }
}

enum oclnn_status onn_resize_grad(struct onn_grad *g, const struct onn_prob *p)
{
    struct onn_resize r;
    enum oclnn_status status = onn_resize_read(p, &r);
    int32_t dx = g->dout[0];
    for (int d = r.rank - 1; status == OCLNN_OK && d >= 0; d--) {
        if (!(r.resized >> d & 1))
            continue;
        struct onn_arena scratch = {0};
        struct taps t = {.arena = &scratch};
        t.tap = onn_arena_calloc(&scratch, 4 * (size_t)r.axis[d].out + 1, sizeof *t.tap);
        status = t.tap ? OCLNN_OK : OCLNN_ERROR_MEMORY;
        resize_taps(&r, d, &t);
        if (status == OCLNN_OK)
            dx = onn_axis_map_transposed(g, dx, d, p->in[0].dim[d], t.tap, t.n);
        onn_arena_finish(&scratch);
    }
    if (status == OCLNN_OK)
        g->add(g, 0, dx);
    return status;
}

/* ---- Pad ---- */

/* The input position that output o shows, as in ops/pad.c; -1: the constant. */
static int64_t padded_from(int64_t o, int64_t before, int64_t size, const char *mode)
{
    const int64_t i = o - before;
    if (i >= 0 && i < size)
        return i;
    if (!mode || !strcmp(mode, "constant"))
        return -1;
    if (!strcmp(mode, "edge") || size == 1)
        return i < 0 ? 0 : size - 1;
    const int64_t period = !strcmp(mode, "reflect") ? 2 * (size - 1) : size,
                  m = ((i % period) + period) % period;
    return m < size ? m : period - m;
}

enum oclnn_status onn_pad_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const char *mode = ((const struct onn_pad_attr *)p->attr)->mode;
    int64_t before[ONN_MAX_RANK], after[ONN_MAX_RANK];
    enum oclnn_status status = onn_pad_read(p, before, after);
    int32_t dx = g->dout[0];
    if (g->n_in > 2 && g->in[2] && g->needed[2])
        return onn_grad_refuse(g, 2, "the constant");
    for (int d = p->in[0].rank - 1; status == OCLNN_OK && d >= 0; d--) {
        const int64_t size = p->in[0].dim[d], out = p->out[0].dim[d];
        if (!before[d] && !after[d])
            continue;
        struct onn_arena scratch = {0};
        struct taps t = {.arena = &scratch};
        t.tap = onn_arena_calloc(&scratch, (size_t)out + 1, sizeof *t.tap);
        status = t.tap ? OCLNN_OK : OCLNN_ERROR_MEMORY;
        for (int64_t o = 0; o < out && t.tap; o++) {
            const int64_t i = padded_from(o, before[d], size, mode);
            if (i >= 0)
                add_tap(&t, o, i, 1);
        }
        if (status == OCLNN_OK)
            dx = onn_axis_map_transposed(g, dx, d, size, t.tap, t.n);
        onn_arena_finish(&scratch);
    }
    if (status == OCLNN_OK)
        g->add(g, 0, dx);
    return status;
}

/* ---- LRN: with d = bias + alpha / size * window(x^2), y = x d^-beta:
 * dx = dy d^-beta - 2 beta alpha / size * x * window^T(dy y / d) ---- */
enum oclnn_status onn_lrn_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_lrn_attr *a = p->attr;
    const int64_t c = p->in[0].dim[1], before = (a->size - 1) / 2, behind = a->size - 1 - before;
    const double alpha = (double)a->alpha / (double)a->size;
    struct onn_arena scratch = {0};
    struct taps to = {.arena = &scratch}, back = {.arena = &scratch};
    to.tap = onn_arena_calloc(&scratch, (size_t)(c * (behind + before + 1)) + 1, sizeof *to.tap);
    back.tap = onn_arena_calloc(&scratch, (size_t)(c * (behind + before + 1)) + 1, sizeof *back.tap);
    for (int64_t o = 0; o < c && to.tap && back.tap; o++)
        for (int64_t i = o - before < 0 ? 0 : o - before; i <= o + behind && i < c; i++) {
            add_tap(&to, i, o, alpha); /* transposed twice: the forward window */
            add_tap(&back, o, i, 1);
        }
    const int32_t x = g->in[0], dy = g->dout[0];
    if (to.tap && back.tap) {
        const int32_t sum = onn_axis_map_transposed(g, onn_grad_2(g, "mul", NULL, x, x), 1, c, to.tap, to.n);
        const int32_t d = onn_grad_2(g, "add", NULL, sum, onn_grad_number(g, a->bias));
        const int32_t factor = onn_grad_2(g, "pow", NULL, d, onn_grad_number(g, -(double)a->beta));
        const int32_t t = onn_grad_2(g, "div", NULL, onn_grad_2(g, "mul", NULL, dy, g->out[0]), d);
        const int32_t w = onn_axis_map_transposed(g, t, 1, c, back.tap, back.n);
        const int32_t side = onn_grad_scale(g, onn_grad_2(g, "mul", NULL, x, w), -2 * a->beta * alpha);
        g->add(g, 0, onn_grad_2(g, "add", NULL, onn_grad_2(g, "mul", NULL, dy, factor), side));
    }
    onn_arena_finish(&scratch);
    return to.tap && back.tap ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}
