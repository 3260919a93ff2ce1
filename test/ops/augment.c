/* augment against its definition, pixel by pixel in double. Whole shifts and mirrors come out exactly. */
#include "ops/augment.h"
#include "harness/harness.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* ---- tables ---- */
static double *row_of(double *data, int64_t n)
{
    double *row = data + n * ONN_AUGMENT_ROW;
    memset(row, 0, ONN_AUGMENT_ROW * sizeof *row);
    row[0] = row[4] = row[ONN_AUGMENT_WEIGHT] = 1;
    for (int c = 0; c < 3; c++)
        row[ONN_AUGMENT_COLOUR + 5 * c] = 1;
    return row;
}

static double noise(uint32_t *state) /* -1 … 1, with few bits */
{
    *state = *state * 1664525u + 1013904223u;
    return ((double)(*state >> 20) - 2048) / 2048;
}

static void pixels(double *data, int64_t n, uint32_t *state)
{
    for (int64_t i = 0; i < n; i++)
        data[i] = floor((noise(state) + 1) * 127.99);
}

/* Mirrors, whole shifts (some of them out of the image), cut rectangles, weights 1, 3/4, 1/2, 0. */
static void whole(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    const double w = (double)p->in[0].dim[3], h = (double)p->in[0].dim[2];
    uint32_t state = 99u + (uint32_t)i;
    if (i == 0)
        pixels(data, n, &state);
    if (i == 2)
        for (int64_t k = 0; k < n; k++)
            data[k] = integer ? (double)(k % 5 - 2) : noise(&state);
    for (int64_t k = 0; i == 1 && k < n / ONN_AUGMENT_ROW; k++) {
        double *row = row_of(data, k);
        if (k % 2)
            row[0] = -1, row[2] = w - 1;
        if (k % 3 == 2)
            row[4] = -1, row[5] = h - 1;
        row[2] += floor(noise(&state) * 5);
        row[5] += floor(noise(&state) * 5);
        if (k % 5 == 4)
            row[2] += k % 2 ? 3 * w : -w;
        if (k % 4 == 3)
            for (int e = 0; e < 4; e++)
                row[ONN_AUGMENT_CUTOUT + e] =
                    floor(e < 2 ? noise(&state) * 4 + 2 : noise(&state) * 4 + w / 2);
        if (k % 4 == 2)
            row[ONN_AUGMENT_WEIGHT] = k % 3 ? 0.75 : k % 8 == 2 ? 0.5 : 0;
        row[ONN_AUGMENT_PARTNER] = (double)((k + 3) % p->in[0].dim[0]);
        if (k % 7 == 6)
            for (int e = 0; e < 12; e++)
                row[ONN_AUGMENT_COLOUR + e] = floor(noise(&state) * 4);
    }
}

/* What training on small images asks for: mirrored or not, moved by up to 4 pixels. */
static void usual(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    uint32_t state = 5;
    whole(p, i, integer, data, n);
    for (int64_t k = 0; i == 1 && k < n / ONN_AUGMENT_ROW; k++) {
        double *row = row_of(data, k);
        if (k % 2)
            row[0] = -1, row[2] = (double)p->in[0].dim[3] - 1;
        row[2] += floor(noise(&state) * 4.5 + 0.5);
        row[5] += floor(noise(&state) * 4.5 + 0.5);
    }
}

/* Everything between the pixels. */
static void anywhere(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    const double w = (double)p->in[0].dim[3], h = (double)p->in[0].dim[2];
    const double to_w = (double)p->out[0].dim[3], to_h = (double)p->out[0].dim[2];
    uint32_t state = 7u + (uint32_t)i;
    if (i != 1) {
        whole(p, i, integer, data, n);
        return;
    }
    for (int64_t k = 0; k < n / ONN_AUGMENT_ROW; k++) {
        double *row = row_of(data, k);
        row[0] = w / to_w * (1 + noise(&state) / 4);
        row[4] = h / to_h * (1 + noise(&state) / 4);
        row[1] = noise(&state) / 2;
        row[3] = noise(&state) / 2;
        row[2] = noise(&state) * w / 4;
        row[5] = noise(&state) * h / 4;
        if (k % 3 == 1) /* the scaling that resizing makes */
            row[0] = w / to_w, row[4] = h / to_h, row[1] = row[3] = 0, row[2] = row[0] / 2 - 0.5,
            row[5] = row[4] / 2 - 0.5;
        for (int e = 0; e < 12 && k % 2; e++)
            row[ONN_AUGMENT_COLOUR + e] += noise(&state) / 2;
        if (k % 2)
            row[ONN_AUGMENT_WEIGHT] = (noise(&state) + 1) / 2;
        row[ONN_AUGMENT_PARTNER] = (double)((k + 1) % p->in[0].dim[0]);
    }
}

