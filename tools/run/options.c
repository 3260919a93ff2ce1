#include "run/options.h"
#include "common/tool.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: oclnn-run MODEL [OPTION]... IMAGE...\n"
    "       oclnn-run MODEL [OPTION]... INPUTS.npz\n"
    "       oclnn-run MODEL [OPTION]... --data FOLDER\n"
    "       oclnn-run MODEL [OPTION]... --eval SET\n"
    "\n"
    "Runs a network on images, arrays or test data. MODEL is an ONNX file or the name\n"
    "of a built-in network (oclnn-info --networks). INPUTS.npz has one array for each\n"
    "input of the model, by name.\n"
    "\n"
    "What to do\n"
    "      --data FOLDER      ONNX test_data_set folder (input_K.pb, output_K.pb), or\n"
    "                         a folder of test_data_set_*: run and compare\n"
    "      --eval SET         count right answers over mnist:DIR, cifar10:FILE[,..]\n"
    "                         or npy:FILE,labels.csv\n"
    "      --compare-device DEV  run there too, compare the outputs, name the first\n"
    "                         layer that diverges\n"
    "      --compare-variant NAME  the same with other kernels, such as reference\n"
    "      --export FILE      write the network as ONNX, in today's opset\n"
    "      --summary          print the layers\n"
    "      --dump             print the plan: kernels, formats, memory\n"
    "\n"
    "Where to run\n"
    "  -d, --device DEV       gpu, cpu, best, P:D, N, name~TEXT, uuid=...\n"
    "                         (default: $OCLNN_DEVICE or best)\n"
    "      --variant NAME     use only this kernel variant where it can do the job\n"
    "      --format NAME      prefer a format inside: plain, nhwc, c8, c16\n"
    "      --passes-off LIST  leave out patterns, addend, transpose, pad, fold,\n"
    "                         slopes, fuse, updates, early, layout, views, inplace,\n"
    "                         arena, chain\n"
    "      --dtype WORD       f32 or f16: how numbers are stored between the layers\n"
    "                         (default: f32); they are computed in f32\n"
    "      --shape IN=1x3x..  shape of an input with free dimensions; may be repeated\n"
    "\n"
    "Images: number = (pixel * SCALE - MEAN) / STD per channel\n"
    "      --resize S         WxH, or short:N for the shorter side (default: as the\n"
    "                         model wants, keeping proportions if it wants squares)\n"
    "      --crop N | WxH     then cut out the centre\n"
    "      --scale S          (default: 1, pixels are 0 to 255)\n"
    "      --mean R,G,B       or one number (default: 0)\n"
    "      --std R,G,B        or one number (default: 1)\n"
    "      --bgr              channels in the order blue, green, red\n"
    "      --layout WORD      nchw or nhwc (default: by the model's input)\n"
    "\n"
    "Answers\n"
    "      --top K            print the K best classes (default: 5)\n"
    "      --labels FILE      their names, one per line\n"
    "      --label-offset N   class = output index - N: 1 where output 0 stands for\n"
    "                         'background'; the sign does not matter (default: 0)\n"
    "      --out FILE         write the outputs to an .npz, or output 0 to a .png\n"
    "      --batch N          images at a time with --eval (default: 64)\n"
    "      --limit N          only the first N images of --eval (default: all)\n"
    "      --tol T            |got-want| <= T*max|want| + 1e-5 (default: 0.001, with\n"
    "                         --dtype f16 0.01)\n"
    "      --json             results as JSON\n"
    "  -q, --quiet            results only\n"
    "  -v, --verbose          log lines of the library; twice: all of them\n"
    "      --version, -h, --help\n"
    "\n"
    "Exit status: 0 right; 1 failure, or outputs differ; 2 usage; 130 interrupted.\n";

enum {
    OPT_DATA = 256,
    OPT_EVAL,
    OPT_COMPARE,
    OPT_COMPARE_VARIANT,
    OPT_EXPORT,
    OPT_SUMMARY,
    OPT_DUMP,
    OPT_VARIANT,
    OPT_FORMAT,
    OPT_PASSES,
    OPT_DTYPE,
    OPT_SHAPE,
    OPT_RESIZE,
    OPT_CROP,
    OPT_SCALE,
    OPT_MEAN,
    OPT_STD,
    OPT_BGR,
    OPT_LAYOUT,
    OPT_TOP,
    OPT_LABELS,
    OPT_OFFSET,
    OPT_OUT,
    OPT_BATCH,
    OPT_LIMIT,
    OPT_TOL,
    OPT_JSON,
    OPT_VERSION,
};

