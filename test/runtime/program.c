/* Building programs and the disk cache: hits, and damaged files as misses that change no result. */
#include "runtime/common.h"
#include <sys/stat.h>

/* Runs test_add and looks at the answer: the program is the right one whatever the cache held. */
static void run(struct oclnn_context *ctx, struct onn_program *program, float expected)
{
    struct onn_kernel *kernel;
    struct onn_buffer *x;
    float data[16] = {0}, y = 1.0f;
    const size_t global = 16, local = 4;
    must(onn_kernel_create(ctx, program, "test_add", &kernel));
    must(onn_buffer_create(ctx, sizeof data, &x));
    must(onn_buffer_write(ctx, x, 0, sizeof data, data, true));
    must(onn_kernel_set_buffer(kernel, 0, x));
    must(onn_kernel_set_bytes(kernel, 1, sizeof y, &y));
    must(onn_kernel_set_local(kernel, 2, local * sizeof(float)));
    must(onn_queue_launch(ctx, kernel, 1, &global, &local, NULL));
    must(onn_buffer_read(ctx, x, 0, sizeof data, data, true));
    for (int i = 0; i < 16; i++)
        assert_true(data[i] == expected);
    onn_kernel_destroy(&kernel);
    onn_buffer_destroy(&x);
}

/* One context's life on this cache folder; what the cache did. */
static struct onn_counters use(const char *folder, const char *defines, float expected)
{
    struct oclnn_context *ctx = open_context(folder);
    struct onn_program *program, *again;
    must(onn_program_get(ctx, "probe", defines, TEST_KERNEL, &program));
    must(onn_program_get(ctx, "probe", defines, TEST_KERNEL, &again));
    assert_ptr_equal(program, again);
    run(ctx, program, expected);
    onn_program_cache_flush(ctx);
    onn_program_cache_flush(ctx);
    struct onn_counters counters = onn_context_counters(ctx);
    oclnn_context_destroy(&ctx);
    return counters;
}

static void failures_explain_themselves(void **state)
{
    (void)state;
    struct oclnn_context *ctx = open_context("");
    struct onn_program *program;
    assert_int_equal(onn_program_get(ctx, "probe", "-D PLUS=3", "this is no OpenCL C;\n", &program),
        OCLNN_ERROR_BUILD);
    assert_null(program);
    const char *text = oclnn_error_text(NULL);
    assert_non_null(strstr(text, "'probe'"));
    assert_non_null(strstr(text, "-D PLUS=3"));
    assert_non_null(strstr(text, onn_context_caps(ctx)->name));
    assert_non_null(strstr(text, "clBuildProgram failed: CL_"));
    assert_int_equal(onn_program_get(ctx, "no_such_file", NULL, NULL, &program), OCLNN_ERROR_NOT_FOUND);
    assert_non_null(strstr(oclnn_error_text(NULL), "no_such_file"));
    assert_int_equal(onn_program_get(ctx, "probe+no_such_file", NULL, NULL, &program), OCLNN_ERROR_NOT_FOUND);
    /* The context is none the worse for it. */
    must(onn_program_get(ctx, "probe+measure", "-D PLUS=3", TEST_KERNEL, &program));
    run(ctx, program, 3.0f);
    oclnn_context_destroy(&ctx);
}

static void second_context_hits(void **state)
{
    (void)state;
    char folder[64];
    make_folder(folder);
    struct onn_counters c = use(folder, "-D PLUS=2", 2.0f);
    assert_true(c.programs_built == 1 && c.cache_hits == 0 && c.cache_misses == 1);
    int files = for_files(folder, ".bin", NULL);
    assert_int_equal(files, 1);
    c = use(folder, "-D PLUS=2", 2.0f);
    assert_true(c.programs_built == 0 && c.cache_hits == 1);
    c = use(folder, "-D PLUS=4", 4.0f);
    assert_true(c.programs_built == 1);
    c = use("", "-D PLUS=2", 2.0f);
    assert_true(c.programs_built == 1);
    setenv("OCLNN_CACHE", "off", 1);
    c = use(folder, "-D PLUS=2", 2.0f);
    setenv("OCLNN_CACHE", "force", 1);
    assert_true(c.programs_built == 1);
    remove_folder(folder);
}

static unsigned seed = 1;
static enum { FLIP, CUT, GROW, EMPTY, LINK, SHARE } damage;

