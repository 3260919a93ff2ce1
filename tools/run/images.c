/* Images and .npz files from the command line. */
#include "common/half.h"
#include "common/tool.h"
#include "run/run.h"
#include <stdlib.h>
#include <string.h>

int run_image_params(const struct runner *r, struct oclnn_image_params *out, struct oclnn_model_io *io)
{
    const struct run_options *o = r->o;
    int64_t height, width, channels;
    char text[200];

    if (oclnn_model_input_count(r->model) != 1)
        return tool_error("%s has %d inputs: give an .npz or --data instead of images", o->model,
            oclnn_model_input_count(r->model));
    if (oclnn_model_input(r->model, 0, io) != OCLNN_OK || io->shape.rank != 4)
        return tool_error("input '%s' is %s, which is no image", io->name, tool_shape_text(&io->shape, text));
    *out = o->image;
    if (!o->has_layout)
        out->nhwc = io->shape.dim[1] != 1 && io->shape.dim[1] != 3 &&
            (io->shape.dim[3] == 1 || io->shape.dim[3] == 3);
    channels = io->shape.dim[out->nhwc ? 3 : 1];
    height = io->shape.dim[out->nhwc ? 1 : 2];
    width = io->shape.dim[out->nhwc ? 2 : 3];
    if (channels != 1 && channels != 3 && channels >= 0)
        return tool_error("input '%s' is %s: an image has 1 or 3 channels", io->name,
            tool_shape_text(&io->shape, text));
    out->grey = channels == 1;
    out->u8 = io->dtype == OCLNN_U8;
    if (!o->has_resize && !o->has_crop && height > 0 && width > 0) {
        if (height == width) {
            out->short_side = out->crop_width = out->crop_height = (int)height;
        } else {
            out->width = (int)width;
            out->height = (int)height;
        }
    } else if (o->has_resize && out->short_side && !o->has_crop && height > 0 && width > 0) {
        out->crop_width = (int)width;
        out->crop_height = (int)height;
    }
    return TOOL_OK;
}

/* One image as the model's only input. */
static int load_image(struct runner *r, const char *path, struct tool_feed *f)
{
    struct oclnn_image_params params;
    struct oclnn_model_io io = {.name = ""};
    oclnn_tensor *image = NULL;
    enum oclnn_status status;
    int code = run_image_params(r, &params, &io);

    if (code != TOOL_OK)
        return code;
    status = oclnn_image_load(path, &params, &image);
    if (status != OCLNN_OK)
        return strstr(oclnn_error_text(NULL), path) ? tool_error("%s", oclnn_error_text(NULL))
                                                    : tool_fail(status, "%s", path);
    if (io.dtype != OCLNN_U8)
        code = tool_to_float_type(&image, io.dtype);
    if (code == TOOL_OK)
        code = tool_feed_one(f, r->model, image);
    else
        oclnn_tensor_destroy(&image);
    return code;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);

    return n >= k && !strcmp(text + n - k, end);
}

int run_inputs(struct runner *r)
{
    int worst = TOOL_OK;

    for (int i = 0; i < r->o->n_inputs && !tool_interrupted(); i++) {
        const char *path = r->o->input[i];
        struct tool_feed f = {0};
        int code;

        if (!tool_is_file(path))
            code = tool_error("%s: no such file", path);
        else
            code = ends_with(path, ".npz") ? tool_feed_npz(&f, r->model, path) : load_image(r, path, &f);
        if (code == TOOL_OK)
            code = run_feed(r, &f);
        if (f.out && f.n_out > 0 && f.out[0]) {
            int answered = run_answers(r, &f, path);

            code = code == TOOL_OK ? answered : code;
        }
        tool_feed_finish(&f);
        worst = code != TOOL_OK ? code : worst;
    }
    return worst;
}
