/* oclnn-info: devices, operators, built-in networks, and the self-test of a driver. */
#include "common/devices.h"
#include "common/json.h"
#include "common/networks.h"
#include "common/table.h"
#include "common/tool.h"
#include "info/info.h"
#include <getopt.h>
#include <oclnn/config.h>
#include <oclnn/info.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "Usage: oclnn-info [OPTION]...\n"
                           "\n"
                           "Says what there is: OpenCL devices (the default), operators, built-in networks;\n"
                           "and whether the kernels give right numbers on a device's driver.\n"
                           "\n"
                           "      --devices         limits and measured speed of every device (default)\n"
                           "      --list-devices    one line per device, without using it\n"
                           "      --operators       operators with kernel variants and element types\n"
                           "      --networks        names of the built-in networks\n"
                           "      --self-test[=OP]  every kernel variant (of operator OP) against the plain\n"
                           "                        one: PASS, FAIL or REFUSED with the reason\n"
                           "      --timeout SECONDS --self-test: an operator that takes longer fails\n"
                           "  -d, --device DEV      gpu, cpu, best, all, P:D, N, name~TEXT, uuid=...\n"
                           "                        (default: all; --self-test: $OCLNN_DEVICE or best)\n"
                           "      --json            as JSON\n"
                           "  -q, --quiet           --self-test: only failures and the sum\n"
                           "  -v, --verbose         log lines of the library; twice: all of them\n"
                           "      --version, -h, --help\n"
                           "\n"
                           "Exit status: 0 all right; 1 failure, a failed self-test, or no device; 2 usage;\n"
                           "130 interrupted.\n";

enum {
    OPT_DEVICES = 256,
    OPT_LIST,
    OPT_OPERATORS,
    OPT_NETWORKS,
    OPT_SELF_TEST,
    OPT_TIMEOUT,
    OPT_JSON,
    OPT_VERSION
};

static const struct option options[] = {
    {"devices", no_argument, NULL, OPT_DEVICES},
    {"list-devices", no_argument, NULL, OPT_LIST},
    {"operators", no_argument, NULL, OPT_OPERATORS},
    {"networks", no_argument, NULL, OPT_NETWORKS},
    {"self-test", optional_argument, NULL, OPT_SELF_TEST},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"device", required_argument, NULL, 'd'},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* ---- devices ---- */

json_t *info_device_json(const struct oclnn_device_info *d)
{
    json_t *o = json_object();

    tool_json_set(o, "selector", tool_json_text(d->selector));
    tool_json_set(o, "name", tool_json_text(d->name));
    tool_json_set(o, "platform", tool_json_text(d->platform));
    tool_json_set(o, "vendor", tool_json_text(d->vendor));
    tool_json_set(o, "driver", tool_json_text(d->driver));
    tool_json_set(o, "version", tool_json_text(d->version));
    tool_json_set(o, "type", tool_json_text(d->is_gpu ? "gpu" : d->is_cpu ? "cpu" : "other"));
    tool_json_set(o, "compute_units", json_integer(d->compute_units));
    tool_json_set(o, "clock_mhz", json_integer(d->clock_mhz));
    tool_json_set(o, "global_bytes", json_integer((json_int_t)d->global_bytes));
    tool_json_set(o, "max_alloc_bytes", json_integer((json_int_t)d->max_alloc_bytes));
    tool_json_set(o, "local_bytes", json_integer((json_int_t)d->local_bytes));
    tool_json_set(o, "max_group_size", json_integer((json_int_t)d->max_group_size));
    tool_json_set(o, "fp16", json_boolean(d->has_fp16));
    tool_json_set(o, "fp64", json_boolean(d->has_fp64));
    tool_json_set(o, "unified_memory", json_boolean(d->unified_memory));
    return o;
}

