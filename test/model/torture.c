/* Every allocation fails once, without a device: building, importing, reading and writing files, problems. */
#include "harness/torture.h"
#include "io/onnx.h"
#include "io/pb.h"
#include "io/temp.h"
#include "ops/problem.h"
#include "pass/infer.h"
#include "train/checkpoint_file.h"
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <zlib.h>

#define TRY(call) \
    do { \
        if (status == OCLNN_OK) \
            status = (call); \
    } while (0)

/* ---- graphs ---- */
static enum oclnn_status zoo(const char *name, uint64_t *answer)
{
    oclnn_graph *g = NULL;
    struct oclnn_shape shape = {0};
    enum oclnn_status status = oclnn_graph_create(NULL, &g);
    TRY(oclnn_zoo_build(name, g, &(struct oclnn_zoo_params){.batch = 1}));
    TRY(oclnn_graph_status(g));
    TRY(oclnn_value_shape(g, 1, &shape));
    onn_torture_mix(answer, &shape, sizeof shape);
    oclnn_graph_destroy(&g);
    return status;
}

static enum oclnn_status small_network(uint64_t *answer)
{
    return zoo("mnist-conv2", answer);
}

static enum oclnn_status big_network(uint64_t *answer)
{
    return zoo("resnet20-cifar", answer);
}

static enum oclnn_status deep_network(uint64_t *answer)
{
    return zoo("densenet121", answer);
}

static enum oclnn_status layers(uint64_t *answer)
{
    oclnn_graph *g = NULL;
    struct oclnn_shape shape = {0};
    enum oclnn_status status = oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g);
    if (status != OCLNN_OK)
        return status;
    oclnn_graph_scope(g, "stage1.");
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 4, 8, 8));
    oclnn_value y =
        oclnn_batch_norm(g, oclnn_conv2d(g, x, 4, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}}), NULL);
    y = oclnn_relu(g, oclnn_add(g, x, y));
    y = oclnn_concat(g, (oclnn_value[]){x, y}, 2, 1);
    y = oclnn_max_pool2d(g, y, 2, NULL);
    y = oclnn_softmax(g, oclnn_dense(g, oclnn_flatten(g, y), 10, NULL), -1);
    x = oclnn_constant_of_shape(g, oclnn_shape_of(g, y), OCLNN_F32, 0.5);
    y = oclnn_where(g, oclnn_less(g, y, x), oclnn_neg(g, y), x);
    oclnn_output(g, "y", y);
    TRY(oclnn_graph_status(g));
    TRY(oclnn_value_shape(g, y, &shape));
    onn_torture_mix(answer, &shape, sizeof shape);
    oclnn_graph_destroy(&g);
    return status;
}

/* ---- ONNX ---- */
static struct pb model;

/* y = If(c, Relu(x), Conv(x, w)), with w one of the initialisers, and an old Reshape. */
static void make_model(void)
{
    static struct pb graph, branch[2], node, attr, value;
    static const float w[4 * 3] = {1, 2, 3};
    static const int64_t to[2] = {1, -1};
    const int64_t dims[4] = {1, 3, 8, 8};
    pb_value(&value, "x", 1, dims, 4);
    pb_sub(&graph, 11, &value);
    pb_value(&value, "c", 9, NULL, 0);
    pb_sub(&graph, 11, &value);
    for (int k = 0; k < 2; k++) {
        static struct pb t;
        if (k == 1) {
            pb_tensor(&t, "w", 1, (int64_t[]){4, 3, 1, 1}, 4, 9, w, sizeof w);
            pb_sub(&branch[1], 5, &t);
        }
        pb_node(&node, k == 0 ? "Relu" : "Conv", k == 0 ? "x" : "x,w", "z");
        pb_text(&node, 3, "inner");
        pb_sub(&branch[k], 1, &node);
        pb_value(&value, "z", 1, NULL, 0);
        pb_sub(&branch[k], 12, &value);
    }
    pb_node(&node, "If", "c", "z");
    pb_attr_sub(&node, "then_branch", 6, 5, &branch[0]);
    pb_attr_sub(&node, "else_branch", 6, 5, &branch[1]);
    pb_sub(&graph, 1, &node);
    pb_tensor(&attr, "to", 7, (int64_t[]){2}, 1, 9, to, sizeof to);
    pb_sub(&graph, 5, &attr);
    pb_node(&node, "Reshape", "z,to", "v");
    pb_sub(&graph, 1, &node);
    pb_node(&node, "Clip", "v", "y");
    pb_attr_float(&node, "min", 0);
    pb_attr_float(&node, "max", 6);
    pb_sub(&graph, 1, &node);
    pb_value(&value, "y", 1, NULL, 0);
    pb_sub(&graph, 12, &value);
    pb_model(&model, &graph, 9);
}

