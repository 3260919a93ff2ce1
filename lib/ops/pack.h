/* Opaque weight packings: an operator's own layout of a weight, made by the reorder operator and kept as a derived
 * value. A family adds its packings to the list in pack.c. */
#ifndef ONN_OPS_PACK_H
#define ONN_OPS_PACK_H

#include "ops/op.h"

/* format.pack; the meaning of format.p[] is the packing's own. */
enum onn_pack_id {
    ONN_PACK_NONE,
    ONN_PACK_CONV_DIRECT,
    ONN_PACK_CONV_1X1,
    ONN_PACK_CONV_WINOGRAD,
    ONN_PACK_CONV_DEPTHWISE,
    ONN_PACK_GEMM_B,
    ONN_PACK_CONV_TRANSPOSE,
    ONN_PACK_CONV_STEM,
};

struct onn_pack {
    int id;
    const char *name;
    /* Packed elements for a weight of these dims, counted in the weight's element type; -1 = cannot be packed so.
     * Convolutions' packings are floats whatever the weight's type: of f16 that is two elements each. */
    int64_t (*elements)(const struct onn_desc *weight, const uint8_t p[4]);
    /* Adds the launches: p is the reorder's problem, in[0] the weight (any strides and format that the graph has,
     * plain as a rule), out[0].format the packing, out[0].stride[0] its elements. */
    enum oclnn_status (*bind)(const struct onn_prob *p, struct onn_bind *b);
};
/* NULL if there is none of this id. */
const struct onn_pack *onn_pack_find(int id);

#endif
