/* The activation behind a result: ONN_EPI_KIND is its number in lib/activation.h, not defined = none. */
#ifndef ONN_EPI_H
#define ONN_EPI_H

#ifdef ONN_EPI_KIND
#include "lib/activation.h"
#ifndef ONN_EPI
#define ONN_EPI(v, kind, a, b) onn_activate((v), ONN_EPI_KIND, (a), (b))
#endif
#endif

#endif
