/* Every file that make_malformed.py writes: an error or success as its name says, within a second, without
 * harm. */
#include "io/onnx.h"

#include <dirent.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define SECONDS 5.0 /* per file */
#else
#define SECONDS 1.0
#endif

extern char **environ;
static char folder[] = "oclnn-malformed-XXXXXX";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int call(char *const *argv)
{
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static int make(void **state)
{
    const char *root = getenv("OCLNN_SOURCE_ROOT");
    char script[4096];
    (void)state;
    if (!root || !mkdtemp(folder))
        return -1;
    snprintf(script, sizeof script, "%s/test/io/make_malformed.py", root);
    return call((char *[]){"python3", script, folder, NULL});
}

static int clean(void **state)
{
    (void)state;
    return call((char *[]){"rm", "-rf", folder, NULL});
}

/* 1 if this file behaved. */
static int load(const char *name, double limit)
{
    char path[4096];
    struct onn_graph *g = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    double start = now();
    enum oclnn_status status = onn_onnx_load_file(path, NULL, &g);
    double seconds = now() - start;
    int ok = status == OCLNN_OK;
    int good =
        (!strncmp(name, "any_", 4) || ok == !strncmp(name, "ok_", 3)) && ok == (g != NULL) && seconds < limit;
    if (!ok && (status == OCLNN_ERROR_INTERNAL || !*oclnn_error_text(NULL)))
        good = 0;
    if (!good)
        print_error("%s: %s in %.2f s: %s\n", name, oclnn_status_name(status), seconds,
            ok ? "" : oclnn_error_text(NULL));
    onn_graph_destroy(&g);
    return good;
}

static void each_file(void **state)
{
    int files = 0, wrong = 0;
    struct dirent *entry;
    struct rusage usage;
    DIR *dir = opendir(folder);
    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".onnx"))
            continue;
        files++;
        wrong += !load(entry->d_name, SECONDS);
    }
    closedir(dir);
    getrusage(RUSAGE_SELF, &usage);
    print_message("%d files, %ld MiB at most\n", files, usage.ru_maxrss >> 10);
    assert_int_equal(wrong, 0);
    assert_true(files >= 1000);
#ifndef __SANITIZE_ADDRESS__
    assert_true(usage.ru_maxrss >> 10 < 256);
#endif
}

/* Without a folder there is no external data at all. */
static void memory_has_no_folder(void **state)
{
    static const char *const names[] = {"ok_external_plain.onnx", "bad_external_absolute.onnx"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        char path[4096];
        static char bytes[65536];
        struct onn_graph *g = NULL;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t size = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        assert_int_equal(onn_onnx_load_memory(bytes, size, NULL, NULL, &g), OCLNN_ERROR_FORMAT);
        assert_int_equal(onn_onnx_load_memory(bytes, size, folder, NULL, &g),
            i ? OCLNN_ERROR_FORMAT : OCLNN_OK);
        onn_graph_destroy(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file),
        cmocka_unit_test(memory_has_no_folder),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
