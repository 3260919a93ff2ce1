/* Small problems for every operator that is not element-wise; those get theirs made up. */
#include "model/selftest.h"

#include <string.h>

const struct onn_self_test_case onn_self_test_cases[] = {
    {"conv x=1x16x9x11$ w=24x16x3x3$ b=24$ pad=1", false},
    {"conv x=2x3x13x11$ w=16x3x3x3$ pad=1 stride=2", false},
    {"conv x=1x16x7x9$ w=40x16x1x1$ b=40$", false},
    {"conv x=1x16x9x9$ w=16x1x3x3$ b=16$ group=16 pad=1", false},
    {"conv x=1x16x13x13$ w=16x16x3x3$ pad=1 +relu", false},
    {"conv x=1x16x8x8$ w=16x16x3x3$ b=16$ pad=1 +add=1x16x8x8$ +relu", false},
    {"conv x=1x6x9x7$ w=8x3x3x2$ group=2 dilation=2 pad=2", false},
    {"conv x=2x4x17$ w=6x4x5$ b=6$ pad=2", false},
    {"conv_dw x=2x16x9x9$ dy=2x16x9x9$ kernel_shape=3 pad=1", false},
    {"conv_dw x=2x3x11x13$ dy=2x8x6x7$ kernel_shape=3 stride=2 pad=1", false},
    {"conv_dw x=1x16x8x8$ dy=1x32x8x8$ kernel_shape=1", false},
    {"convtranspose x=1x8x5x4$ w=8x6x3x3$ b=6$ stride=2 pad=1 output_padding=1,1", false},
    {"convtranspose x=1x16x4x4$ w=16x8x2x2$ stride=2", false},
    {"gemm a=7x19$ b=19x13$ c=13$", false},
    {"gemm a=33x40$ b=24x40$ c=24$ transB=1 +relu", false},
    {"gemm a=19x7$ b=13x19$ transA=1 transB=1", false},
    {"matmul a=3x7x18$ b=3x18x11$", false},
    {"matmul a=2x3x8x16$ b=16x24$", false},
    {"matmul_perm a=5x2x16$ b=7x2x16$ perm_a=1,0,2 perm_b=1,2,0", false},
    {"lstm x=3x2x10$ w=1x20x10$ r=1x20x5$ b=1x40$ hidden_size=5", false},
    {"gru x=3x2x10$ w=1x15x10$ r=1x15x5$ hidden_size=5", false},
    {"rnn x=3x2x10$ w=1x5x10$ r=1x5x5$ hidden_size=5", false},
    {"lstm x=3x2x10$ w=2x20x10$ r=2x20x5$ direction=bidirectional outs=4", false},
    {"gru x=3x2x10$ w=2x15x10$ r=2x15x5$ direction=bidirectional outs=3", false},
    {"lstm_dx y=3x1x2x37$ r=1x148x37$ kept=3x1x2x185$ h0=1x2x37$ c0=1x2x37$ p=1x111$ dy=3x1x2x37$ outs=5",
        false},
    {"lstm_dx y=3x2x2x5$ r=2x20x5$ kept=3x2x2x25$ h0=- c0=- p=- dy=- dyh=2x2x5$ dyc=2x2x5$ "
     "direction=bidirectional",
        false},
    {"gru_dx y=3x2x2x5$ r=2x15x5$ kept=3x2x2x20$ h0=2x2x5$ c0=- p=- dy=3x2x2x5$ direction=bidirectional",
        false},
    {"gru_dx y=3x1x2x37$ r=1x111x37$ kept=3x1x2x148$ h0=- c0=- p=- dy=3x1x2x37$ linear_before_reset=1",
        false},
    {"rnn_dx y=3x1x2x37$ r=1x37x37$ kept=- h0=- c0=- p=- dy=3x1x2x37$ dyh=1x2x37$", false},
    {"maxpool x=1x16x13x11$ kernel_shape=3 stride=2 pad=1", false},
    {"maxpool x=2x5x8x8$ kernel_shape=2 stride=2", false},
    {"averagepool x=1x16x13x11$ kernel_shape=3 stride=2 pad=1", false},
    {"averagepool x=1x5x9x9$ kernel_shape=2 ceil_mode=1 stride=2 count_include_pad=1 pad=1", false},
    {"maxpool_dx x=2x19x13x11$ dy=2x19x6x5$ kernel_shape=2 stride=2", false},
    {"maxpool_dx x=1x16x12x12$ dy=1x16x6x6$ kernel_shape=3 stride=2 pad=1", false},
    {"averagepool_dx dy=1x21x9x9$ in=9,9 kernel_shape=3 pad=1", false},
    {"averagepool_dx dy=1x16x6x6$ in=12,12 kernel_shape=2 stride=2", false},
    {"globalaveragepool x=2x19x7x7$", false},
    {"globalmaxpool x=2x19x7x7$", false},
    {"batchnormalization x=2x19x5x7$ scale=19$ b=19$ mean=19$ var=19$", true},
    {"batchnorm_dx dy=2x19x5x7$ x=2x19x5x7$ s=19$ m=19$ d=19$ outs=3", true},
    {"batchnorm_dx dy=2x16x5x5$ x=2x16x5x5$ s=16$ m=16$ d=16$ b=16$ mask=1 outs=3", true},
    {"instancenormalization x=2x19x5x7$ scale=19$ b=19$", false},
    {"layernormalization x=2x5x24$ scale=24$ b=24$", false},
    {"groupnormalization x=2x20x5x7$ scale=20$ b=20$ num_groups=4", false},
    {"meanvariancenormalization x=2x19x5x7$", false},
    {"lrn x=2x19x5x7$ size=5", false},
    {"softmax x=3x5x37$ axis=-1", false},
    {"softmax x=2x19x4x3$ axis=1", false},
    {"logsoftmax x=3x5x37$ axis=-1", false},
    {"softmax_ce x=9x11$ t=9:i64 w=11$ outs=3", true},
    {"softmax_ce x=2x5x6x7$ t=2x6x7:i32 outs=3", false},
    {"nll x=4x10$ t=4:i64", false},
    {"softmax_ce_dx d=scalar$ x=9x11$ t=9:i64 l=9$ s=scalar$ w=11$", true},
    {"nll_dx d=scalar$ x=4x10$ t=4:i64 l=4$ s=scalar$", true},
    {"concat a=1x16x5x7$ b=1x8x5x7$ c=1x3x5x7$ axis=1", false},
    {"concat a=2x3x5$ b=2x3x4$ axis=2", false},
    {"split x=2x12x5x7$ axis=1 outs=3", false},
    {"slice x=2x19x9x11$ starts=@1,2 ends=@17,10 axes=@1,3 steps=@2,3", false},
    {"slice_dx x=2x3x4x5$ shape=2,8,4,11 start=0,2,0,1 step=1,1,1,2", false},
    {"pad x=2x5x7x9$ pads=@0,0,1,2,0,0,3,4", false},
    {"pad x=2x5x7x9$ pads=@0,0,1,2,0,0,3,4 mode=reflect", false},
    {"axis_map x=2x5x7x6$ axis=1 s=@0,2,2,5,6:i32 i=@4,1,0,2,3,3:i32 w=@1,-2,3,1,2,0.5:f32", false},
    {"augment x=5x3x9x12:u8 t=5x24:f32 n=3x2:f32", false},
    {"transpose x=2x19x9x11$ perm=0,2,3,1", false},
    {"transpose x=5x33x37$ perm=0,2,1", false},
    {"reshape x=2x12x5x7$ shape=@2,3,4,35", false},
    {"flatten x=2x12x5x7$", false},
    {"squeeze x=2x1x5x7$ axes=@1", false},
    {"unsqueeze x=2x5x7$ axes=@1", false},
    {"expand x=2x1x5$ shape=@2,3,5", false},
    {"tile x=2x3x5$ repeats=@1,2,3", false},
    {"depthtospace x=2x16x5x7$ block=2", false},
    {"spacetodepth x=2x4x6x8$ block=2", false},
    {"gather x=9x7x5$ indices=@3,0,8,1 axis=0", false},
    {"gather x=2x7x5$ indices=@3,0,6 axis=1", false},
    {"gatherelements x=5x7$ indices=5x7:i64 axis=0", false},
    {"gathernd x=5x7$ indices=3x1:i64", false},
    {"gather_dx dy=2x4x5$ k=@1,1,1,0:i32 axis=1 shape=2,3,5", false},
    {"gatherelements_dx dy=3x4$ k=3x4:i64 axis=0 shape=4,4", false},
    {"gathernd_dx dy=4x3$ k=4x1:i64 shape=4,3", false},
    {"scatternd x=9x7$ indices=@4 updates=7$", false},
    {"scatterelements x=9$ indices=@1,3,5 updates=3$ axis=0", false},
    {"onehot indices=5:i64 depth=@7 values=2$", false},
    {"reversesequence x=4x3x5$ lens=@2,4,1", false},
    {"constantofshape shape=@2,3,5", false},
    {"resize x=1x16x5x7$ roi=- scales=@1,1,2,2:f32", false},
    {"resize x=1x16x5x7$ roi=- scales=@1,1,1.5,2.5:f32 mode=linear", false},
    {"reducemean x=2x19x5x7$ axes=@2,3", false},
    {"reducesum x=2x19x5x7$ axes=@1", false},
    {"reducemax x=2x19x5x7$ axes=@3", false},
    {"topk x=3x37$ k=@5 outs=2", false},
    {"cumsum x=3x19x5$ axis=@1", false},
    {"reorder x=1x19x5x7$ f:c8", false},
    {"reorder x=1x19x5x7$ f:nhwc", false},
    {"reorder x=1x19x5x7$:c8", false},
    {"where c=2x3x5:bool a=2x3x5$ b=2x3x5$", false},
    {"clip x=2x19x5x7$ lo=@0$:scalar hi=@1$:scalar", false},
    {"log x=2x19x5x7$", true},
    {"sqrt x=2x19x5x7$", true},
    {"pow a=2x19x5x7$ b=2x19x5x7$", true},
    {"div a=2x19x5x7$ b=2x19x5x7$", true},
    {NULL, false},
};

