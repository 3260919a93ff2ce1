/* Optimisers against their formulas in double. */
#include "ops/optimizer.h"
#include "harness/harness.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void infers_several(void **state)
{
    (void)state;
    onn_check_infer("sgd p=3 g=3 lr=1 s=- m=- p=4 g=4", "!7 inputs: behind 5");
    onn_check_infer("sgd p=3 g=3 lr=1 s=- m=- p=4 g=5 m=-", "!input 6 must be f32");
    onn_check_infer("sgd p=3 g=3 lr=1 s=- m=- p=4 g=4 m=4", "!input 7 is a state that the first");
    onn_check_infer("sgd p=3 g=3 lr=1 s=- m=3 p=4 g=4 m=-", "!input 7 must be f32");
    onn_check_infer("assign p=3 v=3 s=- p=4:i64 v=4", "!the parameter is i64");
    onn_check_infer("ema p=3 v=3 s=2", "!the guard must be one number");
    onn_check_infer("ema p=3 v=3 s=- t=1", "!the step must be one number of type i64");
    onn_check_infer("count_up n=2:i64 s=2", "!the guard must be one number");
}

/* Input i is there? */
static bool has(const struct onn_ref *r, int i)
{
    return i < r->n_in && r->in[i];
}

static double norm(const double *v, int64_t n, double times)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += v[i] * v[i] * times * times;
    return sqrt(sum);
}

static void one_sgd(struct onn_ref *r)
{
    const struct onn_optimizer_attr *a = r->prob->attr;
    const double lr = r->in[2][0], times = has(r, 3) ? r->in[3][0] : 1;
    const bool lars = !strcmp(r->prob->op->name, "lars");
    double local = 1;
    if (lars) {
        const double np = norm(r->in[0], r->in_n[0], 1), ng = norm(r->in[1], r->in_n[0], times);
        local = np > 0 && ng > 0 ? a->trust * np / (ng + a->weight_decay * np + a->epsilon) : 1;
    }
    for (int64_t i = 0; i < r->in_n[0]; i++) {
        double d = (r->in[1][i] * times + (double)a->weight_decay * r->in[0][i]) * local;
        if (has(r, 4)) {
            const double m = a->momentum * r->in[4][i] + (1 - (double)a->dampening) * d;
            r->updated[4][i] = m;
            d = a->nesterov ? d + a->momentum * m : m;
        }
        r->updated[0][i] = r->in[0][i] - lr * d;
    }
}

static void one_adam(struct onn_ref *r)
{
    const struct onn_optimizer_attr *a = r->prob->attr;
    const char *name = r->prob->op->name;
    const double lr = r->in[2][0], times = has(r, 3) ? r->in[3][0] : 1, t = r->in[4][0];
    const double c1 = 1 - pow(a->beta1, t), c2 = sqrt(1 - pow(a->beta2, t));
    const bool lamb = name[0] == 'l', decoupled = !strcmp(name, "adamw");
    double np = norm(r->in[0], r->in_n[0], 1), nu = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < r->in_n[0]; i++) {
            double d = r->in[1][i] * times, p = r->in[0][i];
            if (decoupled)
                p -= lr * a->weight_decay * p;
            else if (!lamb)
                d += a->weight_decay * p;
            const double m = a->beta1 * r->in[5][i] + (1 - (double)a->beta1) * d;
            const double v = a->beta2 * r->in[6][i] + (1 - (double)a->beta2) * d * d;
            double u = m / c1 / (sqrt(v) / c2 + a->epsilon);
            if (lamb)
                u += a->weight_decay * p;
            if (pass == 0)
                nu += u * u;
            const double ratio = lamb && np > 0 && nu > 0 ? np / sqrt(nu) : 1;
            if (pass == 0)
                continue;
            r->updated[5][i] = m;
            r->updated[6][i] = v;
            r->updated[0][i] = p - lr * ratio * u;
        }
}

static void one_other(struct onn_ref *r)
{
    const struct onn_optimizer_attr *a = r->prob->attr;
    const double lr = r->in[2][0], times = has(r, 3) ? r->in[3][0] : 1;
    const bool rms = r->prob->op->name[0] == 'r';
    for (int64_t i = 0; i < r->in_n[0]; i++) {
        const double d = r->in[1][i] * times + (double)a->weight_decay * r->in[0][i];
        const double v = rms ? a->beta2 * r->in[4][i] + (1 - (double)a->beta2) * d * d : r->in[4][i] + d * d;
        double u = d / (sqrt(v) + a->epsilon);
        r->updated[4][i] = v;
        if (has(r, 5)) {
            u += a->momentum * r->in[5][i];
            r->updated[5][i] = u;
        }
        r->updated[0][i] = r->in[0][i] - lr * u;
    }
}

