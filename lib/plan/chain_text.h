/* chain_text: kernels of a program as functions of one kernel (cl/chain.cl). Texts only, no device. */
#ifndef ONN_PLAN_CHAIN_TEXT_H
#define ONN_PLAN_CHAIN_TEXT_H

#include "base/mem.h"

#define ONN_CHAIN_MAX_PARAMS 96
#define ONN_CHAIN_KINDS 64 /* kernels of a chain at most */
/* A kernel's parameters as its text declares them. */
struct onn_chain_param {
    const char *type; /* NULL: a pointer to global memory; else of a value, in the text */
    int length;
};
struct onn_chain_decl {
    const char *begin, *name, *params, *end; /* "kernel void", its name, behind "(", behind the body's "}" */
    int name_length, n_params;
    bool plain; /* no local memory, no barriers, only parameters that are understood */
    struct onn_chain_param param[ONN_CHAIN_MAX_PARAMS];
};
/* The next kernel of a text from `at` on; false: there is none, or its text cannot be read. */
bool onn_chain_next(const char *text, const char *at, struct onn_chain_decl *out);
/* May the text be used for chains? Not if there is a kernel that cannot be read, for instance one made by a macro. */
bool onn_chain_takes(const char *text);
/* The kernel called `name`. */
bool onn_chain_find(const char *text, const char *name, struct onn_chain_decl *out);
/* All of `text` with the named kernels as functions and without other kernels, then onn_chain_call and the lists of
 * `buffers` buffers. Every name must be one that onn_chain_find calls plain. */
void onn_chain_text(const char *text, const char *const *names, int n, int buffers, struct onn_str *out);

#endif
