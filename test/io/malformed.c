/* Every file that make_malformed.py writes: an error or success as its name says, within a second of CPU
 * time, without harm; and what loads goes through every step of a plan that needs no device, on a small stack: nothing may nest as deep
 * as the graph is long. */
#include "io/onnx.h"
#include "pass/infer.h"
#include "pass/passes.h"
#include "plan/layout.h"
#include "plan/place.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define SECONDS 5.0 /* per file */
#define STACK (4 << 20)
#else
#define SECONDS 1.0
#define STACK (256 << 10)
#endif
#define DEEP 5 /* times as long for graphs of 20,000 nodes */

extern char **environ;
static char folder[] = "oclnn-malformed-XXXXXX";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* whatever else the machine does */
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int call(char *const *argv)
{
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static int make(void **state)
{
    const char *root = getenv("OCLNN_SOURCE_ROOT");
    char script[4096];
    (void)state;
    if (!root || !mkdtemp(folder))
        return -1;
    snprintf(script, sizeof script, "%s/test/io/make_malformed.py", root);
    return call((char *[]){"python3", script, folder, NULL});
}

static int clean(void **state)
{
    (void)state;
    return call((char *[]){"rm", "-rf", folder, NULL});
}

/* Sizes that the file leaves open become 1; what has to be known on the host is zeros. */
static enum oclnn_status bind(const struct onn_graph *g, const bool *steering, struct onn_binding *bindings)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < g->n_inputs && status == OCLNN_OK; i++) {
        const struct onn_desc *declared = &g->value[g->input[i]].desc;
        int64_t dim[ONN_MAX_RANK] = {0};
        for (int d = 0; d < declared->rank; d++)
            dim[d] = declared->dim[d] < 0 ? 1 : declared->dim[d];
        bindings[i].desc = onn_desc_make(declared->dtype, declared->rank < 0 ? 0 : declared->rank, dim);
        if (steering[i])
            status = onn_blob_create(&bindings[i].desc, NULL, &bindings[i].value);
    }
    return status;
}

static enum oclnn_status place(const struct onn_graph *g, const struct onn_caps *caps)
{
    const struct onn_assign_options assign = {.caps = caps};
    const struct onn_place_options options = {.caps = caps};
    struct onn_graph *laid = NULL;
    struct onn_choice *choice = calloc((size_t)g->n_nodes + 1, sizeof *choice), *of = NULL;
    struct onn_placement placement = {0};
    enum oclnn_status status = choice ? onn_assign(g, &assign, choice) : OCLNN_ERROR_MEMORY;
    if (status == OCLNN_OK)
        status = onn_layout(g, choice, &assign, &laid, &of);
    if (status == OCLNN_OK)
        status = onn_placement_make(laid, of, &options, &placement);
    onn_placement_finish(&placement);
    onn_graph_destroy(&laid);
    onn_free(of);
    free(choice);
    return status;
}

static const struct onn_caps processor = {.is_cpu = true,
    .vector_cpu = true,
    .vector_width = 8,
    .compute_units = 2,
    .max_group = 4096,
    .max_item = {4096, 4096, 4096},
    .local_bytes = 1 << 19,
    .unified = true,
    .global_bytes = (size_t)1 << 32,
    .max_alloc = (size_t)1 << 30,
    .base_align = 128,
    .opencl_major = 1,
    .opencl_minor = 2};

static enum oclnn_status fuse(const struct onn_graph *in, struct onn_graph **out)
{
    return onn_pass_fuse(in, &processor, out);
}

