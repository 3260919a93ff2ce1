/* Random graphs of layers that share, cut, join and turn each other's values. */
#ifndef ONN_TEST_RANDOM_GRAPH_H
#define ONN_TEST_RANDOM_GRAPH_H

#include <oclnn/oclnn.h>
#include <stdbool.h>
#include <stdint.h>

#define ONN_DRAWN_VALUES 48

struct onn_drawn {
    oclnn_graph *g;
    struct oclnn_shape x; /* the input's */
    uint64_t state;
    int n, outputs;
    oclnn_value value[ONN_DRAWN_VALUES];
    bool read[ONN_DRAWN_VALUES];
    bool smooth; /* nothing whose slope jumps: gradients change little with rounding */
};

/* Graph `seed`, always the same one, of some 14 layers behind one input; what nobody reads, and some others, are outputs. */
void onn_draw_graph(struct onn_drawn *d, uint64_t seed);
/* The same of smooth layers, whose last values end in one output of 4 numbers for each image. */
void onn_draw_trainable(struct onn_drawn *d, uint64_t seed);
/* d->x filled with numbers in -1 … 1; destroy it. */
oclnn_tensor *onn_draw_input(const struct onn_drawn *d);

/* A test of random graphs: `check` looks at graph `seed` on the device behind *ctx. */
struct onn_random_test {
    oclnn_context **ctx; /* opened for check, and closed */
    void (*check)(uint64_t seed);
    int sample, full; /* graphs in the test command, and with --all */
};
/* Command line: [--all] [--seed N] [--graphs N] [--verbose]. Graph N is always the same one; graphs count from --seed on.
 * Returns what main is to return: 0 passed, 77 no device. */
int onn_random_main(int argc, char **argv, const struct onn_random_test *test);

#endif
