/* What a run needs before its first step: device, data, network, trainer. */
#include "common/devices.h"
#include "common/files.h"
#include "common/networks.h"
#include "common/tool.h"
#include "train/train.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Files are written after hours of work: whether they can be is asked before. */
static int check_writable(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    char *folder = !slash ? tool_strdup(".")
        : slash == path   ? tool_strdup("/")
                          : tool_format("%.*s", (int)(slash - path), path);
    int code = TOOL_OK;

    if (path && tool_is_folder(path))
        code = tool_error("%s is a folder: a file is wanted", path);
    else if (path && access(folder, W_OK | X_OK))
        code = tool_error("cannot write %s: %s", path, strerror(errno));
    free(folder);
    return code;
}

static int check_files(const struct train_options *o)
{
    const char *const paths[] = {o->out, o->best, o->best_checkpoint, o->checkpoint, o->choices_out, o->log,
        o->svg};
    int code = TOOL_OK;

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths) && code == TOOL_OK; i++)
        code = check_writable(paths[i]);
    if (code == TOOL_OK && o->resume && access(o->resume, R_OK))
        code = tool_error("cannot read the checkpoint %s: %s", o->resume, strerror(errno));
    return code;
}

/* The number of classes that output 0 has, 0 if it is not known. */
static long output_classes(const oclnn_model *model)
{
    struct oclnn_model_io io;

    if (oclnn_model_output(model, 0, &io) != OCLNN_OK || io.shape.rank < 2)
        return 0;
    return io.shape.dim[1] > 0 ? (long)io.shape.dim[1] : 0;
}

/* A file says itself which images it takes. */
static int open_file(struct session *s)
{
    struct oclnn_model_io io;
    enum oclnn_status status = oclnn_model_load(s->ctx, s->o->model, NULL, &s->model);

    if (status != OCLNN_OK)
        return strstr(oclnn_error_text(NULL), s->o->model) ? tool_error("%s", oclnn_error_text(NULL))
                                                           : tool_fail(status, "%s", s->o->model);
    if (oclnn_model_input_count(s->model) != 1)
        return tool_error("%s has %d inputs: only networks with one are trained here", s->o->model,
            oclnn_model_input_count(s->model));
    if (oclnn_model_input(s->model, 0, &io) == OCLNN_OK)
        s->input = io.shape;
    return TOOL_OK;
}

static int find_network(struct session *s)
{
    if (tool_is_file(s->o->model) && s->o->init.kind != OCLNN_INIT_DEFAULT)
        return tool_error("--init is for built-in networks: the file %s has its weights", s->o->model);
    if (tool_is_file(s->o->model))
        return open_file(s);
    if (!tool_is_network(s->o->model))
        return tool_error("%s is neither a file nor a built-in network (oclnn-info --networks lists them)",
            s->o->model);
    if (oclnn_zoo_describe(s->o->model, &s->network) != OCLNN_OK)
        return tool_error("%s", oclnn_error_text(NULL));
    s->input = (struct oclnn_shape){4, {-1, s->network.channels, s->network.size, s->network.size}};
    if (s->o->replace_head)
        return tool_error("--replace-head is for files: %s is built with the data set's classes, or "
                          "--classes",
            s->network.name);
    if (s->o->images.width && s->o->images.width != s->o->images.height)
        return tool_error("%s takes square images, not %dx%d", s->network.name, s->o->images.width,
            s->o->images.height);
    return TOOL_OK;
}

/* A built-in network for the images and classes that the data set has. */
static int build_network(struct session *s)
{
    const struct oclnn_shape *image = &s->train.info.shape;
    struct oclnn_graph_params seed = {.seed = s->o->trainer.seed};
    struct oclnn_zoo_params params = {.classes = (int)s->classes};
    oclnn_graph *graph = NULL;
    enum oclnn_status status;
    char text[200];

    if (image->rank != 3 || image->dim[0] != s->network.channels || image->dim[1] != image->dim[2])
        return tool_error("%s takes square images of %d channel%s, those of %s are %s", s->network.name,
            s->network.channels, s->network.channels == 1 ? "" : "s", s->o->data,
            tool_shape_text(image, text));
    params.size = (int)image->dim[1];
    status = oclnn_graph_create(&seed, &graph);
    if (status == OCLNN_OK)
        status = oclnn_zoo_build(s->network.name, graph, &params);
    if (status == OCLNN_OK)
        status = oclnn_graph_set_init(graph, &s->o->init);
    if (status == OCLNN_OK)
        status = oclnn_model_create(s->ctx, &graph, NULL, &s->model);
    oclnn_graph_destroy(&graph);
    return status == OCLNN_OK ? TOOL_OK : tool_error("%s", oclnn_error_text(NULL));
}

