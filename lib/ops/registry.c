#include "ops/op.h"

#include <string.h>

const struct onn_op *onn_op_find(const char *name)
{
    for (int f = 0; onn_op_families[f]; f++)
        for (int i = 0; onn_op_families[f][i]; i++)
            if (!strcmp(onn_op_families[f][i]->name, name))
                return onn_op_families[f][i];
    return NULL;
}

const struct onn_op *onn_op_find_onnx(const char *type)
{
    for (int f = 0; onn_op_families[f]; f++)
        for (int i = 0; onn_op_families[f][i]; i++)
            if (onn_op_families[f][i]->onnx && !strcmp(onn_op_families[f][i]->onnx, type))
                return onn_op_families[f][i];
    return NULL;
}

void onn_op_each(void (*fn)(const struct onn_op *op, void *user), void *user)
{
    for (int f = 0; onn_op_families[f]; f++)
        for (int i = 0; onn_op_families[f][i]; i++)
            fn(onn_op_families[f][i], user);
}