/* What loading a model and making a plan of it do before they need a device. */
static enum oclnn_status plan(struct onn_graph *source)
{
    static enum oclnn_status (*const pass[])(const struct onn_graph *,
        struct onn_graph **) = {onn_pass_patterns, onn_pass_addend, onn_pass_transpose, onn_pass_pad,
        onn_pass_fold, onn_pass_slopes, fuse, onn_pass_updates, onn_pass_early};
    bool *steering = calloc((size_t)source->n_inputs + 1, sizeof *steering);
    struct onn_desc *types = calloc((size_t)source->n_values, sizeof *types);
    struct onn_binding *bindings = calloc((size_t)source->n_inputs + 1, sizeof *bindings);
    struct onn_graph *g = NULL, *next = NULL;
    enum oclnn_status status = steering && types && bindings ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    ONN_TRY(status);
    ONN_TRY(onn_pass_steering(source, steering));
    ONN_TRY(onn_pass_types(source, types));
    ONN_TRY(bind(source, steering, bindings));
    ONN_TRY(onn_pass_infer(source, bindings, true, &g));
    for (size_t i = 0; i < sizeof pass / sizeof *pass; i++) {
        ONN_TRY(pass[i](g, &next));
        onn_graph_destroy(&g);
        g = next;
    }
    ONN_TRY(place(g, &processor));
fail:
    onn_graph_destroy(&g);
    for (int i = 0; bindings && i < source->n_inputs; i++)
        onn_blob_unref(&bindings[i].value);
    free(steering);
    free(types);
    free(bindings);
    return status;
}

struct job {
    const char *name;
    double limit;
    int good;
};

static bool explained(enum oclnn_status status)
{
    return status == OCLNN_OK || (status != OCLNN_ERROR_INTERNAL && *oclnn_error_text(NULL));
}

/* good = 1 if this file behaved. */
static void *load(void *user)
{
    struct job *job = user;
    char path[4096];
    struct onn_graph *g = NULL;
    const bool deep = strstr(job->name, "_deep_") != NULL;
    snprintf(path, sizeof path, "%s/%s", folder, job->name);
    double start = now();
    enum oclnn_status status = onn_onnx_load_file(path, NULL, &g), planned = OCLNN_OK;
    bool good = (status == OCLNN_OK) == (g != NULL) && explained(status);
    if (!good || status != OCLNN_OK)
        status = status ? status : OCLNN_ERROR_INTERNAL;
    else
        planned = plan(g);
    double seconds = now() - start;
    const int ok = status == OCLNN_OK && (!deep || planned == OCLNN_OK);
    good = good && explained(planned) && seconds < job->limit * (deep ? DEEP : 1) &&
        (!strncmp(job->name, "any_", 4) || ok == !strncmp(job->name, "ok_", 3));
    if (!good)
        print_error("%s: %s, %s in %.2f s: %s\n", job->name, oclnn_status_name(status),
            oclnn_status_name(planned), seconds, status || planned ? oclnn_error_text(NULL) : "");
    onn_graph_destroy(&g);
    job->good = good;
    return NULL;
}

static int load_with_little_stack(const char *name)
{
    struct job job = {.name = name, .limit = SECONDS};
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK) ||
        pthread_create(&thread, &attr, load, &job) || pthread_join(thread, NULL))
        print_error("%s: no thread\n", name);
    pthread_attr_destroy(&attr);
    return job.good;
}

static void each_file(void **state)
{
    int files = 0, wrong = 0;
    struct dirent *entry;
    struct rusage usage;
    DIR *dir = opendir(folder);
    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".onnx"))
            continue;
        files++;
        wrong += !load_with_little_stack(entry->d_name);
    }
    closedir(dir);
    getrusage(RUSAGE_SELF, &usage);
    print_message("%d files, %ld MiB at most\n", files, usage.ru_maxrss >> 10);
    assert_int_equal(wrong, 0);
    assert_true(files >= 1000);
#ifndef __SANITIZE_ADDRESS__
    assert_true(usage.ru_maxrss >> 10 < 256);
#endif
}

/* Without a folder there is no external data at all. */
static void memory_has_no_folder(void **state)
{
    static const char *const names[] = {"ok_external_plain.onnx", "bad_external_absolute.onnx"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        char path[4096];
        static char bytes[65536];
        struct onn_graph *g = NULL;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t size = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        assert_int_equal(onn_onnx_load_memory(bytes, size, NULL, NULL, &g), OCLNN_ERROR_FORMAT);
        assert_int_equal(onn_onnx_load_memory(bytes, size, folder, NULL, &g),
            i ? OCLNN_ERROR_FORMAT : OCLNN_OK);
        onn_graph_destroy(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file),
        cmocka_unit_test(memory_has_no_folder),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