static enum oclnn_status import(const void *bytes, size_t size, const char *path, uint64_t *answer)
{
    struct onn_graph *g = NULL;
    enum oclnn_status status =
        path ? onn_onnx_load_file(path, NULL, &g) : onn_onnx_load_memory(bytes, size, NULL, NULL, &g);
    if (status == OCLNN_OK) {
        int facts[] = {g->n_nodes, g->n_values, g->n_inputs, g->n_outputs};
        onn_torture_mix(answer, facts, sizeof facts);
    }
    onn_graph_destroy(&g);
    return status;
}

static enum oclnn_status onnx_memory(uint64_t *answer)
{
    return import(model.bytes, model.n, NULL, answer);
}

static enum oclnn_status onnx_file(uint64_t *answer)
{
    return import(NULL, 0, temp_path("m.onnx"), answer);
}

static void mix_file(uint64_t *answer, const char *path)
{
    static unsigned char bytes[1 << 16];
    FILE *f = fopen(path, "rb");
    if (f) {
        onn_torture_mix(answer, bytes, fread(bytes, 1, sizeof bytes, f));
        fclose(f);
    }
}

static enum oclnn_status onnx_export(uint64_t *answer)
{
    const char *path = temp_path("out.onnx");
    struct onn_graph *g = NULL;
    struct onn_desc *types = NULL;
    enum oclnn_status status = onn_onnx_load_memory(model.bytes, model.n, NULL, NULL, &g);
    remove(path);
    if (status == OCLNN_OK) {
        types = onn_calloc((size_t)g->n_values, sizeof *types);
        status = types ? onn_pass_types(g, types) : OCLNN_ERROR_MEMORY;
    }
    TRY(onn_onnx_save(g, types, path));
    if (status == OCLNN_OK)
        mix_file(answer, path);
    onn_free(types);
    onn_graph_destroy(&g);
    return status;
}

static enum oclnn_status checkpoint(uint64_t *answer)
{
    const char *path = temp_path("run.ckpt");
    struct onn_checkpoint c = {0}, back = {0};
    struct onn_blob *blob = NULL;
    int64_t number = 0;
    const struct onn_desc d = onn_desc_make(OCLNN_F32, 1, (int64_t[]){100});
    enum oclnn_status status = onn_blob_create(&d, NULL, &blob);
    TRY(onn_checkpoint_add_blob(&c, "weight", blob));
    TRY(onn_checkpoint_add_text(&c, "text", "words"));
    TRY(onn_checkpoint_add_i64(&c, "number", 42));
    TRY(onn_checkpoint_write(&c, path));
    TRY(onn_checkpoint_read(path, &back));
    TRY(onn_checkpoint_get_i64(&back, "number", &number));
    onn_torture_mix(answer, &number, sizeof number);
    onn_checkpoint_finish(&c);
    onn_checkpoint_finish(&back);
    onn_blob_unref(&blob);
    return status;
}

static enum oclnn_status tensor_pb(uint64_t *answer)
{
    struct onn_blob **list = NULL;
    int n = 0;
    enum oclnn_status status = onn_tensor_pb_load_all(temp, "input", &list, &n);
    for (int i = 0; i < n; i++) {
        onn_torture_mix(answer, list[i]->data,
            (size_t)onn_desc_elements(&list[i]->desc) * oclnn_dtype_size(list[i]->desc.dtype));
        onn_blob_unref(&list[i]);
    }
    onn_free(list);
    return status;
}

/* ---- files ---- */
static void mix_tensor(uint64_t *answer, const oclnn_tensor *t)
{
    if (t)
        onn_torture_mix(answer, oclnn_tensor_data(t), oclnn_tensor_bytes(t));
}

static enum oclnn_status arrays(uint64_t *answer)
{
    static const float numbers[6] = {1, 2, 3, 4, 5, 6};
    oclnn_tensor *t = NULL, *back = NULL;
    oclnn_npz *npz = NULL;
    enum oclnn_status status = oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(2, 3), numbers, &t);
    TRY(oclnn_tensor_save(temp_path("a.npy"), t));
    TRY(oclnn_tensor_load(temp_path("a.npy"), &back));
    mix_tensor(answer, back);
    oclnn_tensor_destroy(&back);
    TRY(oclnn_npz_save(temp_path("a.npz"), 2, (const char *const[]){"first", "second"},
        (const oclnn_tensor *const[]){t, t}));
    TRY(oclnn_npz_open(temp_path("a.npz"), &npz));
    for (int i = 0; status == OCLNN_OK && i < oclnn_npz_count(npz); i++) {
        TRY(oclnn_npz_get(npz, i, &back));
        mix_tensor(answer, back);
        oclnn_tensor_destroy(&back);
    }
    oclnn_npz_destroy(&npz);
    oclnn_tensor_destroy(&t);
    return status;
}

static enum oclnn_status images(uint64_t *answer)
{
    oclnn_tensor *t = NULL, *back = NULL;
    const struct oclnn_image_params params = {.short_side = 9, .crop_width = 8, .crop_height = 8, .bgr = 1};
    enum oclnn_status status = oclnn_tensor_create(OCLNN_U8, OCLNN_SHAPE(1, 3, 13, 17), NULL, &t);
    if (t)
        memset(oclnn_tensor_data(t), 77, oclnn_tensor_bytes(t));
    TRY(oclnn_image_save(temp_path("a.png"), t, NULL));
    TRY(oclnn_image_load(temp_path("a.png"), &params, &back));
    mix_tensor(answer, back);
    oclnn_tensor_destroy(&back);
    oclnn_tensor_destroy(&t);
    return status;
}

