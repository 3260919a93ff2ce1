/* One epoch as batches: each sample once, the same for any number of threads, resumed anywhere, stopped anywhere. */
#include "train/loader.h"

#include "train/augment.h"
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "train/pictures.h"

#include <cmocka.h>

static void pause_us(long us)
{
    nanosleep(&(struct timespec){0, us * 1000}, NULL);
}

/* ---- the program's own samples: pixels tell the index ---- */
enum { COUNT = 103 };
struct own {
    int64_t fail, wrong; /* samples, -1 = none */
    bool uneven; /* some take longer */
};

static enum oclnn_status sample(void *user, int64_t index, void *x, int64_t *label)
{
    const struct own *o = user;
    uint8_t *p = x;
    if (o->uneven && index % 7 == 0)
        pause_us(index % 3 ? 300 : 50);
    for (int i = 0; i < 3 * 4 * 5; i++)
        p[i] = (uint8_t)(index + i);
    *label = index == o->wrong ? 10 : index % 10;
    return index == o->fail ? OCLNN_ERROR_IO : OCLNN_OK;
}

static oclnn_dataset *make(struct own *o, int threads)
{
    oclnn_dataset *d = NULL;
    const struct oclnn_dataset_params p = {.threads = threads};
    assert_int_equal(oclnn_dataset_create(NULL, COUNT, OCLNN_SHAPE(3, 4, 5), OCLNN_U8, 10, sample, o, &p, &d),
        OCLNN_OK);
    return d;
}

/* Everything that an epoch gives, as text of bytes. */
struct record {
    uint8_t first[COUNT];
    int64_t label[COUNT], label2[COUNT];
    float table[COUNT][ONN_AUGMENT_ROW], lambda[COUNT];
    int64_t n, batches;
};

static void read_batch(const struct onn_batch *b, struct record *r)
{
    for (int64_t i = 0; i < b->n; i++) {
        const uint8_t *x = (const uint8_t *)b->x + i * 60;
        for (int k = 0; k < 60; k++)
            assert_int_equal(x[k], (uint8_t)(x[0] + k));
        assert_int_equal(b->label[i], x[0] % 10);
        r->first[r->n + i] = x[0];
        r->label[r->n + i] = b->label[i];
        memcpy(r->table[r->n + i], b->table + i * ONN_AUGMENT_ROW, sizeof r->table[0]);
        if (b->label2) {
            const int64_t partner = (int64_t)b->table[i * ONN_AUGMENT_ROW + ONN_AUGMENT_PARTNER];
            assert_in_range(partner, 0, b->n - 1);
            assert_int_equal(b->label2[i], b->label[partner]);
            r->label2[r->n + i] = b->label2[i];
            r->lambda[r->n + i] = b->lambda[i];
            assert_true(b->lambda[i] == b->lambda[0]); /* the loss mixes the whole batch by one number */
        }
    }
    r->n += b->n;
    r->batches++;
}

