/* Files with tensors: the library's readers and writers, with the tools' messages. */
#ifndef OCLNN_TOOLS_FILES_H
#define OCLNN_TOOLS_FILES_H

#include <oclnn/tensor.h>

/* Named tensors. */
struct tool_arrays {
    int n;
    char **name;
    oclnn_tensor **tensor;
};
/* Position of `name`, -1 if it is not there. */
int tool_arrays_find(const struct tool_arrays *a, const char *name);
void tool_arrays_finish(struct tool_arrays *a);

/* All return TOOL_OK, or TOOL_FAILED after a message that names the file. */
/* .npy or .pb, by content */
int tool_load_array(const char *path, oclnn_tensor **out);
int tool_load_npz(const char *path, struct tool_arrays *out);
int tool_save_npz(const char *path, const struct tool_arrays *arrays);
/* A whole text; malloc'ed. */
int tool_read_text(const char *path, char **out);

#endif
