/* Training from a folder of JPEGs: the same numbers whatever is kept and however many threads decode; bounded memory.
 * --all: how much of the decoding hides behind the device's work (suite figures). */
#include <oclnn/oclnn.h>

#include "harness/check.h"
#include "base/clock.h"
#include "train/loader.h"
#include <dirent.h>
#include <stdint.h>

#include "train/pictures.h"

static oclnn_context *ctx;

static oclnn_dataset *open_folder(const char *name, const struct oclnn_dataset_params *params)
{
    oclnn_dataset *d = NULL;
    char spec[512];
    snprintf(spec, sizeof spec, "folder:%s", temp_path(name));
    good(oclnn_dataset_open(ctx, spec, params, &d));
    return d;
}

struct watch {
    const oclnn_dataset *data;
    double loss[64];
    int steps;
    size_t most, limit;
};

static int on_step(void *user, oclnn_trainer *trainer, const struct oclnn_progress *progress)
{
    struct watch *w = user;
    struct oclnn_dataset_info info;
    (void)trainer;
    good(oclnn_dataset_get_info(w->data, &info));
    assert_true(info.memory_bytes <= info.memory_limit);
    w->most = info.memory_bytes > w->most ? info.memory_bytes : w->most;
    w->limit = info.memory_limit;
    if (w->steps < 64)
        w->loss[w->steps] = progress->loss;
    w->steps++;
    return 0;
}

static void train_small(struct oclnn_dataset_params params, struct watch *w)
{
    const char *augment = "flip,crop:2,rotate:10,zoom:0.1,brightness:0.1,saturation:0.3,cutout:6,mixup:0.2";
    struct oclnn_fit fit = {.epochs = 3, .batch = 6, .on_step = on_step, .user = w};
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    oclnn_trainer *t = NULL;
    params.width = params.height = 24;
    params.mean[0] = params.mean[1] = params.mean[2] = 0.5f;
    oclnn_dataset *d = open_folder("small", &params);
    *w = (struct watch){.data = d};
    good(oclnn_augment_parse(augment, &fit.augment));
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 3, 24, 24));
    v = oclnn_max_pool2d(g, oclnn_relu(g, oclnn_conv2d(g, v, 4, 3, NULL)), 4, NULL);
    oclnn_output(g, "logits", oclnn_dense(g, oclnn_flatten(g, v), 2, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    good(oclnn_trainer_create(m, &(struct oclnn_trainer_params){.seed = 9}, &t));
    good(oclnn_trainer_fit(t, d, NULL, &fit));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&d);
}

static void nothing_depends_on_threads_or_memory(void **state)
{
    static struct watch one, other;
    (void)state;
    picture_folder("small");
    picture_folder("small/a");
    picture_folder("small/b");
    for (int i = 0; i < 30; i++) {
        char name[64];
        snprintf(name, sizeof name, "small/%c/%02d.jpg", "ab"[i & 1], i);
        picture_jpeg(name, 40 + 7 * i, 300 - 6 * i, i);
    }
    train_small((struct oclnn_dataset_params){.threads = 1}, &one);
    train_small((struct oclnn_dataset_params){.threads = 5, .cache_bytes = 1}, &other);
    assert_int_equal(one.steps, 15);
    assert_int_equal(other.steps, 15);
    assert_memory_equal(one.loss, other.loss, sizeof one.loss);
}

/* ---- figures ---- */
enum { ROUNDS = 3, COPIES = 3, BATCH = 16 };

/* Links to the photos of the data folder, or pictures made here; two classes. */
static void make_photos(void)
{
    char folder[512], from[1024], name[64];
    const char *root = getenv("OCLNN_SOURCE_ROOT");
    snprintf(folder, sizeof folder, "%s/../shared/data/images/imagenet40", root ? root : ".");
    picture_folder("photos");
    picture_folder("photos/a");
    picture_folder("photos/b");
    int n = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (!strstr(e->d_name, ".JPEG"))
            continue;
        char *real = NULL;
        snprintf(from, sizeof from, "%s/%s", folder, e->d_name);
        for (int k = 0; k < COPIES && (real = realpath(from, NULL)); k++, free(real)) {
            snprintf(name, sizeof name, "photos/%c/%03d.jpg", "ab"[n & 1], n);
            assert_int_equal(symlink(real, temp_path(name)), 0);
            n++;
        }
    }
    if (dir)
        closedir(dir);
    for (; n < 100; n++) {
        snprintf(name, sizeof name, "photos/%c/%03d.jpg", "ab"[n & 1], n);
        picture_jpeg(name, 500, 375, n);
    }
}

