/* Which nodes of a placed plan may run at the same time: none writes what another one reads or writes. */
#include "plan/chain.h"
#include "plan/plan.h"

struct touch {
    int kind, id; /* memory: kind of storage, segment or storage */
    size_t from, to;
    bool write;
};
struct touches {
    struct touch of[80];
    int n;
    bool everything;
};

static void touch(const struct onn_plan *p, int32_t s, bool write, struct touches *t)
{
    if (s < 0)
        return;
    const struct onn_storage *store = &p->place.store[s];
    const bool arena = store->kind == ONN_STORAGE_ARENA;
    if (t->n == (int)(sizeof t->of / sizeof *t->of)) {
        t->everything = true;
        return;
    }
    t->of[t->n++] = (struct touch){.kind = (int)store->kind,
        .id = arena ? store->segment : s,
        .from = arena ? store->offset : 0,
        .to = arena ? store->offset + store->bytes : 1,
        .write = write};
}

static void touch_node(const struct onn_plan *p, int k, struct touches *t)
{
    const struct onn_node *n = &p->graph->node[k];
    *t = (struct touches){.everything = (n->op->flags & ONN_OP_UPDATES) != 0};
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            touch(p, p->place.storage[n->in[i]], false, t);
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            touch(p, p->place.storage[n->out[i]], true, t);
    touch(p, p->place.workspace[k], true, t);
}

static bool conflict(const struct touches *a, const struct touches *b)
{
    if (a->everything || b->everything)
        return true;
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++)
            if ((a->of[i].write || b->of[j].write) && a->of[i].kind == b->of[j].kind &&
                a->of[i].id == b->of[j].id && a->of[i].from < b->of[j].to && b->of[j].from < a->of[i].to)
                return true;
    return false;
}

bool onn_chain_may_overlap(const struct onn_plan *p, int a, int b)
{
    struct touches mine, other;
    touch_node(p, a, &mine);
    touch_node(p, b, &other);
    return !conflict(&mine, &other);
}