static unsigned next(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void harm(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    if (damage == FLIP) {
        FILE *f = fopen(path, "r+b");
        long at = (long)(next() % (unsigned)st.st_size);
        fseek(f, at, SEEK_SET);
        int byte = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(byte ^ (1 << next() % 8), f);
        fclose(f);
    } else if (damage == CUT) {
        assert_int_equal(truncate(path, (off_t)(next() % (unsigned)st.st_size)), 0);
    } else if (damage == GROW) {
        assert_int_equal(truncate(path, st.st_size + 1 + (off_t)(next() % 100)), 0);
    } else if (damage == EMPTY) {
        assert_int_equal(truncate(path, 0), 0);
    } else if (damage == LINK) {
        char elsewhere[600];
        snprintf(elsewhere, sizeof elsewhere, "%s-elsewhere", path);
        assert_int_equal(rename(path, elsewhere), 0);
        assert_int_equal(symlink(elsewhere, path), 0);
    } else {
        assert_int_equal(chmod(path, 0666), 0);
    }
}

static void damaged_files_are_misses(void **state)
{
    (void)state;
    char folder[64];
    make_folder(folder);
    use(folder, "-D PLUS=2", 2.0f);
    for (int i = 0; i < 14; i++) {
        damage = i < 6 ? FLIP : i < 10 ? CUT : i == 10 ? GROW : i == 11 ? EMPTY : i == 12 ? LINK : SHARE;
        assert_int_equal(for_files(folder, ".bin", harm), 1);
        struct onn_counters c = use(folder, "-D PLUS=2", 2.0f);
        if (c.cache_hits != 0 || c.programs_built != 1)
            fail_msg("damage %d was taken for good", (int)damage);
        /* And the good file is back. */
        c = use(folder, "-D PLUS=2", 2.0f);
        assert_true(c.cache_hits == 1);
    }
    /* Notes of measurements: damaged ones are made again. */
    for (damage = FLIP; damage <= EMPTY; damage++) {
        assert_int_equal(for_files(folder, ".txt", harm), 1);
        struct oclnn_context *ctx = open_context(folder);
        assert_int_equal(onn_context_caps(ctx)->opencl_major >= 1, 1);
        oclnn_context_destroy(&ctx);
    }
    remove_folder(folder);
}

/* A folder that others may write to is not used, nor is one behind a symlink. */
static void foreign_folders_are_ignored(void **state)
{
    (void)state;
    char folder[64], link[80];
    make_folder(folder);
    use(folder, "-D PLUS=2", 2.0f);
    assert_int_equal(chmod(folder, 0777), 0);
    struct onn_counters c = use(folder, "-D PLUS=2", 2.0f);
    assert_true(c.programs_built == 1 && c.cache_hits == 0);
    assert_int_equal(chmod(folder, 0700), 0);
    snprintf(link, sizeof link, "%s-link", folder);
    assert_int_equal(symlink(folder, link), 0);
    c = use(link, "-D PLUS=2", 2.0f);
    assert_true(c.programs_built == 1 && c.cache_hits == 0);
    unlink(link);
    c = use("/proc/no/such/folder", "-D PLUS=2", 2.0f);
    assert_true(c.programs_built == 1);
    remove_folder(folder);
}

static void folder_is_private(void **state)
{
    (void)state;
    char folder[64], inner[96], cache[104];
    struct stat st;
    make_folder(folder);
    snprintf(inner, sizeof inner, "%s/deep", folder);
    setenv("XDG_CACHE_HOME", inner, 1);
    use(NULL, "-D PLUS=2", 2.0f);
    snprintf(cache, sizeof cache, "%s/oclnn", inner);
    assert_int_equal(stat(cache, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(for_files(cache, ".bin", NULL), 1);
    remove_folder(cache);
    remove_folder(inner);
    remove_folder(folder);
}

/* $OCLNN_CL_DIR: its files come first, with headers put in; the rest stays embedded. */
static void folder_overrides_sources(void **state)
{
    (void)state;
    char folder[64], path[128];
    make_folder(folder);
    snprintf(path, sizeof path, "%s/mine.cl", folder);
    FILE *f = fopen(path, "w");
    fputs("#include \"x.h\"\n  #  include \"x.h\"\n" TEST_KERNEL, f);
    fclose(f);
    snprintf(path, sizeof path, "%s/x.h", folder);
    f = fopen(path, "w");
    fputs("#define PLUS 6\nconstant int once = 1;\n", f);
    fclose(f);
    setenv("OCLNN_CL_DIR", folder, 1);
    struct oclnn_context *ctx = open_context("");
    struct onn_program *program;
    must(onn_program_get(ctx, "mine+measure", NULL, NULL, &program));
    run(ctx, program, 6.0f);
    unlink(path);
    assert_int_equal(onn_program_get(ctx, "mine", NULL, NULL, &program), OCLNN_ERROR_NOT_FOUND);
    unsetenv("OCLNN_CL_DIR");
    assert_int_equal(onn_program_get(ctx, "mine", NULL, NULL, &program), OCLNN_ERROR_NOT_FOUND);
    oclnn_context_destroy(&ctx);
    remove_folder(folder);
}

/* Items beyond the end write nothing, whatever other kernels the program holds: Intel's compiler turns the condition
 * around when there is one whose own early return it cannot analyse. */
static void early_returns_stay(void **state)
{
    (void)state;
    enum { ROWS = 12, LEN = 4, INNER = 6, AT = 8, N = 512 };
    struct oclnn_context *ctx = open_context("");
    struct onn_program *program;
    struct onn_kernel *kernel;
    struct onn_buffer *x, *y;
    float data[N];
    const int64_t from = 0, to = AT;
    const int argument[] = {ROWS, LEN, INNER, 0};
    const size_t local = onn_context_caps(ctx)->max_group < 64 ? 1 : 64, global = 64;
    must(onn_program_get(ctx, "reduce+softmax", "-D ONN_DT=1 -D RED_OP=0 -D VL=8", NULL, &program));
    must(onn_kernel_create(ctx, program, "softmax_ref", &kernel));
    must(onn_buffer_create(ctx, sizeof data, &x));
    must(onn_buffer_create(ctx, sizeof data, &y));
    must(onn_buffer_fill(ctx, x, 0));
    for (int i = 0; i < N; i++)
        data[i] = -1;
    must(onn_buffer_write(ctx, y, 0, sizeof data, data, true));
    must(onn_kernel_set_buffer(kernel, 0, x));
    must(onn_kernel_set_bytes(kernel, 1, sizeof from, &from));
    must(onn_kernel_set_buffer(kernel, 2, y));
    must(onn_kernel_set_bytes(kernel, 3, sizeof to, &to));
    for (int i = 0; i < 4; i++)
        must(onn_kernel_set_bytes(kernel, 4 + i, sizeof argument[i], &argument[i]));
    must(onn_queue_launch(ctx, kernel, 1, &global, &local, NULL));
    must(onn_buffer_read(ctx, y, 0, sizeof data, data, true));
    for (int i = 0; i < N; i++) {
        const bool inside = i >= AT && i < AT + ROWS * LEN;
        if (data[i] != (inside ? 1.0f / LEN : -1))
            fail_msg("element %d is %g", i, (double)data[i]);
    }
    onn_kernel_destroy(&kernel);
    onn_buffer_destroy(&x);
    onn_buffer_destroy(&y);
    oclnn_context_destroy(&ctx);
}

static int build_lines;

static void count_builds(void *user, enum oclnn_log_level level, const char *line)
{
    (void)user;
    (void)level;
    build_lines += strstr(line, "compiled in") != NULL && strstr(line, "PLUS=5") != NULL;
}

static void verbose_logs_builds(void **state)
{
    (void)state;
    struct oclnn_context *ctx;
    struct onn_program *program;
    for (int verbose = 0; verbose < 2; verbose++) {
        if (verbose)
            setenv("OCLNN_VERBOSE", "dispatch,build", 1);
        must(
            oclnn_context_create(&(struct oclnn_context_params){.cache_dir = "", .log = count_builds}, &ctx));
        must(onn_program_get(ctx, "probe", "-D PLUS=5", TEST_KERNEL, &program));
        assert_int_equal(build_lines, verbose);
        oclnn_context_destroy(&ctx);
    }
    unsetenv("OCLNN_VERBOSE");
}

int main(void)
{
    setenv("OCLNN_CACHE", "force", 1); /* also where the driver has a cache of its own */
    char home[64];
    strcpy(home, "/tmp/oclnn-test-XXXXXX");
    if (!has_device())
        return SKIPPED;
    if (!mkdtemp(home))
        return 1;
    setenv("XDG_CACHE_HOME", home, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_explain_themselves),
        cmocka_unit_test(second_context_hits),
        cmocka_unit_test(damaged_files_are_misses),
        cmocka_unit_test(foreign_folders_are_ignored),
        cmocka_unit_test(folder_overrides_sources),
        cmocka_unit_test(early_returns_stay),
        cmocka_unit_test(verbose_logs_builds),
        cmocka_unit_test(folder_is_private),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_folder(home);
    return failed;
}
