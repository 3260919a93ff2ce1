#include "train/options.h"
#include "common/tool.h"
#include "train/help.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_DATA = 256,
    OPT_VAL,
    OPT_VAL_SPLIT,
    OPT_TEST,
    OPT_SIZE,
    OPT_MEAN,
    OPT_STD,
    OPT_AUGMENT,
    OPT_KEEP_ORDER,
    OPT_KEEP_LAST,
    OPT_THREADS,
    OPT_CLASSES,
    OPT_REPLACE_HEAD,
    OPT_FREEZE,
    OPT_LOSS,
    OPT_SMOOTHING,
    OPT_WEIGHTS,
    OPT_GROUP,
    OPT_INIT,
    OPT_MONITOR,
    OPT_OPTIMIZER,
    OPT_LR,
    OPT_MOMENTUM,
    OPT_DECAY,
    OPT_SCHEDULE,
    OPT_EARLY_STOP,
    OPT_CLIP_NORM,
    OPT_CLIP_VALUE,
    OPT_ACCUMULATE,
    OPT_EMA,
    OPT_BUDGET,
    OPT_SEED,
    OPT_OUT,
    OPT_BEST,
    OPT_BEST_CHECKPOINT,
    OPT_CHECKPOINT,
    OPT_CHECKPOINT_STEPS,
    OPT_RESUME,
    OPT_RESTART_EPOCH,
    OPT_CHOICES,
    OPT_CHOICES_OUT,
    OPT_LOG,
    OPT_LOG_STEPS,
    OPT_TENSORBOARD,
    OPT_SVG,
    OPT_DRY_RUN,
    OPT_VERSION,
};

static const struct option options[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"val", required_argument, NULL, OPT_VAL},
    {"val-split", required_argument, NULL, OPT_VAL_SPLIT},
    {"test", required_argument, NULL, OPT_TEST},
    {"size", required_argument, NULL, OPT_SIZE},
    {"mean", required_argument, NULL, OPT_MEAN},
    {"std", required_argument, NULL, OPT_STD},
    {"augment", required_argument, NULL, OPT_AUGMENT},
    {"keep-order", no_argument, NULL, OPT_KEEP_ORDER},
    {"keep-last", no_argument, NULL, OPT_KEEP_LAST},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"classes", required_argument, NULL, OPT_CLASSES},
    {"replace-head", no_argument, NULL, OPT_REPLACE_HEAD},
    {"freeze", required_argument, NULL, OPT_FREEZE},
    {"init", required_argument, NULL, OPT_INIT},
    {"epochs", required_argument, NULL, 'e'},
    {"batch", required_argument, NULL, 'b'},
    {"loss", required_argument, NULL, OPT_LOSS},
    {"label-smoothing", required_argument, NULL, OPT_SMOOTHING},
    {"class-weights", required_argument, NULL, OPT_WEIGHTS},
    {"optimizer", required_argument, NULL, OPT_OPTIMIZER},
    {"lr", required_argument, NULL, OPT_LR},
    {"momentum", required_argument, NULL, OPT_MOMENTUM},
    {"weight-decay", required_argument, NULL, OPT_DECAY},
    {"group", required_argument, NULL, OPT_GROUP},
    {"schedule", required_argument, NULL, OPT_SCHEDULE},
    {"early-stop", required_argument, NULL, OPT_EARLY_STOP},
    {"monitor", required_argument, NULL, OPT_MONITOR},
    {"clip-norm", required_argument, NULL, OPT_CLIP_NORM},
    {"clip-value", required_argument, NULL, OPT_CLIP_VALUE},
    {"accumulate", required_argument, NULL, OPT_ACCUMULATE},
    {"ema", required_argument, NULL, OPT_EMA},
    {"memory-budget", required_argument, NULL, OPT_BUDGET},
    {"seed", required_argument, NULL, OPT_SEED},
    {"out", required_argument, NULL, OPT_OUT},
    {"best", required_argument, NULL, OPT_BEST},
    {"best-checkpoint", required_argument, NULL, OPT_BEST_CHECKPOINT},
    {"checkpoint", required_argument, NULL, OPT_CHECKPOINT},
    {"checkpoint-steps", required_argument, NULL, OPT_CHECKPOINT_STEPS},
    {"resume", required_argument, NULL, OPT_RESUME},
    {"restart-epoch", no_argument, NULL, OPT_RESTART_EPOCH},
    {"choices", required_argument, NULL, OPT_CHOICES},
    {"choices-out", required_argument, NULL, OPT_CHOICES_OUT},
    {"log", required_argument, NULL, OPT_LOG},
    {"log-steps", required_argument, NULL, OPT_LOG_STEPS},
    {"tensorboard", required_argument, NULL, OPT_TENSORBOARD},
    {"svg", required_argument, NULL, OPT_SVG},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"device", required_argument, NULL, 'd'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

