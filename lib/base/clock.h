/* Monotonic time. */
#ifndef ONN_BASE_CLOCK_H
#define ONN_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since an arbitrary start; never goes back. */
uint64_t onn_clock_ns(void);
/* Processor time of all threads of this process. */
uint64_t onn_clock_cpu_ns(void);

#endif