static const struct option options[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"eval", required_argument, NULL, OPT_EVAL},
    {"compare-device", required_argument, NULL, OPT_COMPARE},
    {"compare-variant", required_argument, NULL, OPT_COMPARE_VARIANT},
    {"export", required_argument, NULL, OPT_EXPORT},
    {"summary", no_argument, NULL, OPT_SUMMARY},
    {"dump", no_argument, NULL, OPT_DUMP},
    {"device", required_argument, NULL, 'd'},
    {"variant", required_argument, NULL, OPT_VARIANT},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"passes-off", required_argument, NULL, OPT_PASSES},
    {"dtype", required_argument, NULL, OPT_DTYPE},
    {"shape", required_argument, NULL, OPT_SHAPE},
    {"resize", required_argument, NULL, OPT_RESIZE},
    {"crop", required_argument, NULL, OPT_CROP},
    {"scale", required_argument, NULL, OPT_SCALE},
    {"mean", required_argument, NULL, OPT_MEAN},
    {"std", required_argument, NULL, OPT_STD},
    {"bgr", no_argument, NULL, OPT_BGR},
    {"layout", required_argument, NULL, OPT_LAYOUT},
    {"top", required_argument, NULL, OPT_TOP},
    {"labels", required_argument, NULL, OPT_LABELS},
    {"label-offset", required_argument, NULL, OPT_OFFSET},
    {"out", required_argument, NULL, OPT_OUT},
    {"batch", required_argument, NULL, OPT_BATCH},
    {"limit", required_argument, NULL, OPT_LIMIT},
    {"tol", required_argument, NULL, OPT_TOL},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* "224" or "320x240". */
static bool parse_size(const char *text, int *width, int *height)
{
    struct oclnn_shape s;

    if (!tool_parse_shape(text, &s) || s.rank > 2 || s.dim[0] < 1 || s.dim[0] > 32768)
        return false;
    *width = (int)s.dim[0];
    *height = (int)s.dim[s.rank - 1];
    return s.dim[s.rank - 1] >= 1 && s.dim[s.rank - 1] <= 32768;
}

static int parse_resize(struct run_options *o)
{
    long side;

    o->has_resize = true;
    if (!strncmp(optarg, "short:", 6) && tool_parse_int(optarg + 6, 1, 32768, &side)) {
        o->image.short_side = (int)side;
        return -1;
    }
    if (strchr(optarg, 'x') && parse_size(optarg, &o->image.width, &o->image.height))
        return -1;
    return tool_usage("--resize wants WIDTHxHEIGHT or short:N, not \"%s\"", optarg);
}

static int parse_channels(const char *name, float *out, bool is_divisor)
{
    double v[3];
    int n = tool_parse_doubles(optarg, v, 3);

    for (int i = 0; i < n; i++)
        if (is_divisor && v[i] == 0)
            n = -1;
    if (n != 1 && n != 3)
        return tool_usage("--%s wants one number or R,G,B%s, not \"%s\"", name,
            is_divisor ? " without zeros" : "", optarg);
    for (int i = 0; i < 3; i++)
        out[i] = (float)v[n == 3 ? i : 0];
    return -1;
}

static int parse_image(struct run_options *o, int option)
{
    static const char *const layouts[] = {"nchw", "nhwc", NULL};
    double scale;
    int word;

    switch (option) {
    case OPT_RESIZE: return parse_resize(o);
    case OPT_CROP:
        o->has_crop = true;
        if (!parse_size(optarg, &o->image.crop_width, &o->image.crop_height))
            return tool_usage("--crop wants N or WIDTHxHEIGHT, not \"%s\"", optarg);
        return -1;
    case OPT_SCALE:
        if (!tool_parse_double(optarg, -1e9, 1e9, &scale) || scale == 0)
            return tool_usage("--scale wants a number other than 0, not \"%s\"", optarg);
        o->image.scale = (float)scale;
        return -1;
    case OPT_MEAN: return parse_channels("mean", o->image.mean, false);
    case OPT_STD: return parse_channels("std", o->image.deviation, true);
    case OPT_BGR: o->image.bgr = 1; return -1;
    default:
        word = tool_parse_word(optarg, layouts);
        if (word < 0)
            return tool_usage("--layout wants nchw or nhwc, not \"%s\"", optarg);
        o->image.nhwc = word;
        o->has_layout = true;
        return -1;
    }
}

