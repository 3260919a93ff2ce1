/* Text of element-wise kernels. A kernel's name is a hash of its text, so equal chains share one kernel. The text needs
 * nothing but itself (generated text stands before the files of a program), numbers come as arguments.
 *
 * Arguments   inputs (pointer, offset in elements), output (the same), sizes, then one float per parameter.
 *   flat      long n, int per: item i computes elements i * per … of contiguous operands
 *   nd        struct ew_nd, int rows, rows_per, inner_per: an item walks rows of the innermost dimension
 *   blocked   struct ew_blk (strides n, block, depth, height, width; width: lane where an
 *             operand is one vector per block): [n][channel blocks][pixels][lanes], items {pixel chunks, blocks, n}
 * Width      vectors of `width`, one item a chunk on vector CPUs and a vector elsewhere: the caller's numbers. */
#include "base/hash.h"
#include "ops/elementwise.h"

#include <stdio.h>
#include <string.h>

static const char *const domain_type[] = {"float", "int", "long", "double"};

static const char *storage_type(enum oclnn_dtype dtype, bool fp64)
{
    switch (dtype) {
    case OCLNN_F16: return "half";
    case OCLNN_BF16: return "ushort";
    case OCLNN_F64: return fp64 ? "double" : "ulong"; /* bits */
    case OCLNN_U8:
    case OCLNN_BOOL: return "uchar";
    case OCLNN_I8: return "char";
    case OCLNN_I32: return "int";
    case OCLNN_I64: return "long";
    default: return "float";
    }
}

enum onn_ew_domain onn_ew_domain_of(enum oclnn_dtype dtype, bool fp64)
{
    if (dtype == OCLNN_F64 && fp64)
        return ONN_EW_D;
    if (onn_dtype_is_float(dtype))
        return ONN_EW_F;
    return dtype == OCLNN_I64 ? ONN_EW_L : ONN_EW_I;
}

/* "" for scalars, "8" for vectors of 8. */
static const char *width_text(int width)
{
    static const char *const text[17] = {[2] = "2", [4] = "4", [8] = "8", [16] = "16"};
    return width <= 16 && text[width] ? text[width] : "";
}

/* Halves lane by lane: vload_half8 of some CPU compilers wants more alignment than a half's. */
static void add_half_lanes(struct onn_str *s, int width, const char *address)
{
    onn_str_add(s, "(float%d)(", width);
    for (int i = 0; i < width; i++)
        onn_str_add(s, "%svload_half(%d, %s)", i ? ", " : "", i, address);
    onn_str_add(s, ")");
}

static void add_load(struct onn_str *s, const struct onn_ew_code *code, enum oclnn_dtype dtype, int width,
    const char *address)
{
    const enum onn_ew_domain domain = code->domain;
    const char *w = width_text(width);
    const bool convert = onn_dtype_is_float(dtype)
        ? !onn_ew_is_real(domain)
        : strcmp(storage_type(dtype, code->fp64), domain_type[domain]) != 0;
    if (convert)
        onn_str_add(s, "convert_%s%s(", domain_type[domain], w);
    if (dtype == OCLNN_F16 && width > 4)
        add_half_lanes(s, width, address);
    else if (dtype == OCLNN_F16)
        onn_str_add(s, "vload_half%s(0, %s)", w, address);
    else if (dtype == OCLNN_BF16 && width > 1)
        onn_str_add(s, "as_float%s(convert_uint%s(vload%s(0, %s)) << 16)", w, w, w, address);
    else if (dtype == OCLNN_BF16)
        onn_str_add(s, "as_float((uint)*(%s) << 16)", address);
    else if (dtype == OCLNN_F64 && !code->fp64)
        onn_str_add(s, "ew_from_f64(*(%s))", address);
    else if (width > 1)
        onn_str_add(s, "vload%s(0, %s)", w, address);
    else
        onn_str_add(s, "*(%s)", address);
    if (convert)
        onn_str_add(s, ")");
}

