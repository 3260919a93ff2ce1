/* Opaque packings of convolution weights for vector CPUs. format.p[]: 0 = vector width, 1 = groups, 2 = how
 * many of the convolution's groups were merged into one of these (0 = 1; direct only). Behind every packing
 * stands a run of zeros, at least as long as the blocked output channels: the bias of a convolution that has none, and
 * the pixels outside the image. It is written by the packing kernel itself, given a weight without input channels. */
#include "ops/conv_variants.h"
#include "ops/pack.h"

struct layout {
    int64_t vl, groups, merge, c, k, taps; /* c, k: channels of one group, of a merged one where merge > 1 */
    int64_t c_blocks, k_blocks;
    int64_t unit; /* floats that the packing kernel writes for one group of zeros */
    int64_t zeros; /* how many such groups */
    int64_t panels; /* floats before the zeros */
    enum oclnn_dtype dtype; /* of the weight */
};

static bool mul3(int64_t a, int64_t b, int64_t c, int64_t *out)
{
    return onn_mul_i64(a, b, out) && onn_mul_i64(*out, c, out);
}

/* False if it cannot be packed so. */
static bool lay_out(int pack, const struct onn_desc *w, const uint8_t p[4], struct layout *l)
{
    const int64_t vl = p[0], groups = p[1] ? p[1] : 1, merge = p[2] ? p[2] : 1;
    int64_t blocks;

    if (w->rank < 3 || w->rank > 4 || !vl || w->dim[0] % (groups * merge) || w->dim[1] > INT32_MAX ||
        (merge > 1 && pack != ONN_PACK_CONV_DIRECT))
        return false;
    *l = (struct layout){.vl = vl,
        .dtype = w->dtype,
        .groups = groups,
        .merge = merge,
        .c = w->dim[1] * merge,
        .k = w->dim[0] / groups,
        .taps = 1};
    for (int i = 2; i < w->rank; i++)
        if (!onn_mul_i64(l->taps, w->dim[i], &l->taps))
            return false;
    l->c_blocks = onn_div_up(l->c, vl);
    l->k_blocks = onn_div_up(l->k, vl);
    if (!mul3(groups * l->k_blocks, l->c_blocks, vl * vl, &blocks))
        return false;
    switch (pack) {
    case ONN_PACK_CONV_DIRECT: /* [groups][k_blocks][c_blocks][R][S][VL c][VL k] */
        l->unit = vl * vl;
        if (!onn_mul_i64(blocks, l->taps, &l->panels))
            return false;
        break;
    case ONN_PACK_CONV_WINOGRAD: /* [groups][36][k_blocks][c_blocks][VL c][VL k] */
        l->unit = 36 * vl * vl;
        if (l->taps != 9 || !onn_mul_i64(blocks, 36, &l->panels))
            return false;
        break;
    case ONN_PACK_CONV_DEPTHWISE: /* [c_blocks][R][S][VL] */
        l->unit = vl;
        l->k_blocks = onn_div_up(w->dim[0], vl);
        l->k = w->dim[0];
        l->groups = 1;
        if (w->dim[1] != 1 || !mul3(l->k_blocks, l->taps, vl, &l->panels))
            return false;
        break;
    case ONN_PACK_CONV_STEM: /* [k_blocks][C][R][S][VL] */
        l->unit = vl;
        if (groups != 1 || !mul3(l->k_blocks, l->c, l->taps * vl, &l->panels))
            return false;
        break;
    case ONN_PACK_CONV_TRANSPOSE: /* [groups][k_blocks][c_blocks][R][S][VL c][VL k], of w[C][K / groups][R][S] */
        l->c = w->dim[0] / groups;
        l->k = w->dim[1];
        l->c_blocks = onn_div_up(l->c, vl);
        l->k_blocks = onn_div_up(l->k, vl);
        l->unit = vl * vl;
        if (!mul3(groups * l->k_blocks, l->c_blocks, vl * vl, &blocks) ||
            !onn_mul_i64(blocks, l->taps, &l->panels))
            return false;
        break;
    default: return false;
    }
    l->zeros = onn_div_up(l->groups * l->k_blocks * vl, l->unit);
    return true;
}

static int64_t elements(int pack, const struct onn_desc *w, const uint8_t p[4])
{
    struct layout l;

    /* conv_blocked's kernel writes one more vector of zeros behind what it packs */
    const int64_t floats = lay_out(pack, w, p, &l) ? l.panels + l.zeros * l.unit + l.vl : -1;
    return floats < 0 || w->dtype != OCLNN_F16 ? floats : 2 * floats;
}

