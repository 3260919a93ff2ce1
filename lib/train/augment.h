/* Draws what the operator augment does to an image. */
#ifndef ONN_TRAIN_AUGMENT_H
#define ONN_TRAIN_AUGMENT_H

#include "ops/augment.h"
#include <oclnn/data.h>

struct onn_augment_at {
    uint64_t seed;
    int epoch;
    int64_t position; /* of the image in the epoch */
    int channels, height, width;
    int64_t i, n; /* the image's number in its batch of n */
};
/* The row that changes nothing. */
void onn_augment_none(float row[static ONN_AUGMENT_ROW]);
/* A function of its arguments only. */
void onn_augment_draw(const struct oclnn_augment *augment, const struct onn_augment_at *at,
    float row[static ONN_AUGMENT_ROW]);
/* The mask of the image that `row` makes: the class of the nearest pixel, OCLNN_MASK_IGNORE outside. */
void onn_augment_mask(const float row[static ONN_AUGMENT_ROW], int height, int width, const uint8_t *in,
    uint8_t *out);
/* The text that oclnn_augment_parse reads; "none" if nothing is changed. */
void onn_augment_text(const struct oclnn_augment *augment, char *text, size_t size);
/* Errors: OCLNN_ERROR_ARGUMENT names the field and its range. */
enum oclnn_status onn_augment_check(const struct oclnn_augment *augment);

#endif
