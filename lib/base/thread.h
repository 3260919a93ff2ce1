/* Mutexes, conditions, threads. Initialise once, finish once; a zeroed object that was never initialised may be
 * finished. */
#ifndef ONN_BASE_THREAD_H
#define ONN_BASE_THREAD_H

#include "base/status.h"
#include <pthread.h>
#include <stdbool.h>

struct onn_mutex {
    pthread_mutex_t mutex;
    bool ready;
};

enum oclnn_status onn_mutex_init(struct onn_mutex *m);
void onn_mutex_finish(struct onn_mutex *m);
void onn_mutex_lock(struct onn_mutex *m);
void onn_mutex_unlock(struct onn_mutex *m);

struct onn_condition {
    pthread_cond_t condition;
    bool ready;
};
enum oclnn_status onn_condition_init(struct onn_condition *c);
void onn_condition_finish(struct onn_condition *c);
/* Gives the locked mutex up while waiting. May return without a signal: look again at what was waited for. */
void onn_condition_wait(struct onn_condition *c, struct onn_mutex *m);
void onn_condition_signal_all(struct onn_condition *c);

/* A thread with all signals blocked: handlers run on the program's own threads. */
struct onn_thread {
    pthread_t thread;
    bool ready;
};
enum oclnn_status onn_thread_start(struct onn_thread *t, void (*run)(void *user), void *user);
/* Waits for its end. */
void onn_thread_join(struct onn_thread *t);
/* Cores that this process may use: those it may run on, and no more than a control group's share of time is worth (Linux);
 * at least 1. */
int onn_thread_cores(void);
/* Cores that a quota of a period is worth, rounded up: "200000 100000", or in two texts. INT32_MAX: no limit ("max", -1). */
int onn_thread_quota(const char *quota, const char *period);

#endif
