/* Parser of the problem grammar. One pass over the words; lists that depend on the rank are filled at the end. */
#include "ops/problem.h"

#include "ops/reorder.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *text, *at;
    struct onn_problem *p;
    int n_in, cap_in, n_extra, n_out;
    struct onn_desc extra[ONN_EPI_STEPS];
};

/* One word: key up to the first of "=", value behind it. Points into the text. */
struct word {
    const char *key, *value; /* value NULL if there is no "=" */
    size_t key_length, length;
};

static enum oclnn_status bad(const struct parser *ps, const char *at, const char *what)
{
    return onn_error(OCLNN_ERROR_ARGUMENT, "problem, column %d: %s near \"%.24s\"", (int)(at - ps->text) + 1,
        what, at);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes the next word; false at the end of the text. Blanks inside single quotes belong to the word. */
static bool next_word(struct parser *ps, struct word *w)
{
    while (is_blank(*ps->at))
        ps->at++;
    const char *start = ps->at, *equal = NULL;
    int quotes = 0, braces = 0;
    for (; *ps->at && (!is_blank(*ps->at) || quotes); ps->at++) {
        quotes ^= *ps->at == '\'';
        braces += *ps->at == '{' ? 1 : *ps->at == '}' ? -1 : 0;
        if (*ps->at == '=' && !equal && !braces)
            equal = ps->at;
    }
    *w = (struct word){.key = start, .key_length = (size_t)((equal ? equal : ps->at) - start)};
    if (equal) {
        w->value = equal + 1;
        w->length = (size_t)(ps->at - w->value);
    }
    return ps->at != start;
}

static bool word_is(const struct word *w, const char *key)
{
    return w->value && strlen(key) == w->key_length && !strncmp(w->key, key, w->key_length);
}

static enum oclnn_status parse_i64(struct parser *ps, const char **at, int64_t *out)
{
    char *end;
    errno = 0;
    long long v = strtoll(*at, &end, 10);
    if (end == *at || errno || is_blank(**at))
        return bad(ps, *at, "expected an integer");
    *out = v;
    *at = end;
    return OCLNN_OK;
}

static enum oclnn_status parse_f64(struct parser *ps, const char **at, double *out)
{
    char *end;
    if (is_blank(**at))
        return bad(ps, *at, "expected a number");
    *out = strtod(*at, &end);
    if (end == *at)
        return bad(ps, *at, "expected a number");
    *at = end;
    return OCLNN_OK;
}

/* A list of numbers up to `end`, as doubles and as int64 (one of them counts). Returns arrays in the arena. */
struct numbers {
    int n;
    int64_t *i;
    double *f;
};
static enum oclnn_status parse_numbers(struct parser *ps, const char **at, const char *end, bool floats,
    struct numbers *out)
{
    enum oclnn_status status;
    int cap = 1;
    *out = (struct numbers){0};
    for (const char *c = *at; c < end; c++)
        cap += *c == ',';
    out->i = onn_arena_calloc(&ps->p->arena, (size_t)cap, sizeof *out->i);
    out->f = onn_arena_calloc(&ps->p->arena, (size_t)cap, sizeof *out->f);
    if (!out->i || !out->f)
        return OCLNN_ERROR_MEMORY;
    if (end - *at >= 2 && (*at)[0] == '(' && (*at)[1] == ')') {
        *at += 2;
        return OCLNN_OK;
    }
    for (;;) {
        if (floats)
            ONN_TRY(parse_f64(ps, at, &out->f[out->n]));
        else
            ONN_TRY(parse_i64(ps, at, &out->i[out->n]));
        out->n++;
        if (*at >= end || **at != ',')
            return OCLNN_OK;
        ++*at;
        if (*at >= end) /* "1,": a list of one */
            return OCLNN_OK;
    }
fail:
    return status;
}

/* Suffixes ":dtype", ":format", ":scalar" up to `end`. */
static enum oclnn_status parse_suffixes(struct parser *ps, const char *at, const char *end,
    struct onn_desc *d, bool *scalar)
{
    while (at < end) {
        if (*at != ':')
            return bad(ps, at, "expected \":dtype\", \":format\" or a blank");
        const char *start = ++at;
        while (at < end && *at != ':')
            at++;
        size_t length = (size_t)(at - start);
        char name[48];
        struct onn_format format;
        enum oclnn_dtype dtype = onn_dtype_from_name(start, length);
        memcpy(name, start, length < sizeof name ? length : 0);
        name[length < sizeof name ? length : 0] = '\0';
        if (scalar && !strcmp(name, "scalar"))
            *scalar = true;
        else if (dtype)
            d->dtype = dtype;
        else if (onn_format_parse(name, d->rank, &format))
            onn_desc_set_format(d, format);
        else
            return bad(ps, start, "neither an element type nor a format that this rank can have");
    }
    return OCLNN_OK;
}

static enum oclnn_status hold(struct onn_problem *p, struct onn_blob *blob)
{
    if (!onn_array_grow((void **)&p->held, p->n_held, &p->cap_held, sizeof *p->held)) {
        onn_blob_unref(&blob);
        return OCLNN_ERROR_MEMORY;
    }
    p->held[p->n_held++] = blob;
    return OCLNN_OK;
}

/* "@1,2,3:i64": a blob, owned by the problem. */
static enum oclnn_status parse_value(struct parser *ps, const char *at, const char *end,
    struct onn_desc *desc, struct onn_blob **out)
{
    enum oclnn_status status;
    struct numbers numbers;
    struct onn_desc d = {.dtype = OCLNN_I64, .rank = 1};
    bool scalar = false;
    const char *list = ++at, *suffix = memchr(at, ':', (size_t)(end - at));
    ONN_TRY(parse_suffixes(ps, suffix ? suffix : end, end, &d, &scalar));
    bool floats = onn_dtype_is_float(d.dtype);
    ONN_TRY(parse_numbers(ps, &list, suffix ? suffix : end, floats, &numbers));
    if (list != (suffix ? suffix : end))
        return bad(ps, list, "expected \",\"");
    if (scalar && numbers.n != 1)
        return bad(ps, at, "a scalar has one number");
    *desc = onn_desc_make(d.dtype, scalar ? 0 : 1, &(int64_t){numbers.n});
    ONN_TRY(onn_blob_create(desc, NULL, out));
    for (int i = 0; i < numbers.n; i++) {
        if (floats)
            onn_blob_set_f64(*out, i, numbers.f[i]);
        else
            onn_blob_set_i64(*out, i, numbers.i[i]);
    }
    return hold(ps->p, *out);
fail:
    return status;
}

/* "1x3x8x8:f16:nhwc", "scalar", "-" */
static enum oclnn_status parse_shape(struct parser *ps, const char *at, const char *end,
    struct onn_desc *desc)
{
    enum oclnn_status status;
    int64_t dim[ONN_MAX_RANK];
    int rank = 0;
    *desc = (struct onn_desc){0};
    if (end - at == 1 && *at == '-')
        return OCLNN_OK;
    if (end - at >= 6 && !strncmp(at, "scalar", 6)) {
        at += 6;
    } else {
        for (;; at++) {
            if (rank == ONN_MAX_RANK)
                return bad(ps, at, "more dimensions than a tensor may have");
            if (at < end && *at == '?') {
                dim[rank++] = -1;
                at++;
            } else {
                if (at >= end || !isdigit((unsigned char)*at))
                    return bad(ps, at, "expected a dimension");
                ONN_TRY(parse_i64(ps, &at, &dim[rank++]));
            }
            if (at >= end || *at != 'x')
                break;
        }
    }
    *desc = onn_desc_make(OCLNN_F32, rank, dim);
    status = parse_suffixes(ps, at, end, desc, NULL);
fail:
    return status;
}

/* Attributes whose single number stands for every spatial dimension; factor 2: begin and end. */
static int spatial_factor(const char *name)
{
    if (!strcmp(name, "pad"))
        return 2;
    return !strcmp(name, "stride") || !strcmp(name, "dilation") || !strcmp(name, "kernel") ||
        !strcmp(name, "kernel_shape");
}

static enum oclnn_status set_attr(struct parser *ps, const struct onn_attr *row, void *attr, const char *at,
    const char *end)
{
    enum oclnn_status status;
    struct onn_arena *arena = &ps->p->arena;
    void *to = (char *)attr + row->offset;
    struct numbers list;
    if (row->type == ONN_ATTR_STRING) {
        if (end - at >= 2 && *at == '\'' && end[-1] == '\'') {
            at++;
            end--;
        }
        char *copy = onn_arena_dup(arena, at, (size_t)(end - at) + 1);
        if (!copy)
            return OCLNN_ERROR_MEMORY;
        copy[end - at] = '\0';
        *(const char **)to = copy;
        return OCLNN_OK;
    }
    if (row->type == ONN_ATTR_TENSOR) {
        struct onn_desc desc;
        if (at >= end || *at != '@')
            return bad(ps, at, "a tensor attribute is given as @1,2,3:dtype");
        return parse_value(ps, at, end, &desc, to);
    }
    if (row->type == ONN_ATTR_GRAPH)
        return bad(ps, at, "a subgraph cannot be given as text");
    bool floats = row->type == ONN_ATTR_FLOAT || row->type == ONN_ATTR_FLOATS;
    const char *start = at;
    ONN_TRY(parse_numbers(ps, &at, end, floats, &list));
    if (at != end)
        return bad(ps, at, "expected a number or a list of numbers");
    if ((row->type == ONN_ATTR_INT || row->type == ONN_ATTR_FLOAT) && list.n != 1)
        return bad(ps, start, "expected one number");
    if (row->type == ONN_ATTR_INT) {
        *(int64_t *)to = list.i[0];
    } else if (row->type == ONN_ATTR_FLOAT) {
        *(float *)to = (float)list.f[0];
    } else if (row->type == ONN_ATTR_INTS) {
        *(struct onn_ints *)to = (struct onn_ints){list.n, list.i};
        if (list.n == 1 && end[-1] == ',') /* marks "1,": fill_spatial must leave it alone */
            ((struct onn_ints *)to)->v = onn_arena_dup(arena, (int64_t[]){list.i[0], INT64_MIN}, 16);
        else if (list.n == 1)
            ((struct onn_ints *)to)->v = onn_arena_dup(arena, (int64_t[]){list.i[0], 0}, 16);
        return ((struct onn_ints *)to)->v ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    } else {
        float *v = onn_arena_calloc(arena, (size_t)list.n + 1, sizeof *v);
        if (!v)
            return OCLNN_ERROR_MEMORY;
        for (int i = 0; i < list.n; i++)
            v[i] = (float)list.f[i];
        *(struct onn_floats *)to = (struct onn_floats){list.n, v};
    }
    return OCLNN_OK;
fail:
    return status;
}

static enum oclnn_status fill_spatial(struct parser *ps)
{
    struct onn_problem *p = ps->p;
    int spatial = p->prob.n_in && p->in[0].dtype ? p->in[0].rank - 2 : 0;
    for (const struct onn_attr *row = p->prob.op->attrs; row && row->type != ONN_ATTR_END; row++) {
        struct onn_ints *list = row->type == ONN_ATTR_INTS ? (void *)((char *)p->attr + row->offset) : NULL;
        int n = list ? spatial_factor(row->name) * spatial : 0;
        if (n < 1 || list->n != 1 || list->v[1] == INT64_MIN)
            continue;
        int64_t *v = onn_arena_calloc(&p->arena, (size_t)n, sizeof *v);
        if (!v)
            return OCLNN_ERROR_MEMORY;
        for (int i = 0; i < n; i++)
            v[i] = list->v[0];
        *list = (struct onn_ints){n, v};
    }
    return OCLNN_OK;
}

/* "+name~{attr=v,attr=v}=SHAPE"; the word's key is everything before the "=" of the shape. */
static enum oclnn_status parse_step(struct parser *ps, const struct word *w)
{
    enum oclnn_status status;
    struct onn_epilogue *epi = &ps->p->epi;
    const char *at = w->key + 1, *end = w->key + w->key_length, *start = at;
    char name[48] = "";
    if (epi->n == ONN_EPI_STEPS)
        return bad(ps, w->key, "too many steps");
    while (at < end && (isalnum((unsigned char)*at) || *at == '_'))
        at++;
    memcpy(name, start, at - start < 48 ? (size_t)(at - start) : 0);
    struct onn_epi_step *step = &epi->step[epi->n++];
    *step = (struct onn_epi_step){.op = onn_op_find(name), .extra = -1};
    if (!step->op || !(step->op->flags & ONN_OP_ELEMENTWISE))
        return bad(ps, start, "no element-wise operator of this name");
    void *attr = onn_attr_defaults(step->op, &ps->p->arena);
    if (!attr)
        return OCLNN_ERROR_MEMORY;
    step->attr = attr;
    if (at < end && *at == '~') {
        step->swap = 1;
        at++;
    }
    if (at < end && *at == '{') {
        while (at < end && *at != '}') {
            const char *key = ++at, *equal;
            while (at < end && *at != ',' && *at != '}')
                at++;
            equal = memchr(key, '=', (size_t)(at - key));
            const struct onn_attr *row = equal ? onn_attr_find(step->op, key, (size_t)(equal - key)) : NULL;
            if (!row)
                return bad(ps, key, "the step has no such attribute");
            ONN_TRY(set_attr(ps, row, attr, equal + 1, at));
        }
        at += at < end;
    }
    if (at != end)
        return bad(ps, at, "expected \"=\" or a blank");
    if (!w->value)
        return OCLNN_OK;
    step->extra = (int8_t)ps->n_extra;
    return parse_shape(ps, w->value, w->value + w->length, &ps->extra[ps->n_extra++]);
fail:
    return status;
}

static enum oclnn_status parse_input(struct parser *ps, const struct word *w)
{
    struct onn_problem *p = ps->p;
    if (ps->n_in == ps->cap_in || (p->prob.op->max_in != ONN_VARIADIC && ps->n_in == p->prob.op->max_in))
        return bad(ps, w->key, "neither an attribute of this operator nor room for one more input");
    int i = ps->n_in++;
    if (w->length && *w->value == '@')
        return parse_value(ps, w->value, w->value + w->length, &p->in[i], &p->value[i]);
    return parse_shape(ps, w->value, w->value + w->length, &p->in[i]);
}

static enum oclnn_status parse_word(struct parser *ps, const struct word *w)
{
    static const char *const math[] = {"fp32", "tf32", "fp16", "bf16"};
    struct onn_problem *p = ps->p;
    int64_t number = 0;
    const char *at = w->value;
    if (*w->key == '+')
        return parse_step(ps, w);
    if (!w->value && !strncmp(w->key, "f:", 2)) {
        char *copy = onn_arena_dup(&p->arena, w->key + 2, w->key_length - 1);
        if (!copy)
            return OCLNN_ERROR_MEMORY;
        copy[w->key_length - 2] = '\0';
        p->formats = copy;
        return OCLNN_OK;
    }
    if (!w->value)
        return bad(ps, w->key, "expected KEY=VALUE");
    const struct onn_attr *row = onn_attr_find(p->prob.op, w->key, w->key_length);
    if (row)
        return set_attr(ps, row, p->attr, w->value, w->value + w->length);
    if (word_is(w, "math")) {
        for (int i = 0; i < 4; i++)
            if (strlen(math[i]) == w->length && !strncmp(math[i], w->value, w->length)) {
                p->prob.math = (enum onn_math)i;
                return OCLNN_OK;
            }
        return bad(ps, w->value, "expected fp32, tf32, fp16 or bf16");
    }
    if (!word_is(w, "outs") && !word_is(w, "opset"))
        return parse_input(ps, w);
    enum oclnn_status status = parse_i64(ps, &at, &number);
    if (status != OCLNN_OK)
        return status;
    if (number < 0 || number > 1024)
        return bad(ps, w->value, "expected a number from 0 to 1024");
    if (word_is(w, "outs"))
        ps->n_out = (int)number;
    else
        p->prob.opset = (int)number;
    return OCLNN_OK;
}

/* Arrays for as many operands as the text can have words. */
static enum oclnn_status start(struct parser *ps)
{
    struct onn_problem *p = ps->p;
    struct word w;
    char name[64] = "";
    if (!next_word(ps, &w) || w.value || w.key_length >= sizeof name)
        return bad(ps, ps->text, "expected an operator's name");
    memcpy(name, w.key, w.key_length);
    p->prob.op = onn_op_find(name);
    if (!p->prob.op)
        return onn_error(OCLNN_ERROR_NOT_FOUND, "problem, column 1: no operator is named \"%s\"", name);
    for (const char *c = ps->at; *c; c++)
        ps->cap_in += *c == '=';
    size_t room = (size_t)ps->cap_in + 1;
    p->attr = onn_attr_defaults(p->prob.op, &p->arena);
    p->in = onn_arena_calloc(&p->arena, room, sizeof *p->in);
    p->value = onn_arena_calloc(&p->arena, room, sizeof(struct onn_blob *));
    ps->n_out = p->prob.op->min_out == ONN_VARIADIC ? 1 : p->prob.op->min_out;
    return p->attr && p->in && p->value ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

enum oclnn_status onn_problem_parse(const char *text, struct onn_problem *out)
{
    enum oclnn_status status;
    struct parser ps = {.text = text, .at = text, .p = out};
    struct word w;
    *out = (struct onn_problem){0};
    ONN_TRY(start(&ps));
    while (next_word(&ps, &w))
        ONN_TRY(parse_word(&ps, &w));
    for (int i = 0; i < ps.n_extra; i++) /* room: an extra input has a "=" too */
        out->in[ps.n_in + i] = ps.extra[i];
    out->epi.n_extra = ps.n_extra;
    out->out = onn_arena_calloc(&out->arena, (size_t)ps.n_out + 1, sizeof *out->out);
    ONN_CHECK(out->out, OCLNN_ERROR_MEMORY, "out of host memory");
    out->prob.attr = out->prob.op->attr_size ? out->attr : NULL;
    out->prob.n_in = ps.n_in + ps.n_extra;
    out->prob.n_out = ps.n_out;
    out->prob.in = out->in;
    out->prob.out = out->out;
    out->prob.value = (const struct onn_blob *const *)out->value;
    out->prob.epi = out->epi.n ? &out->epi : NULL;
    ONN_TRY(fill_spatial(&ps));
    return OCLNN_OK;
fail:
    onn_problem_finish(out);
    return status;
}

/* Formats are resolved here and not by the parser: what "nhwc" means depends on the output's rank. */
static enum oclnn_status set_formats(struct onn_problem *p)
{
    const char *at = p->formats;
    for (int i = 0; at && *at; i++) {
        char name[48] = "";
        size_t n = strcspn(at, "/");
        struct onn_format format;
        memcpy(name, at, n < sizeof name ? n : 0);
        if (i >= p->prob.n_out || !onn_format_parse(name, p->out[i].rank, &format))
            return onn_error(OCLNN_ERROR_ARGUMENT, "%s: f:%s: \"%s\" is no format of output %d",
                p->prob.op->name, p->formats, name, i);
        if (!format.pack) /* a packing's size is set by the reorder that makes it */
            onn_desc_set_format(&p->out[i], format);
        at += n + (at[n] == '/');
    }
    return OCLNN_OK;
}

enum oclnn_status onn_problem_infer(struct onn_problem *p)
{
    enum oclnn_status status;
    const struct onn_op *op = p->prob.op;
    int own = onn_prob_own_inputs(&p->prob);
    ONN_CHECK(own >= op->min_in, OCLNN_ERROR_ARGUMENT, "%s: %d inputs, at least %d are needed", op->name, own,
        op->min_in);
    for (int i = 0; i < op->min_in; i++)
        ONN_CHECK(p->in[i].dtype, OCLNN_ERROR_ARGUMENT, "%s: input %d must be there", op->name, i);
    ONN_CHECK(op->max_out == ONN_VARIADIC || p->prob.n_out <= op->max_out, OCLNN_ERROR_ARGUMENT,
        "%s: %d outputs, at most %d are possible", op->name, p->prob.n_out, op->max_out);
    ONN_TRY(onn_attr_check(op, p->prob.attr));
    memset(p->out, 0, ((size_t)p->prob.n_out + 1) * sizeof *p->out);
    if (!strcmp(op->name, "reorder") && p->formats && /* its attribute is a format, which f: gives */
        !onn_format_parse(p->formats, p->in[0].rank, &((struct onn_reorder_attr *)p->attr)->format))
        return onn_error(OCLNN_ERROR_ARGUMENT, "reorder: \"%s\" is no format of its input", p->formats);
    if (p->prob.epi) { /* the operator itself knows nothing of what was fused behind it */
        struct onn_prob bare = p->prob;
        bare.n_in = own;
        bare.epi = NULL;
        ONN_TRY(op->infer(&bare, p->out));
    } else {
        ONN_TRY(op->infer(&p->prob, p->out));
    }
    ONN_TRY(set_formats(p));
    return OCLNN_OK;
fail:
    return status;
}

void onn_problem_finish(struct onn_problem *p)
{
    for (int i = 0; i < p->n_held; i++)
        onn_blob_unref(&p->held[i]);
    onn_free(p->held);
    onn_arena_finish(&p->arena);
    *p = (struct onn_problem){0};
}
