/* The library's heap as a test sees it: counted, and failing on demand. A program that is linked with heap_wraps
 * (test/meson.build) has malloc and its like replaced in the library and in the test itself, not in drivers and other
 * libraries. Threads: any. */
#ifndef ONN_TEST_HEAP_H
#define ONN_TEST_HEAP_H

#include <stdbool.h>

/* Allocations asked for since the last call of onn_heap_fail; a failed one counts. */
long onn_heap_calls(void);
/* Blocks that are allocated and not yet freed. */
long onn_heap_live(void);
/* Counts from 0 again and makes the nth allocation from here fail (1 is the next), with `from_then_on` every later one
 * too. nth 0: none fails. */
void onn_heap_fail(long nth, bool from_then_on);

#endif