static double seconds_since(uint64_t start)
{
    return (double)(onn_clock_ns() - start) * 1e-9;
}

/* Seconds per image of an epoch without a trainer. */
static double decode(const oclnn_dataset *d)
{
    const struct onn_loader_params params = {.batch = BATCH, .drop_last = true, .shuffle = true};
    struct onn_loader *l = NULL;
    struct onn_batch b;
    bool end = false;
    int64_t n = 0;
    uint64_t start = onn_clock_ns();
    good(onn_loader_create(d, &params, &l));
    for (; !end; n += b.n)
        good(onn_loader_next(l, &b, &end));
    onn_loader_destroy(&l);
    return seconds_since(start) / (double)n;
}

/* One more epoch of the trainer. */
static double epoch(oclnn_trainer *t, const oclnn_dataset *d, int *epochs, struct watch *w)
{
    struct oclnn_fit fit = {.epochs = ++*epochs, .batch = BATCH, .on_step = on_step, .user = w};
    *w = (struct watch){.data = d};
    good(oclnn_augment_parse("flip,rotate:10,zoom:0.2,shear:0.2", &fit.augment));
    uint64_t start = onn_clock_ns();
    good(oclnn_trainer_fit(t, d, NULL, &fit));
    return seconds_since(start) / (w->steps * BATCH);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, ascending);
    return v[ROUNDS / 2];
}

static void figures(void **state)
{
    double alone[ROUNDS], step[ROUNDS], both[ROUNDS];
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    oclnn_trainer *t = NULL;
    struct watch w;
    int epochs = 0;
    (void)state;
    make_photos();
    oclnn_dataset *kept = open_folder("photos", NULL),
                  *read = open_folder("photos", &(struct oclnn_dataset_params){.cache_bytes = 1});
    good(oclnn_graph_create(NULL, &g));
    good(oclnn_zoo_build("three-stage-224", g, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    const struct oclnn_trainer_params params = {.optimizer = {.kind = OCLNN_ADAM}};
    good(oclnn_trainer_create(m, &params, &t));
    epoch(t, kept, &epochs, &w); /* compiles; images are kept from now on */
    for (int i = 0; i < ROUNDS; i++) {
        alone[i] = decode(read);
        step[i] = epoch(t, kept, &epochs, &w);
        both[i] = epoch(t, read, &epochs, &w);
    }
    double d = median(alone), s = median(step), b = median(both);
    print_message("three-stage-224, batch %d, folder of JPEGs, medians of %d rounds\n", BATCH, ROUNDS);
    print_message("  decoding alone      %8.1f images/s\n", 1 / d);
    print_message("  training alone      %8.1f images/s (images kept in memory)\n", 1 / s);
    print_message("  both                %8.1f images/s\n", 1 / b);
    print_message("  1 / (step + decode) %8.1f images/s: %.0f %% of it is reached\n", 1 / (s + d),
        100 * (s + d) / b);
    print_message("  memory of the pipeline: at most %.1f MB, limit %.1f MB\n", (double)w.most / 1e6,
        (double)w.limit / 1e6);
    assert_true((s + d) / b >= 0.95);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&kept);
    oclnn_dataset_destroy(&read);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_depends_on_threads_or_memory)};
    const struct CMUnitTest all[] = {cmocka_unit_test(figures)};
    bool full = argc > 1 && !strcmp(argv[1], "--all");
    const int code = open_device(&ctx);
    if (code)
        return code;
    int failed = full ? cmocka_run_group_tests(all, temp_make, temp_remove)
                      : cmocka_run_group_tests(tests, temp_make, temp_remove);
    oclnn_context_destroy(&ctx);
    return failed;
}
