/* Measurements that come with the library, in the form of tune.txt (tunedb.h): rows that a cost model gets wrong on a
 * device family that was at hand. Made by copying lines of the tune.txt that `oclnn-bench MODEL --tune` writes. */
#include "runtime/internal.h"

const char onn_tunedb_shipped[] = "oclnn tune 1\n";