/* Opens the device; adds what is measured, or "error". */
static void add_measured(const struct info_options *o, const char *selector, json_t *entry)
{
    struct oclnn_context_params params = {.devices = selector, .log = tool_log, .log_level = o->log_level};
    struct oclnn_device_speed speed;
    oclnn_context *ctx = NULL;
    double ms;
    enum oclnn_status status = oclnn_context_create(&params, &ctx);

    if (status == OCLNN_OK)
        status = oclnn_context_measure(ctx, &speed);
    if (status == OCLNN_OK) {
        tool_json_set(entry, "slow", json_boolean(speed.is_slow));
        tool_json_set(entry, "vector_width", json_integer(speed.vector_width));
        if (!speed.is_slow) {
            tool_json_set(entry, "peak_gflops", tool_json_real(speed.peak_gflops));
            tool_json_set(entry, "bandwidth_gbs", tool_json_real(speed.bandwidth_gbs));
        }
        tool_json_set(entry, "launch_us", tool_json_real(speed.launch_us));
        status = oclnn_context_round_trip(ctx, &ms);
    }
    if (status == OCLNN_OK)
        tool_json_set(entry, "round_trip_ms", tool_json_real(ms));
    else
        tool_json_set(entry, "error", tool_json_text(oclnn_error_text(NULL)));
    oclnn_context_destroy(&ctx);
}

static void print_device(const json_t *d)
{
    char memory[32], alloc[32], local[32];

    printf("%s%s  %s%s\n", tool_colour(stdout, TOOL_BOLD), tool_json_get_text(d, "selector"),
        tool_json_get_text(d, "name"), tool_colour(stdout, TOOL_RESET));
    printf("  platform     %s, driver %s\n", tool_json_get_text(d, "platform"),
        tool_json_get_text(d, "driver"));
    printf("  version      %s\n", tool_json_get_text(d, "version"));
    printf("  type         %s, %.0f compute units, %.0f MHz%s%s%s\n", tool_json_get_text(d, "type"),
        tool_json_get_real(d, "compute_units"), tool_json_get_real(d, "clock_mhz"),
        json_is_true(json_object_get(d, "fp16")) ? ", fp16" : "",
        json_is_true(json_object_get(d, "fp64")) ? ", fp64" : "",
        json_is_true(json_object_get(d, "unified_memory")) ? ", unified memory" : "");
    printf("  memory       %s, one buffer up to %s, local %s, work-groups up to %.0f\n",
        tool_bytes_text(tool_json_get_real(d, "global_bytes"), memory),
        tool_bytes_text(tool_json_get_real(d, "max_alloc_bytes"), alloc),
        tool_bytes_text(tool_json_get_real(d, "local_bytes"), local),
        tool_json_get_real(d, "max_group_size"));
    if (json_object_get(d, "peak_gflops"))
        printf("  measured     %.1f GFLOPS fp32, copy %.1f GB/s\n", tool_json_get_real(d, "peak_gflops"),
            tool_json_get_real(d, "bandwidth_gbs"));
    if (json_is_true(json_object_get(d, "slow")))
        printf("  measured     a simulator or very slow\n");
    if (json_object_get(d, "launch_us"))
        printf("  latency      launch %.3g us, round trip %.3g ms\n", tool_json_get_real(d, "launch_us"),
            tool_json_get_real(d, "round_trip_ms"));
}

/* What is known of one device; "error" where something failed. */
static json_t *look_at(const struct info_options *o, const char *selector)
{
    struct oclnn_context_params params = {.devices = selector, .log = tool_log, .log_level = o->log_level};
    struct oclnn_device_info device;
    oclnn_context *ctx = NULL;
    enum oclnn_status status = oclnn_context_create(&params, &ctx);
    json_t *entry;

    if (status == OCLNN_OK)
        status = oclnn_context_device(ctx, &device);
    oclnn_context_destroy(&ctx);
    if (status == OCLNN_OK) {
        entry = info_device_json(&device);
        add_measured(o, selector, entry);
        return entry;
    }
    entry = json_object();
    tool_json_set(entry, "selector", tool_json_text(selector));
    tool_json_set(entry, "error", tool_json_text(oclnn_error_text(NULL)));
    return entry;
}

