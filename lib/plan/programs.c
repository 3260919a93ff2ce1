#include "plan/programs.h"
#include "plan/chain_text.h"
#include "runtime/context.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEFINES 32

struct define {
    const char *text; /* "VL=8" */
    size_t length, name; /* of all of it; of the macro's name */
};

struct group {
    int n_defines, n_files;
    struct define define[MAX_DEFINES];
    const char **file;
    bool generated;
};

struct onn_deal {
    struct oclnn_context *ctx;
    const struct onn_launch *const *launch;
    int n;
    const char *generated;
    struct onn_arena *arena;
    struct group *group;
    int n_groups;
    int *group_of; /* per launch, -1: none */
    struct onn_program **known; /* per launch: one that the context had, NULL: of its group */
    enum oclnn_status *status; /* not OK: there was no memory to look into a file */
};

/* True in doubt. */
static bool mentions(const struct onn_deal *d, const char *name, const char *prelude, const char *identifier,
    size_t length)
{
    bool found;
    enum oclnn_status status = onn_source_mentions(name, prelude, identifier, length, &found);
    if (status != OCLNN_OK)
        *d->status = status;
    return found;
}

/* "-D VL=8 -D ONN_DT=1" as a list; -1 if there is anything else in it, or too much. */
static int split(const char *defines, struct define *out)
{
    int n = 0;
    for (const char *at = defines + strspn(defines, " "); *at; at += strspn(at, " ")) {
        if (strncmp(at, "-D", 2) != 0 || n == MAX_DEFINES)
            return -1;
        at += 2;
        at += strspn(at, " ");
        size_t length = strcspn(at, " "), name = 0;
        while (name < length && at[name] != '=')
            name++;
        if (!name)
            return -1;
        out[n++] = (struct define){at, length, name};
        at += length;
    }
    return n;
}

static const struct define *find(const struct define *list, int n, const struct define *wanted)
{
    for (int i = 0; i < n; i++)
        if (list[i].name == wanted->name && memcmp(list[i].text, wanted->text, wanted->name) == 0)
            return &list[i];
    return NULL;
}

