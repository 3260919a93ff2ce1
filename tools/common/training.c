#include "common/training.h"
#include "common/tool.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const losses[] = {"softmax-ce", "nll", "bce", "bce-logits", "focal", "mse", "l1", "huber",
    "kl", "dice", "dice-logits", NULL};
static const char *const optimizers[] = {"sgd", "adam", "adamw", "rmsprop", "adagrad", "lars", "lamb", NULL};
static const char *const schedules[] = {"constant", "step", "multi-step", "exponential", "polynomial",
    "cosine", "one-cycle", "plateau", NULL};

/* A word of a list; -1 after a message. */
static int word_of(const char *option, const char *text, size_t length, const char *const *words)
{
    char *word = tool_format("%.*s", (int)length, text), *all = tool_strdup(words[0]);
    int k = tool_parse_word(word, words);

    for (int i = 1; k < 0 && words[i]; i++) {
        char *longer = tool_format("%s, %s", all, words[i]);

        free(all);
        all = longer;
    }
    if (k < 0)
        tool_usage("%s wants one of %s, not \"%s\"", option, all, word);
    free(word);
    free(all);
    return k;
}

int tool_parse_loss(const char *option, const char *text, enum oclnn_loss *out)
{
    int k = word_of(option, text, strlen(text), losses);

    if (k < 0)
        return TOOL_USAGE;
    *out = (enum oclnn_loss)k;
    return -1;
}

int tool_parse_monitor(const char *option, const char *text, enum oclnn_monitor *out)
{
    static const char *const monitors[] = {"loss", "accuracy", "iou", NULL};
    int k = word_of(option, text, strlen(text), monitors);

    if (k < 0)
        return TOOL_USAGE;
    *out = (enum oclnn_monitor)k;
    return -1;
}

struct field {
    const char *name;
    size_t offset;
    bool is_int;
    double min, max;
};

static int milestones(const char *option, const char *value, struct oclnn_schedule *s)
{
    int n = 0;

    while (*value) {
        char *end;
        long at = strtol(value, &end, 10);

        if (end == value || (*end && *end != '/') || at < 1 || at > 1000000 || n == 8 ||
            (n && at <= s->milestones[n - 1]))
            return tool_usage("%s: at=30/60 wants up to 8 ascending epochs, not \"%s\"", option, value);
        s->milestones[n++] = (int)at;
        value = *end ? end + 1 : end;
    }
    return -1;
}

/* "a=1,b=2" into the fields of a struct; `schedule` also takes at=… */
static int read_fields(const char *option, const char *text, const struct field *fields, char *to,
    struct oclnn_schedule *schedule)
{
    int code = -1;

    while (*text && code < 0) {
        size_t n = strcspn(text, ",");
        char *word = tool_format("%.*s", (int)n, text), *value = strchr(word, '=');
        const struct field *f = fields;
        double number;

        if (value)
            *value++ = '\0';
        while (f->name && strcmp(f->name, word))
            f++;
        if (value && schedule && !strcmp(word, "at")) {
            code = milestones(option, value, schedule);
        } else if (!f->name) {
            code = tool_usage("%s: there is no \"%s\"", option, word);
        } else if (!value || !tool_parse_double(value, f->min, f->max, &number)) {
            code = tool_usage("%s: %s wants a number from %g to %g", option, word, f->min, f->max);
        } else if (f->is_int) {
            *(int *)(void *)(to + f->offset) = (int)number;
        } else {
            *(float *)(void *)(to + f->offset) = (float)number;
        }
        free(word);
        text += n + (text[n] == ',');
    }
    return code;
}

int tool_parse_optimizer(const char *option, const char *text, struct oclnn_optimizer *out)
{
    static const struct field fields[] = {
        {"lr", offsetof(struct oclnn_optimizer, lr), false, 0, 1e6},
        {"momentum", offsetof(struct oclnn_optimizer, momentum), false, 0, 1},
        {"weight-decay", offsetof(struct oclnn_optimizer, weight_decay), false, 0, 1e6},
        {"beta1", offsetof(struct oclnn_optimizer, beta1), false, 0, 1},
        {"beta2", offsetof(struct oclnn_optimizer, beta2), false, 0, 1},
        {"epsilon", offsetof(struct oclnn_optimizer, epsilon), false, 0, 1},
        {"nesterov", offsetof(struct oclnn_optimizer, nesterov), true, 0, 1},
        {NULL, 0, false, 0, 0},
    };
    size_t n = strcspn(text, ":");
    int k = word_of(option, text, n, optimizers);

    if (k < 0)
        return TOOL_USAGE;
    out->kind = (enum oclnn_optimizer_kind)k;
    return read_fields(option, text + n + (text[n] == ':'), fields, (char *)out, NULL);
}