/* Stores variable v. */
static void add_store(struct onn_str *s, const struct onn_ew_code *code, int width, const char *address)
{
    const enum oclnn_dtype dtype = code->out_type;
    const enum onn_ew_domain domain = code->domain;
    const bool is_double = dtype == OCLNN_F64 && code->fp64;
    const char *w = width_text(width), *type = domain_type[domain];
    char value[160];
    if (is_double && domain != ONN_EW_D)
        snprintf(value, sizeof value, "convert_double(v)");
    else if (onn_dtype_is_float(dtype) && domain != ONN_EW_F && !is_double)
        snprintf(value, sizeof value, "convert_float%s(v)", w);
    else if (onn_dtype_is_float(dtype))
        snprintf(value, sizeof value, "v");
    else if (dtype == OCLNN_BOOL)
        snprintf(value, sizeof value, "convert_uchar%s((v != (%s%s)(0)) & 1)", w, type, w);
    else
        snprintf(value, sizeof value, "convert_%s%s%s(v)", storage_type(dtype, code->fp64), w,
            onn_ew_is_real(domain) ? "_sat" : "");
    if (dtype == OCLNN_F16 && width > 4) {
        onn_str_add(s, "const float%d r = %s; ", width, value);
        for (int i = 0; i < width; i++)
            onn_str_add(s, "vstore_half_rte(r.s%x, %d, %s); ", (unsigned)i, i, address);
    } else if (dtype == OCLNN_F16)
        onn_str_add(s, "vstore_half%s_rte(%s, 0, %s);", w, value, address);
    else if (dtype == OCLNN_BF16)
        onn_str_add(s,
            "const float%s r = %s; const uint%s u = as_uint%s(r); const ushort%s h = convert_ushort%s("
            "r == r ? (u + (uint%s)(0x7fffu) + ((u >> 16) & 1u)) >> 16 : (uint%s)(0x7fc0u)); ",
            w, value, w, w, w, w, w, w);
    if (dtype == OCLNN_BF16)
        snprintf(value, sizeof value, "h");
    else if (dtype == OCLNN_F64 && !is_double) {
        onn_str_add(s, "const float r = %s; ", value);
        snprintf(value, sizeof value, "ew_to_f64(r)");
    }
    if (dtype == OCLNN_F16)
        return;
    if (width > 1)
        onn_str_add(s, "vstore%s(%s, 0, %s);", w, value, address);
    else
        onn_str_add(s, "*(%s) = %s;", address, value);
}

void onn_ew_emit(struct onn_ew_code *code, const struct onn_ew_row *row, const struct onn_ew_attr *attr,
    const char *a, const char *b, const char *c)
{
    const char *expr = onn_ew_is_real(code->domain) ? row->expr : row->expr_int;
    const char *const name[3] = {"a", "b", "c"}, *const operand[3] = {a, b, c};
    float param[2] = {attr ? attr->alpha : 0, attr ? attr->beta : 0};
    if (attr && !strcmp(row->op.name, "mod"))
        param[0] = (float)attr->fmod;
    if (attr && !strcmp(row->op.name, "isinf")) {
        param[0] = (float)attr->negative;
        param[1] = (float)attr->positive;
    }
    if (!expr || code->n_params + row->params > ONN_EW_PARAMS) {
        code->body.failed = true;
        return;
    }
    onn_str_add(&code->body, "    {");
    for (int i = 0; i < 3; i++)
        if (operand[i])
            onn_str_add(&code->body, " const T %s = %s;", name[i], operand[i]);
    for (int i = 0; i < row->params; i++) {
        onn_str_add(&code->body, " const T p%d = (T)(q%d);", i, code->n_params);
        code->param[code->n_params++] = param[i];
    }
    if (strstr(expr, "t = "))
        onn_str_add(&code->body, " T t;");
    onn_str_add(&code->body, strchr(expr, ';') ? " %s }\n" : " v = %s; }\n", expr);
    if (!(row->ew_flags & ONN_EW_ZERO))
        code->keeps_zero = false;
}

