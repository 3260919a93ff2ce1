/* Measured choice: the database's text survives damage and company, its rows decide, choices can be given back. */
#include "runtime/tunedb.h"
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/oclnn-test-XXXXXX";
static bool none; /* there is no device */

static oclnn_context *open_context(void)
{
    struct oclnn_context_params params = {.cache_dir = folder};
    oclnn_context *ctx = NULL;
    assert_int_equal(oclnn_context_create(&params, &ctx), OCLNN_OK);
    return ctx;
}

static char *path_of(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static void write_database(const char *text, size_t bytes)
{
    char path[128];
    FILE *f = fopen(path_of("tune.txt", path), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, bytes, f), bytes);
    fclose(f);
    chmod(path, 0600);
}

static void rows(void **state)
{
    (void)state;
    if (none)
        skip();
    oclnn_context *a = open_context(), *b = open_context();
    assert_true(onn_tunedb_find(a, "gemm x=2x3 w=3x4", "packed#0") < 0);
    assert_int_equal(onn_tunedb_add(a, "gemm x=2x3 w=3x4", "packed#0", 125.5), OCLNN_OK);
    assert_int_equal(onn_tunedb_add(a, "gemm x=2x3 w=3x4", "packed#0", 100),
        OCLNN_OK); /* the newest counts */
    assert_int_equal(onn_tunedb_add(b, "gemm x=2x3 w=3x4", "gemv#0", 50), OCLNN_OK);
    assert_int_equal(onn_tunedb_add(a, "gemm\tx", "packed#0", 1), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_tunedb_add(a, "gemm", "packed#0", 0), OCLNN_ERROR_ARGUMENT);
    onn_tunedb_save(a);
    onn_tunedb_save(b); /* has not seen a's rows, and must not lose them */
    oclnn_context_destroy(&a);
    oclnn_context_destroy(&b);
    a = open_context();
    assert_true(onn_tunedb_find(a, "gemm x=2x3 w=3x4", "packed#0") == 100);
    assert_true(onn_tunedb_find(a, "gemm x=2x3 w=3x4", "gemv#0") == 50);
    oclnn_context_destroy(&a);
}

/* A row for each of these digits; every byte is changed and the text is cut at every place: what is left is right. */
static void damage(void **state)
{
    (void)state;
    if (none)
        skip();
    struct onn_str text = {0}, family = {0};
    oclnn_context *ctx = open_context();
    onn_tunedb_family(onn_context_caps(ctx), &family);
    onn_str_add(&text, "oclnn tune 1\n");
    for (int i = 1; i <= 3; i++) {
        char problem[32];
        snprintf(problem, sizeof problem, "relu x=%d", i);
        onn_tunedb_line(onn_str_text(&family), problem, "reference#0", i, &text);
    }
    assert_true(onn_str_ok(&text));
    oclnn_context_destroy(&ctx);
    for (size_t at = 0; at < text.length; at += 3) {
        char *bad = onn_memdup(onn_str_text(&text), text.length);
        bool cut = at % 2;
        bad[at] = (char)(bad[at] ^ (at % 5 ? 1 : 128));
        write_database(bad, cut ? at : text.length);
        ctx = open_context();
        for (int i = 1; i <= 3; i++) {
            char problem[32];
            snprintf(problem, sizeof problem, "relu x=%d", i);
            double ns = onn_tunedb_find(ctx, problem, "reference#0");
            assert_true(ns < 0 || ns == i);
        }
        oclnn_context_destroy(&ctx);
        onn_free(bad);
    }
    write_database(onn_str_text(&text), text.length);
    ctx = open_context();
    assert_true(onn_tunedb_find(ctx, "relu x=3", "reference#0") == 3);
    assert_int_equal(onn_tunedb_parse(ctx, "oclnn tune 2\n", 13), 0); /* another version */
    oclnn_context_destroy(&ctx);
    onn_str_finish(&text);
    onn_str_finish(&family);
}

static void collect(void *user, const char *line)
{
    onn_str_add(user, "%s\n", line);
}

