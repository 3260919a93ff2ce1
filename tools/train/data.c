/* The data sets of a training run. */
#include "common/tool.h"
#include "train/train.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "mnist:DIR" and "cifar10:DIR" stand for the part of the folder that is for testing. malloc'ed. */
static char *test_part(const char *spec)
{
    const char *colon = strchr(spec, ':');

    if (colon && !strncmp(spec, "mnist:", 6) && tool_is_folder(colon + 1))
        return tool_format("%s/t10k", spec);
    if (colon && !strncmp(spec, "cifar10:", 8) && tool_is_folder(colon + 1))
        return tool_format("%s/test_batch.bin", spec);
    return tool_strdup(spec);
}

static bool is_there(const char *path, const char *end)
{
    char *plain = tool_format("%s%s", path, end), *packed = tool_format("%s%s.gz", path, end);
    bool found = tool_is_file(plain) || tool_is_file(packed);

    free(plain);
    free(packed);
    return found;
}

/* The test part that lies beside the training data; NULL if there is none. malloc'ed. */
static char *test_beside(const char *data)
{
    const char *path = strchr(data, ':');
    char *spec = NULL;
    size_t n;

    if (!path)
        return NULL;
    path++;
    n = strlen(path);
    if (!strncmp(data, "mnist:", 6) && n > 6 && !strcmp(path + n - 6, "/train"))
        spec = tool_format("mnist:%.*s/t10k", (int)(n - 6), path);
    else if (tool_is_folder(path) && strncmp(data, "folder:", 7) && strncmp(data, "masks:", 6))
        spec = test_part(data);
    if (spec && !is_there(strchr(spec, ':') + 1, strncmp(spec, "mnist:", 6) ? "" : "-images-idx3-ubyte")) {
        free(spec);
        spec = NULL;
    }
    return spec;
}

static int open_set(struct session *s, const char *spec, oclnn_dataset **out)
{
    enum oclnn_status status;
    struct oclnn_dataset_params params = s->o->images;

    if (!params.width && s->input.rank == 4 && s->input.dim[3] > 0 && s->input.dim[2] > 0) {
        params.width = (int)s->input.dim[3];
        params.height = (int)s->input.dim[2];
    }
    params.grey = s->input.rank == 4 && s->input.dim[1] == 1;
    status = oclnn_dataset_open(s->ctx, spec, &params, out);
    if (status == OCLNN_OK)
        return TOOL_OK;
    return strstr(oclnn_error_text(NULL), spec) ? tool_error("%s", oclnn_error_text(NULL))
                                                : tool_fail(status, "%s", spec);
}

static int look_at(struct train_set *set)
{
    enum oclnn_status status = oclnn_dataset_get_info(set->data, &set->info);

    return status == OCLNN_OK ? TOOL_OK : tool_fail(status, "data set");
}

/* Takes a part out of the training set for validation. */
static int split(struct session *s)
{
    enum oclnn_status status;

    s->train.whole = s->train.data;
    s->train.data = NULL;
    status = oclnn_dataset_split(s->train.whole, s->o->val_split, s->seed, &s->train.data, &s->val.data);
    return status == OCLNN_OK ? look_at(&s->val) : tool_fail(status, "--val-split %g", s->o->val_split);
}

static int open_other(struct session *s, const char *option, struct train_set *set)
{
    char *spec = test_part(option);
    int code = open_set(s, spec, &set->data);

    free(spec);
    return code == TOOL_OK ? look_at(set) : code;
}

static int open_test(struct session *s)
{
    char *found = s->o->test ? NULL : test_beside(s->o->data);
    int code = TOOL_OK;

    if (s->o->test) {
        code = open_other(s, s->o->test, &s->test);
    } else if (found && !s->o->val) {
        code = open_set(s, found, &s->test.data);
        code = code == TOOL_OK ? look_at(&s->test) : code;
    } else if (s->val.data) {
        s->test = s->val;
        s->test_is_val = true;
    }
    free(found);
    return code;
}

int train_open_data(struct session *s)
{
    int code = open_set(s, s->o->data, &s->train.data);

    if (code == TOOL_OK && s->o->val_split > 0)
        code = split(s);
    if (code == TOOL_OK)
        code = look_at(&s->train);
    if (code == TOOL_OK && s->o->val)
        code = open_other(s, s->o->val, &s->val);
    return code == TOOL_OK ? open_test(s) : code;
}

static int check_set(const struct session *s, const struct train_set *set, const char *option)
{
    const struct oclnn_dataset_info *a = &s->train.info, *b = &set->info;
    char want[200], have[200];

    if (!set->data)
        return TOOL_OK;
    if (a->shape.rank != b->shape.rank ||
        memcmp(a->shape.dim, b->shape.dim, sizeof(a->shape.dim[0]) * (size_t)a->shape.rank))
        return tool_error("%s has images of %s, --data of %s", option, tool_shape_text(&b->shape, have),
            tool_shape_text(&a->shape, want));
    if (a->per_pixel != b->per_pixel)
        return tool_error("%s has a class per %s, --data one per %s", option,
            b->per_pixel ? "pixel" : "image", a->per_pixel ? "pixel" : "image");
    if (b->classes > train_network_classes(s))
        return tool_error("%s has labels up to %d, the network %ld classes", option, b->classes - 1,
            train_network_classes(s));
    for (int i = 0; i < b->classes && i < a->classes; i++) {
        const char *first = oclnn_dataset_class_name(s->train.data, i),
                   *second = oclnn_dataset_class_name(set->data, i);

        if (first && second && strcmp(first, second))
            return tool_error("%s: class %d is \"%s\", in --data it is \"%s\": both need the same folders",
                option, i, second, first);
    }
    return TOOL_OK;
}

long train_network_classes(const struct session *s)
{
    return s->classes == 1 && train_loss_takes_numbers(s->o) ? 2 : s->classes;
}

int train_check_data(const struct session *s)
{
    int code = TOOL_OK;

    if (s->train.info.classes > train_network_classes(s))
        return tool_error("--data has labels up to %d, the network %ld classes", s->train.info.classes - 1,
            train_network_classes(s));
    if (s->train.info.count < s->batch && !s->o->keep_last)
        return tool_error("--data has %lld images, one step takes %ld: choose a smaller --batch, or "
                          "--keep-last",
            (long long)s->train.info.count, s->batch);
    if (!s->o->val_split)
        code = check_set(s, &s->val, "--val");
    return code == TOOL_OK && !s->test_is_val ? check_set(s, &s->test, "the test set") : code;
}