/* exp within 2 ulp over [-87, 88], clamped outside: what sigmoid needs (cl/lib/exp.h has the same). */
static void add_exp(struct onn_str *s, int width, const char *suffix)
{
    const char *w = width_text(width);
    onn_str_add(s,
        "static inline T @_e%s(T x)\n{\n"
        "    x = x < (T)(-87.0f) ? (T)(-87.0f) : x;\n    x = x > (T)(88.0f) ? (T)(88.0f) : x;\n"
        "    const T t = fma(x, (T)(1.44269504f), (T)(12582912.0f)), n = t - (T)(12582912.0f);\n"
        "    const T r = fma(n, (T)(2.12194440e-4f), fma(n, (T)(-0.693359375f), x));\n"
        "    T p = fma((T)(1.9875691500e-4f), r, (T)(1.3981999507e-3f));\n"
        "    p = fma(p, r, (T)(8.3334519073e-3f));\n    p = fma(p, r, (T)(4.1665795894e-2f));\n"
        "    p = fma(p, r, (T)(1.6666665459e-1f));\n    p = fma(p, r, (T)(5.0000001201e-1f));\n"
        "    p = fma(p * r, r, r) + (T)(1.0f);\n"
        "    return p * as_float%s((as_int%s(t) + (int%s)(127)) << 23);\n}\n#define EXP @_e%s\n",
        suffix, w, w, w, suffix);
}

/* The normal distribution function, what gelu multiplies with (onn_phi in cl/lib/activation.h is the same). */
static void add_phi(struct onn_str *s, enum onn_ew_domain domain, const char *suffix)
{
    if (domain == ONN_EW_D) {
        onn_str_add(s, "#define PHI(x) ((T)(0.5) * ((T)(1) + erf((x) * (T)(0.70710678118654752))))\n");
        return;
    }
    onn_str_add(s,
        "static inline T @_p%s(T x)\n{\n"
        "    const T a = fabs(x);\n    T q = fma((T)(1.45620959e-7f), a, (T)(-3.43009242e-6f));\n"
        "    q = fma(q, a, (T)(3.2304386e-5f));\n    q = fma(q, a, (T)(-1.34231028e-4f));\n"
        "    q = fma(q, a, (T)(-1.01802587e-4f));\n    q = fma(q, a, (T)(4.91616223e-3f));\n"
        "    q = fma(q, a, (T)(-3.64040062e-2f));\n    q = fma(q, a, (T)(-3.1829372e-1f));\n"
        "    q = fma(q, a, (T)(-7.97885835e-1f));\n"
        "    const T h = a < (T)(5.5f) ? (T)(0.5f) * EXP(q * a) : (T)(0);\n"
        "    return x < (T)(0) ? h : (T)(1) - h;\n}\n#define PHI @_p%s\n",
        suffix, suffix);
}

/* The chain as a function of whole vectors or of scalars: @_v, @_s. */
static void add_function(struct onn_str *s, struct onn_ew_code *code, int width, const char *suffix)
{
    const bool has_phi = strstr(onn_str_text(&code->body), "PHI(") != NULL;
    const bool has_exp = has_phi || strstr(onn_str_text(&code->body), "EXP(") != NULL;
    onn_str_add(s, "#define T %s%s\n", domain_type[code->domain], width_text(width));
    const bool has_number = strstr(onn_str_text(&code->body), "K(") != NULL;
    if (has_number) /* a float's digits, or a double's: a device may know no doubles */
        onn_str_add(s, "#define K(x) x%s\n", code->domain == ONN_EW_D ? "" : "##f");
    if (has_exp && code->domain == ONN_EW_D)
        onn_str_add(s, "#define EXP exp\n");
    else if (has_exp)
        add_exp(s, width, suffix);
    if (has_phi)
        add_phi(s, code->domain, suffix);
    onn_str_add(s, "static inline T @_%s(", suffix);
    for (int i = 0; i < code->n_in; i++)
        onn_str_add(s, "%sconst T x%d", i ? ", " : "", i);
    for (int i = 0; i < code->n_params; i++)
        onn_str_add(s, "%sconst float q%d", i + code->n_in ? ", " : "", i);
    onn_str_add(s, ")\n{\n    T v;\n%s    return v;\n}\n#undef T\n%s", onn_str_text(&code->body),
        has_exp ? "#undef EXP\n" : "");
    if (has_phi)
        onn_str_add(s, "#undef PHI\n");
    if (has_number)
        onn_str_add(s, "#undef K\n");
}

