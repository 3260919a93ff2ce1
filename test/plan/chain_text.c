/* Kernels' texts as functions of one kernel: what is understood, what is left alone, and that every kernel file of the project
 * may be used so. */
#include "plan/chain_text.h"
#include "runtime/program.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char sample[] =
    "#define MY_KERNEL __attribute__((reqd_work_group_size(1, 1, 1))) kernel\n"
    "/* kernel void in_a_comment(int n) { } */\n"
    "struct args { int a; long b; };\n"
    "static int helper(int n) { return n; }\n"
    "__attribute__((reqd_work_group_size(1, 1, 1))) kernel void first(ONN_IN(float, x), ONN_OUT(float, y),\n"
    "    const struct args a, int n, const float q)\n"
    "{\n    if (n) { /* } */ }\n    // }\n    ONN_PTR(y)[get_group_id(0)] = q;\n}\n"
    "MY_KERNEL void second(global const uint *x, const long off, unsigned int n, ONN_ARGS(struct args, g)) { "
    "}\n"
    "kernel void waits(ONN_OUT(float, y)) { barrier(CLK_LOCAL_MEM_FENCE); }\n"
    "kernel void shares(ONN_OUT(float, y)) { local float t[4]; }\n"
    "kernel void given(ONN_OUT(float, y), local float *t) { }\n"
    "kernel void raw(float *t) { }\n";

static void assert_type(const struct onn_chain_param *p, const char *type)
{
    assert_int_equal(p->length, (int)strlen(type));
    assert_memory_equal(p->type, type, strlen(type));
}

static void declarations(void **state)
{
    (void)state;
    struct onn_chain_decl d;
    assert_true(onn_chain_find(sample, "first", &d));
    assert_true(d.plain);
    assert_int_equal(d.n_params, 7);
    assert_null(d.param[0].type);
    assert_type(&d.param[1], "long");
    assert_null(d.param[2].type);
    assert_type(&d.param[4], "struct args");
    assert_type(&d.param[5], "int");
    assert_type(&d.param[6], "float");
    assert_int_equal(d.end[-1], '}');
    assert_int_equal(d.end[1], 'M');
    assert_true(onn_chain_find(sample, "second", &d));
    assert_true(d.plain);
    assert_null(d.param[0].type);
    assert_type(&d.param[1], "long");
    assert_type(&d.param[2], "unsigned int");
    assert_type(&d.param[3], "struct args");
    static const char *const others[] = {"waits", "shares", "given", "raw"};
    for (int i = 0; i < 4; i++) {
        assert_true(onn_chain_find(sample, others[i], &d));
        assert_false(d.plain);
    }
    assert_false(onn_chain_find(sample, "in_a_comment", &d));
    assert_false(onn_chain_find(sample, "helper", &d));
    assert_false(onn_chain_find("kernel void broken(int n) {", "broken", &d));
    assert_false(onn_chain_find("kernel void broken(int n", "broken", &d));
    assert_false(onn_chain_find("", "first", &d));
    assert_true(onn_chain_takes(sample));
    assert_false(onn_chain_takes(
        "#define TWO(name) kernel void name##_a(int n) { } kernel void name##_b(int n) { }\n"));
}

static void functions(void **state)
{
    (void)state;
    struct onn_str out = {0};
    onn_chain_text(sample, (const char *const[]){"second", "first"}, 2, 3, &out);
    const char *text = onn_str_text(&out);
    assert_true(onn_str_ok(&out));
    assert_non_null(
        strstr(text, "ONN_CHAIN_FN void first(ONN_AT_PARAM ONN_IN(float, x), ONN_OUT(float, y),"));
    assert_non_null(strstr(text, "ONN_CHAIN_FN void second(ONN_AT_PARAM global const uint *x"));
    assert_non_null(strstr(text, "static int helper(int n) { return n; }"));
    assert_null(strstr(text, "void waits"));
    assert_non_null(strstr(text, "case 0: {"));
    assert_non_null(strstr(text, "second(at, a0, a1, a2, a3);"));
    assert_non_null(strstr(text, "first(at, a0, a1, a2, a3, a4, a5, a6);"));
    assert_non_null(strstr(text, "const struct args a4 = *(global const struct args *)(arg + i);"));
    assert_non_null(strstr(text, "#define ONN_CHAIN_LIST b0, b1, b2\n"));
    onn_str_finish(&out);
}

static bool is_id(const char *at)
{
    static const char *const ids[] = {"get_group_id", "get_num_groups", "get_local_id", "get_local_size",
        "get_global_id", "get_global_size"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (strncmp(at, ids[i], strlen(ids[i])) == 0)
            return true;
    return false;
}

/* In files with kernels for chains only kernels and macros ask where they are: other functions would not compile there. */
static void every_file(void **state)
{
    (void)state;
    int kernels = 0, plain = 0;
    for (const struct onn_cl_source *s = onn_cl_sources; s->name; s++) {
        struct onn_chain_decl d;
        const char *from = s->text, *asks = NULL;
        bool chains = false;
        if (strncmp(s->name, "chain", 5) == 0 || !onn_chain_takes(s->text))
            continue;
        for (bool more = true; more;) {
            more = onn_chain_next(s->text, from, &d);
            const char *end = more ? d.begin : from + strlen(from);
            for (const char *line = from; line < end; line += strcspn(line, "\n"), line += *line == '\n') {
                const char *stop = line + strcspn(line, "\n");
                const bool macro = *line == '#' || (stop > line && stop[-1] == '\\');
                for (const char *at = line; at < stop && at < end && !macro; at++)
                    asks = is_id(at) ? at : asks;
            }
            kernels += more;
            plain += more && d.plain;
            chains |= more && d.plain;
            from = more ? d.end : end;
        }
        if (chains && asks)
            fail_msg("cl/%s.cl: a function that is no kernel asks where it is: %.60s", s->name, asks);
    }
    assert_true(kernels >= 99);
    assert_true(plain >= 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations),
        cmocka_unit_test(functions),
        cmocka_unit_test(every_file),
    };
    return cmocka_run_group_tests_name("chain_text", tests, NULL, NULL);
}
