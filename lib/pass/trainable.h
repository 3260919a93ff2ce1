/* What training changes in a graph before its backward part is appended: which constants are parameters, and the form of
 * normalisation and dropout. */
#ifndef ONN_PASS_TRAINABLE_H
#define ONN_PASS_TRAINABLE_H

#include "graph/graph.h"

/* Gives the f32 constants of a source graph that stand in places of weights (convolutions, Gemm, MatMul, scales and biases
 * of normalisations, slopes of PRelu, biases added behind a convolution or product) the role PARAM, running statistics
 * of batch normalisations the role STATE. Where such a weight is computed of constants only (standardised, normalised), those
 * of them that can be learned numbers are the parameters. In a file whose weights are initialisers, what Constant nodes hold
 * is no parameter. In place; roles that are set already stay. */
enum oclnn_status onn_graph_mark_trainable(struct onn_graph *g);

/* In a graph that comes from a file, behind the former: scales in Mul, shifts in Add (decomposed normalisations, layer
 * scales, learned positions) and tokens in Concat that stand beside what trained weights made, and tables of Gather, where
 * their numbers can be learned ones: f32, more than one, neither a mask (beyond 1e4) nor a grid (whole numbers that differ);
 * tokens no fill either (all the same). Constant nodes as above; where some of them hold single numbers, a single one that is
 * an initialiser (a gain) is a parameter as well. */
enum oclnn_status onn_graph_mark_scales(struct onn_graph *g);

/* Does the graph say itself what runs in training form (a BatchNormalization with training_mode = 1, a Dropout with
 * training_mode true)? */
bool onn_graph_has_training_form(const struct onn_graph *g);

/* A running statistic and the value that it becomes. */
struct onn_form_update {
    int32_t state, value;
};
struct onn_form {
    bool training; /* else: the inference form */
    bool as_written; /* training: only what the file marks; else every normalisation and dropout */
    bool (*is_frozen)(void *user,
        const char *name); /* a normalisation with a frozen scale keeps its statistics */
    void *user;
    struct onn_blob *random; /* training: generator state of dropout, i64 {seed, step} */
    /* An input that another operator makes: NULL, or returns the value that replaces input i (0: it stays). */
    int32_t (*front)(void *user, struct onn_graph *g, int i, const struct onn_desc *desc);
    struct onn_form_update *update; /* result, to be freed with onn_free */
    int n_updates;
};
/* in: inferred. */
enum oclnn_status onn_pass_form(const struct onn_graph *in, struct onn_form *form, struct onn_graph **out);

#endif
