/* DepthToSpace and SpaceToDepth: channels against pixels. */
#ifndef ONN_OPS_SPACE_H
#define ONN_OPS_SPACE_H

#include "ops/op.h"

struct onn_space_attr {
    int64_t block;
    const char *mode; /* DepthToSpace: "DCR" (NULL too) or "CRD"; SpaceToDepth ignores it */
};

#endif
