#include "common/feed.h"
#include "common/files.h"
#include "common/half.h"
#include "common/tool.h"
#include <stdlib.h>
#include <string.h>

int tool_shapes_add(struct tool_shapes *s, const char *text)
{
    const char *equal = strrchr(text, '=');
    struct oclnn_shape shape;

    if (!equal || equal == text || !tool_parse_shape(equal + 1, &shape))
        return tool_usage("--shape wants INPUT=1x3x224x224, not \"%s\"", text);
    s->item = tool_realloc(s->item, (size_t)s->n + 1, sizeof(*s->item));
    s->item[s->n].name = tool_strdup(text);
    s->item[s->n].name[equal - text] = 0;
    s->item[s->n++].shape = shape;
    return -1;
}

void tool_shapes_finish(struct tool_shapes *s)
{
    for (int i = 0; i < s->n; i++)
        free(s->item[i].name);
    free(s->item);
    *s = (struct tool_shapes){0};
}

static void start(struct tool_feed *f, const oclnn_model *model)
{
    f->n_in = oclnn_model_input_count(model);
    f->n_out = oclnn_model_output_count(model);
    f->in = tool_alloc((size_t)f->n_in, sizeof(*f->in));
    f->out = tool_alloc((size_t)f->n_out, sizeof(*f->out));
    f->bind_in = tool_alloc((size_t)f->n_in + 1, sizeof(*f->bind_in));
    f->bind_out = tool_alloc((size_t)f->n_out + 1, sizeof(*f->bind_out));
}

static struct oclnn_model_io input_of(const oclnn_model *model, int i)
{
    struct oclnn_model_io io = {.name = ""};

    oclnn_model_input(model, i, &io);
    return io;
}

static int load_wanted(struct tool_feed *f, const char *folder)
{
    int code = TOOL_OK;

    for (;;) {
        char *path = tool_format("%s/output_%d.pb", folder, f->n_want);
        bool is_there = tool_is_file(path);

        if (is_there) {
            f->want = tool_realloc(f->want, (size_t)f->n_want + 1, sizeof(*f->want));
            f->want[f->n_want] = NULL;
            code = tool_load_array(path, &f->want[f->n_want]);
            f->n_want += code == TOOL_OK;
        }
        free(path);
        if (!is_there || code != TOOL_OK)
            return code;
    }
}

int tool_feed_folder(struct tool_feed *f, const oclnn_model *model, const char *folder)
{
    int code = TOOL_OK;

    start(f, model);
    for (int i = 0; i < f->n_in && code == TOOL_OK; i++) {
        char *path = tool_format("%s/input_%d.pb", folder, i);

        if (!tool_is_file(path))
            code = tool_error("%s is missing: input '%s' has no data", path, input_of(model, i).name);
        else
            code = tool_load_array(path, &f->in[i]);
        free(path);
    }
    if (code == TOOL_OK)
        code = load_wanted(f, folder);
    if (code == TOOL_OK && f->n_want > f->n_out)
        code = tool_error("%s has %d outputs, the model has %d", folder, f->n_want, f->n_out);
    return code;
}

int tool_feed_npz(struct tool_feed *f, const oclnn_model *model, const char *path)
{
    struct tool_arrays arrays;
    int code = tool_load_npz(path, &arrays);

    if (code != TOOL_OK)
        return code;
    start(f, model);
    for (int i = 0; i < f->n_in && code == TOOL_OK; i++) {
        const char *name = input_of(model, i).name;
        int k = tool_arrays_find(&arrays, name);

        if (k < 0 && f->n_in == 1 && arrays.n == 1)
            k = 0;
        if (k < 0) {
            code = tool_error("%s has no array '%s' for the model's input of that name", path, name);
        } else {
            f->in[i] = arrays.tensor[k];
            arrays.tensor[k] = NULL;
        }
    }
    tool_arrays_finish(&arrays);
    return code;
}

