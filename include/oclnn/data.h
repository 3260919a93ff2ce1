/* Data sets to train on: images with one class each or one per pixel, read and decoded on threads while the device computes, changed
 * at random on the device. Tier 4. */
#ifndef OCLNN_DATA_H
#define OCLNN_DATA_H

#include <oclnn/device.h>
#include <oclnn/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Labelled images (or arrays) of one size. Needs host memory only; the context gives the log.
 * Thread-safety: a data set may be read by several trainers at the same time; it is destroyed when nobody reads it.
 */
typedef struct oclnn_dataset oclnn_dataset;

/** Zero means default in every field. */
struct oclnn_dataset_params {
    /** folder, masks: every image is brought to width x height pixels (short side resized, centre cut out; masks by
     * nearest pixels); 0: 224. */
    int width, height;
    int grey; /**< folder, masks: 1 = one channel instead of three */
    /** value = (pixel * scale - mean[c]) / deviation[c]; 0 = 1 / 255. From the 4th channel on only the scale counts. */
    float scale;
    float mean[3];
    float deviation[3]; /**< 0 = 1 */
    int threads; /**< that decode or call the program's function; 0 = as many as there are cores, at most 8 */
    /** folder, masks: bytes of decoded images that are kept in memory; 0 = 1 GiB. What does not fit is decoded every
     * epoch. */
    size_t cache_bytes;
};

/**
 * Opens a data set:
 *   "mnist:DIR/train", "mnist:DIR/t10k"   IDX files as of MNIST and Fashion-MNIST, plain or gzip; a folder: its train
 *   "cifar10:A,B,…"                       CIFAR-10 binary files, plain or gzip; one folder: data_batch_1 … 5 in it
 *   "npy:X,LABELS"                        u8 array N x C x H x W; LABELS .npy or .csv
 *   "folder:DIR"                          DIR/CLASS/….jpg|jpeg|png; classes in the order of their names (bytes)
 *   "masks:DIR"                           a class for every pixel: DIR/images/NAME.jpg|jpeg|png, DIR/masks/NAME.png of
 *                                         the same size, whose pixels (grey or palette, 8 bits) are class numbers;
 *                                         OCLNN_MASK_IGNORE does not count. DIR/classes.txt, one name per line, tells
 *                                         the classes; without it all masks are read for the largest number
 * @param ctx  where log lines go; may be NULL.
 * Errors: OCLNN_ERROR_NOT_FOUND, _IO, _FORMAT (malformed, truncated; the file is named), _UNSUPPORTED, _MEMORY,
 * _ARGUMENT (unknown kind, a class without image, an image without mask, one class only). In a folder only the headers
 * are read here: an image that is damaged further back is reported, with its name, by the step that needs it.
 * The caller destroys *out before ctx.
 */
OCLNN_API enum oclnn_status oclnn_dataset_open(oclnn_context *ctx, const char *spec,
    const struct oclnn_dataset_params *params, oclnn_dataset **out);

/**
 * Fills sample `index`: x gets its elements (row-major, of the data set's type), *label its class, 0 … classes - 1.
 * Called from several threads at the same time, for any index, in any order, again in every epoch. Anything but OCLNN_OK
 * ends the epoch with that status; so does a label outside of 0 … classes - 1 (OCLNN_ERROR_FORMAT).
 */
typedef enum oclnn_status (*oclnn_sample_function)(void *user, int64_t index, void *x, int64_t *label);

/**
 * A data set of the program's own. shape: of one sample; three dimensions are C x H x W. dtype: OCLNN_U8 (pixels:
 * scale, mean, deviation and augmentation apply; three dimensions) or OCLNN_F32 (taken as it is).
 * Errors: OCLNN_ERROR_ARGUMENT, _MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_dataset_create(oclnn_context *ctx, int64_t count, struct oclnn_shape shape,
    enum oclnn_dtype dtype, int classes, oclnn_sample_function get, void *user,
    const struct oclnn_dataset_params *params, oclnn_dataset **out);
/** Value of a mask's pixel that has no class: it counts neither in the loss nor in a score. */
#define OCLNN_MASK_IGNORE 255

/** As oclnn_sample_function, for a class per pixel: mask gets height x width classes, 0 … classes - 1 or
 * OCLNN_MASK_IGNORE; anything else ends the epoch (OCLNN_ERROR_FORMAT). */
typedef enum oclnn_status (*oclnn_mask_function)(void *user, int64_t index, void *x, uint8_t *mask);

