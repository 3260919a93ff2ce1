#include "ops/pack.h"

/* One NULL-terminated list per family: `extern const struct onn_pack *const onn_packs_<family>[];` */
extern const struct onn_pack *const onn_packs_conv[];
extern const struct onn_pack *const onn_packs_gemm[];

static const struct onn_pack *const *const families[] = {
    onn_packs_conv,
    onn_packs_gemm,
    NULL,
};

const struct onn_pack *onn_pack_find(int id)
{
    for (int f = 0; families[f]; f++)
        for (int i = 0; families[f][i]; i++)
            if (families[f][i]->id == id)
                return families[f][i];
    return NULL;
}
