/* The gradient of a convolution's weight. */
#ifndef ONN_OPS_CONV_DW_H
#define ONN_OPS_CONV_DW_H

#include "ops/conv.h"

/* conv_dw: inputs x [N, C, …], dy [N, K, …]; dw [K, C / group, taps]. The attributes are those of Conv, with
 * kernel_shape given and pads explicit; end pads do not matter. */
struct onn_conv_dw_geometry {
    struct onn_window window; /* in: x's extents, out: dy's */
    int64_t n, c, k, group, c_group, k_group;
};
enum oclnn_status onn_conv_dw_geometry(const struct onn_prob *p, struct onn_conv_dw_geometry *g);

extern const struct onn_variant onn_conv_dw_blocked, onn_conv_dw_depthwise; /* conv_dw_cpu.c */
extern const struct onn_variant onn_conv_dw_winograd; /* conv_dw_wino.c */
extern const struct onn_variant onn_conv_dw_tiled, onn_conv_dw_tree; /* conv_dw_tiled.c */

/* For vector CPUs (conv_dw_cpu.c). NULL if x and dy are 1-D or 2-D and f32, and groups, unless depthwise, fill blocks. */
const char *onn_conv_dw_cpu_refuse(const struct onn_prob *p, struct onn_conv_dw_geometry *g);
/* NULL if x and dy are blocked, dw is plain and nothing is empty. */
const char *onn_conv_dw_cpu_formats_refuse(const struct onn_prob *p);
int onn_conv_dw_cpu_formats(const struct onn_prob *p, struct onn_formats *out, int max);
/* Adds the launch that adds `parts` in the workspace, `step` floats apart, and writes dw. */
void onn_conv_dw_cpu_gather(const struct onn_prob *p, const struct onn_conv_dw_geometry *g, int64_t parts,
    int64_t step, struct onn_bind *b);
double onn_conv_dw_flop(const struct onn_prob *p);

#endif