static void one_state(struct onn_ref *r)
{
    const struct onn_optimizer_attr *a = r->prob->attr;
    const char *name = r->prob->op->name;
    const double decay = has(r, 3) ? fmin(a->decay, (1 + r->in[3][0]) / (10 + r->in[3][0])) : a->decay;
    for (int64_t i = 0; i < r->in_n[0]; i++) {
        const bool counts = name[0] == 'c'; /* its input 1 is a guard */
        const double s = r->in[0][i], v = counts ? 0 : r->in[1][i];
        r->updated[0][i] = counts     ? s + 1
            : !strcmp(name, "assign") ? v
            : name[0] == 'a'          ? s + v
                                      : decay * s + (1 - decay) * v;
    }
}

/* Calls fn for each parameter as if it was the node's only one. */
static void each(struct onn_ref *r, onn_ref_fn fn)
{
    struct onn_update_form f;
    if (!onn_update_form(r->prob->op, &f) || r->n_in <= f.own) {
        fn(r);
        return;
    }
    for (int k = 0; k <= (r->n_in - f.own) / (2 + f.states); k++) {
        const double *in[8] = {NULL};
        double *updated[8] = {NULL};
        int64_t n[8] = {0};
        struct onn_ref one = *r;
        for (int i = 0; i < f.own; i++) {
            const bool shared = i >= 2 && i < f.first_state;
            const int from = shared ? i : onn_update_input(&f, k, i < 2 ? i : i - f.first_state + 2);
            in[i] = r->in[from];
            updated[i] = r->updated[from];
            n[i] = r->in_n[from];
        }
        one.n_in = f.own;
        one.in = in;
        one.in_n = n;
        one.updated = updated;
        fn(&one);
    }
}

static void ref_sgd(struct onn_ref *r)
{
    each(r, one_sgd);
}
static void ref_adam(struct onn_ref *r)
{
    each(r, one_adam);
}
static void ref_other(struct onn_ref *r)
{
    each(r, one_other);
}
static void ref_state(struct onn_ref *r)
{
    each(r, one_state);
}

/* What input i would be if its parameter was the only one. */
static int as_first(const struct onn_prob *p, int i)
{
    struct onn_update_form f;
    if (!onn_update_form(p->op, &f) || i < f.own)
        return i;
    const int t = (i - f.own) % (2 + f.states);
    return t < 2 ? t : f.first_state + t - 2;
}

/* Rates small, second moments positive, steps from 1. */
static void fill(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)integer;
    const bool square = strcmp(p->op->name, "sgd") && strcmp(p->op->name, "lars");
    const int as = as_first(p, i);
    for (int64_t k = 0; k < n; k++) {
        if (as == 2)
            data[k] = 0.05;
        else if (p->in[i].dtype == OCLNN_I64)
            data[k] = 3;
        else if (as >= 4 && square && as != 5)
            data[k] = fabs(data[k]) + 0.1;
    }
}

/* The scale or guard is NaN: nothing may change. */
static void ref_nothing(struct onn_ref *r)
{
    (void)r;
}

static void fill_nan(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    fill(p, i, integer, data, n);
    const int first = strcmp(p->op->name, "count_up") ? 2 : 1; /* scalars begin there */
    if (as_first(p, i) >= first && n == 1 && p->in[i].dtype == OCLNN_F32)
        data[0] = NAN;
}

#define NOTHING(text) \
    { \
        .problem = text, .ref = ref_nothing, .fill = fill_nan, .c = 1, \
        .flags = ONN_CASE_NO_INTEGER | ONN_CASE_NO_F16 \
    }
#define CASE(text, ref_) \
    { \
        .problem = text, .ref = ref_, .fill = fill, .c = 32, .flags = ONN_CASE_NO_INTEGER | ONN_CASE_NO_F16 \
    }
#define STATE(text) \
    { \
        .problem = text, .ref = ref_state, .c = 4, .flags = ONN_CASE_NO_F16 \
    }