static enum oclnn_status samples_of(const char *spec, uint64_t *answer)
{
    oclnn_samples *s = NULL;
    oclnn_tensor *x = NULL;
    int32_t label[2] = {0, 0};
    enum oclnn_status status = oclnn_samples_open(spec, &s);
    TRY(oclnn_samples_get(s, 0, 2, &x, label));
    mix_tensor(answer, x);
    oclnn_tensor_destroy(&x);
    TRY(oclnn_samples_get_f32(s, 0, 2, &(struct oclnn_image_params){.scale = 0.5f}, &x, label));
    mix_tensor(answer, x);
    oclnn_tensor_destroy(&x);
    onn_torture_mix(answer, label, sizeof label);
    oclnn_samples_destroy(&s);
    return status;
}

static enum oclnn_status samples_idx(uint64_t *answer)
{
    char spec[300];
    snprintf(spec, sizeof spec, "mnist:%s", temp);
    return samples_of(spec, answer);
}

static enum oclnn_status samples_cifar(uint64_t *answer)
{
    char spec[300];
    snprintf(spec, sizeof spec, "cifar10:%s", temp_path("c.bin"));
    return samples_of(spec, answer);
}

static enum oclnn_status samples_npy(uint64_t *answer)
{
    char spec[600];
    snprintf(spec, sizeof spec, "npy:%s,%s", temp_path("x.npy"), temp_path("l.csv"));
    return samples_of(spec, answer);
}

/* ---- problems ---- */
static enum oclnn_status problem(const char *text, uint64_t *answer)
{
    oclnn_problem *p = NULL;
    enum oclnn_status status = oclnn_problem_create(text, &p);
    if (status == OCLNN_OK)
        onn_torture_mix(answer, oclnn_problem_text(p), strlen(oclnn_problem_text(p)));
    oclnn_problem_destroy(&p);
    return status;
}

static enum oclnn_status problem_conv(uint64_t *answer)
{
    return problem("conv x=1x8x9x9 w=8x8x3x3 pad=1 +relu", answer);
}

static enum oclnn_status problem_shapes(uint64_t *answer)
{
    return problem("concat x=1x8x9x9 x2=1x8x9x9 axis=1", answer);
}

static void make_files(void)
{
    static unsigned char bytes[4096];
    static const unsigned char images_head[] = {0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 6};
    static const unsigned char labels_head[] = {0, 0, 8, 1, 0, 0, 0, 5};
    static struct pb t;
    const float v[2] = {1, 2};
    make_model();
    temp_write("m.onnx", model.bytes, model.n);
    for (int i = 0; i < 2; i++) {
        char name[32];
        pb_tensor(&t, "x", 1, (int64_t[]){2}, 1, 9, v, sizeof v);
        snprintf(name, sizeof name, "input_%d.pb", i);
        temp_write(name, t.bytes, t.n);
    }
    memcpy(bytes, images_head, 16);
    gzFile f = gzopen(temp_path("t10k-images-idx3-ubyte.gz"), "wb");
    if (!f || gzwrite(f, bytes, 16 + 120) != 16 + 120 || gzclose(f) != Z_OK)
        abort();
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, labels_head, 8);
    temp_write("t10k-labels-idx1-ubyte", bytes, 8 + 5);
    static unsigned char records[2 * 3073];
    temp_write("c.bin", records, sizeof records);
    oclnn_tensor *x = NULL;
    if (oclnn_tensor_create(OCLNN_U8, OCLNN_SHAPE(2, 3, 4, 5), NULL, &x) ||
        oclnn_tensor_save(temp_path("x.npy"), x))
        abort();
    oclnn_tensor_destroy(&x);
    temp_write("l.csv", "class\n7\n-3\n", 11);
}

int main(int argc, char **argv)
{
    static const struct onn_torture scenarios[] = {
        {"layers", layers, 0},
        {"small network", small_network, 0},
        {"larger network", big_network, 0},
        {"deep network", deep_network, 0},
        {"onnx from memory", onnx_memory, 0},
        {"onnx from a file", onnx_file, 0},
        {"export", onnx_export, 40},
        {"checkpoint", checkpoint, 40},
        {"TensorProto files", tensor_pb, 0},
        {"npy and npz", arrays, 0},
        {"images", images, 0},
        {"samples: idx", samples_idx, 0},
        {"samples: cifar", samples_cifar, 0},
        {"samples: npy", samples_npy, 0},
        {"problem: conv", problem_conv, 0},
        {"problem: concat", problem_shapes, 0},
        {0},
    };
    if (temp_make(NULL))
        return 1;
    make_files();
    int result = onn_torture_main(argc, argv, scenarios);
    temp_remove(NULL);
    return result;
}