static int parse_number(struct run_options *o, int option)
{
    switch (option) {
    case OPT_TOP:
        if (!tool_parse_int(optarg, 1, 1000000, &o->top))
            return tool_usage("--top wants a number from 1 on, not \"%s\"", optarg);
        return -1;
    case OPT_OFFSET:
        if (!tool_parse_int(optarg, -1000000, 1000000, &o->label_offset))
            return tool_usage("--label-offset wants a whole number, not \"%s\"", optarg);
        o->label_offset = labs(o->label_offset);
        return -1;
    case OPT_BATCH:
        if (!tool_parse_int(optarg, 1, 1000000, &o->batch))
            return tool_usage("--batch wants a number from 1 on, not \"%s\"", optarg);
        return -1;
    case OPT_LIMIT:
        if (!tool_parse_int(optarg, 1, 2147483647, &o->limit))
            return tool_usage("--limit wants a number from 1 on, not \"%s\"", optarg);
        return -1;
    default:
        if (!tool_parse_double(optarg, 0, 1e6, &o->tolerance))
            return tool_usage("--tol wants a number from 0 on, not \"%s\"", optarg);
        return -1;
    }
}

static int parse_dtype(struct run_options *o)
{
    static const char *const words[] = {"f32", "f16", NULL};
    int word = tool_parse_word(optarg, words);

    if (word < 0)
        return tool_usage("--dtype wants f32 or f16, not \"%s\"", optarg);
    o->dtype = word ? OCLNN_F16 : OCLNN_F32;
    return -1;
}

static int parse_option(struct run_options *o, int option)
{
    switch (option) {
    case 'd': o->device = optarg; return -1;
    case 'q': o->quiet = true; return -1;
    case 'v': o->log_level = o->log_level == OCLNN_LOG_INFO ? OCLNN_LOG_DEBUG : OCLNN_LOG_INFO; return -1;
    case OPT_DATA: o->data = optarg; return -1;
    case OPT_EVAL: o->eval = optarg; return -1;
    case OPT_COMPARE: o->compare_device = optarg; return -1;
    case OPT_COMPARE_VARIANT: o->compare_variant = optarg; return -1;
    case OPT_EXPORT: o->export_path = optarg; return -1;
    case OPT_SUMMARY: o->summary = true; return -1;
    case OPT_DUMP: o->dump = true; return -1;
    case OPT_VARIANT: o->variant = optarg; return -1;
    case OPT_FORMAT: o->format = optarg; return -1;
    case OPT_PASSES: o->passes_off = optarg; return -1;
    case OPT_DTYPE: return parse_dtype(o);
    case OPT_SHAPE: return tool_shapes_add(&o->shapes, optarg);
    case OPT_LABELS: o->labels = optarg; return -1;
    case OPT_OUT: o->out = optarg; return -1;
    case OPT_JSON: o->json = true; return -1;
    case OPT_RESIZE:
    case OPT_CROP:
    case OPT_SCALE:
    case OPT_MEAN:
    case OPT_STD:
    case OPT_BGR:
    case OPT_LAYOUT: return parse_image(o, option);
    case OPT_TOP:
    case OPT_OFFSET:
    case OPT_BATCH:
    case OPT_LIMIT:
    case OPT_TOL: return parse_number(o, option);
    case OPT_VERSION: return tool_version();
    case 'h': fputs(help, stdout); return tool_finish(TOOL_OK);
    default: return tool_usage(NULL);
    }
}

static int check(const struct run_options *o)
{
    int kinds = (o->data != NULL) + (o->eval != NULL) + (o->n_inputs > 0);

    if (!o->model)
        return tool_usage("no model given");
    if (kinds > 1)
        return tool_usage("give images, an .npz, --data or --eval: only one of them");
    if (kinds == 0 && !o->summary && !o->dump && !o->compare_device && !o->compare_variant && !o->export_path)
        return tool_usage("nothing to run: give images, an .npz, --data FOLDER or --eval SET");
    if ((o->compare_device || o->compare_variant) && o->eval)
        return tool_usage("--compare-device, --compare-variant and --eval do not go together");
    if (o->out && (o->eval || o->n_inputs > 1))
        return tool_usage("--out wants one run");
    return -1;
}

int run_options_parse(struct run_options *o, int argc, char **argv)
{
    int option, code = -1;

    *o = (struct run_options){.top = 5, .tolerance = -1};
    while (code < 0 && (option = getopt_long(argc, argv, "d:qvh", options, NULL)) >= 0)
        code = parse_option(o, option);
    if (code >= 0)
        return code;
    if (o->tolerance < 0)
        o->tolerance = o->dtype == OCLNN_F16 ? TOOL_TOLERANCE_F16 : TOOL_TOLERANCE;
    o->model = optind < argc ? argv[optind] : NULL;
    o->input = (const char **)argv + optind + 1;
    o->n_inputs = optind < argc ? argc - optind - 1 : 0;
    return check(o);
}

void run_options_finish(struct run_options *o)
{
    tool_shapes_finish(&o->shapes);
}
