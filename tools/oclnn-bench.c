/* oclnn-bench: times networks and operators on OpenCL devices and checks their numbers. */
#include "bench/children.h"
#include "bench/output.h"
#include "common/devices.h"
#include "common/tool.h"
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line on a terminal's standard error while the table is being measured. */
static void show_progress(struct bench_report *r)
{
    size_t n = json_array_size(r->results);
    const json_t *row = json_array_get(r->results, n ? n - 1 : 0);

    if (!row)
        return;
    fprintf(stderr, "%s on %s: %.3g ms\n", tool_json_get_text(row, "model"),
        tool_json_get_text(row, "device"), tool_json_get_real(json_object_get(row, "time_ms"), "median"));
}

/* --cold: an empty folder for whatever the library and the drivers keep between runs. */
static char cold_dir[] = "/tmp/oclnn-bench-XXXXXX";

static int enter_cold(void)
{
    if (!mkdtemp(cold_dir))
        return tool_error("no temporary folder for --cold");
    setenv("XDG_CACHE_HOME", cold_dir, 1);
    return TOOL_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void leave_cold(void)
{
    if (nftw(cold_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS))
        tool_warn("%s is left over", cold_dir);
}

static int child(const struct bench_options *o)
{
    struct bench_report report = {.done = bench_child_print};
    int code;

    bench_report_init(&report);
    bench_device(o, o->child, &report);
    code = bench_report_code(&report);
    bench_report_finish(&report);
    return tool_finish(code);
}

/* Every device is served by a child process, also a single one: a driver that crashes is an entry in "errors". */
static int measure(const struct bench_options *o, int argc, char **argv, struct bench_report *r)
{
    const char *from_environment = getenv("OCLNN_DEVICE");
    const char *spec = o->device                  ? o->device
        : from_environment && from_environment[0] ? from_environment
                                                  : "all";
    char **selector;
    int n, code = tool_device_expand(spec, &selector, &n);

    if (code != TOOL_OK)
        return code;
    if (o->outputs && n > 1)
        code = tool_usage("--outputs wants one device, -d or OCLNN_DEVICE names %d", n);
    for (int i = 0; i < n && code == TOOL_OK && !tool_interrupted(); i++)
        bench_child_run(argv, argc, selector[i], r);
    tool_device_free(&selector, &n);
    return code;
}

int main(int argc, char **argv)
{
    struct bench_options o;
    struct bench_report report = {0};
    int code;

    tool_init("oclnn-bench");
    code = bench_options_parse(&o, argc, argv);
    if (code < 0 && o.list_devices)
        code = tool_device_print();
    else if (code < 0 && o.child)
        code = child(&o);
    else if (code < 0) {
        int wrong;

        if (!o.quiet && isatty(STDERR_FILENO) && o.form != BENCH_JSON)
            report.done = show_progress;
        bench_report_init(&report);
        code = o.cold ? enter_cold() : TOOL_OK;
        if (code == TOOL_OK)
            code = measure(&o, argc, argv, &report);
        if (o.cold)
            leave_cold();
        wrong = bench_report_code(&report);
        if (code == TOOL_OK && o.compare && bench_compare(&o, &report) != TOOL_OK)
            wrong = TOOL_FAILED;
        if (code == TOOL_OK)
            code = bench_output(&o, &report);
        if (code == TOOL_OK)
            code = tool_interrupted() ? TOOL_INTERRUPTED : wrong;
        bench_report_finish(&report);
    }
    bench_options_finish(&o);
    return code;
}