static void add_arguments(struct onn_str *s, const struct onn_ew_code *code, const char *sizes)
{
    onn_str_add(s, "kernel void @(");
    for (int i = 0; i < code->n_in; i++)
        onn_str_add(s, "global const %s *x%d_mem, const long x%d_off, ",
            storage_type(code->in_type[i], code->fp64), i, i);
    onn_str_add(s, "global %s *y_mem, const long y_off, %s", storage_type(code->out_type, code->fp64), sizes);
    for (int i = 0; i < code->n_params; i++)
        onn_str_add(s, ", const float q%d", i);
    onn_str_add(s, ")\n{\n");
}

/* "const T v = @_v(loads, parameters); store": one step at index i. */
static void add_step(struct onn_str *s, const struct onn_ew_code *code, int width, const char *y, bool mask)
{
    char text[64];
    const char *type = domain_type[code->domain], *w = width_text(width);
    onn_str_add(s, "%s%s%s v = @_%s(", mask ? "" : "const ", type, w, width > 1 ? "v" : "s");
    for (int i = 0; i < code->n_in; i++) {
        onn_str_add(s, "%s", i ? ", " : "");
        switch (code->in_class[i]) {
        case ONN_EW_SCALAR: onn_str_add(s, "(%s%s)(s%d)", type, w, i); break;
        case ONN_EW_LANES: onn_str_add(s, "s%d", i); break;
        case ONN_EW_GATHER:
            snprintf(text, sizeof text, "x%d + i * g%d", i, i);
            add_load(s, code, code->in_type[i], 1, text);
            break;
        case ONN_EW_VECTOR:
            snprintf(text, sizeof text, "x%d + i", i);
            add_load(s, code, code->in_type[i], width, text);
            break;
        }
    }
    for (int i = 0; i < code->n_params; i++)
        onn_str_add(s, "%sq%d", i + code->n_in ? ", " : "", i);
    onn_str_add(s, "); ");
    if (mask) {
        const bool is_long = code->domain == ONN_EW_L;
        onn_str_add(s, "if (left < %d) v = %s%s((int%s)(0", width, is_long ? "convert_long" : "",
            is_long ? w : "", w);
        for (int i = 1; i < width; i++)
            onn_str_add(s, ", %d", i);
        onn_str_add(s, ") < (int%s)(left)) ? v : (%s%s)(0); ", w, type, w);
    }
    add_store(s, code, width, y);
}

/* Vectors and then single elements, i from `from` to `to`. */
static void add_loops(struct onn_str *s, const struct onn_ew_code *code, const char *from, const char *to,
    const char *y)
{
    onn_str_add(s, "    int i = %s;\n", from);
    if (code->width > 1) {
        onn_str_add(s, "    for (; i + %d <= %s; i += %d) { ", code->width, to, code->width);
        add_step(s, code, code->width, y, false);
        onn_str_add(s, " }\n");
    }
    onn_str_add(s, "    for (; i < %s; i++) { ", to);
    add_step(s, code, 1, y, false);
    onn_str_add(s, " }\n");
}

/* Operands that do not move along the innermost dimension are read once. */
static void add_scalars(struct onn_str *s, const struct onn_ew_code *code)
{
    char text[32];
    for (int i = 0; i < code->n_in; i++)
        if (code->in_class[i] == ONN_EW_SCALAR) {
            onn_str_add(s, "    const %s s%d = ", domain_type[code->domain], i);
            snprintf(text, sizeof text, "x%d", i);
            add_load(s, code, code->in_type[i], 1, text);
            onn_str_add(s, ";\n");
        }
}

