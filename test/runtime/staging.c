/* Pinned memory on the way to and from the device: bytes arrive whole, in order, whenever they are waited for, and what is
 * not staged says so. Forced on, since processors do without. */
#include "runtime/staging.h"
#include "runtime/common.h"

enum { LARGE = 5 * 1024 * 1024 + 3, RUNS = 7 };

static unsigned char at(int run, size_t i)
{
    return (unsigned char)((i * 2654435761u >> 13) + (size_t)run * 31 + i % 7);
}

/* The source changes as soon as the call returns; every size of piece. */
static void writes_take_their_bytes(void **state)
{
    static const size_t sizes[] = {1, 63, 4096, (2 << 20) - 1, 2 << 20, LARGE};
    struct oclnn_context *ctx = *state;
    unsigned char *from = malloc(LARGE), *to = malloc((size_t)RUNS * LARGE);
    assert_true(from && to);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const size_t n = sizes[k];
        struct onn_staging *s;
        struct onn_buffer *b[RUNS];
        must(onn_staging_create(ctx, n, &s));
        assert_non_null(s);
        assert_true(onn_staging_bytes(s) >= 2 * n && onn_staging_bytes(s) <= 2 * n + 128);
        for (int run = 0; run < RUNS; run++) {
            must(onn_buffer_create(ctx, n + 1, &b[run]));
            must(onn_buffer_fill(ctx, b[run], 0x5A));
            for (size_t i = 0; i < n; i++)
                from[i] = at(run, i);
            must(onn_staging_write(s, b[run], from));
            memset(from, 0xEE, n);
        }
        for (int run = 0; run < RUNS; run++) {
            must(onn_buffer_read(ctx, b[run], 0, n + 1, to, true));
            for (size_t i = 0; i < n; i++)
                if (to[i] != at(run, i))
                    fail_msg("%zu bytes, run %d: byte %zu is %d", n, run, i, to[i]);
            assert_int_equal(to[n], 0x5A);
            onn_buffer_destroy(&b[run]);
        }
        onn_staging_destroy(&s);
        assert_null(s);
    }
    free(from);
    free(to);
}

/* Reads of seven runs through two slots: all but the last two are there before anybody waits, settling a run leaves later
 * ones alone, and what nobody settled comes when the memory goes. */
static void reads_are_delivered(void **state)
{
    enum { N = 1000, OFFSET = 24 };
    struct oclnn_context *ctx = *state;
    unsigned char from[OFFSET + N], to[RUNS][N + 1];
    struct onn_staging *s;
    struct onn_buffer *b;
    must(onn_buffer_create(ctx, sizeof from, &b));
    for (int way = 0; way < 3; way++) { /* settle one by one, settle the last, settle nothing */
        struct onn_event *event = NULL;
        must(onn_staging_create(ctx, N, &s));
        memset(to, 0xEE, sizeof to);
        for (int run = 0; run < RUNS; run++) {
            for (int i = 0; i < N; i++)
                from[OFFSET + i] = at(run, (size_t)i);
            must(onn_buffer_write(ctx, b, 0, sizeof from, from, true));
            must(onn_staging_read_start(s, b, OFFSET, to[run], (uint64_t)run + 1, &event));
            assert_non_null(event);
        }
        must(onn_event_wait(ctx, &event));
        for (int run = 0; run < RUNS; run++)
            assert_int_equal(to[run][1] == at(run, 1), run < RUNS - 2);
        if (way == 0) {
            must(onn_staging_settle(s, RUNS - 1));
            assert_true(to[RUNS - 2][1] == at(RUNS - 2, 1) && to[RUNS - 1][1] == 0xEE);
            must(onn_staging_settle(s, RUNS));
        } else if (way == 1) {
            must(onn_staging_settle(s, UINT64_MAX));
            must(onn_staging_settle(s, UINT64_MAX));
        }
        onn_staging_destroy(&s);
        for (int run = 0; run < RUNS; run++) {
            for (int i = 0; i < N; i++)
                assert_int_equal(to[run][i], at(run, (size_t)i));
            assert_int_equal(to[run][N], 0xEE);
        }
    }
    onn_buffer_destroy(&b);
}

static void what_is_not_staged(void **state)
{
    struct oclnn_context *ctx = *state;
    struct onn_staging *s;
    must(onn_staging_create(ctx, 0, &s));
    assert_null(s);
    must(onn_staging_create(ctx, ONN_STAGING_MOST + 1, &s));
    assert_null(s);
    assert_int_equal(onn_staging_bytes(s), 0);
    onn_staging_destroy(&s);
    onn_staging_destroy(NULL);
}

/* $OCLNN_STAGING; without it the device's memory decides. */
static void can_be_switched(void **state)
{
    struct onn_staging *s;
    (void)state;
    for (int k = 0; k < 3; k++) {
        if (k == 2)
            unsetenv("OCLNN_STAGING");
        else
            setenv("OCLNN_STAGING", k ? "on" : "off", 1);
        struct oclnn_context *ctx = open_context(NULL);
        const struct onn_caps *caps = onn_context_caps(ctx);
        assert_int_equal(caps->staged, k == 2 ? !caps->unified : k);
        must(onn_staging_create(ctx, 16, &s));
        assert_int_equal(s != NULL, caps->staged);
        onn_staging_destroy(&s);
        oclnn_context_destroy(&ctx);
    }
    struct oclnn_context *ctx = NULL;
    setenv("OCLNN_STAGING", "yes", 1);
    assert_int_equal(oclnn_context_create(NULL, &ctx), OCLNN_ERROR_ARGUMENT);
    assert_null(ctx);
    assert_non_null(strstr(oclnn_error_text(NULL), "OCLNN_STAGING is 'yes'; known are on, off"));
    unsetenv("OCLNN_STAGING");
}

static int open_staged(void **state)
{
    setenv("OCLNN_STAGING", "on", 1);
    *state = open_context(NULL);
    unsetenv("OCLNN_STAGING");
    return 0;
}

static int close_staged(void **state)
{
    oclnn_context_destroy((struct oclnn_context **)state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_take_their_bytes),
        cmocka_unit_test(reads_are_delivered),
        cmocka_unit_test(what_is_not_staged),
        cmocka_unit_test(can_be_switched),
    };
    return has_device() ? cmocka_run_group_tests(tests, open_staged, close_staged) : SKIPPED;
}