static bool same(const struct define *a, const struct define *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* Adds something to the files that know it and changes nothing else: who does not need it may be compiled with it. */
static bool adds(const struct define *d)
{
    static const char prefix[] = "ONN_WITH_";
    return d->name >= sizeof prefix && memcmp(d->text, prefix, sizeof prefix - 1) == 0;
}

static const char *generated_of(const struct onn_deal *d, bool used)
{
    return used ? d->generated : NULL;
}

/* May this launch's files be compiled with the group's defines, and the group's with the launch's? */
static bool fits(const struct onn_deal *d, const struct group *g, const struct onn_launch *l,
    const struct define *defines, int n)
{
    for (int i = 0; i < n; i++) {
        const struct define *have = find(g->define, g->n_defines, &defines[i]);
        if (have && !same(have, &defines[i]))
            return false;
        if (adds(&defines[i]))
            continue;
        for (int f = 0; !have && f < g->n_files; f++)
            if (mentions(d, g->file[f], NULL, defines[i].text, defines[i].name))
                return false;
        if (!have && mentions(d, "", generated_of(d, g->generated), defines[i].text, defines[i].name))
            return false;
    }
    for (int i = 0; i < g->n_defines; i++)
        if (!adds(&g->define[i]) && !find(defines, n, &g->define[i]) &&
            mentions(d, l->program ? l->program : "", generated_of(d, l->source != NULL), g->define[i].text,
                g->define[i].name))
            return false;
    return g->n_defines + n <= MAX_DEFINES;
}

static bool join(const struct onn_deal *d, struct group *g, const struct onn_launch *l,
    const struct define *defines, int n)
{
    for (int i = 0; i < n; i++)
        if (!find(g->define, g->n_defines, &defines[i]))
            g->define[g->n_defines++] = defines[i];
    g->generated |= l->source != NULL;
    if (!l->program || !*l->program)
        return true;
    for (int f = 0; f < g->n_files; f++)
        if (strcmp(g->file[f], l->program) == 0)
            return true;
    if (!g->file)
        g->file = onn_arena_calloc(d->arena, (size_t)d->n, sizeof *g->file);
    if (!g->file)
        return false;
    g->file[g->n_files++] = l->program;
    return true;
}

static bool place(struct onn_deal *d, int i, int *at)
{
    const struct onn_launch *l = d->launch[i];
    struct define defines[MAX_DEFINES];
    int n = split(l->defines, defines);
    for (*at = 0; *at < d->n_groups; ++*at)
        if (n >= 0 && fits(d, &d->group[*at], l, defines, n))
            break;
    if (*at == d->n_groups)
        d->n_groups++;
    return n >= 0 && join(d, &d->group[*at], l, defines, n);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_define(const void *a, const void *b)
{
    const struct define *x = a, *y = b;
    int order = strncmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    return order ? order : x->length < y->length ? -1 : x->length > y->length;
}

/* Sorted, so that the order of the nodes does not make another program of the same kernels. */
static enum oclnn_status describe(struct group *g, struct onn_str *name, struct onn_str *defines)
{
    if (g->n_files)
        qsort(g->file, (size_t)g->n_files, sizeof *g->file, by_text);
    qsort(g->define, (size_t)g->n_defines, sizeof *g->define, by_define);
    for (int i = 0; i < g->n_files; i++)
        onn_str_add(name, "%s%s", i ? "+" : "", g->file[i]);
    for (int i = 0; i < g->n_defines; i++)
        onn_str_add(defines, "%s-D %.*s", i ? " " : "", (int)g->define[i].length, g->define[i].text);
    return onn_str_ok(name) && onn_str_ok(defines) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

static enum oclnn_status compile(const struct onn_deal *d, struct group *g, struct onn_program **out)
{
    struct onn_str name = {0}, defines = {0};
    enum oclnn_status status = describe(g, &name, &defines);
    if (status == OCLNN_OK)
        status = onn_program_get(d->ctx, onn_str_text(&name), onn_str_text(&defines),
            generated_of(d, g->generated), out);
    onn_str_finish(&name);
    onn_str_finish(&defines);
    return status;
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at; at += strcspn(at, "+"), at += *at == '+')
        if (strcspn(at, "+") == length && memcmp(at, word, length) == 0)
            return true;
    return false;
}

/* Was the kernel compiled with the same meaning before? A second plan then needs no program of its own. */
static struct onn_program *known(const struct onn_deal *d, const struct onn_launch *l)
{
    struct define want[MAX_DEFINES], have[MAX_DEFINES];
    int n = split(l->defines, want);
    for (struct onn_program *p = onn_program_next(d->ctx, NULL); p && n >= 0 && !l->source && l->program;
         p = onn_program_next(d->ctx, p)) {
        const char *name, *defines;
        bool prelude, fits = true;
        onn_program_origin(p, &name, &defines, &prelude);
        int m = split(defines, have);
        if (prelude || m < 0 || !has_word(name, l->program))
            continue;
        for (int i = 0; i < n && fits; i++) {
            const struct define *other = find(have, m, &want[i]);
            fits = other && same(other, &want[i]);
        }
        for (int i = 0; i < m && fits; i++)
            fits = adds(&have[i]) || find(want, n, &have[i]) ||
                !mentions(d, l->program, NULL, have[i].text, have[i].name);
        if (fits)
            return p;
    }
    return NULL;
}

static bool like(const struct onn_launch *a, const struct onn_launch *b)
{
    return strcmp(a->defines, b->defines) == 0 &&
        strcmp(a->program ? a->program : "", b->program ? b->program : "") == 0 && !a->source == !b->source;
}

enum oclnn_status onn_programs_deal(struct oclnn_context *ctx, const struct onn_launch *const *launch, int n,
    const char *generated, bool reuse, struct onn_arena *arena, struct onn_deal **out)
{
    enum oclnn_status status = OCLNN_OK;
    enum oclnn_status asked = OCLNN_OK;
    struct onn_deal *d = onn_arena_calloc(arena, 1, sizeof *d);
    ONN_TRY(d ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    *d = (struct onn_deal){.ctx = ctx,
        .launch = launch,
        .n = n,
        .generated = generated,
        .arena = arena,
        .group = onn_arena_calloc(arena, (size_t)n + 1, sizeof *d->group),
        .group_of = onn_arena_calloc(arena, (size_t)n + 1, sizeof *d->group_of),
        .known = onn_arena_calloc(arena, (size_t)n + 1, sizeof(struct onn_program *)),
        .status = &asked};
    ONN_TRY(d->group && d->group_of && d->known ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < n; i++) {
        int j = 0;
        d->group_of[i] = -1;
        if (launch[i]->gemm)
            continue;
        while (j < i && (launch[j]->gemm || !like(launch[j], launch[i]))) /* most are like another */
            j++;
        if (j < i) {
            d->group_of[i] = d->group_of[j];
            d->known[i] = d->known[j];
        } else if (!reuse || !(d->known[i] = known(d, launch[i]))) {
            ONN_CHECK(place(d, i, &d->group_of[i]), OCLNN_ERROR_INTERNAL, "kernel '%s': options '%s'",
                launch[i]->kernel, launch[i]->defines);
        }
        ONN_TRY(asked);
    }
    d->status = NULL;
    *out = d;
fail:
    return status;
}

int onn_deal_group(const struct onn_deal *d, int i)
{
    return d->group_of[i];
}

static enum oclnn_status compile_all(const struct onn_deal *d, struct onn_program **program, int *n_programs)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_program **made = onn_arena_calloc(d->arena, (size_t)d->n + 1, sizeof(struct onn_program *));
    ONN_TRY(made ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int g = 0; g < d->n_groups; g++)
        ONN_TRY(compile(d, &d->group[g], &made[g]));
    *n_programs = 0;
    for (int i = 0; i < d->n; i++) {
        program[i] = d->group_of[i] < 0 ? d->known[i] : made[d->group_of[i]];
        bool seen = !program[i];
        for (int j = 0; j < i && !seen; j++)
            seen = program[j] == program[i];
        *n_programs += !seen;
    }
fail:
    return status;
}

static enum oclnn_status compile_apart(struct oclnn_context *ctx, const struct onn_launch *const *launch,
    int n, struct onn_program **program, int *n_programs)
{
    enum oclnn_status status = OCLNN_OK;
    *n_programs = 0;
    for (int i = 0; i < n; i++) {
        const struct onn_launch *l = launch[i];
        bool seen = l->gemm != NULL;
        program[i] = NULL;
        if (!l->gemm)
            ONN_TRY(onn_program_get(ctx, l->program ? l->program : "", l->defines, l->source, &program[i]));
        for (int j = 0; j < i && !seen; j++)
            seen = program[j] == program[i];
        *n_programs += !seen;
    }
fail:
    return status;
}

enum oclnn_status onn_programs_get(struct oclnn_context *ctx, const struct onn_launch *const *launch, int n,
    const char *generated, struct onn_arena *arena, struct onn_program **program, int *n_programs)
{
    struct onn_deal *d;
    if (!onn_context_caps(ctx)->shares)
        return compile_apart(ctx, launch, n, program, n_programs);
    enum oclnn_status status = onn_programs_deal(ctx, launch, n, generated, true, arena, &d);
    return status == OCLNN_OK ? compile_all(d, program, n_programs) : status;
}

/* The kernels of the launches of group g in chains, each once, sorted; their files and text go into `part`. */
static int chain_kernels(const struct onn_deal *d, int g, const bool *in_chain, const char **kernel,
    struct group *part)
{
    int n = 0;
    for (int i = 0; i < d->n; i++) {
        const struct onn_launch *l = d->launch[i];
        int k = 0;
        if (!in_chain[i] || d->group_of[i] != g)
            continue;
        while (k < n && strcmp(kernel[k], l->kernel) != 0)
            k++;
        if (k == n)
            kernel[n++] = l->kernel;
        if (!join(d, part, l, NULL, 0))
            return -1;
    }
    if (n)
        qsort(kernel, (size_t)n, sizeof *kernel, by_text);
    return n;
}

enum oclnn_status onn_programs_chain(const struct onn_deal *d, int g, const bool *in_chain, int buffers,
    const char **kernel, int *n_kernels, struct onn_program **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_str name = {0}, defines = {0}, kernels = {0}, text = {0};
    struct group part = {.n_defines = d->group[g].n_defines};
    memcpy(part.define, d->group[g].define, sizeof part.define);
    *n_kernels = chain_kernels(d, g, in_chain, kernel, &part);
    ONN_TRY(*n_kernels >= 0 ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(describe(&part, &name, &defines));
    ONN_TRY(onn_source_text(onn_str_text(&name), generated_of(d, part.generated), &kernels));
    ONN_TRY(onn_source_text("chain_at", NULL, &text));
    onn_chain_text(onn_str_text(&kernels), kernel, *n_kernels, buffers, &text);
    ONN_TRY(onn_str_ok(&text) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_program_get(d->ctx, "chain", onn_str_text(&defines), onn_str_text(&text), out));
fail:
    onn_str_finish(&name);
    onn_str_finish(&defines);
    onn_str_finish(&kernels);
    onn_str_finish(&text);
    return status;
}
