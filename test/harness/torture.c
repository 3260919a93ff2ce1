#include "harness/torture.h"
#include "harness/heap.h"

#include <oclnn/status.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *running = "";
static long running_nth;
static int verbose;

void onn_torture_mix(uint64_t *answer, const void *bytes, size_t size)
{
    const unsigned char *b = bytes;
    uint64_t h = *answer ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ b[i]) * 0x100000001b3u;
    *answer = h;
}

/* Says which injection it was; the default action follows. */
static void crashed(int number)
{
    char line[160];
    int n = snprintf(line, sizeof line, "torture: crash: '%s' --nth %ld\n", running, running_nth);
    if (n > 0 && write(2, line, (size_t)n) < 0)
        _exit(1);
    raise(number);
}

/* A driver may give shared memory back on a thread of its own, a moment after the last release. */
static long leaked_since(long before)
{
    for (int i = 0; i < 200 && onn_heap_live() != before; i++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    return onn_heap_live() - before;
}

/* What stays once nothing has been given back for a while. */
static long settled(void)
{
    long live = onn_heap_live();
    for (int same = 0, i = 0; same < 4 && i < 200; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        same = onn_heap_live() == live ? same + 1 : 0;
        live = onn_heap_live();
    }
    return live;
}

/* 1 when the run with allocation `nth` failing was not as it must be. */
static int inject(const struct onn_torture *s, long nth, bool from_then_on, uint64_t want)
{
    const char *kind = from_then_on ? "from then on" : "once";
    long before = onn_heap_live();
    uint64_t answer = 0;
    int bad = 0;
    running = s->name;
    running_nth = nth;
    onn_heap_fail(nth, from_then_on);
    enum oclnn_status status = s->run(&answer);
    onn_heap_fail(0, false);
    const long leaked = leaked_since(before);
    const char *text = oclnn_error_text(NULL);
    if (status != OCLNN_OK && status != OCLNN_ERROR_MEMORY) {
        bad = fprintf(stderr, "torture: '%s' --nth %ld %s: %s: %s\n", s->name, nth, kind,
            oclnn_status_name(status), text);
    } else if (status == OCLNN_OK && answer != want) {
        bad =
            fprintf(stderr, "torture: '%s' --nth %ld %s: another answer, and no error\n", s->name, nth, kind);
    } else if (status != OCLNN_OK && !text[0]) {
        bad = fprintf(stderr, "torture: '%s' --nth %ld %s: no sentence\n", s->name, nth, kind);
    }
    if (leaked)
        bad = fprintf(stderr, "torture: '%s' --nth %ld %s: %ld blocks stay allocated (%s)\n", s->name, nth,
            kind, leaked, oclnn_status_name(status));
    if (verbose && !bad)
        fprintf(stderr, "'%s' %ld %s: %s: %s\n", s->name, nth, kind, oclnn_status_name(status),
            status == OCLNN_OK ? "" : text);
    return bad != 0;
}

static int scenario(const struct onn_torture *s, int all, long only, long *injections)
{
    uint64_t want = 0, again = 0;
    long calls = 0, leaked = 1;
    int bad = 0;
    /* The first run also fills what lives as long as the process or the fixture; so may the second one, which finds other
     * kernels compiled and puts those that it lacks into other programs. What leaks does so in every run. */
    enum oclnn_status status = s->run(&want);
    for (int i = 0; i < 3 && leaked && status == OCLNN_OK && again == (i ? want : 0); i++) {
        const long live = settled();
        again = 0;
        onn_heap_fail(0, false);
        status = s->run(&again);
        calls = onn_heap_calls();
        leaked = leaked_since(live);
    }
    if (status != OCLNN_OK || want != again || leaked) {
        fprintf(stderr, "torture: '%s': undisturbed: %s, %ld blocks stay allocated%s: %s\n", s->name,
            oclnn_status_name(status), leaked, want != again ? ", two answers" : "", oclnn_error_text(NULL));
        return 1;
    }
    long wanted = s->samples ? s->samples : 300;
    long count = all || calls < wanted ? calls : wanted;
    for (long i = 0; i < count; i++) {
        /* Evenly spread, so that the last are among them. */
        long nth = only ? only : count == calls ? i + 1 : (i + 1) * calls / count;
        bad += inject(s, nth, false, want) + inject(s, nth, true, want);
        *injections += 2;
        if (only)
            break;
    }
    printf("%-28s %7ld allocations, %7ld injected, %d wrong\n", s->name, calls, only ? 2 : 2 * count, bad);
    fflush(stdout);
    return bad;
}

int onn_torture_main(int argc, char **argv, const struct onn_torture *scenarios)
{
    int all = 0, bad = 0, ran = 0, filters = 0;
    long only = 0, injections = 0;
    const char *filter[16];
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--all"))
            all = 1;
        else if (!strcmp(argv[i], "--verbose"))
            verbose = 1;
        else if (!strcmp(argv[i], "--nth") && i + 1 < argc)
            only = atol(argv[++i]);
        else if (filters < 16)
            filter[filters++] = argv[i];
    }
    struct sigaction action = {.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    for (const struct onn_torture *s = scenarios; s->name; s++) {
        int wanted = filters == 0;
        for (int i = 0; i < filters; i++)
            wanted |= strstr(s->name, filter[i]) != NULL;
        if (!wanted)
            continue;
        bad += scenario(s, all, only, &injections);
        ran++;
    }
    printf("torture: %d scenarios, %ld injections, %d wrong\n", ran, injections, bad);
    return bad || !ran ? 1 : 0;
}
