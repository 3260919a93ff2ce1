/* Learning rates over the epochs. */
#include "train/trainer.h"

#include <math.h>

#define PI 3.14159265358979323846

enum oclnn_status onn_schedule_check(struct oclnn_schedule *s)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK((unsigned)s->kind <= OCLNN_PLATEAU, OCLNN_ERROR_ARGUMENT, "schedule.kind = %d", (int)s->kind);
    s->size = s->size ? s->size : 10;
    s->gamma = s->gamma != 0 ? s->gamma : s->kind == OCLNN_EXPONENTIAL ? 0.95f : 0.1f;
    s->power = s->power != 0 ? s->power : 1;
    ONN_CHECK(s->size > 0 && s->gamma > 0 && s->gamma <= 1, OCLNN_ERROR_ARGUMENT,
        "schedule.size = %d, gamma = %g", s->size, (double)s->gamma);
    ONN_CHECK(s->power > 0 && s->period >= 0 && s->end >= 0 && s->warmup >= 0, OCLNN_ERROR_ARGUMENT,
        "schedule.power = %g, period = %g, end = %g, warmup = %g", (double)s->power, (double)s->period,
        (double)s->end, (double)s->warmup);
    for (int i = 1; i < 8 && s->milestones[i]; i++)
        ONN_CHECK(s->milestones[i] > s->milestones[i - 1], OCLNN_ERROR_ARGUMENT,
            "schedule.milestones must ascend: %d, %d", s->milestones[i - 1], s->milestones[i]);
fail:
    return status;
}

static double half_cosine(double from, double to, double part)
{
    return to + (from - to) * 0.5 * (1 + cos(PI * part));
}

static double one_cycle(double lr, double part)
{
    const double first = lr / 25, last = lr / 250000;
    return part < 0.3 ? half_cosine(first, lr, part / 0.3) : half_cosine(lr, last, (part - 0.3) / 0.7);
}

float onn_schedule_rate(const struct oclnn_schedule *s, float base, double e, int epochs, float plateau)
{
    const double lr = base, part = epochs > 0 && e < epochs ? e / epochs : 1;
    double rate = lr;
    int passed = 0;
    switch (s->kind) {
    case OCLNN_CONSTANT: break;
    case OCLNN_STEP: rate = lr * pow(s->gamma, floor(e / s->size)); break;
    case OCLNN_MULTI_STEP:
        while (passed < 8 && s->milestones[passed] && e >= s->milestones[passed])
            passed++;
        rate = lr * pow(s->gamma, passed);
        break;
    case OCLNN_EXPONENTIAL: rate = lr * pow(s->gamma, floor(e)); break;
    case OCLNN_POLYNOMIAL: rate = lr * pow(1 - part, s->power); break;
    case OCLNN_COSINE:
        rate = half_cosine(lr, s->end, s->period > 0 ? fmod(e, s->period) / s->period : part);
        break;
    case OCLNN_ONE_CYCLE: rate = one_cycle(lr, part); break;
    case OCLNN_PLATEAU: rate = lr * plateau; break;
    }
    if (e < s->warmup)
        rate *= e / s->warmup;
    return (float)rate;
}