/* The same in a child process: drivers that share libraries can crash each other, and one that crashes costs its
 * entry only. */
static json_t *look_from_child(const struct info_options *o, const char *selector)
{
    int pipes[2], state = 0;
    json_t *entry = NULL;
    pid_t child;
    FILE *f;

    fflush(NULL);
    if (pipe(pipes))
        return look_at(o, selector);
    child = fork();
    if (child == 0) {
        close(pipes[0]);
        f = fdopen(pipes[1], "w");
        dup2(STDERR_FILENO, STDOUT_FILENO); /* what a driver prints */
        entry = look_at(o, selector);
        if (f && json_dumpf(entry, f, JSON_COMPACT) == 0)
            fflush(f);
        _exit(0);
    }
    close(pipes[1]);
    f = fdopen(pipes[0], "r");
    if (f) {
        entry = json_loadf(f, 0, NULL);
        fclose(f);
    }
    if (child > 0)
        waitpid(child, &state, 0);
    if (!json_is_object(entry)) {
        json_decref(entry);
        entry = json_object();
        tool_json_set(entry, "selector", tool_json_text(selector));
        tool_json_set(entry, "error",
            tool_json_text(
                WIFSIGNALED(state) ? strsignal(WTERMSIG(state)) : "the process for this device failed"));
    }
    return entry;
}

static int show_devices(const struct info_options *o)
{
    json_t *list = json_array(), *all;
    char **selector;
    int n, code = tool_device_expand(o->device ? o->device : "all", &selector, &n);

    for (int i = 0; i < n && !tool_interrupted(); i++) {
        json_t *entry = n == 1 ? look_at(o, selector[i]) : look_from_child(o, selector[i]);

        if (json_object_get(entry, "error"))
            code = tool_error("%s: %s", selector[i], tool_json_get_text(entry, "error"));
        if (!o->json && json_object_get(entry, "name"))
            print_device(entry);
        json_array_append_new(list, entry);
    }
    tool_device_free(&selector, &n);
    if (o->json) {
        all = json_object();
        tool_json_set(all, "oclnn", tool_json_text(OCLNN_VERSION));
        json_object_set(all, "devices", list);
        if (tool_json_print(all, 0, stdout) != TOOL_OK)
            code = TOOL_FAILED;
        json_decref(all);
    }
    json_decref(list);
    return code;
}

/* ---- operators and networks ---- */

static char *join_variants(int index)
{
    char *text = tool_strdup("");

    for (int v = 0; oclnn_operator_variant(index, v); v++) {
        char *longer = tool_format("%s%s%s", text, v ? " " : "", oclnn_operator_variant(index, v));

        free(text);
        text = longer;
    }
    return text;
}

static char *join_dtypes(unsigned bits)
{
    char *text = tool_strdup("");

    for (int t = OCLNN_F32; t <= OCLNN_BF16; t++) {
        char *longer;

        if (!(bits >> t & 1))
            continue;
        longer = tool_format("%s%s%s", text, text[0] ? " " : "", oclnn_dtype_name((enum oclnn_dtype)t));
        free(text);
        text = longer;
    }
    return text;
}

