/* The variants of Conv, one file each; the table is in conv.c. */
#ifndef ONN_OPS_CONV_VARIANTS_H
#define ONN_OPS_CONV_VARIANTS_H

#include "ops/conv.h"

extern const struct onn_variant onn_conv_tiled;

/* Plain and channels-last tuples; the weight stays plain. */
int onn_conv_formats_strided(const struct onn_prob *p, struct onn_formats *out, int max);

#endif
