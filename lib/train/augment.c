#include "train/augment.h"

#include "base/philox.h"
#include "train/dataset.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- fields: one table for text, ranges and messages ---- */
struct field {
    const char *name;
    size_t offset;
    bool is_int, is_switch; /* switch: the word alone */
    double most; /* 0 … most */
};
#define FIELD(name, is_int, is_switch, most) \
    { \
#name, offsetof(struct oclnn_augment, name), is_int, is_switch, most \
    }
static const struct field fields[] = {FIELD(flip, true, true, 1), FIELD(flip_vertical, true, true, 1),
    FIELD(crop, true, false, 4096), FIELD(resize, false, false, 100), FIELD(rotate, false, false, 180),
    FIELD(shear, false, false, 10), FIELD(zoom, false, false, 0.99), FIELD(brightness, false, false, 1),
    FIELD(contrast, false, false, 1), FIELD(saturation, false, false, 1), FIELD(cutout, true, false, 32768),
    FIELD(mixup, false, false, 1000)};
enum { FIELDS = sizeof fields / sizeof *fields };

static double get(const struct oclnn_augment *a, const struct field *f)
{
    const void *at = (const char *)a + f->offset;
    return f->is_int ? *(const int *)at : (double)*(const float *)at;
}

static enum oclnn_status check(const struct field *f, double value)
{
    if (value >= 0 && value <= f->most)
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "augment: %s is %g, possible are 0 … %g", f->name, value, f->most);
}

enum oclnn_status onn_augment_check(const struct oclnn_augment *augment)
{
    for (int i = 0; i < FIELDS; i++) {
        enum oclnn_status status = check(&fields[i], get(augment, &fields[i]));
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}

/* Digits with at most one point, whatever the program's locale. */
static bool number(const char *text, size_t length, double *out)
{
    double value = 0, place = 0;
    int digits = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && place == 0) {
            place = 1;
        } else if (text[i] >= '0' && text[i] <= '9' && digits++ < 15) {
            value = value * 10 + (text[i] - '0');
            place *= 10;
        } else {
            return false;
        }
    }
    *out = place > 1 ? value / place : value;
    return digits > 0;
}

/* A field's name, as in C or with hyphens as on a command line. */
static bool is_name(const char *field, const char *word, size_t length)
{
    size_t i = 0;
    while (i < length && field[i] && (field[i] == word[i] || (field[i] == '_' && word[i] == '-')))
        i++;
    return i == length && !field[i];
}

static enum oclnn_status parse_word(const char *word, size_t length, struct oclnn_augment *out)
{
    size_t name = 0;
    double value = 1;
    while (name < length && word[name] != ':')
        name++;
    for (int i = 0; i < FIELDS; i++) {
        const struct field *f = &fields[i];
        if (!is_name(f->name, word, name))
            continue;
        if (name < length ? !number(word + name + 1, length - name - 1, &value) : !f->is_switch)
            return onn_error(OCLNN_ERROR_ARGUMENT, "augment: '%.*s': %s needs a number, as in %s:%s",
                length < 100 ? (int)length : 100, word, f->name, f->name, f->is_int ? "4" : "0.2");
        if (f->is_int && value != floor(value))
            return onn_error(OCLNN_ERROR_ARGUMENT, "augment: '%.*s': %s is a whole number", (int)length, word,
                f->name);
        enum oclnn_status status = check(f, value);
        if (status != OCLNN_OK)
            return status;
        void *at = (char *)out + f->offset;
        if (f->is_int)
            *(int *)at = (int)value;
        else
            *(float *)at = (float)value;
        return OCLNN_OK;
    }
    return onn_error(OCLNN_ERROR_ARGUMENT,
        "augment: '%.*s' is none of flip, flip-vertical, crop, resize, rotate, shear, zoom, brightness, "
        "contrast, saturation, cutout, mixup",
        length < 100 ? (int)length : 100, word);
}

enum oclnn_status oclnn_augment_parse(const char *text, struct oclnn_augment *out)
{
    struct oclnn_augment a = {0};
    if (!text || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "augment: text or out is NULL");
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, ",");
        enum oclnn_status status = parse_word(at, length, &a);
        if (status != OCLNN_OK)
            return status;
        at += length;
        if (*at == ',' && !*++at)
            return onn_error(OCLNN_ERROR_ARGUMENT, "augment: '%.100s' ends with a comma", text);
    }
    *out = a;
    return OCLNN_OK;
}

