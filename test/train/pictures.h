/* Pictures for tests: files that are made here, in the folder of io/temp.h. */
#ifndef TEST_TRAIN_PICTURES_H
#define TEST_TRAIN_PICTURES_H

#include <oclnn/io.h>
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

#endif
