/* A training step on one device: some steps whose losses are reported, then the timed ones on the same batch. */
#include "bench/rows.h"
#include "common/files.h"
#include "common/networks.h"
#include "common/stats.h"
#include "common/tool.h"
#include <oclnn/train.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct bench_job *job;
    oclnn_context *ctx;
    oclnn_model *model;
    oclnn_trainer *trainer;
    struct tool_feed feed;
    oclnn_tensor *target;
    struct tool_samples samples;
    double load_ms, first_ms;
    float *loss; /* of the first o->train_steps steps */
};

static enum oclnn_status once(void *user)
{
    struct run *r = user;
    float loss;

    return oclnn_trainer_step(r->trainer, NULL, NULL, &loss);
}

/* The array "y" of the data file. */
static int load_target(struct run *r, const char *path)
{
    struct tool_arrays arrays;
    int k, code = tool_load_npz(path, &arrays);

    if (code != TOOL_OK)
        return code;
    k = tool_arrays_find(&arrays, "y");
    if (k < 0) {
        code = tool_error("%s has no array 'y' with the targets", path);
    } else {
        r->target = arrays.tensor[k];
        arrays.tensor[k] = NULL;
    }
    tool_arrays_finish(&arrays);
    return code;
}

/* Classes from a seed for whatever the model predicts, which the planner knows. */
static int make_target(struct run *r)
{
    struct oclnn_shape y, t = {.rank = 1};
    uint64_t state = 1;
    int64_t *label, n = 1;

    tool_feed_bind(&r->feed);
    if (oclnn_model_prepare(r->model, r->feed.bind_in) != OCLNN_OK ||
        oclnn_model_output_shape(r->model, 0, &y) != OCLNN_OK)
        return tool_error("%s", oclnn_error_text(NULL));
    if (y.rank < 2)
        return tool_error("the prediction has no axis of classes: give --data BATCH.npz with an array 'y'");
    t.dim[0] = y.dim[0];
    for (int i = 2; i < y.rank; i++)
        t.dim[t.rank++] = y.dim[i];
    if (oclnn_tensor_create(OCLNN_I64, t, NULL, &r->target) != OCLNN_OK)
        return tool_error("%s", oclnn_error_text(NULL));
    label = oclnn_tensor_data(r->target);
    for (int i = 0; i < t.rank; i++)
        n *= t.dim[i];
    for (int64_t i = 0; i < n; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        label[i] = (int64_t)((state >> 33) % (uint64_t)y.dim[1]);
    }
    return TOOL_OK;
}

static int fill_feed(struct run *r)
{
    const struct bench_options *o = r->job->o;
    int code;

    if (o->data && tool_is_folder(o->data))
        return tool_error("--train wants --data BATCH.npz (inputs by name and 'y'), not a folder");
    if (o->data) {
        code = tool_feed_npz(&r->feed, r->model, o->data);
        if (code == TOOL_OK)
            code = load_target(r, o->data);
    } else {
        code = tool_feed_random(&r->feed, r->model, &o->shapes, r->job->batch);
        if (code == TOOL_OK)
            code = make_target(r);
    }
    if (code == TOOL_OK)
        tool_feed_bind(&r->feed);
    return code;
}

/* The gradients of the step just made, by the parameters' names. */
static int save_gradients(struct run *r)
{
    struct tool_arrays a = {0};
    int n = oclnn_model_parameter_count(r->model), code = TOOL_OK;

    a.name = tool_alloc((size_t)n + 1, sizeof(*a.name));
    a.tensor = tool_alloc((size_t)n + 1, sizeof(*a.tensor));
    for (int i = 0; i < n && code == TOOL_OK; i++) {
        struct oclnn_model_io io;
        enum oclnn_status status = oclnn_model_parameter(r->model, i, &io);

        if (status == OCLNN_OK)
            status = oclnn_tensor_create(OCLNN_F32, io.shape, NULL, &a.tensor[a.n]);
        if (status != OCLNN_OK)
            return tool_fail(status, "gradients");
        status = oclnn_trainer_read_gradient(r->trainer, io.name, oclnn_tensor_data(a.tensor[a.n]),
            oclnn_tensor_bytes(a.tensor[a.n]));
        if (status == OCLNN_OK)
            a.name[a.n++] = tool_strdup(io.name);
        else
            oclnn_tensor_destroy(&a.tensor[a.n]); /* frozen, or without influence on the loss */
    }
    code = tool_save_npz(r->job->o->outputs, &a);
    tool_arrays_finish(&a);
    return code;
}

