#include "model/init.h"

#include "base/philox.h"
#include <math.h>

static double uniform(uint64_t seed, uint64_t stream, uint64_t i)
{
    uint32_t bits[4];
    onn_philox(seed, stream, i, bits);
    return ((double)bits[0] + 0.5) * 0x1p-32;
}

static double normal(uint64_t seed, uint64_t stream, uint64_t i) /* Box and Muller 1958 */
{
    uint32_t bits[4];
    onn_philox(seed, stream, i, bits);
    double u = ((double)bits[0] + 0.5) * 0x1p-32, v = ((double)bits[1] + 0.5) * 0x1p-32;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static double draw(const struct onn_init *init, uint64_t seed, uint64_t stream, uint64_t i)
{
    double fan_in = init->fan_in > 0 ? (double)init->fan_in : 1,
           fan_out = init->fan_out > 0 ? (double)init->fan_out : 1;
    switch (init->kind) {
    case ONN_INIT_ZERO: return 0;
    case ONN_INIT_ONE: return 1;
    case ONN_INIT_CONSTANT: return init->a;
    case ONN_INIT_UNIFORM: return init->a + (init->b - init->a) * uniform(seed, stream, i);
    case ONN_INIT_NORMAL: return init->a + init->b * normal(seed, stream, i);
    case ONN_INIT_KAIMING_UNIFORM: /* He et al. 2015, for ReLU: variance 2 / fan_in */
        return sqrt(6 / fan_in) * (2 * uniform(seed, stream, i) - 1);
    case ONN_INIT_KAIMING_NORMAL: return sqrt(2 / fan_in) * normal(seed, stream, i);
    case ONN_INIT_XAVIER_UNIFORM: /* Glorot and Bengio 2010 */
        return sqrt(6 / (fan_in + fan_out)) * (2 * uniform(seed, stream, i) - 1);
    case ONN_INIT_XAVIER_NORMAL: return sqrt(2 / (fan_in + fan_out)) * normal(seed, stream, i);
    case ONN_INIT_ORTHOGONAL: break; /* not number by number */
    }
    return 0;
}

static double dot(const double *a, const double *b, int64_t n)
{
    enum { LANES = 8 }; /* sums that do not wait for each other */
    double sum[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    for (int k = 1; k < LANES; k++)
        sum[0] += sum[k];
    return sum[0];
}

/* Takes from row i what lies along the rows before it, twice: what rounding leaves after the first time is gone then. The
 * length that is left over. */
static double straighten(double *q, int64_t i, int64_t length)
{
    double *row = q + i * length;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t j = 0; j < i; j++) {
            const double part = dot(row, q + j * length, length);
            for (int64_t k = 0; k < length; k++)
                row[k] -= part * q[j * length + k];
        }
    return sqrt(dot(row, row, length));
}

/* Saxe, McClelland and Ganguli 2014: normal numbers made orthonormal (Gram and Schmidt) are a matrix drawn from all
 * orthogonal ones alike. */
static enum oclnn_status orthogonal(const struct onn_init *init, uint64_t seed, uint64_t stream,
    struct onn_blob *out)
{
    const int64_t n = onn_desc_elements(&out->desc), rows = out->desc.dim[0], columns = rows ? n / rows : 0;
    const int64_t count = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    const double gain = init->a != 0 ? (double)init->a : 1;
    size_t bytes;
    double *q =
        n > 0 && onn_mul_size((size_t)n, sizeof *q, &bytes) && bytes < PTRDIFF_MAX ? onn_alloc(bytes) : NULL;
    if (n == 0)
        return OCLNN_OK;
    if (!q)
        return OCLNN_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        double *row = q + i * length, left = 0;
        /* A row that lies along the others almost wholly, which nobody will ever see, is drawn again. */
        for (uint64_t again = 0; !(left > 1e-6); again++) {
            for (int64_t k = 0; k < length; k++)
                row[k] = normal(seed, stream, again * (uint64_t)n + (uint64_t)(i * length + k));
            left = straighten(q, i, length);
        }
        for (int64_t k = 0; k < length; k++)
            row[k] /= left;
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = i / columns, c = i % columns;
        onn_blob_set_f64(out, i, gain * (rows < columns ? q[r * columns + c] : q[c * rows + r]));
    }
    onn_free(q);
    return OCLNN_OK;
}

enum oclnn_status onn_init_params(struct onn_graph *g)
{
    for (int v = 1; v < g->n_values; v++) {
        struct onn_value *value = &g->value[v];
        if (!value->init || value->blob)
            continue;
        enum oclnn_status status = onn_blob_create(&value->desc, NULL, &value->blob);
        if (status != OCLNN_OK)
            return onn_error_at(status, "parameter '%s'", value->name);
        int64_t n = onn_desc_elements(&value->desc);
        if (value->init->kind == ONN_INIT_ORTHOGONAL) {
            status = orthogonal(value->init, g->seed, (uint64_t)v, value->blob);
            if (status != OCLNN_OK)
                return onn_error_at(status, "parameter '%s'", value->name);
            continue;
        }
        for (int64_t i = 0; i < n; i++)
            onn_blob_set_f64(value->blob, i, draw(value->init, g->seed, (uint64_t)v, (uint64_t)i));
    }
    return OCLNN_OK;
}