void onn_augment_text(const struct oclnn_augment *augment, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "none");
    bool any = false;
    for (int i = 0; i < FIELDS; i++) {
        const double value = get(augment, &fields[i]);
        if (value == 0)
            continue;
        at = any ? at : 0;
        const char *comma = any ? "," : "";
        any = true;
        if (at < size && fields[i].is_switch)
            at += (size_t)snprintf(text + at, size - at, "%s%s", comma, fields[i].name);
        else if (at < size)
            at += (size_t)snprintf(text + at, size - at, "%s%s:%.9g", comma, fields[i].name, value);
    }
}

/* ---- drawing ---- */
static double within(struct onn_random *r, double low, double high)
{
    return low + (high - low) * onn_random_unit(r);
}

/* Output pixel to input pixel. Changes are put behind each other: what is added last is what the output sees first. */
struct affine {
    double m[6];
};

static void then(struct affine *a, double xx, double xy, double x, double yx, double yy, double y)
{
    const double *m = a->m;
    const struct affine next = {{m[0] * xx + m[1] * yx, m[0] * xy + m[1] * yy, m[0] * x + m[1] * y + m[2],
        m[3] * xx + m[4] * yx, m[3] * xy + m[4] * yy, m[3] * x + m[4] * y + m[5]}};
    *a = next;
}

static void draw_affine(const struct oclnn_augment *g, const struct onn_augment_at *at, struct onn_random *r,
    struct affine *a)
{
    const double w = at->width, h = at->height, cx = (w - 1) / 2, cy = (h - 1) / 2;
    if (g->rotate > 0 || g->shear > 0 || g->zoom > 0) { /* around the centre */
        const double angle = within(r, -1, 1) * (double)g->rotate * 3.14159265358979323846 / 180;
        const double shear = within(r, -1, 1) * (double)g->shear,
                     zoom = 1 + within(r, -1, 1) * (double)g->zoom;
        const double c = cos(angle) / zoom, s = sin(angle) / zoom;
        then(a, 1, 0, cx, 0, 1, cy);
        then(a, c, -s, 0, s, c, 0);
        then(a, 1, shear, 0, 0, 1, 0);
        then(a, 1, 0, -cx, 0, 1, -cy);
    }
    if (g->resize > 0) { /* a window; its edges, not its pixels' centres, are scaled */
        const double s = within(r, 1 / (1 + (double)g->resize), 1);
        const double x = within(r, 0, w - s * w), y = within(r, 0, h - s * h);
        then(a, s, 0, x + s / 2 - 0.5, 0, s, y + s / 2 - 0.5);
    }
    if (g->crop > 0) {
        const double dx = (double)onn_random_below(r, 2 * (uint64_t)g->crop + 1) - g->crop;
        const double dy = (double)onn_random_below(r, 2 * (uint64_t)g->crop + 1) - g->crop;
        then(a, 1, 0, dx, 0, 1, dy);
    }
    if (g->flip && onn_random_below(r, 2))
        then(a, -1, 0, w - 1, 0, 1, 0);
    if (g->flip_vertical && onn_random_below(r, 2))
        then(a, 1, 0, 0, 0, -1, h - 1);
}

/* v' = contrast (saturation (v)) + brightness. Weights of grey: ITU-R BT.601. */
static void draw_colour(const struct oclnn_augment *g, int channels, struct onn_random *r, float *row)
{
    static const double grey[3] = {0.299, 0.587, 0.114};
    if (!(g->brightness > 0 || g->contrast > 0 || g->saturation > 0))
        return;
    const double add = within(r, -1, 1) * (double)g->brightness * 255;
    const double contrast = 1 + within(r, -1, 1) * (double)g->contrast;
    const double saturation = channels == 3 ? 1 + within(r, -1, 1) * (double)g->saturation : 1;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 4; k++) {
            double v = k == 3 ? 128 * (1 - contrast) + add
                              : contrast * ((1 - saturation) * grey[k] + (i == k ? saturation : 0));
            row[ONN_AUGMENT_COLOUR + 4 * i + k] = (float)v;
        }
}