/* Plans mlp784 and returns its choices; NULL with *status set when it cannot. */
static char *plan(oclnn_context *ctx, const struct oclnn_model_params *params, enum oclnn_status *status)
{
    static float image[28 * 28], scores[10];
    const struct oclnn_binding in[2] = {{.data = image,
                                            .bytes = sizeof image,
                                            .shape = OCLNN_SHAPE(1, 1, 28, 28)},
        {0}};
    const struct oclnn_zoo_params zoo = {0};
    oclnn_graph *graph = NULL;
    oclnn_model *model = NULL;
    struct onn_str text = {0};
    char *out = NULL;
    assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build("mlp784", graph, &zoo), OCLNN_OK);
    assert_int_equal(oclnn_model_create(ctx, &graph, params, &model), OCLNN_OK);
    *status = oclnn_model_run(model, in, OCLNN_OUT(scores));
    if (*status == OCLNN_OK) {
        assert_int_equal(oclnn_model_choices(model, collect, &text), OCLNN_OK);
        out = onn_strdup(onn_str_text(&text));
    }
    oclnn_model_destroy(&model);
    onn_str_finish(&text);
    return out;
}

/* The second word of the first line of this operator. */
static void variant_of(const char *choices, const char *op, char out[64])
{
    const char *line = strstr(choices, op);
    assert_non_null(line);
    assert_int_equal(sscanf(line, "%*s %63s", out), 1);
}

static void decides(void **state)
{
    (void)state;
    if (none)
        skip();
    char path[128], was[64], is[64];
    unlink(path_of("tune.txt", path));
    enum oclnn_status status;
    oclnn_context *ctx = open_context();
    if (onn_context_caps(ctx)->slow) { /* nothing is measured on a simulator */
        oclnn_context_destroy(&ctx);
        skip();
    }
    struct oclnn_model_params predicted = {.tune = 2}, database = {.tune = 0},
                              measured = {.tune = 1, .tune_ms = 1}, given = {.tune = 2}, bad = {.tune = 3};
    oclnn_graph *graph = NULL;
    oclnn_model *model = NULL;
    char *first = plan(ctx, &predicted, &status), *second = plan(ctx, &database, &status);
    assert_string_equal(first, second); /* an empty database changes nothing */
    variant_of(first, "\ngemm ", was);
    assert_string_not_equal(was, "reference");

    /* measuring fills the database, and a later plan of another context follows it */
    onn_free(second);
    second = plan(ctx, &measured, &status);
    assert_non_null(second);
    assert_int_equal(access(path, R_OK), 0);
    oclnn_context_destroy(&ctx);
    ctx = open_context();
    char *third = plan(ctx, &database, &status);
    assert_string_equal(second, third);
    onn_free(third);
    oclnn_context_destroy(&ctx);

    /* rows rule: with the plain kernel as the fastest by far it is taken */
    ctx = open_context();
    FILE *f = fopen(path, "r");
    char line[1024], problem[512];
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%*[^\t]\t%511[^\t]", problem) == 1 && strncmp(problem, "gemm ", 5) == 0)
            assert_int_equal(onn_tunedb_add(ctx, problem, "reference#0", 1), OCLNN_OK);
    fclose(f);
    third = plan(ctx, &database, &status);
    variant_of(third, "\ngemm ", is);
    assert_string_equal(is, "reference");

    /* choices given back count more than any prediction, and what does not fit is an error */
    given.choices = third;
    char *fourth = plan(ctx, &given, &status);
    assert_string_equal(third, fourth);
    onn_free(fourth);
    char *spot = strstr(third, " reference ");
    assert_non_null(spot);
    memcpy(spot, " nonsense_ ", 11);
    assert_null(plan(ctx, &given, &status));
    assert_int_equal(status, OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(ctx), "do not fit node"));
    given.choices = "oclnn choices 1\n";
    assert_null(plan(ctx, &given, &status));
    assert_int_equal(status, OCLNN_ERROR_ARGUMENT);
    given.choices = "something else";
    assert_null(plan(ctx, &given, &status));
    assert_int_equal(status, OCLNN_ERROR_ARGUMENT);

    const struct oclnn_zoo_params zoo = {0};
    assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build("mlp784", graph, &zoo), OCLNN_OK);
    assert_int_equal(oclnn_model_create(ctx, &graph, &bad, &model), OCLNN_ERROR_ARGUMENT);
    onn_free(first);
    onn_free(second);
    onn_free(third);
    oclnn_context_destroy(&ctx);
}

static int begin(void **state)
{
    (void)state;
    int count = 0;
    none = oclnn_device_list(NULL, 0, &count) != OCLNN_OK || count == 0;
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(damage),
        cmocka_unit_test(decides)};
    return cmocka_run_group_tests(tests, begin, end);
}