/* Names of the made-up operands. */
static const char *const shapes[] = {"2x19x5x7", "1x16x4x9", "3x37"};

static bool is_for(const char *text, const struct onn_op *op)
{
    size_t n = strlen(op->name);
    return !strncmp(text, op->name, n) && text[n] == ' ';
}

/* Writes the text with "$" replaced by ":dtype". */
static void add_text(struct onn_str *s, const char *text, enum oclnn_dtype dtype)
{
    for (; *text; text++) {
        if (*text == '$')
            onn_str_add(s, ":%s", oclnn_dtype_name(dtype));
        else
            onn_str_add(s, "%c", *text);
    }
}

/* Operators without a case: their least number of inputs, all of one shape. */
static enum oclnn_status make_up(const struct onn_op *op, int index, enum oclnn_dtype dtype,
    struct onn_str *s)
{
    int n = op->min_in ? op->min_in : op->max_in ? 1 : 0;
    if (index >= (int)(sizeof shapes / sizeof shapes[0]) || n == 0)
        return OCLNN_ERROR_NOT_FOUND;
    onn_str_add(s, "%s", op->name);
    for (int i = 0; i < n; i++)
        onn_str_add(s, " in%d=%s:%s", i, shapes[index], oclnn_dtype_name(dtype));
    return OCLNN_OK;
}