int tool_feed_one(struct tool_feed *f, const oclnn_model *model, oclnn_tensor *tensor)
{
    start(f, model);
    if (f->n_in != 1) {
        oclnn_tensor_destroy(&tensor);
        return tool_error("the model has %d inputs, not one", f->n_in);
    }
    f->in[0] = tensor;
    return TOOL_OK;
}

static void fill(oclnn_tensor *t, uint64_t seed)
{
    void *data = oclnn_tensor_data(t);
    int64_t n = tool_elements(t);
    uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
    enum oclnn_dtype dtype = oclnn_tensor_dtype(t);

    for (int64_t i = 0; i < n; i++) {
        float v;

        state = state * 6364136223846793005ull + 1442695040888963407ull;
        v = (float)((int32_t)(state >> 32)) * 0x1p-31f; /* -1 … 1 */
        switch (dtype) {
        case OCLNN_F32: ((float *)data)[i] = v; break;
        case OCLNN_F64: ((double *)data)[i] = (double)v; break;
        case OCLNN_F16: ((uint16_t *)data)[i] = tool_half_bits(v); break;
        case OCLNN_BF16: ((uint16_t *)data)[i] = tool_bf16_bits(v); break;
        case OCLNN_U8: ((uint8_t *)data)[i] = (uint8_t)(state >> 33); break;
        case OCLNN_BOOL: ((uint8_t *)data)[i] = state >> 33 & 1; break;
        default: break; /* integers are usually indices or sizes: 0 is safe */
        }
    }
}

/* The shape to feed for an input: from --shape, else the model's with a free first dimension = batch. */
static int input_shape(const struct oclnn_model_io *io, const struct tool_shapes *shapes, long batch,
    struct oclnn_shape *out)
{
    char text[200], given_text[200];

    *out = io->shape;
    for (int i = 0; shapes && i < shapes->n; i++) {
        const struct oclnn_shape *given = &shapes->item[i].shape;
        bool fits = io->shape.rank < 0 || io->shape.rank == given->rank;

        if (strcmp(shapes->item[i].name, io->name))
            continue;
        for (int k = 0; fits && k < io->shape.rank; k++)
            fits = io->shape.dim[k] < 0 || io->shape.dim[k] == given->dim[k];
        if (!fits)
            return tool_error("input '%s' takes %s, not %s", io->name, tool_shape_text(&io->shape, text),
                tool_shape_text(given, given_text));
        *out = *given;
        return TOOL_OK;
    }
    if (out->rank >= 1 && out->dim[0] < 0)
        out->dim[0] = batch ? batch : 1;
    if (batch && out->rank >= 2 && out->dim[0] != batch)
        return tool_error("input '%s' has a fixed batch size: %s, so --batch %ld does not fit", io->name,
            tool_shape_text(&io->shape, text), batch);
    for (int k = 0; k < out->rank; k++)
        if (out->dim[k] < 0)
            return tool_error("input '%s' has free dimensions: %s; give --shape '%s=...' or --data FOLDER",
                io->name, tool_shape_text(&io->shape, text), io->name);
    if (out->rank < 0)
        return tool_error("input '%s' has no declared shape; give --shape '%s=...'", io->name, io->name);
    return TOOL_OK;
}

int tool_feed_random(struct tool_feed *f, const oclnn_model *model, const struct tool_shapes *shapes,
    long batch)
{
    start(f, model);
    for (int k = 0; shapes && k < shapes->n; k++) {
        bool is_known = false;

        for (int i = 0; i < f->n_in && !is_known; i++)
            is_known = !strcmp(input_of(model, i).name, shapes->item[k].name);
        if (!is_known)
            return tool_error("--shape names '%s', which is no input of the model", shapes->item[k].name);
    }
    for (int i = 0; i < f->n_in; i++) {
        struct oclnn_model_io io = input_of(model, i);
        struct oclnn_shape shape;
        enum oclnn_status status;
        int code = input_shape(&io, shapes, batch, &shape);

        if (code != TOOL_OK)
            return code;
        status = oclnn_tensor_create(io.dtype, shape, NULL, &f->in[i]);
        if (status != OCLNN_OK)
            return tool_fail(status, "input '%s'", io.name);
        fill(f->in[i], (uint64_t)i + 1);
    }
    return TOOL_OK;
}

