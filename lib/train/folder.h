/* Folders of images from inside: what sets with one class per image and sets with one class per pixel share. */
#ifndef ONN_TRAIN_FOLDER_H
#define ONN_TRAIN_FOLDER_H

#include "io/image.h"
#include "train/dataset.h"

#define ONN_FOLDER_PATH 4096
#define ONN_FOLDER_MAX_FILE ((size_t)512 << 20)

struct onn_file {
    const char *name, *mask; /* mask: NULL where the image has one class */
    int32_t label;
    uint64_t bytes; /* of the image's file and of the mask's */
};

struct onn_folder {
    char *dir;
    struct onn_file *file;
    int64_t capacity;
    _Atomic(uint8_t *) *kept; /* per file: pixels and, behind them, the mask; or NULL */
    atomic_size_t kept_bytes;
    struct onn_memory *memory; /* the data set's */
    size_t text; /* bytes of names */
};

struct onn_folder_names {
    char **name;
    int count, capacity;
};
void onn_folder_names_finish(struct onn_folder_names *n);
/* The folders in dir, or the images in it; sorted by name, those with a dot in front left out. */
enum oclnn_status onn_folder_list(const char *dir, bool folders, struct onn_folder_names *out);
/* "dir/part/name"; name may be NULL. */
enum oclnn_status onn_folder_path(char path[ONN_FOLDER_PATH], const char *dir, const char *part,
    const char *name);
/* Smallest size that covers the wanted one in the image's own proportion. */
enum oclnn_status onn_folder_cover(int64_t w, int64_t h, const struct oclnn_dataset_params *p, int *to_w,
    int *to_h);
/* The frame of opening: an empty folder; image dir/part/name as one more sample (*out may be NULL: its size); shape, lists
 * and limits once all are there. */
enum oclnn_status onn_folder_begin(struct oclnn_dataset *d, const char *dir);
enum oclnn_status onn_folder_add(struct oclnn_dataset *d, const char *part, struct onn_file file,
    struct onn_image_head *out);
enum oclnn_status onn_folder_end(struct oclnn_dataset *d);

/* dataset_masks.c: opens "DIR" of "masks:DIR". */
enum oclnn_status onn_masks_open(struct oclnn_dataset *d, const char *dir);
/* The mask of an image of w x h pixels, brought to the data set's size. */
enum oclnn_status onn_masks_decode(const struct oclnn_dataset *d, const struct onn_file *file, int w, int h,
    uint8_t *mask);

#endif
