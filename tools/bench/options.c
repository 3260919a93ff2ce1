#include "bench/options.h"
#include "common/tool.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: oclnn-bench [OPTION]... [MODEL.onnx | NETWORK | PROBLEM]...\n"
    "\n"
    "Times networks and single operators on OpenCL devices and checks their numbers.\n"
    "Without arguments: resnet50, mobilenet-v2, squeezenet and mnist-conv2 at batch 1\n"
    "on every device. NETWORK is a built-in network (oclnn-info --networks); PROBLEM\n"
    "is an operator with shapes: \"conv x=1x64x56x56 w=64x64x3x3 pad=1\".\n"
    "\n"
    "What to run\n"
    "  -d, --device DEV[,..]  gpu, cpu, best, all, P:D, N, name~TEXT, uuid=...\n"
    "                         (default: $OCLNN_DEVICE or all)\n"
    "      --list-devices     list the devices and leave\n"
    "  -b, --batch LIST       batch sizes, e.g. 1,8,32 (default: the model's, or 1)\n"
    "      --shape IN=1x3x..  shape of an input with free dimensions; may be repeated\n"
    "      --dtype LIST       f32, f16 or both: how numbers are stored between the\n"
    "                         layers, a row for each (default: f32); they are\n"
    "                         computed in f32\n"
    "      --data FOLDER      ONNX test_data_set folder: feeds input_K.pb and checks\n"
    "                         against output_K.pb; or an .npz with inputs by name\n"
    "      --variant NAME     use only this kernel variant where it can do the job\n"
    "      --format NAME      prefer a format inside: plain, nhwc, c8, c16\n"
    "      --passes-off LIST  leave out patterns, addend, transpose, pad, fold,\n"
    "                         slopes, fuse, updates, early, layout, views, inplace,\n"
    "                         arena, chain\n"
    "      --train            time training steps: forward, loss, backward, update;\n"
    "                         with --data BATCH.npz (inputs by name and 'y') or made\n"
    "                         data\n"
    "      --loss NAME        softmax-ce, mse, ... (default: softmax-ce)\n"
    "      --steps N          report the losses of the first N steps (default: 10)\n"
    "      --optimizer TEXT   sgd:lr=0.01,momentum=0.9, adam:lr=0.001, ...\n"
    "                         (default: sgd)\n"
    "\n"
    "How to time\n"
    "      --min-time T       time at least T: 500ms, 2s (default: 1s; 0.5s without\n"
    "                         arguments)\n"
    "      --min-runs N       and at least N runs (default: 10; slow devices: 3)\n"
    "      --warmup N         runs before the timed ones (default: 3)\n"
    "      --resident         leave out the transfers of inputs and outputs\n"
    "      --tune MS|off      measure for MS milliseconds which kernels are fastest\n"
    "                         where the tuning database does not say, and write it;\n"
    "                         off: do not even read it\n"
    "      --cold             start with empty program caches: first_answer_ms\n"
    "      --per-layer        time every layer too, beside its time at the roofline\n"
    "                         of the measured peak and bandwidth\n"
    "      --roofline F.svg   the same, and draw it\n"
    "\n"
    "What to check\n"
    "      --verify WORD      auto: against --data, or, without arguments, against\n"
    "                         plain kernels; strict: always against plain kernels\n"
    "                         when there is no --data; off (default: auto)\n"
    "      --tol T            |got-want| <= T*max|want| + 1e-5 (default: 0.001, with\n"
    "                         --dtype f16 0.01)\n"
    "      --outputs F.npz    write the outputs of the last timed run: out_0, ...;\n"
    "                         with --train the gradients of the first step by\n"
    "                         parameter\n"
    "\n"
    "What to print\n"
    "  -o FORM                table, md, csv, json or jsonl (default: table)\n"
    "      --output FILE      write there instead of standard output\n"
    "      --compare B.json   add the ratio to what -o json gave earlier; exit\n"
    "                         status 1 where a median became longer by more than\n"
    "      --compare-limit P  P percent (default: 10)\n"
    "  -q, --quiet            no progress on standard error\n"
    "  -v, --verbose          log lines of the library; twice: all of them\n"
    "      --version, -h, --help\n"
    "\n"
    "Exit status: 0 all right; 1 something failed or gave wrong numbers; 2 usage;\n"
    "130 interrupted.\n";

enum {
    OPT_LIST = 256,
    OPT_SHAPE,
    OPT_DTYPE,
    OPT_DATA,
    OPT_VARIANT,
    OPT_FORMAT,
    OPT_PASSES,
    OPT_MIN_TIME,
    OPT_MIN_RUNS,
    OPT_WARMUP,
    OPT_RESIDENT,
    OPT_COLD,
    OPT_TUNE,
    OPT_LAYERS,
    OPT_ROOFLINE,
    OPT_COMPARE,
    OPT_COMPARE_LIMIT,
    OPT_VERIFY,
    OPT_TOL,
    OPT_OUTPUTS,
    OPT_OUTPUT,
    OPT_VERSION,
    OPT_CHILD,
    OPT_TRAIN,
    OPT_LOSS,
    OPT_STEPS,
    OPT_OPTIMIZER,
};

