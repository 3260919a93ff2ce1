/* Many launches as one, for processors whose launches cost as much as small kernels do.
 *
 * Text     lib/plan/chain_text.c puts in front: cl/chain_at.cl; the kernels as functions; onn_chain_call, a switch over them;
 *          ONN_CHAIN_PARAMS and ONN_CHAIN_LIST, the buffers that they work in.
 * Work     one work-item per work-group, as many work-groups as there are processors. A work-group claims one tile (some of
 *          the work-groups of one launch) after the other, in the order of the launches. Before it claims a tile it waits
 *          until all tiles that this one may depend on are done.
 * Progress Who waits has claimed nothing, and waits only while somebody computes what he claimed: a single work-group does
 *          all tiles alone if no other one ever begins. Nothing is assumed but that running work-groups go on.
 * Patience Who computes may have lost his processor to another program, and who waits for him takes up another one: after
 *          CHAIN_PATIENCE looks, some milliseconds, a work-group ends and leaves the rest to the others.
 * Table    per launch ONN_CHAIN_WORDS numbers (lib/plan/chain.c fills them), then arguments.
 * count    [0] tiles claimed, [16] tiles done, [32] work-groups that have ended; the last one sets all back to 0.
 */
#include "lib/chain.h"

#undef get_group_id
#undef get_num_groups
#undef get_local_id
#undef get_local_size
#undef get_global_id
#undef get_global_size
#undef reqd_work_group_size

#ifndef ONN_CHAIN_PARAMS /* alone: a chain of nothing */
#define ONN_CHAIN_PARAMS global char *b0
#define ONN_CHAIN_LIST b0
static inline void onn_chain_call(int kind, const struct onn_at *at, global const long *arg, global void *const *buffer)
{
    (void)kind, (void)at, (void)arg, (void)buffer;
}
#endif

#define ONN_CHAIN_WORDS 16
#ifndef CHAIN_PATIENCE
#define CHAIN_PATIENCE (1 << 22)
#endif
enum { CHAIN_KIND, CHAIN_END, CHAIN_WAIT, CHAIN_BEGIN, CHAIN_EACH, CHAIN_ALL, CHAIN_GROUPS, CHAIN_ITEMS = 9, CHAIN_ARGS = 12 };

/* Work-group `group` of the launch at e. */
static inline __attribute__((always_inline)) void chain_group(global const long *e, long group, global const long *arg,
    global void *const *buffer)
{
    struct onn_at at;
    for (int d = 0; d < 3; d++) {
        at.groups[d] = (size_t)e[CHAIN_GROUPS + d];
        at.items[d] = (size_t)e[CHAIN_ITEMS + d];
        at.group[d] = (size_t)group % at.groups[d];
        group /= e[CHAIN_GROUPS + d];
    }
    for (at.item[2] = 0; at.item[2] < at.items[2]; at.item[2]++)
        for (at.item[1] = 0; at.item[1] < at.items[1]; at.item[1]++)
            for (at.item[0] = 0; at.item[0] < at.items[0]; at.item[0]++)
                onn_chain_call((int)e[CHAIN_KIND], &at, arg, buffer);
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void onn_chain(global const long *table, int entries,
    volatile global int *count, ONN_CHAIN_PARAMS)
{
    global void *const buffer[] = {ONN_CHAIN_LIST};
    global const long *e = table, *end = table + (long)entries * ONN_CHAIN_WORDS;
    for (;;) {
        const int tile = count[0];
        int looks = 0;
        while (e < end && tile >= e[CHAIN_END])
            e += ONN_CHAIN_WORDS;
        if (e == end)
            break;
        while (count[16] < e[CHAIN_WAIT] && ++looks < CHAIN_PATIENCE)
            ;
        if (looks == CHAIN_PATIENCE)
            break;
        if (atomic_cmpxchg(count, tile, tile + 1) != tile)
            continue; /* somebody else's */
        atomic_add(count + 16, 0); /* what was written before the last tile was done is seen from here on */
        mem_fence(CLK_GLOBAL_MEM_FENCE);
        const long first = (tile - e[CHAIN_BEGIN]) * e[CHAIN_EACH], last = min(first + e[CHAIN_EACH], e[CHAIN_ALL]);
        for (long group = first; group < last; group++)
            chain_group(e, group, table + e[CHAIN_ARGS], buffer);
        mem_fence(CLK_GLOBAL_MEM_FENCE);
        atomic_inc(count + 16);
    }
    if (atomic_inc(count + 32) == (int)get_num_groups(0) - 1) {
        count[0] = 0;
        count[16] = 0;
        count[32] = 0;
    }
}