/**
 * A data set of the program's own with a class for every pixel. shape: C x H x W of one sample, of bytes.
 * classes: 2 … 255. Errors: OCLNN_ERROR_ARGUMENT, _MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_dataset_create_masks(oclnn_context *ctx, int64_t count,
    struct oclnn_shape shape, int classes, oclnn_mask_function get, void *user,
    const struct oclnn_dataset_params *params, oclnn_dataset **out);
/** Destroys and NULLs *dataset; accepts NULL and a pointer to NULL. */
OCLNN_API void oclnn_dataset_destroy(oclnn_dataset **dataset);

struct oclnn_dataset_info {
    int64_t count;
    struct oclnn_shape shape; /**< of one sample, C x H x W */
    enum oclnn_dtype dtype; /**< OCLNN_U8 or OCLNN_F32 */
    int classes;
    int per_pixel; /**< 1: every pixel has a class; 0: every image */
    /** Held now: samples, lists, images that are kept, batches being prepared, what decoding takes at most. */
    size_t memory_bytes;
    /** Never exceeded by that. Every epoch that is under way (of a trainer) adds three batches and, for a folder, the
     * decoding of the largest image times `threads`. */
    size_t memory_limit;
};
/** Describes the data set. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_dataset_get_info(const oclnn_dataset *dataset,
    struct oclnn_dataset_info *out);
/**
 * How many images, or pixels of masks, there are of each class: counts[0 … classes - 1], `classes` as in the info. What is
 * OCLNN_MASK_IGNORE is not counted. Masks, and a program's own data set, are read through once for it.
 * Errors: OCLNN_ERROR_ARGUMENT, _MEMORY, those of reading.
 */
OCLNN_API enum oclnn_status oclnn_dataset_get_counts(const oclnn_dataset *dataset, int64_t *counts,
    int classes);
/** Name of a class (a folder's name, or its number); NULL if out of range; owned by the data set. */
OCLNN_API const char *oclnn_dataset_class_name(const oclnn_dataset *dataset, int label);
/**
 * Divides a data set at random (seeded; each class in proportion where images have one): *second gets `fraction` of the samples, *first
 * the rest, both in the data set's order. The data set must outlive both. A program's own data set is read through once
 * for its labels. Errors: OCLNN_ERROR_ARGUMENT (fraction not inside 0 … 1, an empty part), _MEMORY, those of reading.
 */
OCLNN_API enum oclnn_status oclnn_dataset_split(const oclnn_dataset *dataset, double fraction, uint64_t seed,
    oclnn_dataset **first, oclnn_dataset **second);

/**
 * Random changes of training images (u8 data sets), drawn anew for every image of every epoch from (seed, epoch,
 * position): the same seed gives the same bits. The geometric changes are put together into one bilinear sampling, in the
 * order of their fields: rotate, shear and zoom around the centre, then resize, crop, flip; flips and crops alone are
 * exact copies. Outside of the image is the mean (0 after normalisation). Colours are changed before normalisation:
 * saturation, contrast, brightness; results may leave 0 … 255. A mask follows the geometric changes, each pixel taking the
 * class of the nearest one, OCLNN_MASK_IGNORE outside of the image; mixup is not for masks. Zero = off.
 */
struct oclnn_augment {
    int flip; /**< 1: mirrored left-right with probability 1/2 */
    int flip_vertical; /**< 1: the same upside down */
    int crop; /**< pixels of padding: a window of the original size is cut out of the padded image */
    float resize; /**< 0.2: a random window of 1 / 1.2 … 1 of both sides is scaled to the full size */
    float rotate; /**< degrees: angle uniform in -rotate … rotate; at most 180 */
    float shear; /**< s uniform in -shear … shear, x' = x + s y; at most 10 */
    float zoom; /**< factor uniform in 1 - zoom … 1 + zoom; below 1 */
    float brightness; /**< added: uniform in -brightness … brightness, times 255; at most 1 */
    float contrast; /**< factor of v - 128, uniform in 1 - contrast … 1 + contrast; at most 1 */
    float saturation; /**< the same for v - grey of the pixel (three channels only) */
    int cutout; /**< side in pixels of a square around a random pixel that is set to the mean */
    /** alpha of Beta(alpha, alpha): w from it, each image becomes w times itself + (1 - w) times another one of the
     * batch, and so does its target. */
    float mixup;
};
/** Reads "flip,crop:4,rotate:10,shear:0.2,zoom:0.2,mixup:0.2": names of the fields above; "" is nothing.
 * Errors: OCLNN_ERROR_ARGUMENT names the word; *out is left alone then. */
OCLNN_API enum oclnn_status oclnn_augment_parse(const char *text, struct oclnn_augment *out);

#ifdef __cplusplus
}
#endif
#endif
