#include "plan/chain_text.h"

#include <ctype.h>
#include <string.h>

/* Behind white space and comments. */
static const char *skip(const char *at)
{
    for (;;) {
        while (isspace((unsigned char)*at))
            at++;
        if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            at = end ? end + 2 : at + strlen(at);
        } else if (at[0] == '/' && at[1] == '/') {
            at += strcspn(at, "\n");
        } else {
            return at;
        }
    }
}

/* Behind the bracket that closes the one at `at`; NULL: none does. */
static const char *closing(const char *at, char open, char close)
{
    int depth = 0;
    while (*at) {
        const char *next = skip(at);
        if (next != at) {
            at = next;
            continue;
        }
        depth += *at == open;
        depth -= *at == close;
        at++;
        if (depth == 0)
            return at;
    }
    return NULL;
}

static bool begins(const char *at, const char *end, const char *word)
{
    const size_t length = strlen(word);
    return (size_t)(end - at) > length && memcmp(at, word, length) == 0 && !onn_is_word(at[length]);
}

static bool add_param(struct onn_chain_decl *d, const char *type, int length)
{
    if (d->n_params == ONN_CHAIN_MAX_PARAMS)
        return false;
    d->param[d->n_params++] = (struct onn_chain_param){type, length};
    return true;
}

/* One parameter, from..to. */
static bool read_param(struct onn_chain_decl *d, const char *from, const char *to)
{
    static const char offset[] = "long";
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    if (begins(from, to, "ONN_IN") || begins(from, to, "ONN_OUT"))
        return to[-1] == ')' && add_param(d, NULL, 0) && add_param(d, offset, 4);
    if (begins(from, to, "ONN_ARGS")) { /* (TYPE, name) */
        from += strcspn(from, "(");
        from = skip(from + 1);
        return add_param(d, from, (int)strcspn(from, ","));
    }
    if (begins(from, to, "local") || begins(from, to, "constant"))
        return false;
    if (begins(from, to, "global"))
        return add_param(d, NULL, 0);
    const char *name = to;
    while (name > from && onn_is_word(name[-1]))
        name--;
    while (name > from && isspace((unsigned char)name[-1]))
        name--;
    if (begins(from, to, "const"))
        from = skip(from + 5);
    for (const char *at = from; at < name; at++)
        if (!onn_is_word(*at) && !isspace((unsigned char)*at))
            return false;
    return name > from && add_param(d, from, (int)(name - from));
}

static bool read_params(struct onn_chain_decl *d, const char *end)
{
    const char *from = skip(d->params);
    int depth = 0;
    for (const char *at = from; at <= end; at++) {
        if (at == end || (*at == ',' && depth == 0)) {
            if (!read_param(d, from, at))
                return false;
            from = at < end ? skip(at + 1) : at;
        }
        depth += at < end && *at == '(';
        depth -= at < end && *at == ')';
    }
    return true;
}

/* Behind a word that ends in "kernel" or "KERNEL", then "void"; else NULL. */
static const char *kernel_void(const char *begin, const char *word_end)
{
    const size_t length = (size_t)(word_end - begin);
    if (length < 6 || (memcmp(word_end - 6, "kernel", 6) != 0 && memcmp(word_end - 6, "KERNEL", 6) != 0))
        return NULL;
    const char *at = word_end + strspn(word_end, " \t\n");
    return strncmp(at, "void", 4) == 0 && !onn_is_word(at[4]) ? at + 4 : NULL;
}

/* Such words, then "NAME(". */
static bool read_kernel(const char *begin, const char *word_end, struct onn_chain_decl *out)
{
    const char *at = kernel_void(begin, word_end);
    if (!at)
        return false;
    *out = (struct onn_chain_decl){.begin = begin, .name = skip(at)};
    for (at = out->name; onn_is_word(*at); at++)
        out->name_length++;
    at = skip(at);
    const char *close = *at == '(' ? closing(at, '(', ')') : NULL;
    if (!close || !out->name_length)
        return false;
    out->params = at + 1;
    const char *body = skip(close);
    out->end = *body == '{' ? closing(body, '{', '}') : NULL;
    if (!out->end)
        return false;
    out->plain = read_params(out, close - 1) && !onn_has_word(body, out->end, "local", 5) &&
        !onn_has_word(body, out->end, "barrier", 7);
    return true;
}