static const struct option options[] = {
    {"device", required_argument, NULL, 'd'},
    {"list-devices", no_argument, NULL, OPT_LIST},
    {"batch", required_argument, NULL, 'b'},
    {"shape", required_argument, NULL, OPT_SHAPE},
    {"dtype", required_argument, NULL, OPT_DTYPE},
    {"data", required_argument, NULL, OPT_DATA},
    {"variant", required_argument, NULL, OPT_VARIANT},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"passes-off", required_argument, NULL, OPT_PASSES},
    {"min-time", required_argument, NULL, OPT_MIN_TIME},
    {"min-runs", required_argument, NULL, OPT_MIN_RUNS},
    {"warmup", required_argument, NULL, OPT_WARMUP},
    {"resident", no_argument, NULL, OPT_RESIDENT},
    {"cold", no_argument, NULL, OPT_COLD},
    {"tune", required_argument, NULL, OPT_TUNE},
    {"per-layer", no_argument, NULL, OPT_LAYERS},
    {"roofline", required_argument, NULL, OPT_ROOFLINE},
    {"compare", required_argument, NULL, OPT_COMPARE},
    {"compare-limit", required_argument, NULL, OPT_COMPARE_LIMIT},
    {"verify", required_argument, NULL, OPT_VERIFY},
    {"tol", required_argument, NULL, OPT_TOL},
    {"outputs", required_argument, NULL, OPT_OUTPUTS},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {"child", required_argument, NULL, OPT_CHILD}, /* of ourselves, see bench/children.h */
    {"train", no_argument, NULL, OPT_TRAIN},
    {"loss", required_argument, NULL, OPT_LOSS},
    {"steps", required_argument, NULL, OPT_STEPS},
    {"optimizer", required_argument, NULL, OPT_OPTIMIZER},
    {NULL, 0, NULL, 0},
};

bool bench_is_problem(const char *text)
{
    const char *space = strchr(text, ' ');

    return space && strchr(space, '=') && !tool_is_file(text);
}

static int parse_words(struct bench_options *o, int option)
{
    static const char *const forms[] = {"table", "md", "csv", "json", "jsonl", NULL};
    static const char *const checks[] = {"auto", "off", "strict", NULL};
    int word = tool_parse_word(optarg, option == 'o' ? forms : checks);

    if (word < 0 && option == 'o')
        return tool_usage("-o wants table, md, csv, json or jsonl, not \"%s\"", optarg);
    if (word < 0)
        return tool_usage("--verify wants auto, off or strict, not \"%s\"", optarg);
    if (option == 'o')
        o->form = (enum bench_form)word;
    else
        o->verify = (enum bench_verify)word;
    return -1;
}

static int parse_numbers(struct bench_options *o, int option)
{
    switch (option) {
    case 'b':
        o->n_batch = tool_parse_ints(optarg, 1, o->batch, BENCH_BATCHES);
        if (o->n_batch < 1)
            return tool_usage("--batch wants up to %d numbers from 1 on, e.g. 1,8,32, not \"%s\"",
                BENCH_BATCHES, optarg);
        return -1;
    case OPT_MIN_TIME:
        if (!tool_parse_time(optarg, &o->min_time))
            return tool_usage("--min-time wants a time such as 500ms or 2s, not \"%s\"", optarg);
        return -1;
    case OPT_MIN_RUNS:
        if (!tool_parse_int(optarg, 1, 1000000, &o->min_runs))
            return tool_usage("--min-runs wants a number from 1 to 1000000, not \"%s\"", optarg);
        return -1;
    case OPT_WARMUP:
        if (!tool_parse_int(optarg, 0, 1000000, &o->warmup))
            return tool_usage("--warmup wants a number from 0 to 1000000, not \"%s\"", optarg);
        return -1;
    case OPT_COMPARE_LIMIT:
        if (!tool_parse_double(optarg, 0, 1e6, &o->compare_limit))
            return tool_usage("--compare-limit wants percent from 0 on, not \"%s\"", optarg);
        return -1;
    default:
        if (!tool_parse_double(optarg, 0, 1e6, &o->tolerance))
            return tool_usage("--tol wants a number from 0 on, not \"%s\"", optarg);
        return -1;
    }
}

static int parse_tune(struct bench_options *o)
{
    o->tune = strcmp(optarg, "off") ? 1 : 2;
    if (o->tune == 1 && !tool_parse_double(optarg, 1, 1e9, &o->tune_ms))
        return tool_usage("--tune wants milliseconds from 1 on or \"off\", not \"%s\"", optarg);
    return -1;
}

