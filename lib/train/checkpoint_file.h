/* A checkpoint file: named tensors, texts and numbers, each with a checksum. Written in one step. */
#ifndef ONN_TRAIN_CHECKPOINT_FILE_H
#define ONN_TRAIN_CHECKPOINT_FILE_H

#include "base/hash.h"
#include "tensor/blob.h"

enum onn_entry_kind { ONN_ENTRY_TENSOR, ONN_ENTRY_TEXT, ONN_ENTRY_I64, ONN_ENTRY_F64 };
struct onn_entry {
    const char *name; /* inside `file` when read, else in the arena */
    enum onn_entry_kind kind;
    struct onn_desc desc; /* TENSOR */
    const void *data;
    uint64_t bytes;
};
struct onn_checkpoint {
    struct onn_arena arena;
    struct onn_entry *entry;
    int32_t n, cap;
    void *file; /* the bytes read */
};

/* Adding: names and values are copied, but not the bytes of tensors: the blobs must stay until the file is written. */
enum oclnn_status onn_checkpoint_add_blob(struct onn_checkpoint *c, const char *name, struct onn_blob *blob);
enum oclnn_status onn_checkpoint_add_text(struct onn_checkpoint *c, const char *name, const char *text);
enum oclnn_status onn_checkpoint_add_i64(struct onn_checkpoint *c, const char *name, int64_t value);
enum oclnn_status onn_checkpoint_add_f64(struct onn_checkpoint *c, const char *name, double value);
/* The old file or the new one, never half, also through a power cut. Errors: OCLNN_ERROR_IO. */
enum oclnn_status onn_checkpoint_write(const struct onn_checkpoint *c, const char *path);

/* Errors: OCLNN_ERROR_NOT_FOUND, _IO, _FORMAT (no checkpoint, truncated, damaged: what and where). */
enum oclnn_status onn_checkpoint_read(const char *path, struct onn_checkpoint *out);
/* NULL if there is none of that kind. */
const struct onn_entry *onn_checkpoint_find(const struct onn_checkpoint *c, enum onn_entry_kind kind,
    const char *name);
/* Errors: OCLNN_ERROR_FORMAT names what is missing. */
enum oclnn_status onn_checkpoint_get_i64(const struct onn_checkpoint *c, const char *name, int64_t *out);
enum oclnn_status onn_checkpoint_get_f64(const struct onn_checkpoint *c, const char *name, double *out);
enum oclnn_status onn_checkpoint_get_text(const struct onn_checkpoint *c, const char *name, const char **out);
void onn_checkpoint_finish(struct onn_checkpoint *c);

#endif