static void add_flat(struct onn_str *s, const struct onn_ew_code *code)
{
    add_arguments(s, code, "const long n, const int per");
    onn_str_add(s,
        "    const long start = (long)get_global_id(0) * per;\n    if (start >= n)\n        return;\n"
        "    const int count = (int)min((long)per, n - start);\n");
    for (int i = 0; i < code->n_in; i++)
        onn_str_add(s, "    global const %s *x%d = x%d_mem + x%d_off%s;\n",
            storage_type(code->in_type[i], code->fp64), i, i, i,
            code->in_class[i] == ONN_EW_VECTOR ? " + start" : "");
    onn_str_add(s, "    global %s *y = y_mem + y_off + start;\n", storage_type(code->out_type, code->fp64));
    add_scalars(s, code);
    add_loops(s, code, "0", "count", "y + i");
    onn_str_add(s, "}\n");
}

static void add_nd(struct onn_str *s, const struct onn_ew_code *code, bool gather_out)
{
    char arguments[128];
    /* Arrays of arrays have a wrong size in some compilers. Only the operands' strides: they may be copied, see ONN_TAKE of
     * cl/lib/types.h. */
    onn_str_add(s,
        "#ifndef EW_ND%d\n#define EW_ND%d\nstruct ew_nd%d { int rank, pad; int dim[8]; long stride[%d]; };\n"
        "#endif\n#ifndef EW_ARGS\n#ifdef ONN_COPY_ARGS\n#define EW_ARGS(T) const struct T arg\n"
        "#define EW_TAKE(T) struct T g; if (get_work_dim() != 0) g = arg\n"
        "#else\n#define EW_ARGS(T) const struct T g\n#define EW_TAKE(T)\n#endif\n#endif\n",
        code->n_in, code->n_in, code->n_in, 8 * (code->n_in + 1));
    snprintf(arguments, sizeof arguments,
        "EW_ARGS(ew_nd%d), const int rows, const int rows_per, const int inner_per", code->n_in);
    add_arguments(s, code, arguments);
    onn_str_add(s, "    EW_TAKE(ew_nd%d);\n", code->n_in);
    onn_str_add(s,
        "    const int inner = g.rank - 1, i0 = (int)get_global_id(0) * inner_per;\n"
        "    if (i0 >= g.dim[inner])\n        return;\n"
        "    const int i1 = i0 + min(inner_per, g.dim[inner] - i0);\n"
        "    const int r0 = (int)get_global_id(1) * rows_per, r1 = r0 + min(rows_per, rows - r0);\n");
    for (int i = 0; i < code->n_in; i++)
        if (code->in_class[i] == ONN_EW_GATHER)
            onn_str_add(s, "    const long g%d = g.stride[%d + inner];\n", i, 8 * (i + 1));
    onn_str_add(s, "    for (int row = r0; row < r1; row++) {\n    long oy = y_off");
    for (int i = 0; i < code->n_in; i++)
        onn_str_add(s, ", o%d = x%d_off", i, i);
    onn_str_add(s,
        ";\n    for (int d = inner - 1, rest = row; d >= 0; d--) {\n        const int k = rest %% g.dim[d];\n"
        "        rest /= g.dim[d];\n        oy += k * g.stride[d];\n");
    for (int i = 0; i < code->n_in; i++)
        onn_str_add(s, "        o%d += k * g.stride[%d + d];\n", i, 8 * (i + 1));
    onn_str_add(s, "    }\n    global %s *y = y_mem + oy;\n", storage_type(code->out_type, code->fp64));
    for (int i = 0; i < code->n_in; i++)
        onn_str_add(s, "    global const %s *x%d = x%d_mem + o%d;\n",
            storage_type(code->in_type[i], code->fp64), i, i, i);
    add_scalars(s, code);
    add_loops(s, code, "i0", "i1", gather_out ? "y + i * g.stride[inner]" : "y + i");
    onn_str_add(s, "    }\n}\n");
}

