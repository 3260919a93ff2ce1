/* Checkpoint files: round trip, every kind of damage, death in the middle of writing, a full disk. */
#include "harness/check.h"
#include "train/checkpoint_file.h"
#include "base/fs.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/oclnn-test-XXXXXX";
static char path[64];
static int kills = 20;

/* Two tensors of n numbers that all are `value`, a text, two numbers. */
static enum oclnn_status write_one(const char *to, int64_t n, int value)
{
    struct onn_checkpoint c = {0};
    struct onn_blob *blob[2] = {NULL, NULL};
    const struct onn_desc d = onn_desc_make(OCLNN_F32, 2, (int64_t[]){n, 1});
    for (int k = 0; k < 2; k++) {
        good(onn_blob_create(&d, NULL, &blob[k]));
        for (int64_t i = 0; i < n; i++)
            onn_blob_set_f64(blob[k], i, value);
    }
    good(onn_checkpoint_add_blob(&c, "first", blob[0]));
    good(onn_checkpoint_add_text(&c, "text", "some words"));
    good(onn_checkpoint_add_i64(&c, "number", value));
    good(onn_checkpoint_add_f64(&c, "real", 0.5 * value));
    good(onn_checkpoint_add_blob(&c, "second", blob[1]));
    const enum oclnn_status status = onn_checkpoint_write(&c, to);
    onn_checkpoint_finish(&c);
    onn_blob_unref(&blob[0]);
    onn_blob_unref(&blob[1]);
    return status;
}

/* Whole and of one writing? Returns its value. */
static int check_one(const char *from, int64_t n)
{
    struct onn_checkpoint c;
    int64_t value = 0;
    double real = 0;
    const char *text = "", *names[2] = {"first", "second"};
    good(onn_checkpoint_read(from, &c));
    good(onn_checkpoint_get_i64(&c, "number", &value));
    good(onn_checkpoint_get_f64(&c, "real", &real));
    good(onn_checkpoint_get_text(&c, "text", &text));
    assert_string_equal(text, "some words");
    assert_true(real == 0.5 * (double)value);
    assert_int_equal(onn_checkpoint_get_i64(&c, "nothing", &value), OCLNN_ERROR_FORMAT);
    for (int k = 0; k < 2; k++) {
        const struct onn_entry *e = onn_checkpoint_find(&c, ONN_ENTRY_TENSOR, names[k]);
        assert_non_null(e);
        assert_int_equal(e->desc.rank, 2);
        assert_int_equal(e->desc.dim[0], n);
        for (int64_t i = 0; i < n; i++)
            assert_true(((const float *)e->data)[i] == (float)value);
    }
    onn_checkpoint_finish(&c);
    return (int)value;
}

static void round_trip(void **state)
{
    (void)state;
    good(write_one(path, 1000, 42));
    assert_int_equal(check_one(path, 1000), 42);
    good(write_one(path, 0, 7));
    assert_int_equal(check_one(path, 0), 7);
}

static void damage(void **state)
{
    void *file = NULL;
    size_t bytes = 0;
    struct onn_checkpoint c;
    int missed = 0;
    (void)state;
    good(write_one(path, 60, 3));
    good(onn_fs_read(path, 1 << 20, &file, &bytes));
    unsigned char *p = file;
    for (size_t i = 0; i < bytes; i++) { /* every byte; padding between entries may be anything */
        p[i] ^= 0x41;
        good(onn_fs_write(path, p, bytes, false));
        p[i] ^= 0x41;
        const enum oclnn_status status = onn_checkpoint_read(path, &c);
        if (status == OCLNN_OK) {
            missed++;
            onn_checkpoint_finish(&c);
            assert_int_equal(p[i], 0);
        } else {
            assert_int_equal(status, OCLNN_ERROR_FORMAT);
        }
    }
    assert_true(missed < 256);
    for (int bit = 0; bit < 8; bit++) { /* the number of entries is in no checksum: fewer, none, more */
        p[12] ^= (unsigned char)(1 << bit);
        good(onn_fs_write(path, p, bytes, false));
        assert_int_equal(onn_checkpoint_read(path, &c), OCLNN_ERROR_FORMAT);
        p[12] ^= (unsigned char)(1 << bit);
    }
    for (size_t n = 0; n < bytes - 64; n += 7) {
        good(onn_fs_write(path, p, n, false));
        assert_int_equal(onn_checkpoint_read(path, &c), OCLNN_ERROR_FORMAT);
        assert_non_null(strstr(oclnn_error_text(NULL), path));
    }
    assert_int_equal(onn_checkpoint_read("/nowhere/at/all", &c), OCLNN_ERROR_NOT_FOUND);
    onn_free(file);
}

/* A child writes again and again until it is killed: what is there is whole. */
static void killed(void **state)
{
    const int64_t n = 200000;
    unsigned seed = 1;
    int last = 0;
    (void)state;
    good(write_one(path, n, 1));
    for (int k = 0; k < kills; k++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            for (int value = last + 1;; value++)
                if (write_one(path, n, value) != OCLNN_OK)
                    _exit(1);
        seed = seed * 1103515245u + 12345u;
        nanosleep(&(struct timespec){.tv_nsec = 1000000L * (long)(1 + seed / 65536 % 40)}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        const int value = check_one(path, n);
        assert_true(value >= last);
        last = value;
    }
    assert_true(last > 1);
    printf("%d kills, 0 half files\n", kills);
}

static void full_disk(void **state)
{
    struct rlimit old, small = {.rlim_cur = 4096};
    (void)state;
    good(write_one(path, 1000, 5));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(write_one(path, 1000, 6), OCLNN_ERROR_IO);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(check_one(path, 1000), 5);
    assert_int_equal(write_one("/nowhere/at/all", 10, 6), OCLNN_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(damage),
        cmocka_unit_test(killed), cmocka_unit_test(full_disk)};
    if (argc > 1 && !strcmp(argv[1], "--all"))
        kills = 200;
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/run.ckpt", dir);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove(path);
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return failed | (system(command) != 0);
}
