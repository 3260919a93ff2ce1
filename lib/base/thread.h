/* A mutex. Initialise once, finish once; a zeroed onn_mutex that was never initialised may be finished. */
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

#endif
