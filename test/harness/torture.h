/* Torture: a scenario is run once to count its allocations, then once for each of them (or a sample) with that one
 * failing, and once more with that one and all later ones failing. Each run must end with status MEMORY, or, where the
 * library can do without that memory, with the answer of the undisturbed run; with a sentence; and with nothing left
 * allocated.
 *
 * A scenario tidies up after itself in every case and returns the first status that is not OK. */
#ifndef ONN_TEST_TORTURE_H
#define ONN_TEST_TORTURE_H

#include <oclnn/status.h>
#include <stddef.h>
#include <stdint.h>

struct onn_torture {
    const char *name;
    /* `answer` starts at 0; onn_torture_mix adds to it whatever the scenario computes. */
    enum oclnn_status (*run)(uint64_t *answer);
    int samples; /* allocations that fail without --all; 0: 300 */
};

void onn_torture_mix(uint64_t *answer, const void *bytes, size_t size);

/* Command line: [--all] [--nth N] [--verbose] [FILTER]… (substrings of names). Ends with a NULL name.
 * Exit: 0 passed, 1 failed. */
int onn_torture_main(int argc, char **argv, const struct onn_torture *scenarios);

#endif
