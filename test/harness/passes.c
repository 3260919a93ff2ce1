#include "harness/passes.h"

#include "harness/train.h"
#include "plan/plan.h"
#include <stdio.h>
#include <string.h>

const char *onn_every_pass(void)
{
    static char list[256];
    list[0] = 0;
    for (int i = 0; onn_plan_pass(i); i++) {
        const size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", i ? "," : "", onn_plan_pass(i));
    }
    return list;
}

const char *onn_any_pass(uint64_t *state)
{
    int n = 0;
    while (onn_plan_pass(n))
        n++;
    return onn_plan_pass((int)(onn_test_random(state) % (uint64_t)n));
}