/* Numbers without sense must not lead outside of the images. */
static void wild(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e30, -1e30, 3e9, -70000, 0.5, 1, -1, 0};
    whole(p, i, integer, data, n);
    for (int64_t k = 0; i == 1 && k < n; k++)
        if (k * 7919 % 5 == 0)
            data[k] = odd[k * 104729 % 11];
}

/* ---- reference ---- */
struct image {
    const double *x, *row, *norm;
    int64_t c, h, w;
};

/* scale: what an error of the places in floats and the roundings can make. */
static double value(const struct image *m, int64_t c, int64_t X, int64_t Y, double *scale)
{
    const double *r = m->row, *cut = r + ONN_AUGMENT_CUTOUT;
    const double sx = r[0] * (double)X + r[1] * (double)Y + r[2],
                 sy = r[3] * (double)X + r[4] * (double)Y + r[5];
    double v[3] = {0}, inside = 0, out = 0, size = 0;
    if ((double)X >= cut[0] && (double)X < cut[2] && (double)Y >= cut[1] && (double)Y < cut[3])
        return 0;
    for (int64_t py = 0; py < m->h; py++) {
        const double wy = 1 - fabs(sy - (double)py);
        for (int64_t px = 0; px < m->w && wy > 0; px++) {
            const double wx = 1 - fabs(sx - (double)px);
            if (wx <= 0)
                continue;
            inside += wx * wy;
            for (int64_t k = 0; k < 3; k++)
                v[k] += wx * wy * m->x[((m->c == 3 ? k : c) * m->h + py) * m->w + px];
        }
    }
    const double *colour = r + ONN_AUGMENT_COLOUR + (m->c == 3 ? 4 * c : 0);
    for (int k = 0; k < (m->c == 3 ? 3 : 1); k++) {
        out += colour[k] * v[k];
        size += fabs(colour[k]) * 255;
    }
    out += colour[3] * inside;
    size = (size + fabs(colour[3])) * fabs(m->norm[2 * c]) + fabs(m->norm[2 * c + 1]);
    *scale += size *
        (1 + fabs(r[0] * (double)X) + fabs(r[1] * (double)Y) + fabs(r[2]) + fabs(r[3] * (double)X) +
            fabs(r[4] * (double)Y) + fabs(r[5]));
    return out * m->norm[2 * c] + m->norm[2 * c + 1] * inside;
}

static void ref(struct onn_ref *r)
{
    const struct onn_desc *x = &r->prob->in[0], *y = &r->prob->out[0];
    const int64_t image = x->dim[1] * x->dim[2] * x->dim[3];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t at[ONN_MAX_RANK];
        onn_ref_index(y, i, at);
        const double *row = r->in[1] + at[0] * ONN_AUGMENT_ROW, weight = row[ONN_AUGMENT_WEIGHT];
        const int64_t partner = (int64_t)row[ONN_AUGMENT_PARTNER];
        struct image m = {r->in[0] + at[0] * image, row, r->in[2], x->dim[1], x->dim[2], x->dim[3]};
        r->out[0][i] = weight * value(&m, at[1], at[3], at[2], &r->scale[0][i]);
        if (weight == 1)
            continue;
        m.x = r->in[0] + partner * image;
        m.row = r->in[1] + partner * ONN_AUGMENT_ROW;
        r->out[0][i] += (1 - weight) * value(&m, at[1], at[3], at[2], &r->scale[0][i]);
    }
}