/* The next word from `at` on that begins a kernel; NULL: none. *end: behind the word. */
static const char *next_kernel(const char *text, const char *at, const char **end)
{
    while (*at) {
        const char *next = skip(at);
        if (next != at) {
            at = next;
        } else if (onn_is_word(*at) && (at == text || !onn_is_word(at[-1]))) {
            for (*end = at; onn_is_word(**end);)
                ++*end;
            if (kernel_void(at, *end))
                return at;
            at = *end;
        } else {
            at++;
        }
    }
    return NULL;
}

bool onn_chain_next(const char *text, const char *at, struct onn_chain_decl *out)
{
    const char *end;
    while ((at = next_kernel(text, at, &end)) != NULL && !read_kernel(at, end, out))
        at = end;
    return at != NULL;
}

bool onn_chain_takes(const char *text)
{
    const char *end, *at = text;
    struct onn_chain_decl d;
    while ((at = next_kernel(text, at, &end)) != NULL) {
        if (!read_kernel(at, end, &d))
            return false;
        at = d.end;
    }
    return true;
}

static bool is_called(const struct onn_chain_decl *d, const char *name)
{
    return strlen(name) == (size_t)d->name_length && memcmp(d->name, name, (size_t)d->name_length) == 0;
}

bool onn_chain_find(const char *text, const char *name, struct onn_chain_decl *out)
{
    for (const char *at = text; onn_chain_next(text, at, out); at = out->end)
        if (is_called(out, name))
            return true;
    return false;
}

/* case K: NAME(at, buffer[arg[0]], arg[1], *(global const int *)(arg + 2), …): arguments lie in whole words. */
static void add_call(const struct onn_chain_decl *d, int kind, struct onn_str *out)
{
    onn_str_add(out, "    case %d: {\n        int i = 0;\n", kind);
    for (int k = 0; k < d->n_params; k++) {
        const struct onn_chain_param *p = &d->param[k];
        if (p->type)
            onn_str_add(out,
                "        const %.*s a%d = *(global const %.*s *)(arg + i);\n        i += (sizeof a%d + 7) / "
                "8;\n",
                p->length, p->type, k, p->length, p->type, k);
        else
            onn_str_add(out, "        global void *const a%d = buffer[arg[i++]];\n", k);
    }
    onn_str_add(out, "        %.*s(at", d->name_length, d->name);
    for (int k = 0; k < d->n_params; k++)
        onn_str_add(out, ", a%d", k);
    onn_str_add(out, ");\n        break;\n    }\n");
}

void onn_chain_text(const char *text, const char *const *names, int n, int buffers, struct onn_str *out)
{
    struct onn_chain_decl d;
    struct onn_str calls = {0};
    const char *from = text;
    int left_out = 0;
    bool called[ONN_CHAIN_KINDS] = {false}; /* a text may hold a kernel twice, for two sets of defines */
    while (onn_chain_next(text, from, &d)) {
        int kind = 0;
        while (kind < n && !is_called(&d, names[kind]))
            kind++;
        onn_str_add(out, "%.*s", (int)(d.begin - from), from);
        if (kind < n) {
            onn_str_add(out, "ONN_CHAIN_FN void %.*s(ONN_AT_PARAM %.*s", d.name_length, d.name,
                (int)(d.end - d.params), d.params);
            if (!called[kind])
                add_call(&d, kind, &calls);
            called[kind] = true;
        } else {
            onn_str_add(out, "typedef int onn_left_out_%d;", left_out++); /* attributes may stand before it */
        }
        from = d.end;
    }
    onn_str_add(out, "%s\n", from);
    onn_str_add(out,
        "static inline __attribute__((always_inline)) void onn_chain_call(int kind, const struct onn_at "
        "*at,\n"
        "    global const long *arg, global void *const *buffer)\n{\n    switch (kind) {\n%s    }\n}\n",
        onn_str_text(&calls));
    onn_str_add(out, "#define ONN_CHAIN_PARAMS ");
    for (int i = 0; i < buffers; i++)
        onn_str_add(out, "%sglobal char *b%d", i ? ", " : "", i);
    onn_str_add(out, "\n#define ONN_CHAIN_LIST ");
    for (int i = 0; i < buffers; i++)
        onn_str_add(out, "%sb%d", i ? ", " : "", i);
    onn_str_add(out, "\n");
    out->failed |= !onn_str_ok(&calls);
    onn_str_finish(&calls);
}
