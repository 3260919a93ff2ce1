#include "base/thread.h"

#include "base/mem.h"
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

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

enum oclnn_status onn_condition_init(struct onn_condition *c)
{
    int code = pthread_cond_init(&c->condition, NULL);
    if (code != 0)
        return onn_error(OCLNN_ERROR_MEMORY, "pthread_cond_init failed: error %d", code);
    c->ready = true;
    return OCLNN_OK;
}

void onn_condition_finish(struct onn_condition *c)
{
    if (c->ready)
        pthread_cond_destroy(&c->condition);
    c->ready = false;
}

void onn_condition_wait(struct onn_condition *c, struct onn_mutex *m)
{
    pthread_cond_wait(&c->condition, &m->mutex);
}

void onn_condition_signal_all(struct onn_condition *c)
{
    pthread_cond_broadcast(&c->condition);
}

struct start {
    void (*run)(void *user);
    void *user;
};

static void *begin(void *argument)
{
    struct start s = *(struct start *)argument;
    onn_free(argument);
    s.run(s.user);
    return NULL;
}

enum oclnn_status onn_thread_start(struct onn_thread *t, void (*run)(void *user), void *user)
{
    struct start *s = onn_alloc(sizeof *s);
    sigset_t all, before;
    if (!s)
        return OCLNN_ERROR_MEMORY;
    *s = (struct start){run, user};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&t->thread, NULL, begin, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        onn_free(s);
        return onn_error(OCLNN_ERROR_MEMORY, "pthread_create failed: error %d", code);
    }
    t->ready = true;
    return OCLNN_OK;
}

void onn_thread_join(struct onn_thread *t)
{
    if (t->ready)
        pthread_join(t->thread, NULL);
    t->ready = false;
}

int onn_thread_quota(const char *quota, const char *period)
{
    char *end;
    const double time = strtod(quota, &end), each = end != quota ? strtod(period ? period : end, NULL) : 0;
    if (!(time > 0) || !(each > 0) || time / each > INT32_MAX - 1)
        return INT32_MAX;
    return (int)ceil(time / each);
}

/* The first line of a file; false: there is none. */
static bool first_line(const char *path, char line[static 128])
{
    FILE *f = fopen(path, "r");
    const bool there = f && fgets(line, 128, f);
    if (f)
        fclose(f);
    return there;
}

int onn_thread_cores(void)
{
    cpu_set_t set;
    char quota[128], period[128];
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0, most = INT32_MAX;
    if (first_line("/sys/fs/cgroup/cpu.max", quota))
        most = onn_thread_quota(quota, NULL);
    else if (first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota) &&
        first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period))
        most = onn_thread_quota(quota, period);
    n = n < most ? n : most;
    return n > 0 ? n : 1;
}