/* Loads `width` lanes of which only `left` exist. */
static void add_lanes(struct onn_str *s, const struct onn_ew_code *code, int i)
{
    const char *type = domain_type[code->domain], *w = width_text(code->width);
    char text[48];
    snprintf(text, sizeof text, "x%d + k * g.stride[%d]", i, 5 * (i + 1) + 4);
    onn_str_add(s, "    %s l%d[%d];\n    for (int k = 0; k < %d; k++)\n        l%d[k] = k < left ? ", type, i,
        code->width, code->width, i);
    add_load(s, code, code->in_type[i], 1, text);
    onn_str_add(s, " : 0;\n    const %s%s s%d = vload%s(0, l%d);\n", type, w, i, w, i);
}

static void add_blocked(struct onn_str *s, const struct onn_ew_code *code, bool merged)
{
    char text[48];
    onn_str_add(s,
        "#ifndef EW_BLK\n#define EW_BLK\nstruct ew_blk { int n, blocks, c, px, per, h, w, pad; "
        "long stride[40]; };\n#endif\n");
    add_arguments(s, code, "const struct ew_blk g");
    onn_str_add(s,
        "    const int n = (int)get_global_id(2), c = (int)get_global_id(1);\n"
        "    const int p0 = (int)get_global_id(0) * g.per, p1 = p0 + min(g.per, g.px - p0);\n"
        "    if (n >= g.n || c >= g.blocks)\n        return;\n    const int left = g.c - c * %d;\n",
        code->width);
    onn_str_add(s, "    global %s *yb = y_mem + y_off + n * g.stride[0] + c * g.stride[1];\n",
        storage_type(code->out_type, code->fp64));
    for (int i = 0; i < code->n_in; i++) {
        onn_str_add(s,
            "    global const %s *x%s%d = x%d_mem + x%d_off + n * g.stride[%d] + c * g.stride[%d];\n",
            storage_type(code->in_type[i], code->fp64), code->in_class[i] == ONN_EW_LANES ? "" : "b", i, i, i,
            5 * (i + 1), 5 * (i + 1) + 1);
        if (code->in_class[i] == ONN_EW_LANES)
            add_lanes(s, code, i);
    }
    onn_str_add(s, "    for (int p = p0; p < p1; p++) {\n");
    if (!merged)
        onn_str_add(s, "    const int pw = p %% g.w, ph = p / g.w %% g.h, pd = p / g.w / g.h;\n");
    for (int i = -1; i < code->n_in; i++) {
        char name[16] = "y";
        if (i >= 0)
            snprintf(name, sizeof name, "xb%d", i);
        if (i >= 0 && code->in_class[i] == ONN_EW_LANES)
            continue;
        if (merged)
            snprintf(text, sizeof text, "p * g.stride[%d]", 5 * (i + 1) + 4);
        onn_str_add(s, "    const long o%d = ", i + 1);
        if (merged)
            onn_str_add(s, "%s;\n", text);
        else
            onn_str_add(s, "pd * g.stride[%d] + ph * g.stride[%d] + pw * g.stride[%d];\n", 5 * (i + 1) + 2,
                5 * (i + 1) + 3, 5 * (i + 1) + 4);
        if (i >= 0 && code->in_class[i] == ONN_EW_SCALAR) {
            onn_str_add(s, "    const %s s%d = ", domain_type[code->domain], i);
            snprintf(text, sizeof text, "%s + o%d", name, i + 1);
            add_load(s, code, code->in_type[i], 1, text);
            onn_str_add(s, ";\n");
        } else if (i >= 0) {
            onn_str_add(s, "    global const %s *x%d = %s + o%d;\n",
                storage_type(code->in_type[i], code->fp64), i, name, i + 1);
        }
    }
    onn_str_add(s, "    const int i = 0; { ");
    add_step(s, code, code->width, "yb + o0 + i", true);
    onn_str_add(s, " }\n    }\n}\n");
}

