/* A text of choices: steps are planned as it says and give the same bits, whatever else would be chosen; one that does not
 * fit is refused with the place. */
#include "base/mem.h"
#include "train/stripes.h"
#include "train/trainer.h"
#include <stdlib.h>
#include <string.h>

static oclnn_context *ctx;
static oclnn_dataset *data, *held_out;

static const struct oclnn_model_params plain = {.variant = "reference", .tune = 2},
                                       measured = {.tune = 1, .tune_ms = 200};
static const struct oclnn_fit whole = {.epochs = 2, .batch = 80, .keep_last = 1};

static void collect(void *user, const char *line)
{
    onn_str_add(user, "%s\n", line);
}

static char *choices_of(const oclnn_trainer *t)
{
    struct onn_str text = {0};
    good(oclnn_trainer_choices(t, collect, &text));
    assert_true(onn_str_ok(&text));
    return text.text;
}

/* Trains; what the steps changed, and how they were planned. onn_free both. */
static enum oclnn_status run(const struct oclnn_model_params *params, const char *given, size_t budget,
    unsigned char **bytes, size_t *n, char **text)
{
    oclnn_model *m = stripes_network_with(ctx, STRIPES_CLASSES, params);
    oclnn_trainer *t = NULL;
    enum oclnn_status status = oclnn_trainer_create(m,
        &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_ADAM},
            .choices = given,
            .memory_budget = budget,
            .seed = 4},
        &t);
    if (status == OCLNN_OK)
        status = oclnn_trainer_fit(t, data, held_out, &whole);
    if (status == OCLNN_OK && bytes)
        *bytes = onn_test_state(t, NULL, n);
    if (status == OCLNN_OK && text)
        *text = choices_of(t);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    return status;
}

static void given_choices_rule(void **state)
{
    unsigned char *bytes[3];
    char *text[3];
    size_t n[3];
    (void)state;
    good(run(&plain, NULL, 0, &bytes[0], &n[0], &text[0]));
    assert_non_null(strstr(text[0], "[update pixels 80x1x8x8]\n"));
    assert_non_null(strstr(text[0], "\nconv reference "));
    assert_non_null(strstr(text[0], "[update pixels 60x1x8x8]\n"));
    assert_non_null(strstr(text[0], "[evaluate pixels "));
    for (int k = 1; k < 3; k++) { /* where kernels are measured, or predicted */
        good(run(k == 1 ? &measured : &(struct oclnn_model_params){.tune = 2}, text[0], 0, &bytes[k], &n[k],
            &text[k]));
        assert_int_equal(n[k], n[0]);
        assert_memory_equal(bytes[k], bytes[0], n[0]);
        assert_string_equal(text[k], text[0]);
    }
    for (int k = 0; k < 3; k++) {
        free(bytes[k]);
        onn_free(text[k]);
    }
}

/* One that does not fit says where; none is planned otherwise instead. */
static void what_does_not_fit_is_refused(void **state)
{
    char *text = NULL, *wrong;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {{"oclnn step choices 1", "oclnn step choices 2", "do not begin with the line"},
        {"[update pixels 80", "(update pixels 80", "there is no line '[PLAN]'"},
        {"80x1x8x8]", "80x1x8x8)", "the line '[update pixels 80x1x8x8)' is not '[PLAN]'"},
        {"80x1x8x8]", "80x1x8x8] recompute=many", "is not '[PLAN]'"},
        {"80x1x8x8]", "96x1x8x8]", "have no plan [update pixels 80x1x8x8]"},
        {"conv reference ", "conv marvellous ",
            "given for [update pixels 80x1x8x8]: the choices do not fit node"},
        {"conv reference ", "relu reference ", "do not fit node"},
        {"conv reference ", "conv reference x\nconv reference ", "nodes, the plan has"}};
    (void)state;
    good(run(&plain, NULL, 0, NULL, NULL, &text));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(text, cases[i].from);
        assert_non_null(at);
        struct onn_str s = {0};
        onn_str_add(&s, "%.*s%s%s", (int)(at - text), text, cases[i].to, at + strlen(cases[i].from));
        wrong = s.text;
        assert_non_null(wrong);
        assert_int_equal(run(NULL, wrong, 0, NULL, NULL, NULL), OCLNN_ERROR_ARGUMENT);
        says(cases[i].says);
        onn_free(wrong);
    }
    assert_int_equal(run(NULL, "", 0, NULL, NULL, NULL), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(run(NULL, "oclnn step choices 1", 0, NULL, NULL, NULL), OCLNN_ERROR_ARGUMENT);
    /* a budget is part of a plan's name */
    assert_int_equal(run(NULL, text, (size_t)1 << 30, NULL, NULL, NULL), OCLNN_ERROR_ARGUMENT);
    says("[update pixels budget=1073741824 80x1x8x8]");
    /* evaluation may be planned here */
    wrong = strstr(text, "[evaluate");
    assert_non_null(wrong);
    while (wrong) { /* its sections away */
        char *next = strstr(wrong, "\n[");
        memmove(wrong, next ? next + 1 : "", next ? strlen(next + 1) + 1 : 1);
        wrong = strstr(text, "[evaluate");
    }
    good(run(NULL, text, 0, NULL, NULL, NULL));
    onn_free(text);
}

static void no_choices_yet(void **state)
{
    oclnn_model *m = stripes_network(ctx, STRIPES_CLASSES);
    oclnn_trainer *t = NULL;
    (void)state;
    good(oclnn_trainer_create(m, NULL, &t));
    assert_int_equal(oclnn_trainer_choices(t, collect, NULL), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_trainer_choices(NULL, collect, NULL), OCLNN_ERROR_ARGUMENT);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(given_choices_rule),
        cmocka_unit_test(what_does_not_fit_is_refused), cmocka_unit_test(no_choices_yet)};
    const int code = open_device(&ctx);
    if (code)
        return code;
    data = stripes_data(ctx, STRIPES_COUNT, stripes_sample, NULL);
    held_out = stripes_data(ctx, 60, stripes_sample, NULL);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_dataset_destroy(&data);
    oclnn_dataset_destroy(&held_out);
    oclnn_context_destroy(&ctx);
    return failed;
}
