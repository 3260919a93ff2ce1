/* Every allocation fails once while data sets are opened, divided and read. */
#include "harness/torture.h"
#include "train/loader.h"

#include "train/pictures.h"

#define TRY(call) \
    do { \
        if (status == OCLNN_OK) \
            status = (call); \
    } while (0)

static enum oclnn_status read_epoch(const oclnn_dataset *d, uint64_t *answer)
{
    struct onn_loader_params params = {.batch = 3,
        .shuffle = true,
        .augment = {.flip = 1, .rotate = 10, .mixup = 0.2f},
        .seed = 3};
    struct oclnn_dataset_info info;
    struct onn_loader *l = NULL;
    struct onn_batch b;
    bool end = false;
    enum oclnn_status status = oclnn_dataset_get_info(d, &info);
    if (status == OCLNN_OK && info.per_pixel)
        params.augment.mixup = 0;
    TRY(onn_loader_create(d, &params, &l));
    while (status == OCLNN_OK && !end) {
        status = onn_loader_next(l, &b, &end);
        if (status == OCLNN_OK && !end) {
            const size_t n = (size_t)b.n,
                         bytes = (size_t)(info.shape.dim[0] * info.shape.dim[1] * info.shape.dim[2]);
            onn_torture_mix(answer, b.x, n * bytes);
            onn_torture_mix(answer, b.table, n * ONN_AUGMENT_ROW * sizeof(float));
            if (b.mask)
                onn_torture_mix(answer, b.mask, n * (size_t)(info.shape.dim[1] * info.shape.dim[2]));
            else
                onn_torture_mix(answer, b.label2, n * sizeof(int64_t));
        }
    }
    onn_loader_destroy(&l);
    return status;
}

static enum oclnn_status read_spec(const char *spec, int threads, uint64_t *answer)
{
    const struct oclnn_dataset_params params = {.width = 16, .height = 12, .threads = threads};
    oclnn_dataset *d = NULL, *a = NULL, *b = NULL;
    enum oclnn_status status = oclnn_dataset_open(NULL, spec, &params, &d);
    TRY(oclnn_dataset_split(d, 0.4, 5, &a, &b));
    for (int epoch = 0; epoch < 2; epoch++)
        TRY(read_epoch(a, answer));
    TRY(read_epoch(b, answer));
    oclnn_dataset_destroy(&a);
    oclnn_dataset_destroy(&b);
    oclnn_dataset_destroy(&d);
    return status;
}

static enum oclnn_status folder_of(int threads, uint64_t *answer)
{
    char spec[300];
    snprintf(spec, sizeof spec, "folder:%s", temp_path("f"));
    return read_spec(spec, threads, answer);
}

static enum oclnn_status folder(uint64_t *answer)
{
    return folder_of(1, answer);
}

static enum oclnn_status folder_on_threads(uint64_t *answer)
{
    return folder_of(4, answer);
}

static enum oclnn_status masks(uint64_t *answer)
{
    char spec[300];
    snprintf(spec, sizeof spec, "masks:%s", temp_path("m"));
    return read_spec(spec, 1, answer);
}

static enum oclnn_status mnist(uint64_t *answer)
{
    char spec[300];
    snprintf(spec, sizeof spec, "mnist:%s", temp_path("set"));
    return read_spec(spec, 0, answer);
}

static enum oclnn_status sample(void *user, int64_t index, void *x, int64_t *label)
{
    (void)user;
    memset(x, (int)index, 3 * 4 * 5);
    *label = index % 3;
    return OCLNN_OK;
}

static enum oclnn_status own(uint64_t *answer)
{
    oclnn_dataset *d = NULL, *a = NULL, *b = NULL;
    enum oclnn_status status =
        oclnn_dataset_create(NULL, 12, OCLNN_SHAPE(3, 4, 5), OCLNN_U8, 3, sample, NULL, NULL, &d);
    TRY(oclnn_dataset_split(d, 0.25, 5, &a, &b));
    TRY(read_epoch(a, answer));
    oclnn_dataset_destroy(&a);
    oclnn_dataset_destroy(&b);
    oclnn_dataset_destroy(&d);
    return status;
}

static void make_files(void)
{
    static unsigned char images[16 + 10 * 24] = {0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 4, 0, 0, 0, 6};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 10, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
    temp_write("set-images-idx3-ubyte", images, sizeof images);
    temp_write("set-labels-idx1-ubyte", labels, sizeof labels);
    picture_folder("f");
    picture_folder("f/a");
    picture_folder("f/b");
    for (int i = 0; i < 10; i++) {
        char name[64];
        snprintf(name, sizeof name, "f/%c/%02d.%s", "ab"[i & 1], i, i % 3 ? "jpg" : "png");
        (i % 3 ? picture_jpeg : picture_png)(name, 20 + 3 * i, 50 - 3 * i, i);
    }
    picture_folder("m");
    picture_folder("m/images");
    picture_folder("m/masks");
    for (int i = 0; i < 6; i++) {
        char name[64];
        for (int k = 0; k < 12 * 20; k++)
            images[k] = (unsigned char)((k + i) % 3);
        snprintf(name, sizeof name, "m/images/%d.png", i);
        picture_png(name, 20, 12, i);
        snprintf(name, sizeof name, "m/masks/%d.png", i);
        picture_mask(name, 20, 12, images, 3);
    }
    temp_write("m/classes.txt", "a\nb\nc\n", 6);
}

int main(int argc, char **argv)
{
    static const struct onn_torture scenarios[] = {{"folder", folder, 0},
        {"folder_on_threads", folder_on_threads, 0}, {"masks", masks, 0}, {"mnist", mnist, 0},
        {"own", own, 0}, {NULL, NULL, 0}};
    if (temp_make(NULL))
        return 1;
    make_files();
    int bad = onn_torture_main(argc, argv, scenarios);
    temp_remove(NULL);
    return bad;
}