static double normal(struct onn_random *r) /* Box and Muller 1958 */
{
    const double u = onn_random_unit(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * onn_random_unit(r));
}

/* Logarithm of a Gamma(alpha, 1) number: Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
 * Below 1 it is that of alpha + 1 times u^(1 / alpha), which may be too small for anything but its logarithm. */
static double log_gamma_number(struct onn_random *r, double alpha)
{
    const double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = normal(r), v = (1 + c * x) * (1 + c * x) * (1 + c * x);
        if (v <= 0 || log(onn_random_unit(r)) >= 0.5 * x * x + d - d * v + d * log(v))
            continue;
        return log(d * v) + (alpha < 1 ? log(onn_random_unit(r)) / alpha : 0);
    }
}

/* Beta(alpha, alpha) is x / (x + y) of two Gamma numbers. */
static double beta_number(struct onn_random *r, double alpha)
{
    const double x = log_gamma_number(r, alpha), y = log_gamma_number(r, alpha);
    return 1 / (1 + exp(y - x));
}

void onn_augment_none(float row[static ONN_AUGMENT_ROW])
{
    memset(row, 0, ONN_AUGMENT_ROW * sizeof *row);
    row[ONN_AUGMENT_AFFINE] = row[ONN_AUGMENT_AFFINE + 4] = 1;
    for (int c = 0; c < 3; c++)
        row[ONN_AUGMENT_COLOUR + 5 * c] = 1;
    row[ONN_AUGMENT_WEIGHT] = 1;
}

void onn_augment_draw(const struct oclnn_augment *augment, const struct onn_augment_at *at,
    float row[static ONN_AUGMENT_ROW])
{
    /* 2^16 blocks per image: the loop that rejects never comes near. */
    struct onn_random r = {.seed = at->seed,
        .stream = ONN_STREAM(ONN_STREAM_AUGMENT, at->epoch),
        .counter = (uint64_t)at->position << 16};
    struct affine a = {{1, 0, 0, 0, 1, 0}};
    onn_augment_none(row);
    draw_affine(augment, at, &r, &a);
    for (int i = 0; i < 6; i++)
        row[ONN_AUGMENT_AFFINE + i] = (float)a.m[i];
    draw_colour(augment, at->channels, &r, row);
    if (augment->cutout > 0) {
        const int left = (int)onn_random_below(&r, (uint64_t)at->width) - augment->cutout / 2;
        const int top = (int)onn_random_below(&r, (uint64_t)at->height) - augment->cutout / 2;
        float *cut = row + ONN_AUGMENT_CUTOUT;
        cut[0] = (float)left;
        cut[1] = (float)top;
        cut[2] = (float)(left + augment->cutout);
        cut[3] = (float)(top + augment->cutout);
    }
    row[ONN_AUGMENT_PARTNER] = (float)at->i;
    if (augment->mixup > 0 && at->n > 1) {
        const int64_t step = 1 + (int64_t)onn_random_below(&r, (uint64_t)at->n - 1);
        row[ONN_AUGMENT_PARTNER] = (float)((at->i + step) % at->n);
        /* One weight for the whole batch: the loss mixes its two parts by one number. */
        struct onn_random batch = {.seed = at->seed,
            .stream = ONN_STREAM(ONN_STREAM_AUGMENT, at->epoch),
            .counter = ((uint64_t)(at->position - at->i) << 16) + (1 << 15)};
        row[ONN_AUGMENT_WEIGHT] = (float)beta_number(&batch, (double)augment->mixup);
    }
}

void onn_augment_mask(const float row[static ONN_AUGMENT_ROW], int height, int width, const uint8_t *in,
    uint8_t *out)
{
    const float *m = row + ONN_AUGMENT_AFFINE;
    const float w = (float)width, h = (float)height;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const float u = m[0] * (float)x + (m[1] * (float)y + m[2]) + 0.5f;
            const float v = m[3] * (float)x + (m[4] * (float)y + m[5]) + 0.5f;
            const bool inside = u >= 0 && u < w && v >= 0 && v < h; /* NaN is outside */
            *out++ = inside ? in[(size_t)v * (size_t)width + (size_t)u] : OCLNN_MASK_IGNORE;
        }
}