bool train_loss_takes_numbers(const struct train_options *o)
{
    return o->trainer.loss != OCLNN_LOSS_SOFTMAX_CE && o->trainer.loss != OCLNN_LOSS_NLL;
}

/* What is given apart from --optimizer stands above it, in whatever order the options come. */
struct overrides {
    double lr, momentum, decay; /* negative: not given */
};

/* The long name of an option, for messages. */
static const char *name_of(int option)
{
    const struct option *o = options;

    while (o->name && o->val != option)
        o++;
    return o->name ? o->name : "";
}

static int parse_whole(int option, long min, long max, long *out)
{
    if (!tool_parse_int(optarg, min, max, out))
        return tool_usage("--%s wants a number from %ld to %ld, not \"%s\"", name_of(option), min, max,
            optarg);
    return -1;
}

/* below: the range ends before max. */
static int parse_real(int option, double max, bool below, double *out)
{
    if (!tool_parse_double(optarg, 0, max, out) || (below && *out >= max))
        return tool_usage("--%s wants a number from 0 %s %g, not \"%s\"", name_of(option),
            below ? "to below" : "to", max, optarg);
    return -1;
}

static int parse_float(int option, double max, bool below, float *out)
{
    double value = 0;
    int code = parse_real(option, max, below, &value);

    if (code < 0)
        *out = (float)value;
    return code;
}

static int parse_channels(int option, float *out, bool is_divisor)
{
    double v[3];
    int n = tool_parse_doubles(optarg, v, 3);

    for (int i = 0; i < n; i++)
        if (is_divisor && v[i] <= 0)
            n = -1;
    if (n != 1 && n != 3)
        return tool_usage("--%s wants one number or R,G,B%s, not \"%s\"", name_of(option),
            is_divisor ? " above zero" : "", optarg);
    for (int i = 0; i < 3; i++)
        out[i] = (float)v[n == 3 ? i : 0];
    return -1;
}

static int parse_size(struct train_options *o)
{
    struct oclnn_shape s;

    if (!tool_parse_shape(optarg, &s) || s.rank != 2 || s.dim[0] < 1 || s.dim[1] < 1 || s.dim[0] > 32768 ||
        s.dim[1] > 32768)
        return tool_usage("--size wants WIDTHxHEIGHT, not \"%s\"", optarg);
    o->images.width = (int)s.dim[0];
    o->images.height = (int)s.dim[1];
    return -1;
}

