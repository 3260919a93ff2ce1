/* Plans without some of their passes. */
#ifndef ONN_TEST_PASSES_H
#define ONN_TEST_PASSES_H

#include <stdint.h>

/* All that can be left out, as a list for passes_off. */
const char *onn_every_pass(void);
/* One of them, drawn. */
const char *onn_any_pass(uint64_t *state);

#endif
