/* Files: images, arrays (npy, npz, TensorProto) and labelled samples. Tier 2: needs no device. */
#ifndef OCLNN_IO_H
#define OCLNN_IO_H

#include <oclnn/status.h>
#include <oclnn/tensor.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every file may be hostile: sizes that it declares are compared with what is really there before memory is
 * taken. Errors of all calls that read: OCLNN_ERROR_NOT_FOUND (no such file), OCLNN_ERROR_IO (reading
 * failed), OCLNN_ERROR_FORMAT (malformed, truncated), OCLNN_ERROR_UNSUPPORTED (legal, but not read here),
 * OCLNN_ERROR_MEMORY, OCLNN_ERROR_ARGUMENT (NULL, impossible parameters). All calls are thread-safe; an
 * object is used by one thread at a time. */

/* ---- images ---- */

/** How pixels become numbers. Zero means default in every field.
 *  value = (pixel * scale - mean[c]) / deviation[c], c counting the output's channels (after bgr). */
struct oclnn_image_params {
    /** First resize so that the shorter side has this many pixels, the longer one in proportion (rounded). */
    int short_side;
    /** Or resize to exactly width x height pixels. 0: no resize. Bilinear with a widened support when
     * shrinking. */
    int width, height;
    /** Then cut out the centre. 0: all. The difference is halved, rounded down. A crop larger than the
     * image is an error. */
    int crop_width, crop_height;
    float scale; /**< factor of a pixel (0 … 255); 0 = 1 */
    float mean[3]; /**< subtracted, in units after scale */
    float deviation[3]; /**< divisor; 0 = 1 */
    int bgr; /**< 1: channels in the order blue, green, red */
    int grey; /**< 1: one channel, luma = 0.299 R + 0.587 G + 0.114 B */
    int nhwc; /**< 1: channels last; default is N, C, H, W */
    int u8; /**< 1: plain bytes (OCLNN_U8); scale, mean and deviation are then not allowed */
};

/**
 * Loads a JPEG or PNG file as a tensor of shape 1 x C x H x W (or 1 x H x W x C), f32 (or u8). At most 64
 * Mpixel. Alpha is dropped, 16 bits become 8. EXIF rotation is not applied.
 * @param params  NULL = full size, 0 … 255, RGB, NCHW, f32.
 * The caller destroys *out.
 */
OCLNN_API enum oclnn_status oclnn_image_load(const char *path, const struct oclnn_image_params *params,
    oclnn_tensor **out);
/** The same from a file's bytes in memory. */
OCLNN_API enum oclnn_status oclnn_image_decode(const void *bytes, size_t size,
    const struct oclnn_image_params *params, oclnn_tensor **out);
/**
 * Writes an 8-bit PNG; the file is replaced in one step.
 * @param image  f32 or u8, [1 x] C x H x W (or [1 x] H x W x C with params->nhwc), C is 1 or 3.
 * @param params  layout, bgr, scale, mean, deviation: the inverse of loading, pixel = (value * deviation +
 *                mean) / scale, rounded and limited to 0 … 255 (NaN is 0). The sizes are ignored. NULL =
 *                values are pixels.
 * Errors: OCLNN_ERROR_SHAPE, OCLNN_ERROR_DTYPE, OCLNN_ERROR_IO.
 */
OCLNN_API enum oclnn_status oclnn_image_save(const char *path, const oclnn_tensor *image,
    const struct oclnn_image_params *params);

/* ---- arrays ---- */

/**
 * Loads one array by the file's content: numpy's .npy (versions 1 to 3, either byte order; Fortran order is
 * turned into rows) or a serialised ONNX TensorProto (.pb).
 * Types that oclnn lacks are widened: int16 and uint16 to i32, uint32 and uint64 to i64 (a value that does
 * not fit is OCLNN_ERROR_FORMAT). The caller destroys *out.
 */
OCLNN_API enum oclnn_status oclnn_tensor_load(const char *path, oclnn_tensor **out);
/** Writes a .npy file (version 1, rows; bf16 becomes float32); the file is replaced in one step. */
OCLNN_API enum oclnn_status oclnn_tensor_save(const char *path, const oclnn_tensor *tensor);

/** An open .npz archive: named arrays. */
typedef struct oclnn_npz oclnn_npz;
/** Opens and lists; arrays are read on demand. The caller destroys *out. */
OCLNN_API enum oclnn_status oclnn_npz_open(const char *path, oclnn_npz **out);
/** Destroys and NULLs *npz; accepts NULL and a pointer to NULL. */
OCLNN_API void oclnn_npz_destroy(oclnn_npz **npz);
/** How many arrays there are. */
OCLNN_API int oclnn_npz_count(const oclnn_npz *npz);
/** Name of array i without ".npy"; NULL if i is out of range; valid until npz is destroyed. */
OCLNN_API const char *oclnn_npz_name(const oclnn_npz *npz, int i);
/** Reads array i. The caller destroys *out. */
OCLNN_API enum oclnn_status oclnn_npz_get(oclnn_npz *npz, int i, oclnn_tensor **out);
/** Position of the array `name`; -1 if there is none. */
OCLNN_API int oclnn_npz_find(const oclnn_npz *npz, const char *name);
/** Writes `count` arrays under `names` (not empty, all different), uncompressed, as numpy.savez does. The same arrays give
 * the same bytes. */
OCLNN_API enum oclnn_status oclnn_npz_save(const char *path, int count, const char *const *names,
    const oclnn_tensor *const *tensors);

/* ---- labelled samples ---- */

/** Images of one size with one class each, all in host memory. */
typedef struct oclnn_samples oclnn_samples;

/** What a set of samples looks like. */
struct oclnn_samples_info {
    int64_t count;
    int channels, height, width;
    int classes; /**< the largest label + 1 */
};

/**
 * Opens labelled samples:
 *   "mnist:PREFIX"     idx files PREFIX-images-idx3-ubyte[.gz], PREFIX-labels-idx1-ubyte[.gz]; a folder
 *                      means its test set (t10k-…), DIR/train its training set
 *   "cifar10:A,B,…"    CIFAR-10 binary files, each plain or gzip; a folder means test_batch.bin in it
 *   "npy:X,LABELS"     X: uint8 array N x C x H x W (or N x H x W); LABELS: integer .npy of N numbers, or
 *                      .csv with a column "class" or "label" of integers (else the last column)
 * The caller destroys *out.
 */
OCLNN_API enum oclnn_status oclnn_samples_open(const char *spec, oclnn_samples **out);
/** Destroys and NULLs *samples; accepts NULL and a pointer to NULL. */
OCLNN_API void oclnn_samples_destroy(oclnn_samples **samples);
/** Describes the samples. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_samples_get_info(const oclnn_samples *samples,
    struct oclnn_samples_info *out);
/**
 * Samples first … first + n - 1 as one u8 tensor n x C x H x W (values 0 … 255) and their classes.
 * @param labels  room for n numbers, may be NULL.
 * The caller destroys *images.
 */
OCLNN_API enum oclnn_status oclnn_samples_get(const oclnn_samples *samples, int64_t first, int64_t n,
    oclnn_tensor **images, int32_t *labels);
/** The same as f32, with scale, mean, deviation, bgr, grey and nhwc of `params` (sizes are ignored). */
OCLNN_API enum oclnn_status oclnn_samples_get_f32(const oclnn_samples *samples, int64_t first, int64_t n,
    const struct oclnn_image_params *params, oclnn_tensor **images, int32_t *labels);

#ifdef __cplusplus
}
#endif
#endif
