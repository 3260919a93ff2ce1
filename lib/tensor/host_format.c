#include "tensor/host_format.h"

#include <string.h>

/* Counts idx up, last dimension fastest; false behind the last one. */
static bool next(const struct onn_desc *d, int64_t *idx)
{
    for (int i = d->rank - 1; i >= 0; i--) {
        if (++idx[i] < d->dim[i])
            return true;
        idx[i] = 0;
    }
    return false;
}

void onn_host_scatter(const struct onn_desc *d, const void *plain, void *bytes)
{
    size_t size = oclnn_dtype_size(d->dtype);
    const unsigned char *from = plain;
    int64_t idx[ONN_MAX_RANK] = {0};
    if (onn_desc_elements(d) <= 0)
        return;
    int block = d->format.block > 1 ? d->format.block : 0, axis = d->format.axis;
    do {
        int64_t at = onn_desc_at(d, idx);
        memcpy((unsigned char *)bytes + (size_t)at * size, from, size);
        from += size;
        if (block && idx[axis] == d->dim[axis] - 1) /* the last one: what follows in its block is padding */
            memset((unsigned char *)bytes + (size_t)(at + 1) * size, 0,
                (size_t)(block - 1 - idx[axis] % block) * size);
    } while (next(d, idx));
}

void onn_host_gather(const struct onn_desc *d, const void *bytes, void *plain)
{
    size_t size = oclnn_dtype_size(d->dtype);
    unsigned char *to = plain;
    int64_t idx[ONN_MAX_RANK] = {0};
    if (onn_desc_elements(d) <= 0)
        return;
    do {
        memcpy(to, (const unsigned char *)bytes + (size_t)onn_desc_at(d, idx) * size, size);
        to += size;
    } while (next(d, idx));
}

void onn_host_mask(const struct onn_desc *d, unsigned char *mask)
{
    int64_t idx[ONN_MAX_RANK] = {0};
    if (onn_desc_elements(d) <= 0)
        return;
    int block = d->format.block > 1 ? d->format.block : 0, axis = d->format.axis;
    do {
        int64_t at = onn_desc_at(d, idx);
        mask[at] = 1;
        if (block && idx[axis] == d->dim[axis] - 1)
            memset(mask + at + 1, 2, (size_t)(block - 1 - idx[axis] % block));
    } while (next(d, idx));
}
