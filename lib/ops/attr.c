/* Attribute structs: defaults, range checks, deep copies. */
#include "ops/op.h"

#include <string.h>

static void *field(const void *attr, const struct onn_attr *row)
{
    return (char *)attr + row->offset;
}

void *onn_attr_defaults(const struct onn_op *op, struct onn_arena *arena)
{
    void *attr = onn_arena_alloc(arena, op->attr_size ? op->attr_size : 1);
    if (!attr)
        return NULL;
    for (const struct onn_attr *row = op->attrs; row && row->type != ONN_ATTR_END; row++) {
        void *at = field(attr, row);
        switch (row->type) {
        case ONN_ATTR_INT: *(int64_t *)at = (int64_t)row->def; break;
        case ONN_ATTR_FLOAT: *(float *)at = (float)row->def; break;
        case ONN_ATTR_INTS: ((struct onn_ints *)at)->n = -1; break;
        case ONN_ATTR_FLOATS: ((struct onn_floats *)at)->n = -1; break;
        default: break; /* pointers start as NULL */
        }
    }
    return attr;
}

static enum oclnn_status check_one(const struct onn_op *op, const struct onn_attr *row, double value)
{
    if ((row->min == 0 && row->max == 0) || (value >= row->min && value <= row->max))
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "%s: attribute %s is %g, allowed is %g ... %g", op->name,
        row->name, value, row->min, row->max);
}

enum oclnn_status onn_attr_check(const struct onn_op *op, const void *attr)
{
    enum oclnn_status status = OCLNN_OK;
    for (const struct onn_attr *row = op->attrs; row && row->type != ONN_ATTR_END && !status; row++) {
        const void *at = field(attr, row);
        const struct onn_ints *ints = at;
        const struct onn_floats *floats = at;
        if (row->type == ONN_ATTR_INT)
            status = check_one(op, row, (double)*(const int64_t *)at);
        else if (row->type == ONN_ATTR_FLOAT)
            status = check_one(op, row, *(const float *)at);
        else if (row->type == ONN_ATTR_INTS)
            for (int32_t i = 0; i < ints->n && !status; i++)
                status = check_one(op, row, (double)ints->v[i]);
        else if (row->type == ONN_ATTR_FLOATS)
            for (int32_t i = 0; i < floats->n && !status; i++)
                status = check_one(op, row, floats->v[i]);
    }
    return status;
}

const struct onn_attr *onn_attr_find(const struct onn_op *op, const char *name, size_t length)
{
    for (const struct onn_attr *row = op->attrs; row && row->type != ONN_ATTR_END; row++)
        if (strlen(row->name) == length && !strncmp(row->name, name, length))
            return row;
    return NULL;
}

void *onn_attr_copy(const struct onn_op *op, const void *attr, struct onn_arena *arena)
{
    if (!attr || !op->attr_size)
        return onn_attr_defaults(op, arena);
    void *copy = onn_arena_dup(arena, attr, op->attr_size);
    for (const struct onn_attr *row = op->attrs; copy && row && row->type != ONN_ATTR_END; row++) {
        void *at = field(copy, row);
        if (row->type == ONN_ATTR_INTS && ((struct onn_ints *)at)->n > 0) {
            struct onn_ints *list = at;
            list->v = onn_arena_dup(arena, list->v, (size_t)list->n * sizeof *list->v);
            copy = list->v ? copy : NULL;
        } else if (row->type == ONN_ATTR_FLOATS && ((struct onn_floats *)at)->n > 0) {
            struct onn_floats *list = at;
            list->v = onn_arena_dup(arena, list->v, (size_t)list->n * sizeof *list->v);
            copy = list->v ? copy : NULL;
        } else if (row->type == ONN_ATTR_STRING && *(const char **)at) {
            const char **text = at;
            *text = onn_arena_strdup(arena, *text);
            copy = *text ? copy : NULL;
        }
    }
    return copy;
}

int32_t onn_graph_add_op(struct onn_graph *g, const struct onn_op *op, const char *name, const void *attr,
    int n_in, const int32_t *in, int n_out)
{
    if (g->status != OCLNN_OK)
        return -1;
    void *copy = op->attr_size ? onn_attr_copy(op, attr, &g->arena) : NULL;
    if (op->attr_size && !copy) {
        onn_graph_fail(g, OCLNN_ERROR_MEMORY, "%s: out of host memory", name ? name : op->name);
        return -1;
    }
    for (const struct onn_attr *row = op->attrs; copy && row && row->type != ONN_ATTR_END; row++)
        if (row->type == ONN_ATTR_TENSOR && *(struct onn_blob **)field(copy, row) &&
            onn_graph_hold_blob(g, *(struct onn_blob **)field(copy, row)) != OCLNN_OK)
            return -1;
    return onn_graph_add_node(g, op, name, copy, op->attr_size, n_in, in, n_out);
}

int64_t onn_ints_get(const struct onn_ints *list, int i, int64_t def)
{
    return i >= 0 && i < list->n ? list->v[i] : def;
}