static void operator_row(int i, struct tool_table *t, json_t *list)
{
    struct oclnn_operator_info op;
    char *variants, *dtypes;

    if (oclnn_operator(i, &op) != OCLNN_OK)
        return;
    variants = join_variants(i);
    dtypes = join_dtypes(op.dtypes);
    if (list) {
        json_t *o = json_object();

        tool_json_set(o, "name", tool_json_text(op.name));
        tool_json_set(o, "onnx", op.onnx ? tool_json_text(op.onnx) : json_null());
        tool_json_set(o, "since", json_integer(op.since));
        tool_json_set(o, "variants", tool_json_text(variants));
        tool_json_set(o, "dtypes", tool_json_text(dtypes));
        tool_json_set(o, "gradient", json_boolean(op.has_gradient));
        json_array_append_new(list, o);
    } else {
        tool_table_row(t);
        tool_table_set(t, 0, "%s", op.name);
        tool_table_set(t, 1, "%s", op.onnx ? op.onnx : "");
        tool_table_set(t, 2, "%s", op.has_gradient ? "yes" : "");
        tool_table_set(t, 3, "%s", dtypes);
        tool_table_set(t, 4, "%s", variants[0] ? variants : "(host)");
    }
    free(variants);
    free(dtypes);
}

static int show_operators(const struct info_options *o)
{
    static const char *const titles[] = {"operator", "ONNX", "gradient", "types of input 0",
        "variants, best first"};
    json_t *list = o->json ? json_array() : NULL;
    struct tool_table t = {0};
    int code = TOOL_OK;

    for (int i = 0; i < 5; i++)
        tool_table_column(&t, titles[i]);
    for (int i = 0; i < oclnn_operator_count(); i++)
        operator_row(i, &t, list);
    if (list)
        code = tool_json_print(list, 0, stdout);
    else
        tool_table_print(&t, TOOL_TABLE_TEXT, stdout);
    tool_table_finish(&t);
    json_decref(list);
    return code;
}

static int show_networks(const struct info_options *o)
{
    json_t *list = o->json ? json_array() : NULL;
    int code = TOOL_OK;

    for (int i = 0; tool_network_name(i); i++) {
        if (list)
            json_array_append_new(list, tool_json_text(tool_network_name(i)));
        else
            puts(tool_network_name(i));
    }
    if (list)
        code = tool_json_print(list, 0, stdout);
    json_decref(list);
    return code;
}

static int parse(struct info_options *o, int argc, char **argv)
{
    int option;
    long seconds;

    while ((option = getopt_long(argc, argv, "d:qvh", options, NULL)) >= 0) {
        switch (option) {
        case 'd': o->device = optarg; break;
        case 'q': o->quiet = true; break;
        case 'v': o->log_level = o->log_level == OCLNN_LOG_INFO ? OCLNN_LOG_DEBUG : OCLNN_LOG_INFO; break;
        case OPT_TIMEOUT:
            if (!tool_parse_int(optarg, 1, 86400, &seconds))
                return tool_usage("--timeout takes seconds, 1 to 86400, not \"%s\"", optarg);
            o->limit = (unsigned)seconds;
            break;
        case OPT_JSON: o->json = true; break;
        case OPT_SELF_TEST: o->op = optarg; /* fall through */
        case OPT_DEVICES:
        case OPT_LIST:
        case OPT_OPERATORS:
        case OPT_NETWORKS:
            if (o->what && o->what != option)
                return tool_usage("one thing at a time, please");
            o->what = option;
            break;
        case OPT_VERSION: return tool_version();
        case 'h': fputs(help, stdout); return tool_finish(TOOL_OK);
        default: return tool_usage(NULL);
        }
    }
    if (optind < argc)
        return tool_usage("\"%s\" is not understood", argv[optind]);
    return -1;
}

int main(int argc, char **argv)
{
    struct info_options o = {0};
    int code;

    tool_init("oclnn-info");
    code = parse(&o, argc, argv);
    if (code >= 0)
        return code;
    switch (o.what) {
    case OPT_LIST: code = tool_device_print(); break;
    case OPT_OPERATORS: code = show_operators(&o); break;
    case OPT_NETWORKS: code = show_networks(&o); break;
    case OPT_SELF_TEST: code = info_self_test(&o); break;
    default: code = show_devices(&o); break;
    }
    return tool_interrupted() ? TOOL_INTERRUPTED : tool_finish(code);
}
