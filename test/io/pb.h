/* Enough of protobuf's wire format to write small ONNX models in a test. */
#ifndef TEST_IO_PB_H
#define TEST_IO_PB_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pb {
    uint8_t bytes[16384];
    size_t n;
};

static inline void pb_varint(struct pb *p, uint64_t v)
{
    for (; v > 127; v >>= 7)
        p->bytes[p->n++] = (uint8_t)(v | 128);
    p->bytes[p->n++] = (uint8_t)v;
}

static inline void pb_num(struct pb *p, int field, int64_t v)
{
    pb_varint(p, (uint64_t)field << 3);
    pb_varint(p, (uint64_t)v);
}

static inline void pb_raw(struct pb *p, int field, const void *data, size_t n)
{
    pb_varint(p, (uint64_t)field << 3 | 2);
    pb_varint(p, n);
    if (n > sizeof p->bytes - p->n)
        abort();
    if (n)
        memcpy(p->bytes + p->n, data, n);
    p->n += n;
}

static inline void pb_text(struct pb *p, int field, const char *text)
{
    pb_raw(p, field, text, strlen(text));
}

static inline void pb_sub(struct pb *p, int field, const struct pb *sub)
{
    pb_raw(p, field, sub->bytes, sub->n);
}

/* ---- attributes, nodes, tensors, models ---- */
static inline void pb_attr_int(struct pb *node, const char *name, int64_t v)
{
    struct pb a = {.n = 0};
    pb_text(&a, 1, name);
    pb_num(&a, 3, v);
    pb_num(&a, 20, 2);
    pb_sub(node, 5, &a);
}

static inline void pb_attr_float(struct pb *node, const char *name, float v)
{
    struct pb a = {.n = 0};
    pb_text(&a, 1, name);
    pb_varint(&a, 2 << 3 | 5);
    memcpy(a.bytes + a.n, &v, 4);
    a.n += 4;
    pb_num(&a, 20, 1);
    pb_sub(node, 5, &a);
}

static inline void pb_attr_text(struct pb *node, const char *name, const char *v)
{
    struct pb a = {.n = 0};
    pb_text(&a, 1, name);
    pb_text(&a, 4, v);
    pb_num(&a, 20, 3);
    pb_sub(node, 5, &a);
}

static inline void pb_attr_ints(struct pb *node, const char *name, const int64_t *v, int n)
{
    struct pb a = {.n = 0};
    pb_text(&a, 1, name);
    for (int i = 0; i < n; i++)
        pb_num(&a, 8, v[i]);
    pb_num(&a, 20, 7);
    pb_sub(node, 5, &a);
}

static inline void pb_attr_floats(struct pb *node, const char *name, const float *v, int n)
{
    struct pb a = {.n = 0};
    pb_text(&a, 1, name);
    pb_raw(&a, 7, v, sizeof *v * (size_t)n);
    pb_num(&a, 20, 6);
    pb_sub(node, 5, &a);
}

static inline void pb_attr_sub(struct pb *node, const char *name, int field, int type, const struct pb *sub)
{
    struct pb a = {.n = 0};
    pb_text(&a, 1, name);
    pb_sub(&a, field, sub);
    pb_num(&a, 20, type);
    pb_sub(node, 5, &a);
}

/* "Op in1,in2 out1": names separated by ',', "" between commas = absent. */
static inline void pb_node(struct pb *node, const char *op, const char *in, const char *out)
{
    const char *lists[2] = {in, out};
    node->n = 0;
    for (int k = 0; k < 2; k++)
        for (const char *at = lists[k]; *at;) {
            size_t n = strcspn(at, ",");
            pb_raw(node, k + 1, at, n);
            at += n + (at[n] == ',');
        }
    pb_text(node, 4, op);
}

static inline void pb_value(struct pb *v, const char *name, int dtype, const int64_t *dim, int rank)
{
    struct pb shape = {.n = 0}, tensor = {.n = 0}, type = {.n = 0};
    for (int i = 0; i < rank; i++) {
        struct pb d = {.n = 0};
        if (dim[i] < 0)
            pb_text(&d, 2, "N");
        else
            pb_num(&d, 1, dim[i]);
        pb_sub(&shape, 1, &d);
    }
    pb_num(&tensor, 1, dtype);
    pb_sub(&tensor, 2, &shape);
    pb_sub(&type, 1, &tensor);
    v->n = 0;
    pb_text(v, 1, name);
    pb_sub(v, 2, &type);
}

static inline void pb_tensor(struct pb *t, const char *name, int dtype, const int64_t *dim, int rank,
    int field, const void *data, size_t bytes)
{
    t->n = 0;
    for (int i = 0; i < rank; i++)
        pb_num(t, 1, dim[i]);
    pb_num(t, 2, dtype);
    pb_text(t, 8, name);
    pb_raw(t, field, data, bytes);
}

static inline void pb_model(struct pb *m, const struct pb *graph, int opset)
{
    struct pb o = {.n = 0};
    m->n = 0;
    pb_num(m, 1, 7);
    pb_text(m, 2, "oclnn test");
    pb_num(&o, 2, opset);
    pb_sub(m, 8, &o);
    pb_sub(m, 7, graph);
}

#endif
