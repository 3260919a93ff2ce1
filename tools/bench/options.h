/* What the command line of oclnn-bench says. */
#ifndef OCLNN_TOOLS_BENCH_OPTIONS_H
#define OCLNN_TOOLS_BENCH_OPTIONS_H

#include "common/feed.h"
#include "common/training.h"

enum bench_form { BENCH_TABLE, BENCH_MD, BENCH_CSV, BENCH_JSON, BENCH_JSONL };
enum bench_verify { BENCH_VERIFY_AUTO, BENCH_VERIFY_OFF, BENCH_VERIFY_STRICT };

#define BENCH_BATCHES 16
#define BENCH_DTYPES 2
struct bench_options {
    const char **item; /* networks, files and problems; 0 = the usual ones */
    int n_items;
    const char *device; /* NULL = $OCLNN_DEVICE or all */
    long batch[BENCH_BATCHES];
    int n_batch; /* 0 = what the model says, 1 where it leaves it open */
    enum oclnn_dtype dtype[BENCH_DTYPES];
    int n_dtype; /* 0 = not asked for */
    struct tool_shapes shapes;
    const char *data, *outputs, *output, *roofline, *compare;
    double compare_limit; /* percent */
    const char *variant, *format, *passes_off;
    double min_time; /* seconds */
    long min_runs, warmup;
    double tolerance; /* negative: what suits the type */
    bool train; /* with loss and optimizer */
    long train_steps; /* whose losses are reported */
    enum oclnn_loss loss;
    struct oclnn_optimizer optimizer;
    int tune; /* of oclnn_model_params */
    double tune_ms;
    bool resident, per_layer, cold, list_devices, quiet;
    enum bench_form form;
    enum bench_verify verify;
    enum oclnn_log_level log_level;
    const char *child; /* set in a child process: the one device that it serves */
};

/* Fills `o`. Returns -1 to go on, else the exit code (after --help, --version or a mistake). */
int bench_options_parse(struct bench_options *o, int argc, char **argv);
void bench_options_finish(struct bench_options *o);
/* Does the text stand for a problem ("conv x=1x64x56x56 …") rather than a file or a network? */
bool bench_is_problem(const char *text);

#endif
