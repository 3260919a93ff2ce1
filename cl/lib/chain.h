/* Where a work-item of a launch is that has become part of a chain (cl/chain.cl). */
#ifndef ONN_CHAIN_H
#define ONN_CHAIN_H

struct onn_at {
    size_t group[3], groups[3], item[3], items[3];
};

#endif
