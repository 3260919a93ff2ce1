/* The table of random changes that the operator `augment` reads: one row of floats per image of the batch. */
#ifndef ONN_OPS_AUGMENT_H
#define ONN_OPS_AUGMENT_H

#include "ops/op.h"

/* augment: inputs x u8 [N,C,H,W], table f32 [N,ONN_AUGMENT_ROW], norm f32 [C,2] (factor, offset: value = pixel * factor
 * + offset); output f32 [N,C,H2,W2]. With s(p) = pixel p of the input, taken between the four neighbours of its place:
 *   y[n] = w value(image n changed by row n) + (1 - w) value(image m changed by row m)      m: partner, w: weight of row n
 * What lies outside of an image or inside the cutout is 0, the mean colour; the colour change leaves it alone.
 * Numbers are not limited to 0 … 255 between colour change and normalisation. */
enum onn_augment_column {
    /* input x = m0 X + m1 Y + m2, input y = m3 X + m4 Y + m5; X, Y: output pixel; pixel centres have whole numbers */
    ONN_AUGMENT_AFFINE = 0,
    /* red' = c0 red + c1 green + c2 blue + c3, then green', blue', in units of a byte. C other than 3: every channel
     * v' = c0 v + c3 */
    ONN_AUGMENT_COLOUR = 6,
    /* left, top, right, bottom of the output's rectangle that is cut out; right and bottom are outside. Empty: none */
    ONN_AUGMENT_CUTOUT = 18,
    ONN_AUGMENT_WEIGHT = 22, /* of the image itself; 1 = no partner */
    ONN_AUGMENT_PARTNER = 23, /* another image's number in the batch */
    ONN_AUGMENT_ROW = 24,
};

struct onn_augment_attr {
    int64_t height, width; /* of the output; 0 = as the input */
};

#endif
