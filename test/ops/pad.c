/* Pad against its definition, position by position. */
#include "harness/harness.h"
#include "ops/pad.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("pad x=1x3x4x5 pads=@0,0,1,2,0,0,3,4", "f32[1,3,8,11]");
    onn_check_infer("pad x=1x3x4x5 pads=@0,0,-1,2,0,0,-1,4", "f32[1,3,2,11]");
    onn_check_infer("pad x=1x3x4x5 pads=@1,2 value=- axes=@-1", "f32[1,3,4,8]");
    onn_check_infer("pad x=?x3x4x5 pads=@0,0,1,2,0,0,3,4", "f32[-1,3,8,11]");
    onn_check_infer("pad x=1x3x4x5 pads=@1,2", "!2 pads are given for 4 axes");
    onn_check_infer("pad x=4 pads=@-3,-2", "!would have -1 elements");
    onn_check_infer("pad x=4 pads=@1,1 mode=mirror", "!no mode 'mirror'");
}

/* Walks from the position towards the tensor until it is inside. */
static int64_t walk_in(int64_t i, int64_t size, const char *mode)
{
    if (!mode || !strcmp(mode, "constant"))
        return i < 0 || i >= size ? -1 : i;
    while (i < 0 || i >= size) {
        if (!strcmp(mode, "edge") || size == 1)
            i = i < 0 ? 0 : size - 1;
        else if (!strcmp(mode, "reflect"))
            i = i < 0 ? -i : 2 * (size - 1) - i;
        else
            i += i < 0 ? size : -size;
    }
    return i;
}

static void ref_pad(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const struct onn_pad_attr *a = p->attr;
    int64_t before[ONN_MAX_RANK], after[ONN_MAX_RANK], at[ONN_MAX_RANK];
    if (onn_pad_read(p, before, after))
        return;
    const double constant = p->n_in > 2 && p->value[2] ? onn_blob_get_f64(p->value[2], 0) : 0;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        bool inside = true;
        onn_ref_index(&p->out[0], i, at);
        for (int d = 0; d < p->out[0].rank; d++) {
            at[d] = walk_in(at[d] - before[d], p->in[0].dim[d], a->mode);
            inside = inside && at[d] >= 0;
        }
        r->out[0][i] = inside ? r->in[0][onn_ref_at(&p->in[0], at)] : constant;
    }
}

#define CASE(text) \
    { \
        .problem = "pad x=" text, .ref = ref_pad, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("2x19x5x7 pads=@0,0,1,2,0,0,2,1"),
    CASE("2x16x5x7 pads=@0,8,0,0,0,8,0,0"),
    CASE("2x16x5x7 pads=@0,3,0,1,0,5,0,0"),
    CASE("2x19x5x7 pads=@0,8,0,0,0,2,0,0"),
    CASE("2x19x5x7 pads=@0,0,1,1,0,0,1,1 value=@2:f32"),
    CASE("2x16x5x7 pads=@0,0,1,1,0,0,1,1 value=@2:f32"),
    CASE("2x19x5x7 pads=@0,0,2,3,0,0,1,4 mode=reflect"),
    CASE("2x19x5x7 pads=@0,0,2,3,0,0,1,4 mode=edge"),
    CASE("2x19x5x7 pads=@0,0,2,3,0,0,1,9 mode=wrap"),
    CASE("1x3x2x2 pads=@0,0,5,5,0,0,5,5 mode=reflect"),
    CASE("2x19x5x7 pads=@0,0,-1,2,0,0,-2,-1"),
    CASE("2x16x5x7 pads=@0,-8,0,0,0,0,0,0"),
    CASE("4x5 pads=@1,1 value=- axes=@0 mode=edge"),
    CASE("6:i64 pads=@2,3"),
    CASE("3x5:u8 pads=@1,0,0,2"),
    CASE("0x3 pads=@1,1,1,1"),
    CASE("1x2x3x4x5 pads=@0,0,1,1,1,0,0,1,0,2"),
    CASE("2x3 pads=@0,0,0,0"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
