/* Small graphs for tests: values filled with known numbers, training steps as graphs, plans run once. Everything that
 * fails here ends the running cmocka test with the sentence. */
#ifndef ONN_TEST_TRAIN_H
#define ONN_TEST_TRAIN_H

#include "ops/op.h"
#include "plan/plan.h"

/* splitmix64: the same numbers everywhere. */
uint64_t onn_test_random(uint64_t *state);
/* A blob of n = product of dims numbers in -scale … scale. */
struct onn_blob *onn_test_blob(int rank, const int64_t *dim, double scale, uint64_t seed);
int32_t onn_test_param(struct onn_graph *g, const char *name, int rank, const int64_t *dim, double scale,
    uint64_t seed);
int32_t onn_test_input(struct onn_graph *g, const char *name, enum oclnn_dtype dtype, int rank,
    const int64_t *dim);
/* Output 0 of a new node. attr NULL: the defaults. */
int32_t onn_test_node(struct onn_graph *g, const char *op, const void *attr, int n_in, const int32_t *in);
/* The same by a text as in ops/problem.h, with a first input of the right rank: "conv x=1x1x1x1 pad=1". */
int32_t onn_test_node_text(struct onn_graph *g, const char *text, int n_in, const int32_t *in);

/* The training graph of `source` (its output 0 is the loss): inferred, with the gradient of every parameter appended
 * and one update node each. update: "sgd" …; lr: the graph's last input becomes the rate (a new one is added).
 * momentum: a state per parameter, made here. gradients: they become outputs behind the loss, in the order of the
 * parameters (order of values in the inferred graph). */
struct onn_graph *onn_test_training(const struct onn_graph *source, const char *update, const void *attr,
    bool momentum, bool gradients);

/* One binding per graph input, of the inputs' own shapes. */
struct onn_plan *onn_test_plan(struct oclnn_context *ctx, const struct onn_graph *g,
    const struct onn_plan_options *options, struct onn_derived_cache *cache);
void onn_test_write(struct onn_plan *p, int input, const void *data);
/* Reads output i: float numbers, as many as it has. */
void onn_test_read(struct onn_plan *p, int output, float *data);
/* All float outputs one behind the other; *n numbers in all. Free with free. */
float *onn_test_read_all(struct onn_plan *p, size_t *n);
void onn_test_run(struct onn_plan *p);

/* All parameters of a trainer behind each other; free(). */
struct oclnn_trainer;
float *onn_test_weights(const struct oclnn_trainer *t, size_t *n);
/* Everything that its steps change, but for what is called `without`… (NULL: nothing): *n bytes; free(). */
unsigned char *onn_test_state(struct oclnn_trainer *t, const char *without, size_t *n);

#endif
