/* The variants of Conv, one file each; the table is in conv.c. */
#ifndef ONN_OPS_CONV_VARIANTS_H
#define ONN_OPS_CONV_VARIANTS_H

#include "ops/conv.h"

extern const struct onn_variant onn_conv_tiled;
extern const struct onn_variant onn_conv_strips; /* depthwise on GPUs; also a variant of ConvTranspose */

/* ---- devices with real local memory (conv_tiled.c): shared with the transposed convolution ---- */
struct onn_conv_tiled_args { /* cl/lib/simt_conv.h */
    int32_t n, c_group, k_group, h, w, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int32_t channels_last, has_bias, has_res;
    float lo, hi, act_a, act_b;
    int64_t x_s[4], y_s[4], res_s[4], w_s[4],
        bias_s; /* n, c, h, w; w: its first two dimensions, rows, columns */
};
/* NULL if the tiled kernels may work on p. */
const char *onn_conv_tiled_check(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    struct onn_conv_geometry *g, struct onn_tail *tail);
/* Plain and channels last, the weight in the same order. */
int onn_conv_tiled_formats(const struct onn_prob *p, struct onn_formats *out, int max);
void onn_conv_tiled_args(const struct onn_prob *p, const struct onn_conv_geometry *g,
    const struct onn_tail *tail, struct onn_conv_tiled_args *a);
/* Starts the launch of a program and kernel of this name with x, w, bias, residual, y and a. */
struct onn_launch *onn_conv_tiled_launch(const struct onn_prob *p, const struct onn_tail *tail,
    const struct onn_conv_tiled_args *a, int tile, const char *kernel, struct onn_bind *b);
/* Vector CPUs, blocked tensors (conv_blocked.c, conv_wino.c). */
extern const struct onn_variant onn_conv_few, onn_conv_winograd43, onn_conv_pointwise, onn_conv_depthwise,
    onn_conv_stem, onn_conv_blocked;

/* Floats in front of the zeros of an opaque packing of this weight (conv_pack.c); -1 = it cannot be packed so. */
int64_t onn_conv_pack_zeros(int pack, const struct onn_desc *w, const uint8_t p[4]);

/* Bytes that such a convolution moves: while formats are being chosen, a desc does not know its packing's size. */
double onn_conv_cpu_bytes(const struct onn_prob *p);

/* What the kernels for vector CPUs have in common. */
struct onn_conv_cpu {
    struct onn_conv_geometry g;
    struct onn_tail tail;
    int64_t vl, c_blocks, k_blocks; /* blocks of one group, of a merged one where merge > 1 */
    bool tile_1; /* some tile has one block of output channels only: cl/lib/tile.h */
    bool
        reach; /* the window is as large as the image: part of it is outside for whole tiles (cl/conv_blocked.cl) */
    int64_t merge, groups; /* groups that the packing made one dense group of; how many groups it has then */
    int64_t h, w, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int64_t x_s[3], y_s[3], res_s[3]; /* n, channel block (plain: channel), row */
};
/* NULL if a CPU kernel with this weight packing may work on p (formats set); fills `c`. plain_x: x is not blocked. */
const char *onn_conv_cpu_refuse(const struct onn_prob *p, int pack, bool plain_x, struct onn_conv_cpu *c);
/* Starts the launch: x, w, y, bias, residual. The zeros of the packed weight stand in for a bias that is absent. */
struct onn_launch *onn_conv_cpu_launch(const struct onn_prob *p, const struct onn_conv_cpu *c, int pack,
    const char *program, const char *kernel, struct onn_bind *b);
void onn_conv_cpu_ints(struct onn_bind *b, struct onn_launch *l, const int64_t *v, int n);
/* x, y and residual strides; the last arguments: residual, clip, activation. */
void onn_conv_cpu_strides(struct onn_bind *b, struct onn_launch *l, const struct onn_conv_cpu *c);
void onn_conv_cpu_end(struct onn_bind *b, struct onn_launch *l, const struct onn_conv_cpu *c);
/* The one format tuple of such a variant. */
int onn_conv_cpu_formats(const struct onn_prob *p, int pack, bool plain_x, struct onn_formats *out, int max);

#endif