static int replace_head(struct session *s)
{
    enum oclnn_status status;

    s->classes = s->o->classes ? s->o->classes : s->train.info.classes;
    status = oclnn_model_replace_head(s->model, (int)s->classes, s->o->trainer.seed);
    return status == OCLNN_OK ? TOOL_OK
                              : tool_fail(status, "%s: a last layer of %ld classes", s->o->model, s->classes);
}

/* A file keeps its last layer where nothing else is asked for. */
static int settle_classes(struct session *s)
{
    const bool fresh = s->o->classes || s->o->replace_head;

    s->classes = output_classes(s->model);
    if (fresh)
        return replace_head(s);
    if (!s->classes)
        s->classes = s->train.info.classes;
    if (train_network_classes(s) < s->train.info.classes)
        return tool_error("%s has %ld classes, %s has %d: --replace-head gives it a fresh last layer",
            s->o->model, train_network_classes(s), s->o->data, s->train.info.classes);
    if (s->classes > s->train.info.classes && !strncmp(s->o->data, "folder:", 7))
        tool_warn("%s has %ld classes, %s has %d, which are taken for its first: --replace-head gives it a "
                  "fresh "
                  "last layer",
            s->o->model, s->classes, s->o->data, s->train.info.classes);
    return TOOL_OK;
}

static int settle_model(struct session *s)
{
    long fixed = s->input.rank > 0 && s->input.dim[0] > 0 ? (long)s->input.dim[0] : 0;
    int code = TOOL_OK;

    s->batch = s->o->batch ? s->o->batch : fixed ? fixed : s->resumed.batch ? s->resumed.batch : 64;
    if (fixed && s->batch != fixed && oclnn_model_free_batch(s->model) != OCLNN_OK)
        return tool_error("%s takes %ld image%s at a time: --batch %ld does not fit: %s", s->o->model, fixed,
            fixed == 1 ? "" : "s", s->batch, oclnn_error_text(NULL));
    if (s->network.name) {
        s->classes = s->o->classes ? s->o->classes : s->train.info.classes;
        code = build_network(s);
    } else {
        code = settle_classes(s);
    }
    return code;
}

static int make_trainer(struct session *s)
{
    struct oclnn_trainer_params params = s->o->trainer;
    char *choices = NULL;
    int code = train_settle_weights(s, &params);
    enum oclnn_status status;

    if (code == TOOL_OK && s->o->choices)
        code = tool_read_text(s->o->choices, &choices);
    if (code != TOOL_OK)
        return code;
    params.choices = choices;
    status = oclnn_trainer_create(s->model, &params, &s->trainer);
    free(choices);
    if (status != OCLNN_OK)
        return tool_fail(status, "%s",
            strstr(oclnn_error_text(NULL), "choices") ? s->o->choices : s->o->model);
    if (!s->o->resume)
        return TOOL_OK;
    status = oclnn_trainer_load(s->trainer, s->o->resume);
    if (status != OCLNN_OK)
        return strstr(oclnn_error_text(NULL), s->o->resume) ? tool_error("%s", oclnn_error_text(NULL))
                                                            : tool_fail(status, "%s", s->o->resume);
    return TOOL_OK;
}

/* Part of the images may be for validation, by the seed of the run that goes on. */
static int look_at_checkpoint(struct session *s)
{
    const char *path = s->o->resume;
    enum oclnn_status status;

    s->seed = s->o->trainer.seed;
    if (!path)
        return TOOL_OK;
    status = oclnn_checkpoint_get_info(path, &s->resumed);
    if (status != OCLNN_OK)
        return strstr(oclnn_error_text(NULL), path) ? tool_error("%s", oclnn_error_text(NULL))
                                                    : tool_fail(status, "%s", path);
    if (s->seed && s->seed != s->resumed.seed)
        tool_warn("--seed %llu is not used: the run of %s has seed %llu", (unsigned long long)s->seed, path,
            (unsigned long long)s->resumed.seed);
    s->seed = s->resumed.seed;
    return TOOL_OK;
}

int train_setup(struct session *s)
{
    int code = check_files(s->o);

    if (code == TOOL_OK && !tool_is_file(s->o->model) && !tool_is_network(s->o->model))
        code = find_network(s); /* says so before a device is opened */
    if (code == TOOL_OK)
        code = look_at_checkpoint(s);
    if (code == TOOL_OK)
        code = tool_context(s->o->device, s->o->log_level, &s->ctx);
    if (code == TOOL_OK)
        code = find_network(s);
    if (code == TOOL_OK)
        code = train_open_data(s);
    if (code == TOOL_OK)
        code = settle_model(s);
    if (code == TOOL_OK)
        code = train_check_data(s);
    if (code == TOOL_OK)
        code = make_trainer(s);
    return code;
}
