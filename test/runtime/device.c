/* Listing, selecting and describing devices. */
#include "runtime/common.h"

static void lists_devices(void **state)
{
    (void)state;
    struct oclnn_device_info info[32];
    int count = 0, again = 0;
    must(oclnn_device_list(info, 32, &count));
    must(oclnn_device_list(NULL, 0, &again));
    assert_int_equal(count, again);
    for (int i = 0; i < count && i < 32; i++) {
        assert_true(info[i].name[0] && info[i].platform[0] && strchr(info[i].selector, ':'));
        assert_true(info[i].compute_units > 0 && info[i].global_bytes > 0 && info[i].max_group_size > 0);
    }
    assert_int_equal(oclnn_device_list(info, 32, NULL), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_device_list(NULL, 1, &count), OCLNN_ERROR_ARGUMENT);
}

static void selector_fails(const char *selector, enum oclnn_status expected, const char *words)
{
    struct oclnn_context *ctx = (struct oclnn_context *)&expected;
    enum oclnn_status status =
        oclnn_context_create(&(struct oclnn_context_params){.devices = selector, .cache_dir = ""}, &ctx);
    assert_int_equal(status, expected);
    assert_null(ctx);
    if (!strstr(oclnn_error_text(NULL), words) || !strstr(oclnn_error_text(NULL), selector))
        fail_msg("'%s' lacks '%s' or '%s'", oclnn_error_text(NULL), words, selector);
}

static void bad_selectors_list_candidates(void **state)
{
    (void)state;
    struct oclnn_device_info info[1];
    int count;
    must(oclnn_device_list(info, 1, &count));
    selector_fails("name~no such device", OCLNN_ERROR_NO_DEVICE, info[0].name);
    selector_fails("uuid=12-34", OCLNN_ERROR_NO_DEVICE, info[0].selector);
    selector_fails("99:0", OCLNN_ERROR_NO_DEVICE, info[0].name);
    selector_fails("99", OCLNN_ERROR_NO_DEVICE, info[0].name);
    selector_fails("0:", OCLNN_ERROR_NO_DEVICE, "P:D");
    selector_fails("name~", OCLNN_ERROR_NO_DEVICE, "P:D");
    selector_fails("tpu", OCLNN_ERROR_NO_DEVICE, "best");
    selector_fails("", OCLNN_ERROR_NO_DEVICE, "best");
    selector_fails("all", OCLNN_ERROR_UNSUPPORTED, "one device");
    selector_fails("0:0,0:1", OCLNN_ERROR_UNSUPPORTED, "one device");
}

/* Every way to name the first device finds it. */
static void selectors_agree(void **state)
{
    (void)state;
    struct oclnn_device_info info[1], got;
    int count;
    must(oclnn_device_list(info, 1, &count));
    char by_name[160];
    snprintf(by_name, sizeof by_name, "name~%s", info[0].name);
    const char *selectors[] = {"0", "0:0", info[0].selector, count == 1 ? by_name : "0",
        count == 1 ? "best" : "0"};
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        struct oclnn_context *ctx;
        must(oclnn_context_create(&(struct oclnn_context_params){.devices = selectors[i]}, &ctx));
        must(oclnn_context_device(ctx, &got));
        assert_string_equal(got.name, info[0].name);
        oclnn_context_destroy(&ctx);
        assert_null(ctx);
    }
    oclnn_context_destroy(NULL);
}

static void caps_are_sane(void **state)
{
    (void)state;
    struct oclnn_context *ctx = open_context(NULL);
    const struct onn_caps *caps = onn_context_caps(ctx);
    assert_true(caps->compute_units > 0 && caps->max_group > 0 && caps->local_bytes >= 1024);
    assert_true(caps->max_item[0] > 0 && caps->max_item[1] > 0 && caps->max_item[2] > 0);
    assert_true(caps->max_alloc > 0 && caps->global_bytes >= caps->max_alloc / 2);
    assert_true(caps->base_align >= 16 && (caps->base_align & (caps->base_align - 1)) == 0);
    assert_true(caps->opencl_major > 1 || caps->opencl_minor >= 2);
    int w = caps->vector_width;
    assert_true(caps->vector_cpu ? w == 4 || w == 8 || w == 16 : w == 1);
    assert_true(!caps->vector_cpu || !caps->local_is_real);
    assert_true(caps->has_subgroups ? caps->subgroup_size > 0 : caps->subgroup_size == 0);
    oclnn_context_destroy(&ctx);
}

/* $OCLNN_VECTOR_WIDTH: processors take kernels of that width, other devices do not care. */
static void width_of_vectors_can_be_set(void **state)
{
    static const int widths[] = {4, 8, 16};
    (void)state;
    for (int i = 0; i < 3; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", widths[i]);
        setenv("OCLNN_VECTOR_WIDTH", text, 1);
        struct oclnn_context *ctx = open_context(NULL);
        const struct onn_caps *caps = onn_context_caps(ctx);
        assert_int_equal(caps->vector_width, caps->vector_cpu ? widths[i] : 1);
        oclnn_context_destroy(&ctx);
    }
    struct oclnn_context *ctx = NULL;
    setenv("OCLNN_VECTOR_WIDTH", "5", 1);
    assert_int_equal(oclnn_context_create(NULL, &ctx), OCLNN_ERROR_ARGUMENT);
    assert_null(ctx);
    assert_non_null(strstr(oclnn_error_text(NULL), "OCLNN_VECTOR_WIDTH is '5'"));
    unsetenv("OCLNN_VECTOR_WIDTH");
}

/* Measured once, then read: a later context gives the same numbers. (Under load it may measure up to five times.) */
static void measuring_is_remembered(void **state)
{
    (void)state;
    char folder[64];
    struct oclnn_device_speed speed[8];
    make_folder(folder);
    for (int i = 0; i < 7; i++) {
        struct oclnn_context *ctx = open_context(folder);
        must(oclnn_context_measure(ctx, &speed[i]));
        assert_true(speed[i].peak_gflops > 0 && speed[i].bandwidth_gbs > 0 && speed[i].launch_us > 0);
        must(oclnn_context_measure(ctx, &speed[7]));
        assert_true(speed[7].peak_gflops == speed[i].peak_gflops);
        oclnn_context_destroy(&ctx);
    }
    if (!speed[0].is_slow)
        assert_int_equal(for_files(folder, ".txt", NULL), 2);
    assert_true(speed[5].peak_gflops == speed[6].peak_gflops);
    assert_true(speed[5].launch_us == speed[6].launch_us);
    remove_folder(folder);
}

static void round_trip_takes_time(void **state)
{
    (void)state;
    struct oclnn_context *ctx = open_context(NULL);
    double ms = 0;
    must(oclnn_context_round_trip(ctx, &ms));
    assert_true(ms > 0 && ms < 10000);
    assert_int_equal(oclnn_context_round_trip(ctx, NULL), OCLNN_ERROR_ARGUMENT);
    oclnn_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_devices),
        cmocka_unit_test(bad_selectors_list_candidates),
        cmocka_unit_test(selectors_agree),
        cmocka_unit_test(caps_are_sane),
        cmocka_unit_test(width_of_vectors_can_be_set),
        cmocka_unit_test(measuring_is_remembered),
        cmocka_unit_test(round_trip_takes_time),
    };
    return has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : SKIPPED;
}