static void read_epoch(const oclnn_dataset *d, const struct onn_loader_params *p, struct record *r)
{
    struct onn_loader *l = NULL;
    struct onn_batch b, before = {0};
    bool end = false;
    memset(r, 0, sizeof *r);
    if (onn_loader_create(d, p, &l) != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
    for (;;) {
        if (onn_loader_next(l, &b, &end) != OCLNN_OK)
            fail_msg("%s", oclnn_error_text(NULL));
        if (end)
            break;
        if (before.x) { /* still there after the next call */
            struct record again = {0};
            read_batch(&before, &again);
            assert_memory_equal(again.first, r->first + r->n - again.n, (size_t)again.n);
        }
        read_batch(&b, r);
        before = b;
    }
    assert_null(b.x);
    assert_int_equal(onn_loader_next(l, &b, &end), OCLNN_OK); /* and it stays at the end */
    assert_true(end);
    onn_loader_destroy(&l);
    assert_null(l);
}

static void each_once(void **state)
{
    struct own o = {-1, -1, false};
    static struct record r;
    (void)state;
    oclnn_dataset *d = make(&o, 2);
    struct onn_loader_params p = {.batch = 10, .shuffle = true, .seed = 3};
    read_epoch(d, &p, &r);
    int seen[256] = {0}, moved = 0;
    for (int i = 0; i < COUNT; i++) {
        seen[r.first[i]]++;
        moved += r.first[i] != i;
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(seen[i], 1);
    assert_true(r.n == COUNT && r.batches == 11 && moved > 80);
    float none[ONN_AUGMENT_ROW];
    onn_augment_none(none);
    for (int i = 0; i < COUNT; i++)
        assert_memory_equal(r.table[i], none, sizeof none);
    p.shuffle = false;
    p.drop_last = true;
    read_epoch(d, &p, &r);
    assert_true(r.n == 100 && r.batches == 10);
    for (int i = 0; i < 100; i++)
        assert_int_equal(r.first[i], i);
    p.batch = 1000;
    p.drop_last = false;
    read_epoch(d, &p, &r);
    assert_true(r.n == COUNT && r.batches == 1);
    oclnn_dataset_destroy(&d);
}

static const struct oclnn_augment everything = {1, 1, 1, 0.2f, 10, 0.2f, 0.2f, 0.1f, 0.3f, 0.4f, 2, 0.2f};

static void threads_and_places_do_not_matter(void **state)
{
    struct own o = {-1, -1, true};
    static struct record want, got;
    struct onn_loader_params p = {.batch = 8, .shuffle = true, .augment = everything, .seed = 77, .epoch = 2};
    (void)state;
    oclnn_dataset *d = make(&o, 1);
    read_epoch(d, &p, &want);
    oclnn_dataset_destroy(&d);
    for (int threads = 2; threads <= 7; threads += 2) {
        d = make(&o, threads);
        read_epoch(d, &p, &got);
        assert_memory_equal(&got, &want, sizeof got);
        for (int64_t first = 0; first <= 14; first += 5) { /* from the middle */
            p.first_batch = first;
            read_epoch(d, &p, &got);
            int64_t skip = first * 8 < COUNT ? first * 8 : COUNT;
            assert_int_equal(got.n, COUNT - skip);
            assert_memory_equal(got.first, want.first + skip, (size_t)got.n);
            assert_memory_equal(got.table, want.table + skip, (size_t)got.n * sizeof got.table[0]);
            assert_memory_equal(got.label2, want.label2 + skip, (size_t)got.n * sizeof(int64_t));
            assert_memory_equal(got.lambda, want.lambda + skip, (size_t)got.n * sizeof(float));
        }
        p.first_batch = 0;
        oclnn_dataset_destroy(&d);
    }
    /* another epoch, another seed: another order */
    d = make(&o, 2);
    p.epoch = 3;
    read_epoch(d, &p, &got);
    assert_true(memcmp(got.first, want.first, sizeof got.first) != 0);
    p.epoch = 2;
    p.seed = 78;
    read_epoch(d, &p, &got);
    assert_true(memcmp(got.first, want.first, sizeof got.first) != 0);
    oclnn_dataset_destroy(&d);
}

static void memory_is_the_same_with_and_without_threads(void **state)
{
    static unsigned char images[16 + 50 * 60] = {0, 0, 8, 3, 0, 0, 0, 50, 0, 0, 0, 6, 0, 0, 0, 10};
    unsigned char labels[8 + 50] = {0, 0, 8, 1, 0, 0, 0, 50};
    struct onn_loader_params p = {.batch = 7, .shuffle = true, .seed = 5};
    oclnn_dataset *d = NULL;
    static struct record r;
    char spec[512];
    (void)state;
    for (int i = 0; i < 50; i++) {
        labels[8 + i] = (unsigned char)(i % 10);
        for (int k = 0; k < 60; k++)
            images[16 + i * 60 + k] = (unsigned char)(i + k);
    }
    temp_write("set-images-idx3-ubyte", images, sizeof images);
    temp_write("set-labels-idx1-ubyte", labels, sizeof labels);
    snprintf(spec, sizeof spec, "mnist:%s", temp_path("set"));
    assert_int_equal(oclnn_dataset_open(NULL, spec, NULL, &d), OCLNN_OK);
    read_epoch(d, &p, &r);
    assert_true(r.n == 50 && r.batches == 8);
    oclnn_dataset *a = NULL, *b = NULL; /* a part is read like a whole */
    assert_int_equal(oclnn_dataset_split(d, 0.4, 1, &a, &b), OCLNN_OK);
    read_epoch(b, &p, &r);
    assert_true(r.n == 20 && r.batches == 3);
    oclnn_dataset_destroy(&a);
    oclnn_dataset_destroy(&b);
    oclnn_dataset_destroy(&d);
}

/* How many samples come before the error; its sentence. */
static int64_t until_error(const oclnn_dataset *d, const struct onn_loader_params *p, enum oclnn_status want,
    const char *word)
{
    struct onn_loader *l = NULL;
    struct onn_batch b;
    bool end;
    int64_t n = 0;
    enum oclnn_status status;
    assert_int_equal(onn_loader_create(d, p, &l), OCLNN_OK);
    while ((status = onn_loader_next(l, &b, &end)) == OCLNN_OK && !end)
        n += b.n;
    assert_int_equal(status, want);
    for (int i = 0; i < 2; i++) {
        if (!strstr(oclnn_error_text(NULL), word))
            fail_msg("'%s' does not say '%s'", oclnn_error_text(NULL), word);
        assert_int_equal(onn_loader_next(l, &b, &end), want); /* the same words again */
        assert_null(b.x);
    }
    onn_loader_destroy(&l);
    return n;
}

static void errors_come_in_their_place(void **state)
{
    struct onn_loader_params p = {.batch = 8};
    struct own o = {41, -1, true};
    (void)state;
    for (int threads = 1; threads <= 4; threads++)
        for (int round = 0; round < 4; round++) {
            oclnn_dataset *d = make(&o, threads);
            o.fail = 41;
            assert_int_equal(until_error(d, &p, OCLNN_ERROR_IO, "sample 41"), 40);
            o.wrong = 50; /* the earlier one counts */
            assert_int_equal(until_error(d, &p, OCLNN_ERROR_IO, "sample 41"), 40);
            o.fail = 55;
            assert_int_equal(until_error(d, &p, OCLNN_ERROR_FORMAT,
                                 "sample 50 has label 10, outside of 0 … 9"),
                48);
            o = (struct own){-1, -1, true};
            oclnn_dataset_destroy(&d);
        }
}

static void wrong_arguments(void **state)
{
    struct own o = {-1, -1, false};
    struct onn_loader *l = NULL;
    oclnn_dataset *d = make(&o, 2), *f = NULL;
    const struct onn_loader_params bad[] = {{.batch = 0}, {.batch = -5}, {.batch = 4, .epoch = -1},
        {.batch = 4, .first_batch = -1}, {.batch = 104, .drop_last = true},
        {.batch = 4, .augment = {.zoom = 2}}, {.batch = (int64_t)1 << 40}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(onn_loader_create(d, &bad[i], &l), OCLNN_ERROR_ARGUMENT);
        assert_null(l);
    }
    assert_int_equal(oclnn_dataset_create(NULL, COUNT, OCLNN_SHAPE(15), OCLNN_F32, 10, sample, &o, NULL, &f),
        OCLNN_OK);
    const struct onn_loader_params flip = {.batch = 4, .augment = {.flip = 1}};
    assert_int_equal(onn_loader_create(f, &flip, &l), OCLNN_ERROR_ARGUMENT);
    struct onn_batch b;
    bool end;
    assert_int_equal(onn_loader_create(f, &(struct onn_loader_params){.batch = 4}, &l), OCLNN_OK);
    assert_int_equal(onn_loader_next(l, &b, &end), OCLNN_OK);
    assert_true(b.n == 4 && !b.table && !b.label2 && !b.lambda && ((const uint8_t *)b.x)[60] == 1);
    onn_loader_destroy(&l);
    oclnn_dataset_destroy(&f);
    oclnn_dataset_destroy(&d);
}

static void ends_in_the_middle(void **state)
{
    struct own o = {-1, -1, true};
    oclnn_dataset *d = make(&o, 4);
    (void)state;
    for (int64_t taken = 0; taken < 14; taken++) {
        struct onn_loader *l = NULL;
        struct onn_batch b;
        bool end;
        assert_int_equal(onn_loader_create(d, &(struct onn_loader_params){.batch = 8, .shuffle = true}, &l),
            OCLNN_OK);
        assert_int_equal(onn_loader_batches(l), 13);
        for (int64_t i = 0; i < taken; i++)
            assert_int_equal(onn_loader_next(l, &b, &end), OCLNN_OK);
        onn_loader_destroy(&l);
    }
    onn_loader_destroy(&(struct onn_loader *){NULL});
    oclnn_dataset_destroy(&d);
}

/* ---- folders ---- */
static size_t allocated(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void folder_memory_is_bounded(void **state)
{
    struct oclnn_dataset_params p = {.width = 64,
        .height = 64,
        .threads = 3,
        .cache_bytes = 20 * 64 * 64 * 3};
    struct oclnn_dataset_info empty, info;
    oclnn_dataset *d = NULL;
    char spec[512];
    (void)state;
    picture_folder("f");
    picture_folder("f/a");
    picture_folder("f/b");
    for (int i = 0; i < 60; i++) {
        char name[64];
        snprintf(name, sizeof name, "f/%c/%02d.%s", i % 3 ? 'a' : 'b', i, i % 4 ? "jpg" : "png");
        (i % 4 ? picture_jpeg : picture_png)(name, 100 + 10 * i, 700 - 10 * i, i);
    }
    size_t before = allocated();
    snprintf(spec, sizeof spec, "folder:%s", temp_path("f"));
    assert_int_equal(oclnn_dataset_open(NULL, spec, &p, &d), OCLNN_OK);
    oclnn_dataset_get_info(d, &empty);
    assert_true(empty.memory_limit > p.cache_bytes && empty.memory_limit < p.cache_bytes + (64 << 10));
    static uint8_t first[60][4];
    for (int epoch = 0; epoch < 3; epoch++) {
        struct onn_loader *l = NULL;
        struct onn_batch b;
        bool end = false;
        assert_int_equal(onn_loader_create(d, &(struct onn_loader_params){.batch = 8}, &l), OCLNN_OK);
        for (int64_t at = 0; onn_loader_next(l, &b, &end) == OCLNN_OK && !end; at += b.n) {
            oclnn_dataset_get_info(d, &info);
            assert_true(info.memory_bytes <= info.memory_limit);
            assert_true(allocated() - before <= info.memory_limit);
            for (int64_t i = 0; i < b.n; i++) { /* kept or decoded again: the same */
                const uint8_t *x = (const uint8_t *)b.x + i * 3 * 64 * 64 + 2000;
                if (epoch == 0)
                    memcpy(first[at + i], x, 4);
                assert_memory_equal(first[at + i], x, 4);
            }
        }
        assert_true(end);
        onn_loader_destroy(&l);
    }
    oclnn_dataset_get_info(d, &info);
    assert_true(info.memory_limit == empty.memory_limit && info.memory_bytes <= info.memory_limit);
    assert_true(info.memory_bytes > empty.memory_bytes + 15 * 64 * 64 * 3); /* images were kept */
    oclnn_dataset_destroy(&d);
    assert_true(allocated() <= before + (16 << 10));
}

static void folder_error_names_the_file(void **state)
{
    oclnn_dataset *d = NULL;
    char spec[512];
    (void)state;
    picture_folder("g");
    picture_folder("g/a");
    picture_folder("g/b");
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "g/%c/%02d.jpg", "ab"[i / 10], i);
        picture_jpeg(name, 50, 50, i);
    }
    snprintf(spec, sizeof spec, "folder:%s", temp_path("g"));
    assert_int_equal(oclnn_dataset_open(NULL, spec, &(struct oclnn_dataset_params){.width = 32, .height = 32},
                         &d),
        OCLNN_OK);
    static uint8_t bytes[1 << 14];
    FILE *f = fopen(temp_path("g/b/14.jpg"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    temp_write("g/b/14.jpg", bytes, n / 2);
    remove(temp_path("g/b/17.jpg"));
    const struct onn_loader_params p = {.batch = 4};
    assert_int_equal(until_error(d, &p, OCLNN_ERROR_FORMAT, "g/b/14.jpg: JPEG: Premature end"), 12);
    assert_int_equal(until_error(d, &(struct onn_loader_params){.batch = 4, .first_batch = 4},
                         OCLNN_ERROR_NOT_FOUND, "g/b/17.jpg"),
        0);
    oclnn_dataset_destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_once),
        cmocka_unit_test(threads_and_places_do_not_matter),
        cmocka_unit_test(memory_is_the_same_with_and_without_threads),
        cmocka_unit_test(errors_come_in_their_place), cmocka_unit_test(wrong_arguments),
        cmocka_unit_test(ends_in_the_middle), cmocka_unit_test(folder_memory_is_bounded),
        cmocka_unit_test(folder_error_names_the_file)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
