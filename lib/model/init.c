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
    }
    return 0;
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
        for (int64_t i = 0; i < n; i++)
            onn_blob_set_f64(value->blob, i, draw(value->init, g->seed, (uint64_t)v, (uint64_t)i));
    }
    return OCLNN_OK;
}
