/* The self-test knows a problem for every operator that has kernels: without one it would say UNTESTED and stay green. */
#include "model/selftest.h"
#include "ops/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct tally {
    int operators, missing;
};

static void look(const struct onn_op *op, void *user)
{
    struct tally *t = user;
    if (!op->variants || !op->variants[0] || op->flags & (ONN_OP_HOST_ONLY | ONN_OP_RANDOM | ONN_OP_UPDATES))
        return; /* nothing to compare: no kernels, random numbers, changed inputs */
    t->operators++;
    if (onn_self_test_dtypes(op))
        return;
    print_error("%s: no problem is known; lib/model/selftest_cases.c needs a row\n", op->name);
    t->missing++;
}

static void every_operator_has_a_problem(void **state)
{
    struct tally t = {0, 0};
    (void)state;
    onn_op_each(look, &t);
    assert_true(t.operators > 0);
    assert_int_equal(t.missing, 0);
}

/* Rows of operators that were renamed or went away would never run. */
static void find(const struct onn_op *op, void *user)
{
    const char **name = user;
    size_t n = strlen(op->name);
    if (*name && strncmp(*name, op->name, n) == 0 && (*name)[n] == ' ')
        *name = NULL;
}

static void every_problem_has_an_operator(void **state)
{
    (void)state;
    for (const struct onn_self_test_case *c = onn_self_test_cases; c->text; c++) {
        const char *left = c->text;
        onn_op_each(find, &left);
        if (left)
            fail_msg("no operator takes \"%s\"", left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_has_a_problem),
        cmocka_unit_test(every_problem_has_an_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
