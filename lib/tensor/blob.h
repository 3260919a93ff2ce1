/* Bytes with a description: a constant, a parameter or a state. Reference counted, shared by graphs and plans.
 * The host copy is plain row-major. A device copy per context is made on demand; `version` counts changes. */
#ifndef ONN_TENSOR_BLOB_H
#define ONN_TENSOR_BLOB_H

#include "tensor/desc.h"

struct oclnn_context;
struct onn_buffer;

struct onn_blob {
    int refs; /* atomic */
    struct onn_desc desc;
    void *data; /* host bytes, NULL if only the device has them */
    uint64_t id; /* unique in the process: never reused, unlike the address */
    uint64_t version; /* grows with every change, host or device */
    bool host_stale; /* the device copy is newer: onn_blob_sync_host first */
    struct onn_buffer *buffer; /* device copy or NULL */
    struct oclnn_context *context; /* whose device */
    uint64_t buffer_version;
    bool shared; /* host and device copy are the same bytes, owned by the buffer */
};

/* A copy of `data`, or zeroed host bytes, for a plain desc with known dims. */
enum oclnn_status onn_blob_create(const struct onn_desc *desc, const void *data, struct onn_blob **out);
/* Takes over a block of onn_alloc with the desc's bytes, and NULLs the pointer; on failure the block stays. */
enum oclnn_status onn_blob_take(const struct onn_desc *desc, void **block, struct onn_blob **out);
/* Bytes of a plain desc with known dims, checked like those of a blob. */
enum oclnn_status onn_blob_bytes(const struct onn_desc *desc, size_t *bytes);
struct onn_blob *onn_blob_ref(struct onn_blob *blob);
/* Gives one reference back and NULLs the pointer; accepts NULL. */
void onn_blob_unref(struct onn_blob **blob);
/* Makes sure that a current device copy exists (writes it if the host is newer) and returns it, not owned. A device that
 * works in the host's memory uses the host's bytes where they are. */
enum oclnn_status onn_blob_device(struct onn_blob *blob, struct oclnn_context *ctx, struct onn_buffer **out);
/* Makes the host's bytes current: reads the device copy back if it is newer, or waits for runs that change them. */
enum oclnn_status onn_blob_sync_host(struct onn_blob *blob);
/* Element i (row-major) of the host copy as double / int64; any dtype. */
double onn_blob_get_f64(const struct onn_blob *blob, int64_t i);
int64_t onn_blob_get_i64(const struct onn_blob *blob, int64_t i);
void onn_blob_set_f64(struct onn_blob *blob, int64_t i, double value);
void onn_blob_set_i64(struct onn_blob *blob, int64_t i, int64_t value);
/* The same for a bare array of any dtype. Storing a float in an integer saturates (NaN gives 0), storing an integer in
 * a smaller one wraps; bool is 0 or 1. */
double onn_load_f64(enum oclnn_dtype dtype, const void *data, int64_t i);
int64_t onn_load_i64(enum oclnn_dtype dtype, const void *data, int64_t i);
void onn_store_f64(enum oclnn_dtype dtype, void *data, int64_t i, double value);
void onn_store_i64(enum oclnn_dtype dtype, void *data, int64_t i, int64_t value);
/* Converts n elements between host arrays of any two dtypes (saturating float to integer, NaN to 0). */
void onn_convert(enum oclnn_dtype from, const void *src, enum oclnn_dtype to, void *dst, int64_t n);

#endif
