/* Embedded kernel sources (generated from cl/ by tools/embed_cl.py, includes inlined). */
#ifndef ONN_RUNTIME_PROGRAM_H
#define ONN_RUNTIME_PROGRAM_H

struct onn_cl_source {
    const char *name; /* file stem */
    const char *text;
};
extern const struct onn_cl_source onn_cl_sources[]; /* ends with a NULL name */

#endif