static const struct onn_case cases[] = {
    CASE("sgd p=5x7x3 g=5x7x3 lr=1", ref_sgd),
    CASE("sgd p=1000 g=1000 lr=scalar s=scalar weight_decay=0.1", ref_sgd),
    CASE("sgd p=77x13 g=77x13 lr=1 s=- m=77x13 momentum=0.9", ref_sgd),
    CASE("sgd p=77x13 g=77x13 lr=1 s=- m=77x13 momentum=0.9 nesterov=1 weight_decay=0.01", ref_sgd),
    CASE("sgd p=33 g=33 lr=1 s=1 m=33 momentum=0.9 dampening=0.5", ref_sgd),
    CASE("adam p=41x5 g=41x5 lr=1 s=- t=1:i64 m=41x5 v=41x5", ref_adam),
    CASE("adam p=1000 g=1000 lr=1 s=1 t=1:i64 m=1000 v=1000 weight_decay=0.1", ref_adam),
    CASE("adamw p=41x5 g=41x5 lr=1 s=- t=1:i64 m=41x5 v=41x5", ref_adam),
    CASE("lamb p=9000 g=9000 lr=1 s=- t=1:i64 m=9000 v=9000 weight_decay=0.1", ref_adam),
    CASE("lars p=9001 g=9001 lr=1 s=1 m=9001 weight_decay=0.01", ref_sgd),
    CASE("rmsprop p=50 g=50 lr=1 s=- v=50", ref_other),
    CASE("rmsprop p=50x3 g=50x3 lr=1 s=- v=50x3 m=50x3 momentum=0.9 weight_decay=0.1", ref_other),
    CASE("adagrad p=50x3 g=50x3 lr=1 s=1 v=50x3", ref_other),
    NOTHING("sgd p=77x13 g=77x13 lr=1 s=1 m=77x13 momentum=0.9"),
    NOTHING("adam p=41x5 g=41x5 lr=1 s=1 t=1:i64 m=41x5 v=41x5"),
    NOTHING("adamw p=41x5 g=41x5 lr=1 s=1 t=1:i64 m=41x5 v=41x5"),
    NOTHING("lamb p=9000 g=9000 lr=1 s=1 t=1:i64 m=9000 v=9000"),
    NOTHING("lars p=9001 g=9001 lr=1 s=1 m=9001"),
    NOTHING("rmsprop p=50 g=50 lr=1 s=1 v=50"),
    NOTHING("adagrad p=50x3 g=50x3 lr=1 s=1 v=50x3"),
    NOTHING("assign p=50x3 v=50x3 s=1"),
    STATE("assign p=50x3 v=50x3"),
    STATE("accumulate p=501 v=501"),
    CASE("ema p=501 v=501 decay=0.9", ref_state),
    STATE("count_up n=1:i64"),
    STATE("count_up n=5:i64"),
    STATE("count_up n=5:i64 s=1"),
    NOTHING("count_up n=5:i64 s=1"),
    CASE("ema p=501 v=501 s=scalar decay=0.9", ref_state),
    NOTHING("ema p=501 v=501 s=1"),
    CASE("ema p=501 v=501 s=- t=1:i64 decay=0.9", ref_state), /* t is 3: decay 4 / 13 */
    CASE("ema p=501 v=501 s=1 t=1:i64 decay=0.2", ref_state),
    NOTHING("ema p=501 v=501 s=1 t=1:i64"),
    CASE("sgd p=77x13 g=77x13 lr=1 s=1 m=77x13 p=5 g=5 m=5 p=4100 g=4100 m=4100 momentum=0.9", ref_sgd),
    CASE("sgd p=33 g=33 lr=1 s=- m=- p=7 g=7 m=- p=1 g=1 m=- weight_decay=0.1", ref_sgd),
    CASE("adam p=41x5 g=41x5 lr=1 s=1 t=1:i64 m=41x5 v=41x5 p=8 g=8 m=8 v=8 p=17 g=17 m=17 v=17", ref_adam),
    CASE("adamw p=9 g=9 lr=1 s=- t=1:i64 m=9 v=9 p=1500 g=1500 m=1500 v=1500", ref_adam),
    CASE("rmsprop p=50x3 g=50x3 lr=1 s=- v=50x3 m=50x3 p=7 g=7 v=7 m=7 momentum=0.9", ref_other),
    CASE("rmsprop p=50 g=50 lr=1 s=- v=50 m=- p=7 g=7 v=7 m=-", ref_other),
    CASE("adagrad p=50x3 g=50x3 lr=1 s=1 v=50x3 p=7 g=7 v=7", ref_other),
    CASE("ema p=501 v=501 s=- t=- p=3 v=3 decay=0.9", ref_state),
    CASE("ema p=501 v=501 s=- t=1:i64 p=3 v=3 decay=0.9", ref_state),
    NOTHING("ema p=501 v=501 s=1 t=- p=3 v=3"),
    STATE("accumulate p=501 v=501 p=8x3 v=8x3 p=1 v=1"),
    STATE("assign p=1 v=1 s=- p=2 v=2 p=3 v=3 p=4 v=4 p=5 v=5 p=6 v=6 p=7 v=7 p=8 v=8 p=9 v=9 p=10 v=10 p=11 "
          "v=11 "
          "p=3000 v=3000"),
    NOTHING("assign p=50x3 v=50x3 s=1 p=4 v=4"),
    NOTHING("sgd p=77x13 g=77x13 lr=1 s=1 m=77x13 p=5 g=5 m=5 momentum=0.9"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_several)};
    if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0)
        return 1;
    return onn_harness_main(argc, argv, cases);
}
