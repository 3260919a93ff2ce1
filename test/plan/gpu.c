/* Which kernels a GPU gets, and that a vector CPU does not get them: by predicted time, for devices that are only described. */
#include "ops/problem.h"
#include "plan/assign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct onn_caps large_gpu = {.name = "a large GPU",
    .is_gpu = true,
    .vector_width = 1,
    .compute_units = 132,
    .clock_mhz = 1980,
    .max_group = 1024,
    .max_item = {1024, 1024, 64},
    .local_bytes = 49152,
    .local_is_real = true};
static const struct onn_caps small_gpu = {.name = "a small GPU",
    .is_gpu = true,
    .vector_width = 1,
    .compute_units = 8,
    .clock_mhz = 1000,
    .max_group = 256,
    .max_item = {256, 256, 256},
    .local_bytes = 32768,
    .local_is_real = true};
static const struct onn_caps simulator = {.name = "a simulator",
    .vector_width = 1,
    .compute_units = 1,
    .max_group = 1024,
    .max_item = {1024, 1024, 1024},
    .local_bytes = 65536,
    .simulated = true};
static const struct onn_caps cpu = {.name = "a vector CPU",
    .is_cpu = true,
    .vector_cpu = true,
    .vector_width = 8,
    .compute_units = 8,
    .clock_mhz = 3000,
    .max_group = 4096,
    .max_item = {4096, 4096, 4096},
    .local_bytes = 1 << 20};

/* The name of the variant with the least predicted time, all its formats considered. */
static const char *fastest(const char *text, const struct onn_caps *caps)
{
    struct onn_problem p;
    const char *name = "none";
    double least = 0;
    if (onn_problem_parse(text, &p) != OCLNN_OK || onn_problem_infer(&p) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    p.prob.caps = caps;
    for (int v = 0; p.prob.op->variants[v]; v++) {
        const struct onn_variant *variant = p.prob.op->variants[v];
        struct onn_formats tuple[8];
        const int tuples = onn_variant_formats(variant, &p.prob, tuple, 8);
        for (int t = 0; t < tuples; t++) {
            struct onn_tune tune;
            bool packed = false; /* a weight that is packed once: its size is not known here */
            for (int i = 0; i < p.prob.n_in; i++) {
                onn_desc_set_format(&p.in[i], *onn_formats_in(&tuple[t], &p.prob, i));
                packed |= p.in[i].format.pack != 0;
            }
            for (int i = 0; i < p.prob.n_out; i++)
                onn_desc_set_format(&p.out[i], *onn_formats_out(&tuple[t], i));
            if (onn_variant_refuse(variant, &p.prob))
                continue;
            onn_tune_defaults(variant, &tune);
            const struct onn_cost cost = onn_variant_cost(variant, &p.prob, &tune);
            const double time = packed ? 0 : onn_cost_time(&cost, caps);
            if (!strcmp(name, "none") || time < least) {
                least = time;
                name = variant->name;
            }
        }
    }
    onn_problem_finish(&p);
    return name;
}

static void gpus_get_work_groups(void **state)
{
    static const struct {
        const char *problem, *want;
    } rows[] = {
        {"reducesum x=8x64x112x112 axes=@0,2,3", "group"},
        {"reducesum x=32x2048x7x7 axes=@0,2,3 keepdims=0", "group"},
        {"reducesum x=8x64x112x112:f16 axes=@0,2,3", "group"},
        {"globalaveragepool x=32x2048x7x7", "group"},
        {"reducesum x=128x1000 axes=@0 keepdims=0", "group"},
        {"reducesum x=128x10 axes=@1", "reference"}, /* ten terms: an item each */
        {"batchnormalization x=8x64x112x112 s=64 b=64 m=64 v=64 training_mode=1 outs=5 +relu", "train_group"},
        {"batchnormalization x=8x2048x7x7 s=2048 b=2048 m=2048 v=2048 training_mode=1 outs=5", "train_group"},
        {"batchnormalization x=4x16x9x9:f16 s=16:f16 b=16:f16 m=16:f16 v=16:f16 training_mode=1 outs=5",
            "train_group"},
        {"batchnorm_dx dy=8x64x112x112 x=8x64x112x112 s=64 m=64 d=64 b=64 mask=1 outs=3", "group"},
        {"batchnorm_dx dy=8x64x7x7:f16 x=8x64x7x7:f16 s=64:f16 m=64:f16 d=64:f16 outs=3", "group"},
        {"conv x=8x96x56x56 w=96x1x3x3 pad=1 group=96", "strips"},
        {"conv x=8x96x112x112 w=96x1x3x3 pad=1 group=96 stride=2 b=96 +clip{min=0,max=6}", "strips"},
        {"conv x=8x240x28x28:f16 w=240x1x5x5:f16 pad=2 group=240", "strips"},
        {"convtranspose x=8x96x56x56 w=96x1x3x3 pad=1 group=96 stride=2 output_padding=1", "strips"},
        {"softmax_ce x=32x1000 t=32:i64 outs=3", "group"},
        {"softmax_ce_dx d=scalar x=32x1000 t=32:i64 l=32 s=scalar", "each"},
        {"softmax_ce x=8x21x128x128 t=8x128x128:i64 outs=3", "reference"}, /* pixels lie side by side */
        {"conv_dw x=32x96x112x112 y=32x96x56x56 kernel_shape=3 stride=2 pad=1 group=96", "tree"},
        {"conv_dw x=8x32x128x128 y=8x2x128x128 kernel_shape=1", "tiled"}, /* 64 sums of 131072 pixels */
        {"gemm x=32x2048 w=1000x2048 b=1000 transB=1", "tiled"},
        {"conv x=1x512x14x14 w=512x512x3x3 pad=1 stride=2", "tiled"}, /* few outputs with long sums */
        {"conv x=1x160x7x7 w=960x160x1x1", "tiled"},
        {"maxpool_dx x=32x64x112x112 dy=32x64x56x56 kernel_shape=3 stride=2 pad=1", "winners"},
        {"maxpool_dx x=4x16x28x28:f16 dy=4x16x28x28:f16 kernel_shape=5 pad=2", "winners"},
        {"conv x=8x64x56x56 w=64x64x3x3 pad=1", "tiled"},
        {"convtranspose x=8x128x28x28 w=128x64x2x2 stride=2", "tiled"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(fastest(rows[i].problem, &large_gpu), rows[i].want);
        assert_string_equal(fastest(rows[i].problem, &small_gpu), rows[i].want);
        assert_string_not_equal(fastest(rows[i].problem, &cpu), "none");
        assert_string_not_equal(fastest(rows[i].problem, &simulator), "none");
        if (strcmp(rows[i].want, "reference"))
            assert_string_not_equal(fastest(rows[i].problem, &cpu), rows[i].want);
        if (strstr(rows[i].want, "group"))
            assert_string_not_equal(fastest(rows[i].problem, &simulator), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gpus_get_work_groups)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