/* "500M", "2G", "1048576"; powers of 1024. */
static int parse_bytes(size_t *out)
{
    static const char units[] = "KMGT";
    char *end;
    double value = strtod(optarg, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;

    if (unit) {
        for (const char *u = units; u <= unit; u++)
            value *= 1024;
        end++;
    }
    if (end == optarg || *end || !(value >= 1 && value < 1e18))
        return tool_usage("--memory-budget wants bytes such as 500M or 2G, not \"%s\"", optarg);
    *out = (size_t)value;
    return -1;
}

static int parse_seed(uint64_t *out)
{
    char *end;

    *out = strtoull(optarg, &end, 10);
    if (optarg[0] < '0' || optarg[0] > '9' || *end)
        return tool_usage("--seed wants a number from 0 on, not \"%s\"", optarg);
    return -1;
}

static int add_freeze(struct train_options *o)
{
    char *longer = o->freeze ? tool_format("%s,%s", o->freeze, optarg) : tool_strdup(optarg);

    free(o->freeze);
    o->freeze = longer;
    return -1;
}

static int add_group(struct train_options *o)
{
    o->groups = tool_realloc(o->groups, (size_t)o->n_groups + 1, sizeof(*o->groups));
    return tool_parse_group("--group", optarg, &o->groups[o->n_groups]) < 0 ? (o->n_groups++, -1)
                                                                            : TOOL_USAGE;
}

/* "balanced", or one number per class. */
static int parse_weights(struct train_options *o)
{
    int most = 1, n;
    double *value, largest = 0;

    free(o->weights);
    o->weights = NULL;
    o->n_weights = 0;
    o->balanced = !strcmp(optarg, "balanced");
    if (o->balanced)
        return -1;
    for (const char *c = optarg; *c; c++)
        most += *c == ',';
    value = tool_alloc((size_t)most, sizeof(*value));
    n = tool_parse_doubles(optarg, value, most);
    o->weights = tool_alloc((size_t)most, sizeof(*o->weights));
    for (int i = 0; i < n; i++) {
        o->weights[i] = (float)value[i];
        largest = value[i] > largest ? value[i] : largest;
        if (value[i] < 0 || value[i] > 1e6)
            largest = -1e30;
    }
    free(value);
    if (n < 2 || largest <= 0)
        return tool_usage("--class-weights wants balanced, or a number from 0 on for each class, not \"%s\"",
            optarg);
    o->n_weights = n;
    return -1;
}

static int parse_data(struct train_options *o, int option)
{
    long threads = 0;
    int code;

    switch (option) {
    case OPT_VAL_SPLIT: return parse_real(option, 1, true, &o->val_split);
    case OPT_SIZE: return parse_size(o);
    case OPT_MEAN: return parse_channels(option, o->images.mean, false);
    case OPT_STD: return parse_channels(option, o->images.deviation, true);
    case OPT_THREADS:
        code = parse_whole(option, 1, 256, &threads);
        o->images.threads = (int)threads;
        return code;
    default:
        if (oclnn_augment_parse(optarg, &o->augment) != OCLNN_OK)
            return tool_usage("--augment: %s", oclnn_error_text(NULL));
        return -1;
    }
}

static int parse_training(struct train_options *o, int option, struct overrides *over)
{
    struct oclnn_trainer_params *t = &o->trainer;
    long count = 0;
    int code;

    switch (option) {
    case OPT_LOSS: return tool_parse_loss_options("--loss", optarg, t);
    case OPT_WEIGHTS: return parse_weights(o);
    case OPT_GROUP: return add_group(o);
    case OPT_INIT: return tool_parse_init("--init", optarg, &o->init);
    case OPT_MONITOR: return tool_parse_monitor("--monitor", optarg, &o->monitor);
    case OPT_OPTIMIZER: return tool_parse_optimizer("--optimizer", optarg, &t->optimizer);
    case OPT_SCHEDULE: return tool_parse_schedule("--schedule", optarg, &t->schedule);
    case OPT_SMOOTHING: return parse_float(option, 1, true, &t->label_smoothing);
    case OPT_LR:
        if (!tool_parse_double(optarg, 1e-30, 1e5, &over->lr))
            return tool_usage("--lr wants a number above 0, not \"%s\"", optarg);
        return -1;
    case OPT_MOMENTUM: return parse_real(option, 1, true, &over->momentum);
    case OPT_DECAY: return parse_real(option, 1e6, true, &over->decay);
    case OPT_CLIP_NORM: return parse_float(option, 1e30, false, &t->clip_norm);
    case OPT_CLIP_VALUE: return parse_float(option, 1e30, false, &t->clip_value);
    case OPT_EMA: return parse_float(option, 1, true, &t->ema);
    case OPT_BUDGET: return parse_bytes(&t->memory_budget);
    case OPT_SEED: return parse_seed(&t->seed);
    default:
        code = parse_whole(option, 1, 1 << 20, &count);
        t->accumulate = (int)count;
        return code;
    }
}

static int parse_option(struct train_options *o, int option, struct overrides *over)
{
    switch (option) {
    case 'd': o->device = optarg; return -1;
    case 'q': o->quiet = true; return -1;
    case 'v':
        o->log_level = o->verbose ? OCLNN_LOG_DEBUG : OCLNN_LOG_INFO;
        o->verbose = true;
        return -1;
    case 'e': return parse_whole(option, 1, 1000000, &o->epochs);
    case 'b': return parse_whole(option, 1, 1000000, &o->batch);
    case OPT_DATA: o->data = optarg; return -1;
    case OPT_VAL: o->val = optarg; return -1;
    case OPT_TEST: o->test = optarg; return -1;
    case OPT_KEEP_ORDER: o->keep_order = true; return -1;
    case OPT_KEEP_LAST: o->keep_last = true; return -1;
    case OPT_CHOICES: o->choices = optarg; return -1;
    case OPT_CHOICES_OUT: o->choices_out = optarg; return -1;
    case OPT_CLASSES: return parse_whole(option, 1, 1000000, &o->classes);
    case OPT_REPLACE_HEAD: o->replace_head = true; return -1;
    case OPT_FREEZE: return add_freeze(o);
    case OPT_DRY_RUN: o->dry_run = true; return -1;
    case OPT_EARLY_STOP: return parse_whole(option, 1, 1000000, &o->early_stop);
    case OPT_CHECKPOINT_STEPS: return parse_whole(option, 0, 1000000000, &o->checkpoint_steps);
    case OPT_LOG_STEPS: return parse_whole(option, 0, 1000000000, &o->log_steps);
    case OPT_OUT: o->out = optarg; return -1;
    case OPT_BEST: o->best = optarg; return -1;
    case OPT_BEST_CHECKPOINT: o->best_checkpoint = optarg; return -1;
    case OPT_CHECKPOINT: o->checkpoint = optarg; return -1;
    case OPT_RESUME: o->resume = optarg; return -1;
    case OPT_RESTART_EPOCH: o->restart_epoch = true; return -1;
    case OPT_LOG: o->log = optarg; return -1;
    case OPT_TENSORBOARD: o->tensorboard = optarg; return -1;
    case OPT_SVG: o->svg = optarg; return -1;
    case OPT_VAL_SPLIT:
    case OPT_SIZE:
    case OPT_MEAN:
    case OPT_STD:
    case OPT_THREADS:
    case OPT_AUGMENT: return parse_data(o, option);
    case OPT_VERSION: return tool_version();
    case 'h': train_help(); return tool_finish(TOOL_OK);
    case '?': return tool_usage(NULL);
    default: return parse_training(o, option, over);
    }
}

static int check_loss(const struct train_options *o)
{
    const enum oclnn_loss loss = o->trainer.loss;

    if ((o->balanced || o->n_weights) && (loss == OCLNN_LOSS_DICE || loss == OCLNN_LOSS_DICE_LOGITS))
        return tool_usage("--class-weights: dice is a mean over classes, it takes no weights");
    if (o->classes == 1 && !train_loss_takes_numbers(o))
        return tool_usage("--classes 1 tells two classes by one output: it wants --loss bce-logits, focal, "
                          "dice-logits or mse");
    return -1;
}

/* What is for the best epoch on a validation set. */
static int check_validation(const struct train_options *o)
{
    const struct {
        bool given;
        const char *name;
    } options_of_val[] = {{o->early_stop != 0, "--early-stop"}, {o->best != NULL, "--best"},
        {o->best_checkpoint != NULL, "--best-checkpoint"}, {o->monitor != OCLNN_MONITOR_LOSS, "--monitor"},
        {o->trainer.schedule.kind == OCLNN_PLATEAU, "--schedule plateau"}};

    for (size_t i = 0; i < sizeof(options_of_val) / sizeof(*options_of_val); i++)
        if (options_of_val[i].given && !o->val && o->val_split <= 0)
            return tool_usage("%s wants --val or --val-split", options_of_val[i].name);
    if (o->monitor == OCLNN_MONITOR_IOU && strncmp(o->data, "masks:", 6))
        return tool_usage("--monitor iou is for classes of pixels: --data masks:DIR");
    if (o->best_checkpoint && o->checkpoint && !strcmp(o->best_checkpoint, o->checkpoint))
        return tool_usage("--best-checkpoint %s is where %s writes too: give another --checkpoint",
            o->best_checkpoint, o->resume == o->checkpoint ? "--resume" : "--checkpoint");
    return -1;
}

/* Options that are right one by one but not together. */
static int check(struct train_options *o, int n_arguments)
{
    int code;

    if (n_arguments == 0)
        return tool_usage("no network: give an ONNX file or a built-in network (oclnn-info --networks)");
    if (n_arguments > 1)
        return tool_usage("one network at a time, not %d", n_arguments);
    if (!o->model[0])
        return tool_usage("an empty argument is no network");
    if (!o->data)
        return tool_usage(
            "no data: give --data mnist:DIR, cifar10:FILE, npy:IMAGES,LABELS, folder:DIR or masks:DIR");
    if (o->val && o->val_split > 0)
        return tool_usage("--val and --val-split: only one of them");
    code = check_loss(o);
    if (code < 0)
        code = check_validation(o);
    if (code >= 0)
        return code;
    if (o->log_steps && !o->log && !o->tensorboard)
        return tool_usage("--log-steps wants --log FILE or --tensorboard DIR");
    if (o->checkpoint_steps && !o->checkpoint && !o->resume)
        return tool_usage("--checkpoint-steps wants --checkpoint FILE");
    if (o->restart_epoch && !o->resume)
        return tool_usage("--restart-epoch wants --resume FILE");
    if (o->images.width && strncmp(o->data, "folder:", 7) && strncmp(o->data, "masks:", 6))
        return tool_usage("--size is for folder: and masks: only, images of other sets have their size");
    return -1;
}

int train_options_parse(struct train_options *o, int argc, char **argv)
{
    struct overrides over = {-1, -1, -1};
    int option, code = -1;

    *o = (struct train_options){.epochs = 5, .trainer = {.optimizer.kind = OCLNN_ADAM, .ema = 0.99f}};
    while (code < 0 && (option = getopt_long(argc, argv, "d:e:b:qvh", options, NULL)) >= 0)
        code = parse_option(o, option, &over);
    if (code >= 0)
        return code;
    if (over.lr >= 0)
        o->trainer.optimizer.lr = (float)over.lr;
    if (over.momentum >= 0)
        o->trainer.optimizer.momentum = (float)over.momentum;
    if (over.decay >= 0)
        o->trainer.optimizer.weight_decay = (float)over.decay;
    for (int i = 0; i < o->n_groups; i++)
        o->groups[i].lr_scale = tool_group_scale(o->groups[i].lr_scale, &o->trainer.optimizer);
    o->trainer.groups = o->groups;
    o->trainer.group_count = o->n_groups;
    o->trainer.freeze = o->freeze;
    if (!o->checkpoint)
        o->checkpoint = o->resume;
    o->model = argv[optind];
    return check(o, argc - optind);
}

void train_options_finish(struct train_options *o)
{
    for (int i = 0; i < o->n_groups; i++)
        free((char *)o->groups[i].pattern);
    free(o->groups);
    free(o->weights);
    free(o->freeze);
}