int tool_feed_like(struct tool_feed *f, const oclnn_model *model, const struct tool_feed *from)
{
    start(f, model);
    for (int i = 0; i < f->n_in && i < from->n_in; i++) {
        enum oclnn_status status = oclnn_tensor_create(oclnn_tensor_dtype(from->in[i]),
            oclnn_tensor_shape(from->in[i]), oclnn_tensor_data(from->in[i]), &f->in[i]);

        if (status != OCLNN_OK)
            return tool_fail(status, "input %d", i);
    }
    return TOOL_OK;
}

void tool_feed_bind(struct tool_feed *f)
{
    for (int i = 0; i < f->n_in; i++)
        f->bind_in[i] = (struct oclnn_binding){.tensor = f->in[i]};
}

enum oclnn_status tool_feed_run(struct tool_feed *f, oclnn_model *model)
{
    tool_feed_bind(f);
    for (int i = 0; i < f->n_out; i++)
        f->bind_out[i] = f->out[i] ? (struct oclnn_binding){.tensor = f->out[i]}
                                   : (struct oclnn_binding){.result = &f->out[i]};
    return oclnn_model_run(model, f->bind_in, f->bind_out);
}

int64_t tool_feed_batch(const struct tool_feed *f)
{
    for (int i = 0; i < f->n_in; i++)
        if (oclnn_tensor_shape(f->in[i]).rank >= 2)
            return oclnn_tensor_shape(f->in[i]).dim[0];
    return 1;
}

int tool_feed_save(const struct tool_feed *f, const char *path)
{
    struct tool_arrays arrays = {.n = f->n_out};
    int code;

    arrays.name = tool_alloc((size_t)f->n_out, sizeof(*arrays.name));
    arrays.tensor = tool_alloc((size_t)f->n_out, sizeof(*arrays.tensor));
    for (int i = 0; i < f->n_out; i++) {
        arrays.name[i] = tool_format("out_%d", i);
        arrays.tensor[i] = f->out[i];
    }
    code = tool_save_npz(path, &arrays);
    memset(arrays.tensor, 0, (size_t)f->n_out * sizeof(*arrays.tensor)); /* they stay ours */
    tool_arrays_finish(&arrays);
    return code;
}

static void destroy_all(oclnn_tensor **list, int n)
{
    for (int i = 0; list && i < n; i++)
        oclnn_tensor_destroy(&list[i]);
    free(list);
}

void tool_feed_finish(struct tool_feed *f)
{
    destroy_all(f->in, f->n_in);
    destroy_all(f->out, f->n_out);
    destroy_all(f->want, f->n_want);
    free(f->bind_in);
    free(f->bind_out);
    *f = (struct tool_feed){0};
}

static bool holds_data(const char *folder)
{
    char *in = tool_format("%s/input_0.pb", folder), *out = tool_format("%s/output_0.pb", folder);
    bool found = tool_is_file(in) || tool_is_file(out);

    free(in);
    free(out);
    return found;
}

int tool_data_sets(const char *path, char ***out, int *n)
{
    *out = NULL;
    *n = 0;
    if (!tool_is_folder(path))
        return tool_error("%s is not a folder", path);
    if (holds_data(path)) {
        *out = tool_alloc(1, sizeof(**out));
        (*out)[(*n)++] = tool_strdup(path);
        return TOOL_OK;
    }
    for (;;) {
        char *set = tool_format("%s/test_data_set_%d", path, *n);

        if (!tool_is_folder(set)) {
            free(set);
            break;
        }
        *out = tool_realloc(*out, (size_t)*n + 1, sizeof(**out));
        (*out)[(*n)++] = set;
    }
    if (*n == 0)
        return tool_error("%s holds neither input_0.pb nor test_data_set_0", path);
    return TOOL_OK;
}
