#include "harness/check.h"
#include "harness/random_graph.h"

#include <stdlib.h>

static struct {
    uint64_t seed;
    int graphs;
    bool verbose;
    void (*check)(uint64_t seed);
} options;

static void random_graphs(void **state)
{
    (void)state;
    for (int i = 0; i < options.graphs; i++) {
        if (options.verbose)
            printf("graph %d\n", (int)options.seed + i), fflush(stdout);
        options.check(options.seed + (uint64_t)i);
    }
}

int onn_random_main(int argc, char **argv, const struct onn_random_test *test)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_graphs)};
    options.seed = 1;
    options.graphs = test->sample;
    options.check = test->check;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--all"))
            options.graphs = test->full;
        else if (!strcmp(argv[i], "--verbose"))
            options.verbose = true;
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            options.seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--graphs") && i + 1 < argc)
            options.graphs = atoi(argv[++i]);
        else
            return fprintf(stderr, "usage: %s [--all] [--seed N] [--graphs N] [--verbose]\n", argv[0]), 2;
    }
    const int none = open_device(test->ctx);
    if (none)
        return none;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(test->ctx);
    return failed;
}