int tool_parse_schedule(const char *option, const char *text, struct oclnn_schedule *out)
{
    static const struct field fields[] = {
        {"size", offsetof(struct oclnn_schedule, size), true, 1, 1e6},
        {"gamma", offsetof(struct oclnn_schedule, gamma), false, 0, 1},
        {"power", offsetof(struct oclnn_schedule, power), false, 0, 100},
        {"period", offsetof(struct oclnn_schedule, period), false, 0, 1e6},
        {"end", offsetof(struct oclnn_schedule, end), false, 0, 1e6},
        {"warmup", offsetof(struct oclnn_schedule, warmup), false, 0, 1e6},
        {NULL, 0, false, 0, 0},
    };
    size_t n = strcspn(text, ":");
    int k = word_of(option, text, n, schedules);

    if (k < 0)
        return TOOL_USAGE;
    out->kind = (enum oclnn_schedule_kind)k;
    return read_fields(option, text + n + (text[n] == ':'), fields, (char *)out, out);
}

int tool_parse_loss_options(const char *option, const char *text, struct oclnn_trainer_params *out)
{
    static const struct field all[] = {
        {"smoothing", offsetof(struct oclnn_trainer_params, label_smoothing), false, 0, 0.999},
        {"alpha", offsetof(struct oclnn_trainer_params, alpha), false, 1e-6, 1e6},
        {"gamma", offsetof(struct oclnn_trainer_params, gamma), false, 1e-6, 100},
        {NULL, 0, false, 0, 0},
    };
    struct field fields[4] = {all[0]};
    size_t n = strcspn(text, ":");
    int k = word_of(option, text, n, losses), code, count = 1;
    bool has_gamma = k == OCLNN_LOSS_FOCAL;
    char *name;

    if (k < 0)
        return TOOL_USAGE;
    if (has_gamma || k == OCLNN_LOSS_HUBER || k == OCLNN_LOSS_DICE || k == OCLNN_LOSS_DICE_LOGITS)
        fields[count++] = all[1];
    if (has_gamma) {
        fields[1].max = 1;
        fields[count++] = all[2];
    }
    fields[count] = all[3];
    out->loss = (enum oclnn_loss)k;
    out->alpha = out->gamma = 0; /* of an earlier --loss */
    name = tool_format("%s %s", option, losses[k]);
    code = read_fields(name, text + n + (text[n] == ':'), fields, (char *)out, NULL);
    free(name);
    return code;
}

int tool_parse_group(const char *option, const char *text, struct oclnn_param_group *out)
{
    static const struct field fields[] = {
        {"lr", offsetof(struct oclnn_param_group, lr_scale), false, 1e-30, 1e5},
        {"weight-decay", offsetof(struct oclnn_param_group, weight_decay), false, 0, 1e6},
        {NULL, 0, false, 0, 0},
    };
    const char *colon = strrchr(text, ':'); /* names of parameters may have colons */
    int code;

    if (!colon || colon == text || !colon[1])
        return tool_usage("%s wants PATTERN:lr=X,weight-decay=X, not \"%s\"", option, text);
    *out = (struct oclnn_param_group){.weight_decay = -2};
    code = read_fields(option, colon + 1, fields, (char *)out, NULL);
    if (code >= 0)
        return code;
    /* 0 means the optimiser's there, and less than that none */
    out->weight_decay = out->weight_decay < -1 ? 0 : out->weight_decay > 0 ? out->weight_decay : -1;
    out->pattern = tool_format("%.*s", (int)(colon - text), text);
    return -1;
}

float tool_group_scale(float lr, const struct oclnn_optimizer *optimizer)
{
    const enum oclnn_optimizer_kind kind = optimizer->kind;
    const float usual = kind == OCLNN_ADAM || kind == OCLNN_ADAMW || kind == OCLNN_LAMB ? 0.001f : 0.01f;
    const float base = optimizer->lr > 0 ? optimizer->lr : usual;

    return lr > 0 ? lr / base : 0;
}

int tool_parse_init(const char *option, const char *text, struct oclnn_init *out)
{
    static const char *const words[] = {"default", "kaiming-uniform", "kaiming-normal", "xavier-uniform",
        "xavier-normal", "orthogonal", "he-uniform", "he-normal", "glorot-uniform", "glorot-normal", NULL};
    static const enum oclnn_init_kind kinds[] = {OCLNN_INIT_DEFAULT, OCLNN_INIT_KAIMING_UNIFORM,
        OCLNN_INIT_KAIMING_NORMAL, OCLNN_INIT_XAVIER_UNIFORM, OCLNN_INIT_XAVIER_NORMAL, OCLNN_INIT_ORTHOGONAL,
        OCLNN_INIT_KAIMING_UNIFORM, OCLNN_INIT_KAIMING_NORMAL, OCLNN_INIT_XAVIER_UNIFORM,
        OCLNN_INIT_XAVIER_NORMAL};
    static const struct field fields[] = {
        {"gain", offsetof(struct oclnn_init, a), false, 1e-6, 1e6},
        {NULL, 0, false, 0, 0},
    };
    size_t n = strcspn(text, ":");
    int k = word_of(option, text, n, words);

    if (k < 0)
        return TOOL_USAGE;
    *out = (struct oclnn_init){.kind = kinds[k]};
    return read_fields(option, text + n + (text[n] == ':'),
        out->kind == OCLNN_INIT_ORTHOGONAL ? fields : fields + 1, (char *)out, NULL);
}
