#include "harness/conv_ref.h"

#include <math.h>

struct walk {
    enum onn_conv_side side;
    const double *a, *b;
    double *sum, *scale;
};

static void add(const struct walk *s, int64_t x, int64_t w, int64_t y)
{
    const int64_t at[3][3] = {{x, w, y}, {y, w, x}, {x, y, w}}; /* a, b, sum of each side */
    const int64_t *i = at[s->side];
    const double v = s->a[i[0]] * s->b[i[1]];
    s->sum[i[2]] += v;
    s->scale[i[2]] += fabs(v);
}

/* All taps of output (n, k, o), whose row-major position is y. */
static void one_output(const struct walk *s, const struct onn_conv_geometry *g, int64_t n, int64_t k,
    const int64_t o[3], int64_t y)
{
    const struct onn_window *w = &g->window;
    const int64_t first = k / g->k_group * g->c_group, area = w->in[0] * w->in[1] * w->in[2];
    const int64_t taps = w->kernel[0] * w->kernel[1] * w->kernel[2];
    int64_t t[3], i[3], base[3];
    for (int d = 0; d < 3; d++)
        base[d] = o[d] * w->stride[d] - w->begin[d];
    for (t[0] = 0; t[0] < w->kernel[0]; t[0]++)
        for (t[1] = 0; t[1] < w->kernel[1]; t[1]++)
            for (t[2] = 0; t[2] < w->kernel[2]; t[2]++) {
                bool inside = true;
                for (int d = 0; d < 3; d++) {
                    i[d] = base[d] + t[d] * w->dilation[d];
                    inside = inside && i[d] >= 0 && i[d] < w->in[d];
                }
                if (!inside)
                    continue;
                const int64_t pixel = (i[0] * w->in[1] + i[1]) * w->in[2] + i[2];
                const int64_t tap = (t[0] * w->kernel[1] + t[1]) * w->kernel[2] + t[2];
                for (int64_t c = 0; c < g->c_group; c++)
                    add(s, (n * g->c + first + c) * area + pixel, (k * g->c_group + c) * taps + tap, y);
            }
}

void onn_conv_ref_sums(const struct onn_conv_geometry *g, enum onn_conv_side side, const double *a,
    const double *b, double *sum, double *scale)
{
    const struct walk s = {side, a, b, sum, scale};
    int64_t o[3], y = 0;
    for (int64_t n = 0; n < g->n; n++)
        for (int64_t k = 0; k < g->k; k++)
            for (o[0] = 0; o[0] < g->window.out[0]; o[0]++)
                for (o[1] = 0; o[1] < g->window.out[1]; o[1]++)
                    for (o[2] = 0; o[2] < g->window.out[2]; o[2]++)
                        one_output(&s, g, n, k, o, y++);
}