static enum oclnn_status profile(void *user, int runs, struct oclnn_profile_row *rows, int capacity,
    int *count)
{
    const struct run *r = user;

    return oclnn_trainer_profile(r->trainer, runs, rows, capacity, count);
}

static void add_row(struct run *r, const char *name)
{
    struct oclnn_trainer_bytes b = {0};
    const int64_t batch = tool_feed_batch(&r->feed);
    json_t *row = bench_row_start(r->job, name, batch, "f32"), *losses = json_array(), *bytes = json_object();

    tool_json_set(row, "mode", tool_json_text("train"));
    tool_json_set(row, "load_ms", tool_json_real(r->load_ms));
    tool_json_set(row, "first_answer_ms", tool_json_real(r->first_ms));
    for (long i = 0; i < r->job->o->train_steps; i++)
        json_array_append_new(losses, tool_json_real((double)r->loss[i]));
    tool_json_set(row, "losses", losses);
    if (oclnn_trainer_get_bytes(r->trainer, &b) == OCLNN_OK) {
        tool_json_set(bytes, "parameters", json_integer((json_int_t)b.parameters));
        tool_json_set(bytes, "gradients", json_integer((json_int_t)b.gradients));
        tool_json_set(bytes, "moments", json_integer((json_int_t)b.moments));
        tool_json_set(bytes, "arena", json_integer((json_int_t)b.arena));
        tool_json_set(bytes, "arena_tensors", json_integer((json_int_t)b.activations));
        tool_json_set(bytes, "arena_lower_bound", json_integer((json_int_t)b.arena_lower_bound));
        tool_json_set(bytes, "workspace", json_integer((json_int_t)b.workspace));
        tool_json_set(bytes, "recomputed", json_integer((json_int_t)b.recomputed));
    }
    tool_json_set(row, "bytes", bytes);
    bench_row_times(r->job, row, &r->samples, (double)batch, 0);
    bench_row_verify(row, "none", 0, 0);
    if (r->job->o->per_layer)
        bench_row_layers(r->job, row, profile, r, 3);
    bench_report_add(r->job->report, row);
}

static enum oclnn_status measure(struct run *r, const char *name)
{
    const struct bench_options *o = r->job->o;
    struct oclnn_model_params params = {.variant = o->variant,
        .format = o->format,
        .passes_off = o->passes_off};
    struct oclnn_trainer_params training = {.loss = o->loss, .optimizer = o->optimizer};
    double start = tool_now_ms();
    enum oclnn_status status = tool_model_open(r->ctx, r->job->item, 0, &params, &r->model);
    struct oclnn_binding target[2] = {{0}};

    r->load_ms = tool_now_ms() - start;
    if (status != OCLNN_OK)
        return status;
    if (fill_feed(r) != TOOL_OK) {
        bench_report_error(r->job->report, r->job->device.name, r->job->item, tool_last_error());
        return OCLNN_OK;
    }
    status = oclnn_trainer_create(r->model, &training, &r->trainer);
    target[0].tensor = r->target;
    r->loss = tool_alloc((size_t)o->train_steps, sizeof(*r->loss));
    if (status == OCLNN_OK && o->outputs)
        status = oclnn_trainer_keep_gradients(r->trainer);
    for (long i = 0; i < o->train_steps && status == OCLNN_OK; i++) {
        status = oclnn_trainer_step(r->trainer, i ? NULL : r->feed.bind_in, i ? NULL : target, &r->loss[i]);
        if (i == 0)
            r->first_ms = tool_now_ms() - start;
        if (i == 0 && status == OCLNN_OK && o->outputs && save_gradients(r) != TOOL_OK)
            bench_report_error(r->job->report, r->job->device.name, r->job->item, tool_last_error());
    }
    if (status == OCLNN_OK)
        status = bench_time(r->job, once, r, &r->samples);
    if (status == OCLNN_OK)
        add_row(r, name);
    return status;
}

void bench_training(const struct bench_job *job)
{
    struct run r = {.job = job};
    char *name = tool_model_name(job->item);
    enum oclnn_status status = bench_context(job, &r.ctx);

    if (status == OCLNN_OK)
        status = measure(&r, name);
    if (status != OCLNN_OK)
        bench_job_fail(job, status, NULL);
    oclnn_trainer_destroy(&r.trainer);
    tool_feed_finish(&r.feed);
    free(r.loss);
    oclnn_tensor_destroy(&r.target);
    tool_samples_finish(&r.samples);
    oclnn_model_destroy(&r.model);
    oclnn_context_destroy(&r.ctx);
    free(name);
}
