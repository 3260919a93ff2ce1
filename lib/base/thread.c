#include "base/thread.h"

enum oclnn_status onn_mutex_init(struct onn_mutex *m)
{
    int code = pthread_mutex_init(&m->mutex, NULL);
    if (code != 0)
        return onn_error(OCLNN_ERROR_MEMORY, "pthread_mutex_init failed: error %d", code);
    m->ready = true;
    return OCLNN_OK;
}

void onn_mutex_finish(struct onn_mutex *m)
{
    if (m->ready)
        pthread_mutex_destroy(&m->mutex);
    m->ready = false;
}

void onn_mutex_lock(struct onn_mutex *m)
{
    pthread_mutex_lock(&m->mutex);
}

void onn_mutex_unlock(struct onn_mutex *m)
{
    pthread_mutex_unlock(&m->mutex);
}
