/* A folder of the test's own, removed at the end. */
#ifndef TEST_IO_TEMP_H
#define TEST_IO_TEMP_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char temp[] = "oclnn-io-XXXXXX";

static inline int temp_make(void **state)
{
    (void)state;
    return mkdtemp(temp) ? 0 : -1;
}

static inline int temp_remove(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", temp, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* The path of a file in it; the last four stay valid. */
static inline const char *temp_path(const char *name)
{
    static char path[4][256];
    static int k;
    k = (k + 1) & 3;
    snprintf(path[k], sizeof path[k], "%s/%s", temp, name);
    return path[k];
}

static inline const char *temp_write(const char *name, const void *bytes, size_t size)
{
    const char *path = temp_path(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f))
        abort();
    return path;
}

#endif
