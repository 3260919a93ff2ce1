/* The memory planner: storages whose lifetimes overlap share no byte, in one segment or in many. */
#include "plan/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static uint32_t next_random(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u;
}

static void check_disjoint(const struct onn_storage *s, int n, size_t align, const size_t *segment_bytes)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(s[i].offset % align, 0);
        assert_true(s[i].offset + s[i].bytes <= segment_bytes[s[i].segment]);
        for (int j = 0; j < i; j++) {
            bool alive = s[i].first <= s[j].last && s[j].first <= s[i].last;
            bool apart = s[i].segment != s[j].segment || s[i].offset + s[i].bytes <= s[j].offset ||
                s[j].offset + s[j].bytes <= s[i].offset;
            assert_true(!alive || apart);
        }
    }
}

static void random_plans(size_t max_segment)
{
    uint32_t seed = 7;
    for (int round = 0; round < 200; round++) {
        struct onn_storage s[40] = {{0}};
        size_t *segment_bytes = NULL;
        int32_t segments = 0;
        int n = 1 + (int)(next_random(&seed) >> 8) % 40;
        for (int i = 0; i < n; i++) {
            s[i].kind = ONN_STORAGE_ARENA;
            s[i].value = i + 1;
            s[i].first = (int32_t)(next_random(&seed) >> 8) % 50;
            s[i].last = s[i].first + (int32_t)(next_random(&seed) >> 8) % 12;
            s[i].bytes = s[i].unpadded = 1 + (next_random(&seed) >> 8) % 5000;
        }
        assert_int_equal(onn_memory_plan(s, n, 64, max_segment, true, &segment_bytes, &segments), OCLNN_OK);
        check_disjoint(s, n, 64, segment_bytes);
        size_t total = 0;
        for (int i = 0; i < segments; i++) {
            assert_true(!max_segment || segment_bytes[i] <= max_segment);
            total += segment_bytes[i];
        }
        assert_true(total >= onn_memory_lower_bound(s, n, 64, true));
        free(segment_bytes);
    }
}

static void one_segment(void **state)
{
    (void)state;
    random_plans(0);
}

static void many_segments(void **state)
{
    (void)state;
    random_plans(8192);
}

/* Graphs beyond ONN_MEMORY_MANY: the same promises, within twice the bound, in a time that does not go by the square. */
static void long_plan(int32_t longest, size_t max_segment)
{
    enum { N = ONN_MEMORY_MANY + 1000 };
    uint32_t seed = 3;
    struct onn_storage *s = calloc(N, sizeof *s);
    size_t *segment_bytes = NULL, total = 0;
    int32_t segments = 0;
    assert_non_null(s);
    for (int i = 0; i < N; i++) {
        s[i].kind = ONN_STORAGE_ARENA;
        s[i].value = i + 1;
        s[i].first = i;
        s[i].last = i + (int32_t)(next_random(&seed) >> 8) % longest;
        s[i].bytes = s[i].unpadded = 1 + (next_random(&seed) >> 8) % 5000;
    }
    assert_int_equal(onn_memory_plan(s, N, 64, max_segment, true, &segment_bytes, &segments), OCLNN_OK);
    check_disjoint(s, N, 64, segment_bytes);
    for (int i = 0; i < segments; i++) {
        assert_true(!max_segment || segment_bytes[i] <= max_segment);
        total += segment_bytes[i];
    }
    assert_true(total <= 2 * onn_memory_lower_bound(s, N, N + longest, false));
    free(segment_bytes);
    free(s);
}

static void long_graphs(void **state)
{
    (void)state;
    long_plan(2, 0);
    long_plan(50, 0);
    long_plan(50, 8192);
    long_plan(4000, 1 << 16);
}

static void chain_needs_two_buffers(void **state)
{
    (void)state;
    struct onn_storage s[10] = {{0}};
    size_t *segment_bytes = NULL;
    int32_t segments = 0;
    for (int i = 0; i < 10; i++)
        s[i] = (struct onn_storage){.kind = ONN_STORAGE_ARENA,
            .value = 1,
            .first = i,
            .last = i + 1,
            .bytes = 1024,
            .unpadded = 1024};
    assert_int_equal(onn_memory_plan(s, 10, 64, 0, true, &segment_bytes, &segments), OCLNN_OK);
    assert_int_equal(segments, 1);
    assert_int_equal(segment_bytes[0], 2048);
    assert_int_equal(onn_memory_lower_bound(s, 10, 12, true), 2048);
    free(segment_bytes);
    assert_int_equal(onn_memory_plan(s, 10, 64, 0, false, &segment_bytes, &segments), OCLNN_OK);
    assert_int_equal(segment_bytes[0], 10240);
    free(segment_bytes);
}

static void too_big_is_an_error(void **state)
{
    (void)state;
    struct onn_storage s = {.kind = ONN_STORAGE_ARENA, .value = 1, .bytes = 1 << 20};
    size_t *segment_bytes = NULL;
    int32_t segments = 0;
    assert_int_equal(onn_memory_plan(&s, 1, 64, 1 << 16, true, &segment_bytes, &segments),
        OCLNN_ERROR_DEVICE_MEMORY);
    assert_null(segment_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_segment), cmocka_unit_test(many_segments),
        cmocka_unit_test(long_graphs), cmocka_unit_test(chain_needs_two_buffers),
        cmocka_unit_test(too_big_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
