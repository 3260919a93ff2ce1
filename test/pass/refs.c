/* The sources of test/ops are compiled once more here, with main, onn_harness_main and cmocka's runner renamed
 * (meson.build): calling such a main hands over its table of cases. */
#include "pass/refs.h"
#include "ops/norm.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

int onn_refs_take(int argc, char **argv, const struct onn_case *cases);
int onn_refs_skip(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
    CMFixtureFunction teardown);
extern int (*const onn_ref_families[])(int, char **);

#define FAMILIES 128
static const struct onn_case *table[FAMILIES];
static int tables;

int onn_refs_take(int argc, char **argv, const struct onn_case *cases)
{
    (void)argc, (void)argv;
    assert_true(tables < FAMILIES);
    table[tables++] = cases;
    return 0;
}

int onn_refs_skip(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
    CMFixtureFunction teardown)
{
    (void)name, (void)tests, (void)n, (void)setup, (void)teardown;
    return 0;
}

onn_ref_fn onn_ref_find(const struct onn_prob *p)
{
    const size_t length = strlen(p->op->name);
    float epsilon;
    /* Two families know batch normalisation; the later one in training. */
    const bool last = strcmp(p->op->name, "batchnormalization") == 0 &&
        !onn_batchnorm_is_inference(p->attr, p->n_out, &epsilon);
    onn_ref_fn found = NULL;
    char *argv[] = {"", "", NULL};
    if (!tables)
        for (int i = 0; onn_ref_families[i]; i++)
            onn_ref_families[i](2, argv);
    for (int i = 0; i < tables && (!found || last); i++)
        for (const struct onn_case *c = table[i]; c->problem; c++)
            if (c->ref && !strncmp(c->problem, p->op->name, length) && c->problem[length] == ' ') {
                found = c->ref;
                break;
            }
    return found;
}
