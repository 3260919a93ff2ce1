/* Files that are replaced in one step: what is there before and after, and what must not be replaced. */
#include "base/fs.h"
#include "base/mem.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "oclnn-fs-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void holds(const char *name, const char *text)
{
    void *data = NULL;
    size_t bytes = 0;
    assert_int_equal(onn_fs_read(in_dir(name), 1000, &data, &bytes), OCLNN_OK);
    assert_int_equal(bytes, strlen(text));
    assert_string_equal(data, text);
    onn_free(data);
}

static void replaces(void **state)
{
    (void)state;
    assert_int_equal(onn_fs_write(in_dir("a"), "old", 3, true), OCLNN_OK);
    holds("a", "old");
    assert_int_equal(onn_fs_write(in_dir("a"), "newer", 5, false), OCLNN_OK);
    holds("a", "newer");
}

static void full_disk_keeps_the_old(void **state)
{
    struct rlimit old, small;
    char *big = calloc(1, 1 << 16);
    (void)state;
    assert_non_null(big);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(onn_fs_write(in_dir("a"), big, 1 << 16, true), OCLNN_ERROR_IO);
    setrlimit(RLIMIT_FSIZE, &old);
    holds("a", "newer");
    free(big);
}

static void leaves_others_alone(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(onn_fs_write(in_dir("fifo"), "x", 1, true), OCLNN_ERROR_IO);
    assert_non_null(strstr(oclnn_error_text(NULL), "not a regular file"));
    assert_int_equal(stat(in_dir("fifo"), &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    unlink(in_dir("fifo"));
    assert_int_equal(onn_fs_write(dir, "x", 1, true), OCLNN_ERROR_IO);
    assert_int_equal(onn_fs_write(in_dir(""), "x", 1, true), OCLNN_ERROR_IO);
    assert_int_equal(onn_fs_write(in_dir("none/a"), "x", 1, true), OCLNN_ERROR_NOT_FOUND);
}

static int temporaries(void)
{
    DIR *list = opendir(dir);
    int n = 0;
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e; e = readdir(list))
        n += strncmp(e->d_name, ".tmp-", 5) == 0;
    closedir(list);
    return n;
}

/* A process that writes file "a" for as long as it lives (once: one time), seen at it. */
static pid_t writer(char *big, size_t bytes, bool once)
{
    const int before = temporaries();
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        do {
            if (onn_fs_write(in_dir("a"), big, bytes, true) != OCLNN_OK)
                _exit(1);
        } while (!once);
        _exit(0);
    }
    for (int i = 0; i < 100000 && temporaries() <= before; i++)
        usleep(50);
    return child;
}

/* What writers leave that are killed goes with the next write; what one that lives is writing stays. */
static void killed_writers(void **state)
{
    const size_t bytes = 1 << 24;
    char *big = calloc(1, bytes);
    int code = 0;
    (void)state;
    assert_non_null(big);
    for (int tries = 0; tries < 200 && temporaries() == 0; tries++) {
        const pid_t child = writer(big, bytes, false);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    assert_true(temporaries() > 0);
    assert_int_equal(onn_fs_write(in_dir("b"), "x", 1, false), OCLNN_OK);
    assert_true(temporaries() > 0); /* of another file */
    assert_int_equal(onn_fs_write(in_dir("a"), "newer", 5, false), OCLNN_OK);
    assert_int_equal(temporaries(), 0);
    const pid_t child = writer(big, bytes, true);
    kill(child, SIGSTOP);
    const int held = temporaries(); /* 0 if it was done already */
    assert_int_equal(onn_fs_write(in_dir("a"), "newer", 5, false), OCLNN_OK);
    assert_int_equal(temporaries(), held);
    kill(child, SIGCONT);
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    assert_int_equal(temporaries(), 0);
    unlink(in_dir("b"));
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(replaces), cmocka_unit_test(full_disk_keeps_the_old),
        cmocka_unit_test(leaves_others_alone), cmocka_unit_test(killed_writers)};
    if (!mkdtemp(dir))
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(in_dir("a"));
    return failed | rmdir(dir); /* no temporary file is left */
}
