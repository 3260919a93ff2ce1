/* The tuning database: measured times of kernel variants. Rows are lines of text, keyed by the device's family, the
 * problem (ops/problem.h without formats) and the candidate ("winograd43#0", "tiled#0 tile=4"). The user's rows, file
 * tune.txt in the cache folder, go before the shipped ones (tunedb_shipped.c). A line carries its own checksum: what is
 * damaged, foreign or of another version counts as not there. Safe to use from several threads. */
#ifndef ONN_RUNTIME_TUNEDB_H
#define ONN_RUNTIME_TUNEDB_H

#include "runtime/context.h"

#define ONN_TUNEDB_BAD 1e15 /* the time of a candidate that gave wrong numbers or failed on this device */

/* Nanoseconds; negative if nobody has measured it. */
double onn_tunedb_find(struct oclnn_context *ctx, const char *problem, const char *candidate);
/* Remembers a measurement (replaces an older one) in memory. */
enum oclnn_status onn_tunedb_add(struct oclnn_context *ctx, const char *problem, const char *candidate,
    double ns);
/* Joins the new rows with those of the file and writes it in one step. Best effort; nothing to write is fine. */
void onn_tunedb_save(struct oclnn_context *ctx);

/* ---- for tests: the text form ---- */
/* One line with its line break, appended to s. */
void onn_tunedb_line(const char *family, const char *problem, const char *candidate, double ns,
    struct onn_str *s);
/* Rows in memory that came from the text of a database file. */
int onn_tunedb_parse(struct oclnn_context *ctx, const char *text, size_t bytes);
/* The device's family: rows of another one are never used. */
void onn_tunedb_family(const struct onn_caps *caps, struct onn_str *s);

#endif