int64_t onn_conv_pack_zeros(int pack, const struct onn_desc *w, const uint8_t p[4])
{
    struct layout l;

    return lay_out(pack, w, p, &l) ? l.panels : -1;
}

/* One launch of a packing kernel into the output at `at` floats. */
static void add_launch(struct onn_bind *b, const char *program, const char *kernel, const struct layout *lay,
    int64_t at, const int64_t size[4], size_t g0, size_t g1)
{
    struct onn_launch *l =
        onn_bind_add(b, program, kernel, "-D VL=%d%s", (int)lay->vl, onn_stored_define(lay->dtype));

    onn_arg_in(l, 0);
    onn_arg_out_at(l, 0, (size_t)at * sizeof(float) * (sizeof(float) / oclnn_dtype_size(lay->dtype)));
    for (int i = 0; i < 4; i++)
        onn_arg_int(b, l, size[i]);
    onn_launch_size3(l, (size_t[3]){g0, g1, 1}, (size_t[3]){1, 1, 1});
}

static enum oclnn_status bind(int pack, const struct onn_prob *p, struct onn_bind *b)
{
    const struct onn_desc *w = &p->in[0];
    const bool flat = w->rank == 3; /* 1-D: height 1 */
    struct layout l;

    if (!onn_elem_can(w->dtype) || !lay_out(pack, w, p->out[0].format.p, &l) || !onn_desc_is_packed(w) ||
        !onn_format_is_plain(&w->format))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "this weight cannot be packed for a convolution");
    const int64_t size[4] = {l.k, l.c, flat ? 1 : w->dim[2], w->dim[flat ? 2 : 3]}, none[4] = {1, 0, 1, 1};
    const size_t cb = (size_t)l.c_blocks, kb = (size_t)(l.groups * l.k_blocks), zeros = (size_t)l.zeros;
    switch (pack) {
    case ONN_PACK_CONV_DIRECT:
        if (l.merge > 1)
            add_launch(b, "conv_pack", "conv_pack_merged", &l, 0, size, cb, kb);
        else
            add_launch(b, "conv_blocked", "conv2d_pack_blocked", &l, 0, size, cb, kb);
        if (l.merge > 1 && b->n)
            onn_arg_int(b, &b->launch[b->n - 1], l.merge);
        add_launch(b, "conv_blocked", "conv2d_pack_blocked", &l, l.panels, none, 1, zeros);
        break;
    case ONN_PACK_CONV_WINOGRAD:
        add_launch(b, "conv_wino43", "conv2d_pack_wino43", &l, 0, size, cb, kb);
        add_launch(b, "conv_wino43", "conv2d_pack_wino43", &l, l.panels, none, 1, zeros);
        break;
    case ONN_PACK_CONV_DEPTHWISE:
        add_launch(b, "conv_depthwise", "conv2d_pack_depthwise", &l, 0, size, kb, 1);
        add_launch(b, "conv_depthwise", "conv2d_pack_depthwise", &l, l.panels, (int64_t[4]){0, 1, 1, 1},
            zeros, 1);
        break;
    case ONN_PACK_CONV_TRANSPOSE:
        add_launch(b, "convtranspose_blocked", "convtranspose_pack", &l, 0, size, cb, kb);
        add_launch(b, "convtranspose_blocked", "convtranspose_pack", &l, l.panels, none, 1, zeros);
        break;
    default:
        add_launch(b, "conv_stem", "conv2d_pack_stem", &l, 0, size, kb, 1);
        add_launch(b, "conv_stem", "conv2d_pack_stem", &l, l.panels, (int64_t[4]){0, 1, 1, 1}, zeros, 1);
        break;
    }
    return b->status;
}

#define PACK(name, id) \
    static int64_t name##_elements(const struct onn_desc *w, const uint8_t p[4]) \
    { \
        return elements(id, w, p); \
    } \
    static enum oclnn_status name##_bind(const struct onn_prob *p, struct onn_bind *b) \
    { \
        return bind(id, p, b); \
    } \
    static const struct onn_pack pack_##name = {id, "conv_" #name, name##_elements, name##_bind}
PACK(direct, ONN_PACK_CONV_DIRECT);
PACK(winograd, ONN_PACK_CONV_WINOGRAD);
PACK(depthwise, ONN_PACK_CONV_DEPTHWISE);
PACK(stem, ONN_PACK_CONV_STEM);
PACK(transpose, ONN_PACK_CONV_TRANSPOSE);

const struct onn_pack *const onn_packs_conv[] = {&pack_direct, &pack_winograd, &pack_depthwise, &pack_stem,
    &pack_transpose, NULL};
