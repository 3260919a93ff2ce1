/* Single tensors in files of their own: the ONNX way to keep test data. */
#include "io/onnx_internal.h"

#include "base/fs.h"
#include <stdio.h>
#include <sys/stat.h>

enum oclnn_status onn_tensor_pb_load(const char *path, char name[static 128], struct onn_blob **out)
{
    enum oclnn_status status = OCLNN_OK;
    ProtobufCMessage *m = NULL;
    void *bytes = NULL;
    size_t size;
    *out = NULL;
    ONN_TRY(onn_fs_read(path, ONN_ONNX_MAX_BYTES, &bytes, &size));
    status = onn_wire_unpack(&onnx__tensor_proto__descriptor, bytes, size, &m);
    Onnx__TensorProto *t = (Onnx__TensorProto *)m;
    if (status == OCLNN_OK)
        status = onn_tensor_import(t, NULL, out);
    if (status != OCLNN_OK)
        onn_error_at(status, "%.300s", path);
    else
        snprintf(name, 128, "%s", t->name ? t->name : "");
fail:
    onn_free(bytes);
    if (m)
        protobuf_c_message_free_unpacked(m, onn_wire_allocator());
    return status;
}

static bool exists(const char *path, mode_t kind)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

enum oclnn_status onn_tensor_pb_load_all(const char *folder, const char *prefix, struct onn_blob ***list,
    int *n)
{
    enum oclnn_status status = OCLNN_OK;
    char path[4096], name[128];
    int capacity = 0;
    *list = NULL;
    *n = 0;
    for (;;) {
        int length = snprintf(path, sizeof path, "%s/%s_%d.pb", folder, prefix, *n);
        ONN_CHECK(length > 0 && (size_t)length < sizeof path, OCLNN_ERROR_ARGUMENT,
            "%.200s: the path is too long", folder);
        if (!exists(path, S_IFREG))
            return OCLNN_OK;
        ONN_TRY(onn_array_grow((void **)list, *n, &capacity, sizeof **list) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        ONN_TRY(onn_tensor_pb_load(path, name, &(*list)[*n]));
        (*n)++;
    }
fail:
    while (*n > 0)
        onn_blob_unref(&(*list)[--*n]);
    onn_free(*list);
    *list = NULL;
    return status;
}

int onn_test_data_sets(const char *folder)
{
    char path[4096];
    for (int n = 0;; n++) {
        int length = snprintf(path, sizeof path, "%s/test_data_set_%d", folder, n);
        if (length < 0 || (size_t)length >= sizeof path || !exists(path, S_IFDIR))
            return n;
    }
}