enum oclnn_status onn_self_test_problem(const struct onn_op *op, int index, enum oclnn_dtype dtype,
    struct onn_problem *out, bool *positive)
{
    struct onn_str text = {0};
    enum oclnn_status status = OCLNN_ERROR_NOT_FOUND;
    int at = 0;
    *positive = false;
    for (const struct onn_self_test_case *c = onn_self_test_cases; c->text; c++) {
        if (!is_for(c->text, op) || at++ != index)
            continue;
        add_text(&text, c->text, dtype);
        *positive = c->positive;
        status = OCLNN_OK;
    }
    if (at == 0)
        status = make_up(op, index, dtype, &text);
    if (status == OCLNN_OK && !onn_str_ok(&text))
        status = OCLNN_ERROR_MEMORY;
    if (status == OCLNN_OK) {
        status = onn_problem_parse(onn_str_text(&text), out);
        if (status == OCLNN_OK && (status = onn_problem_infer(out)) != OCLNN_OK)
            onn_problem_finish(out);
        if (status == OCLNN_ERROR_NOT_FOUND) /* that means: behind the last */
            status = OCLNN_ERROR_ARGUMENT;
    }
    onn_str_finish(&text);
    return status;
}

/* Does a variant take the problem on some device? */
static bool has_variant(const struct onn_problem *p)
{
    static const struct onn_caps caps = {.max_group = 256,
        .local_bytes = 32768,
        .vector_width = 8,
        .compute_units = 4,
        .max_alloc = (size_t)1 << 30,
        .global_bytes = (size_t)4 << 30,
        .max_item = {256, 256, 256}};
    struct onn_prob prob = p->prob;
    prob.caps = &caps;
    for (int i = 0; prob.op->variants && prob.op->variants[i]; i++)
        if (!onn_variant_refuse(prob.op->variants[i], &prob))
            return true;
    return prob.op->host != NULL && !prob.op->variants;
}

unsigned onn_self_test_dtypes(const struct onn_op *op)
{
    static const enum oclnn_dtype types[] = {OCLNN_F32, OCLNN_F16, OCLNN_BF16, OCLNN_F64, OCLNN_U8, OCLNN_I8,
        OCLNN_I32, OCLNN_I64, OCLNN_BOOL};
    unsigned bits = 0;
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        struct onn_problem p;
        bool positive;
        enum oclnn_status status = OCLNN_OK;
        for (int i = 0; status != OCLNN_ERROR_NOT_FOUND && !(bits >> types[t] & 1); i++) {
            status = onn_self_test_problem(op, i, types[t], &p, &positive);
            if (status != OCLNN_OK)
                continue;
            if (has_variant(&p))
                bits |= 1u << types[t];
            onn_problem_finish(&p);
        }
    }
    return bits;
}
