/* Files: whole-file reads with a bound, atomic writes, private folders. Linux and POSIX only. */
#ifndef ONN_BASE_FS_H
#define ONN_BASE_FS_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a whole regular file of at most `max_bytes`. *data is NUL-terminated behind its bytes; free with onn_free.
 * Errors: NOT_FOUND, IO, FORMAT (larger than max_bytes), MEMORY. */
enum oclnn_status onn_fs_read(const char *path, size_t max_bytes, void **data, size_t *bytes);

/* Replaces a file in one step: temporary file beside it, then rename. A reader sees the old file or the new one.
 * durable: also through a power cut (fsync of the file and of its folder). What writers of the same file left that were
 * killed is removed. */
enum oclnn_status onn_fs_write(const char *path, const void *data, size_t bytes, bool durable);

/* Makes a folder and its missing parents with these mode bits. An existing folder is fine. */
enum oclnn_status onn_fs_make_dir(const char *path, unsigned mode);

/* Does the process run with more rights than its user (setuid and the like)? Then trust no environment. */
bool onn_fs_is_privileged(void);

/* ---- the same inside an open folder that only we can write to ---- */

/* Opens a folder that must be a real folder (no symlink), ours, and not writable by others. create: make it (0700)
 * first. Returns a descriptor to close, or -1; the sentence is then set. */
int onn_fs_open_private(const char *path, bool create);
void onn_fs_close(int dir);
/* Like onn_fs_read; the file must be ours, regular, no symlink, not writable by others. touch: it counts as used now. */
enum oclnn_status onn_fs_read_at(int dir, const char *name, size_t max_bytes, bool touch, void **data,
    size_t *bytes);
enum oclnn_status onn_fs_write_at(int dir, const char *name, const void *data, size_t bytes, bool durable);
/* Removes the least recently used files until at most `max_bytes` remain, and temporary files left over by killed
 * processes. Best effort. */
void onn_fs_trim_at(int dir, uint64_t max_bytes);

#endif
