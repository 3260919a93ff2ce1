/* Pictures for tests: files that are made here, in the folder of io/temp.h. */
#ifndef TEST_TRAIN_PICTURES_H
#define TEST_TRAIN_PICTURES_H

#include <oclnn/io.h>
#include <png.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <turbojpeg.h>

#include "io/temp.h"

static inline void picture_folder(const char *name)
{
    if (mkdir(temp_path(name), 0700) != 0)
        abort();
}

/* Smooth colours that tell pictures apart by `seed`. */
static inline void picture_pixels(int width, int height, int seed, uint8_t *rgb)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                *rgb++ = (uint8_t)((x * (c + 1) * 200 / width + y * 40 / height + seed * 37) & 255);
}

static inline void picture_jpeg(const char *name, int width, int height, int seed)
{
    uint8_t *rgb = malloc((size_t)width * (size_t)height * 3), *jpeg = NULL;
    unsigned long bytes = 0;
    tjhandle tj = tjInitCompress();
    if (!rgb || !tj)
        abort();
    picture_pixels(width, height, seed, rgb);
    if (tjCompress2(tj, rgb, width, 0, height, TJPF_RGB, &jpeg, &bytes, TJSAMP_420, 90, 0))
        abort();
    temp_write(name, jpeg, bytes);
    tjFree(jpeg);
    tjDestroy(tj);
    free(rgb);
}

static inline void picture_png(const char *name, int width, int height, int seed)
{
    oclnn_tensor *t = NULL;
    if (oclnn_tensor_create(OCLNN_U8, OCLNN_SHAPE(height, width, 3), NULL, &t) != OCLNN_OK)
        abort();
    picture_pixels(width, height, seed, oclnn_tensor_data(t));
    if (oclnn_image_save(temp_path(name), t, &(struct oclnn_image_params){.nhwc = 1}) != OCLNN_OK)
        abort();
    oclnn_tensor_destroy(&t);
}

/* A mask: class numbers as grey, or as a palette of `colours` entries (few of them: less than 8 bits per pixel). */
static inline void picture_mask(const char *name, int width, int height, const uint8_t *class, int colours)
{
    png_image png = {.version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)width,
        .height = (png_uint_32)height,
        .format = colours ? PNG_FORMAT_RGB_COLORMAP : PNG_FORMAT_GRAY,
        .colormap_entries = (png_uint_32)colours};
    uint8_t palette[256][3];
    for (int i = 0; i < 256; i++) /* brightness has nothing to do with the number */
        for (int c = 0; c < 3; c++)
            palette[i][c] = (uint8_t)(255 - 50 * i + 20 * c);
    if (!png_image_write_to_file(&png, temp_path(name), 0, class, 0, palette))
        abort();
}

#endif
