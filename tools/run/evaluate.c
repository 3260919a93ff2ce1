/* --eval: right answers over a labelled set. */
#include "common/half.h"
#include "common/tool.h"
#include "run/run.h"
#include <stdlib.h>

struct score {
    int64_t seen, top1, top5;
};

/* Counts rows skip … n-1 of a batch. */
static int count(const struct runner *r, const oclnn_tensor *scores, const int32_t *labels, int64_t n,
    int64_t skip, struct score *s)
{
    struct oclnn_shape shape = oclnn_tensor_shape(scores);
    int64_t classes = n ? tool_elements(scores) / n : 0, top[5];
    char text[200];

    if (shape.rank < 1 || classes < 2 || tool_elements(scores) % n)
        return tool_error("output 0 is %s for %lld images: these are no classes",
            tool_shape_text(&shape, text), (long long)n);
    for (int64_t i = skip; i < n; i++) {
        int64_t want = (int64_t)labels[i] + r->o->label_offset;

        run_top(scores, i * classes, classes, 5, top);
        s->top1 += top[0] == want;
        for (int k = 0; k < 5; k++)
            s->top5 += top[k] == want;
        s->seen++;
    }
    return TOOL_OK;
}

/* Images first … first + n - 1 as the model wants them. */
static int run_batch(struct runner *r, const oclnn_samples *set, int64_t first, int64_t n, int64_t skip,
    const struct oclnn_image_params *params, enum oclnn_dtype dtype, struct score *s)
{
    struct tool_feed f = {0};
    oclnn_tensor *images = NULL;
    int32_t *labels = tool_alloc((size_t)n, sizeof(*labels));
    enum oclnn_status status = dtype == OCLNN_U8
        ? oclnn_samples_get(set, first, n, &images, labels)
        : oclnn_samples_get_f32(set, first, n, params, &images, labels);
    int code = status == OCLNN_OK ? TOOL_OK : tool_fail(status, "%s", r->o->eval);

    if (code == TOOL_OK && dtype != OCLNN_U8)
        code = tool_to_float_type(&images, dtype);
    if (code == TOOL_OK)
        code = tool_feed_one(&f, r->model, images);
    else
        oclnn_tensor_destroy(&images);
    if (code == TOOL_OK) {
        status = tool_feed_run(&f, r->model);
        code = status == OCLNN_OK ? count(r, f.out[0], labels, n, skip, s)
                                  : tool_fail(status, "%s", r->o->model);
    }
    tool_feed_finish(&f);
    free(labels);
    return code;
}

static void print_score(struct runner *r, const struct score *s, double ms)
{
    double n = s->seen ? (double)s->seen : 1;

    if (r->results) {
        json_t *row = json_object();

        tool_json_set(row, "set", tool_json_text(r->o->eval));
        tool_json_set(row, "images", json_integer(s->seen));
        tool_json_set(row, "top1", json_integer(s->top1));
        tool_json_set(row, "top5", json_integer(s->top5));
        tool_json_set(row, "images_per_s", tool_json_real(ms > 0 ? n / ms * 1e3 : 0));
        json_array_append_new(r->results, row);
        return;
    }
    printf("top-1 %lld of %lld (%.2f %%)\n", (long long)s->top1, (long long)s->seen,
        100 * (double)s->top1 / n);
    printf("top-5 %lld of %lld (%.2f %%)\n", (long long)s->top5, (long long)s->seen,
        100 * (double)s->top5 / n);
    if (!r->o->quiet)
        printf("%.0f images/s\n", ms > 0 ? n / ms * 1e3 : 0);
}

int run_evaluate(struct runner *r)
{
    struct oclnn_image_params params;
    struct oclnn_model_io io = {.name = ""};
    struct oclnn_samples_info info = {0};
    struct score s = {0};
    oclnn_samples *set = NULL;
    double start;
    enum oclnn_status status;
    int64_t batch, limit;
    int code = run_image_params(r, &params, &io);

    if (code != TOOL_OK)
        return code;
    status = oclnn_samples_open(r->o->eval, &set);
    if (status == OCLNN_OK)
        status = oclnn_samples_get_info(set, &info);
    if (status != OCLNN_OK)
        code = tool_fail(status, "%s", r->o->eval);
    limit = r->o->limit && r->o->limit < info.count ? r->o->limit : info.count;
    batch = io.shape.dim[0] > 0 ? io.shape.dim[0] : r->o->batch ? r->o->batch : 64;
    if (code == TOOL_OK && io.shape.dim[0] > limit)
        code = tool_error("the model takes %lld images at a time, the set has %lld", (long long)batch,
            (long long)limit);
    start = tool_now_ms();
    for (int64_t at = 0; at < limit && code == TOOL_OK && !tool_interrupted(); at += batch) {
        int64_t first = at, n = batch, skip = 0;

        if (at + n > limit && io.shape.dim[0] > 0) { /* a fixed batch: the last one overlaps the one before */
            first = limit - n;
            skip = at - first;
        } else if (at + n > limit) {
            n = limit - at;
        }
        code = run_batch(r, set, first, n, skip, &params, io.dtype, &s);
    }
    if (code == TOOL_OK)
        print_score(r, &s, tool_now_ms() - start);
    oclnn_samples_destroy(&set);
    return code;
}