/* A row would be the same twice: each type counts once. */
static int parse_dtypes(struct bench_options *o)
{
    static const char *const words[] = {"f32", "f16", "f32,f16", "f16,f32", NULL};
    static const enum oclnn_dtype lists[][BENCH_DTYPES] = {{OCLNN_F32}, {OCLNN_F16}, {OCLNN_F32, OCLNN_F16},
        {OCLNN_F16, OCLNN_F32}};
    int word = tool_parse_word(optarg, words);

    if (word < 0)
        return tool_usage("--dtype wants f32, f16 or f32,f16, not \"%s\"", optarg);
    memcpy(o->dtype, lists[word], sizeof(o->dtype));
    o->n_dtype = word < 2 ? 1 : 2;
    return -1;
}

static int parse_option(struct bench_options *o, int option)
{
    switch (option) {
    case 'd': o->device = optarg; return -1;
    case 'q': o->quiet = true; return -1;
    case 'v': o->log_level = o->log_level == OCLNN_LOG_INFO ? OCLNN_LOG_DEBUG : OCLNN_LOG_INFO; return -1;
    case OPT_LIST: o->list_devices = true; return -1;
    case OPT_DATA: o->data = optarg; return -1;
    case OPT_VARIANT: o->variant = optarg; return -1;
    case OPT_FORMAT: o->format = optarg; return -1;
    case OPT_PASSES: o->passes_off = optarg; return -1;
    case OPT_RESIDENT: o->resident = true; return -1;
    case OPT_COLD: o->cold = true; return -1;
    case OPT_TUNE: return parse_tune(o);
    case OPT_LAYERS: o->per_layer = true; return -1;
    case OPT_ROOFLINE: o->roofline = optarg; return -1;
    case OPT_COMPARE: o->compare = optarg; return -1;
    case OPT_OUTPUTS: o->outputs = optarg; return -1;
    case OPT_OUTPUT: o->output = optarg; return -1;
    case OPT_CHILD: o->child = optarg; return -1;
    case OPT_TRAIN: o->train = true; return -1;
    case OPT_STEPS:
        if (!tool_parse_int(optarg, 1, 1000000, &o->train_steps))
            return tool_usage("--steps wants a number from 1 to 1000000, not \"%s\"", optarg);
        return -1;
    case OPT_LOSS: return tool_parse_loss("--loss", optarg, &o->loss);
    case OPT_OPTIMIZER: return tool_parse_optimizer("--optimizer", optarg, &o->optimizer);
    case OPT_SHAPE: return tool_shapes_add(&o->shapes, optarg);
    case OPT_DTYPE: return parse_dtypes(o);
    case 'o':
    case OPT_VERIFY: return parse_words(o, option);
    case 'b':
    case OPT_MIN_TIME:
    case OPT_MIN_RUNS:
    case OPT_WARMUP:
    case OPT_COMPARE_LIMIT:
    case OPT_TOL: return parse_numbers(o, option);
    case OPT_VERSION: return tool_version();
    case 'h': fputs(help, stdout); return tool_finish(TOOL_OK);
    default: return tool_usage(NULL);
    }
}

/* Options that are right one by one but not together. */
static int check(struct bench_options *o)
{
    if (o->outputs && (o->n_items != 1 || o->n_batch > 1))
        return tool_usage("--outputs wants one model and one batch size");
    if (o->outputs && bench_is_problem(o->item[0]))
        return tool_usage("--outputs wants a network, not a problem");
    if (o->outputs && o->n_dtype > 1)
        return tool_usage("--outputs wants one --dtype");
    for (int i = 0; i < o->n_items; i++)
        if (o->n_dtype && bench_is_problem(o->item[i]))
            return tool_usage("--dtype is for networks; a problem names its types: x=1x64x56x56:f16");
    for (int i = 0; i < o->n_dtype; i++)
        if (o->train && o->dtype[i] != OCLNN_F32)
            return tool_usage("--train works in f32: it does not mix types yet");
    o->per_layer = o->per_layer || o->roofline;
    if (o->data && o->n_items != 1)
        return tool_usage("--data wants one model");
    if (o->data && o->n_batch)
        return tool_usage("--data settles the batch size: leave out --batch");
    return -1;
}

int bench_options_parse(struct bench_options *o, int argc, char **argv)
{
    int option, code = -1;

    *o = (struct bench_options){.min_time = -1,
        .train_steps = 10,
        .min_runs = 10,
        .warmup = 3,
        .compare_limit = 10,
        .tolerance = -1};
    while (code < 0 && (option = getopt_long(argc, argv, "d:b:o:qvh", options, NULL)) >= 0)
        code = parse_option(o, option);
    if (code >= 0)
        return code;
    o->n_items = argc - optind;
    o->item = tool_alloc((size_t)o->n_items + 4, sizeof(*o->item));
    for (int i = 0; i < o->n_items; i++) {
        o->item[i] = argv[optind + i];
        if (!o->item[i][0])
            return tool_usage("an empty argument is no model");
    }
    if (o->min_time < 0)
        o->min_time = o->n_items ? 1 : .5;
    return check(o);
}

void bench_options_finish(struct bench_options *o)
{
    free(o->item);
    tool_shapes_finish(&o->shapes);
}