#define WHOLE(text) \
    { \
        .problem = text, .ref = ref, .flags = ONN_CASE_NO_F16, .fill = whole \
    }
#define ANYWHERE(text) \
    { \
        .problem = text, .ref = ref, .flags = ONN_CASE_NO_F16 | ONN_CASE_NO_EXACT, .fill = anywhere, .c = 1 \
    }
#define SPEED(text, table) \
    { \
        .problem = text, .ref = ref, .flags = ONN_CASE_NO_F16 | ONN_CASE_NO_EXACT | ONN_CASE_SLOW, \
        .fill = table, .c = 1 \
    }
static const struct onn_case cases[] = {
    WHOLE("augment x=9x3x8x8:u8 t=9x24 n=3x2"),
    WHOLE("augment x=16x3x13x17:u8 t=16x24 n=3x2"),
    WHOLE("augment x=21x1x28x28:u8 t=21x24 n=1x2"),
    WHOLE("augment x=8x4x5x33:u8 t=8x24 n=4x2"),
    WHOLE("augment x=5x3x7x3:u8 t=5x24 n=3x2"),
    WHOLE("augment x=7x2x6x16:u8 t=7x24 n=2x2 height=9 width=21"),
    WHOLE("augment x=1x3x1x1:u8 t=1x24 n=3x2"),
    WHOLE("augment x=12x3x32x32:u8 t=12x24 n=3x2"),
    ANYWHERE("augment x=9x3x8x8:u8 t=9x24 n=3x2"),
    ANYWHERE("augment x=10x3x13x17:u8 t=10x24 n=3x2"),
    ANYWHERE("augment x=6x1x28x28:u8 t=6x24 n=1x2"),
    ANYWHERE("augment x=4x3x20x30:u8 t=4x24 n=3x2 height=11 width=9"),
    ANYWHERE("augment x=9x3x4x2:u8 t=9x24 n=3x2 height=5 width=17"),
    ANYWHERE("augment x=9x3x5x1:u8 t=9x24 n=3x2 height=5 width=16"),
    ANYWHERE("augment x=3x2x9x7:u8 t=3x24 n=2x2 height=31 width=40"),
    {.problem = "augment x=40x3x9x12:u8 t=40x24 n=3x2", .flags = ONN_CASE_NO_F16, .fill = wild},
    {.problem = "augment x=33x1x5x19:u8 t=33x24 n=1x2", .flags = ONN_CASE_NO_F16, .fill = wild},
    SPEED("augment x=64x1x28x28:u8 t=64x24 n=1x2", usual),
    SPEED("augment x=128x3x32x32:u8 t=128x24 n=3x2", usual),
    SPEED("augment x=16x3x224x224:u8 t=16x24 n=3x2", usual),
    SPEED("augment x=16x3x224x224:u8 t=16x24 n=3x2", anywhere),
    {.problem = NULL},
};

static void shapes(void **state)
{
    (void)state;
    onn_check_infer("augment x=2x3x8x9:u8 t=2x24 n=3x2", "f32[2,3,8,9]");
    onn_check_infer("augment x=2x3x8x9:u8 t=2x24 n=3x2 height=4 width=5", "f32[2,3,4,5]");
    onn_check_infer("augment x=?x3x8x9:u8 t=?x24 n=3x2", "f32[-1,3,8,9]");
    onn_check_infer("augment x=2x3x8x9 t=2x24 n=3x2", "!instead of u8");
    onn_check_infer("augment x=2x3x8:u8 t=2x24 n=3x2", "!rank 3");
    onn_check_infer("augment x=2x3x8x9:u8 t=1x24 n=3x2", "!table is not 2 x 24");
    onn_check_infer("augment x=2x3x8x9:u8 t=2x23 n=3x2", "!table is not");
    onn_check_infer("augment x=2x3x8x9:u8 t=2x24 n=1x2", "!norm is not 3 x 2");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes)};
    if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0)
        return 1;
    return onn_harness_main(argc, argv, cases);
}