/* Doubles as bits: what lies outside float's range becomes infinity or zero. */
static const char f64_helpers[] =
    "#ifndef EW_F64\n#define EW_F64\n"
    "static inline float ew_from_f64(const ulong d)\n{\n"
    "    const uint sign = (uint)(d >> 32) & 0x80000000u;\n"
    "    const int e = (int)(d >> 52 & 0x7ff) - 1023;\n"
    "    const ulong m = d & 0xfffffffffffffUL;\n"
    "    if (e == 1024)\n        return as_float(sign | 0x7f800000u | (m ? 0x400000u : 0u));\n"
    "    if (e < -126)\n        return as_float(sign | as_uint(ldexp((float)(m >> 28 | 0x1000000UL), max(e, "
    "-300) - 24)));\n"
    "    const ulong r = ((ulong)(e + 127) << 52 | m) + 0xfffffffUL + (m >> 29 & 1UL);\n"
    "    return e > 127 ? as_float(sign | 0x7f800000u) : as_float(sign | (uint)(r >> 29));\n}\n"
    "static inline ulong ew_to_f64(const float f)\n{\n"
    "    const uint u = as_uint(f), a = u & 0x7fffffffu;\n"
    "    const ulong sign = (ulong)(u & 0x80000000u) << 32;\n"
    "    if (a == 0)\n        return sign;\n"
    "    if (a >= 0x7f800000u)\n        return sign | 0x7ff0000000000000UL | (ulong)(a & 0x7fffffu) << 29;\n"
    "    if (a >= 0x800000u)\n        return sign | (((ulong)a << 29) + (896UL << 52));\n"
    "    const int z = (int)clz(a) - 8;\n"
    "    return sign | (ulong)(897 - z) << 52 | (((ulong)a << (29 + z)) & 0xfffffffffffffUL);\n}\n#endif\n";

enum oclnn_status onn_ew_kernel(const struct onn_ew_code *code, enum onn_ew_shape shape,
    struct onn_arena *arena, const char **name, const char **text)
{
    struct onn_ew_code copy = *code;
    struct onn_str s = {0}, named = {0};
    enum oclnn_status status = OCLNN_OK;
    bool f64 = code->out_type == OCLNN_F64;
    for (int i = 0; i < code->n_in; i++)
        f64 = f64 || code->in_type[i] == OCLNN_F64;
    if (f64)
        onn_str_add(&s, "%s", code->fp64 ? "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n" : f64_helpers);
    if (code->width > 1)
        add_function(&s, &copy, code->width, "v");
    if (shape == ONN_EW_FLAT || shape == ONN_EW_ND)
        add_function(&s, &copy, 1, "s");
    switch (shape) {
    case ONN_EW_FLAT: add_flat(&s, code); break;
    case ONN_EW_ND: add_nd(&s, code, code->out_gather); break;
    case ONN_EW_BLOCKED: add_blocked(&s, code, true); break;
    case ONN_EW_BLOCKED_ND: add_blocked(&s, code, false); break;
    }
    ONN_CHECK(onn_str_ok(&s) && onn_str_ok(&code->body), OCLNN_ERROR_MEMORY,
        "element-wise kernel text too big");
    char hex[ONN_HASH_HEX];
    onn_hash_hex(onn_hash_bytes(s.text, s.length), hex);
    *name = onn_arena_printf(arena, "ew_%.16s", hex);
    ONN_CHECK(*name, OCLNN_ERROR_MEMORY, "out of memory");
    for (const char *at = s.text, *next; at; at = next) {
        const char *token = strchr(at, '@');
        next = token ? token + 1 : NULL;
        onn_str_add(&named, "%.*s%s", token ? (int)(token - at) : (int)strlen(at), at, token ? *name : "");
    }
    *text = onn_str_ok(&named) ? onn_arena_strdup(arena, named.text) : NULL;
    ONN_CHECK(*text, OCLNN_ERROR_MEMORY, "out of memory");
fail:
    onn_str_finish(&s);
    onn_str_finish(&named);
    return status;
}
