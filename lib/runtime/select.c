/* The device selector: gpu | cpu | best | P:D | N | name~TEXT | uuid=HEX. */
#include "runtime/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Better devices have smaller ranks; equal ones keep the loader's order. */
static int rank_of(const struct onn_device *d)
{
    int kind = d->type & CL_DEVICE_TYPE_GPU ? 0 : d->type & CL_DEVICE_TYPE_ACCELERATOR ? 1 : 2;
    return d->simulator ? kind + 3 : kind;
}

/* The best of the devices of these types, or -1. */
static int best_of(const struct onn_device *devices, int count, cl_device_type types)
{
    int best = -1;
    for (int i = 0; i < count; i++)
        if ((devices[i].type & types) && (best < 0 || rank_of(&devices[i]) < rank_of(&devices[best])))
            best = i;
    return best;
}

static bool has_text(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; *text; text++)
        if (strncasecmp(text, part, length) == 0)
            return true;
    return false;
}

/* The same hexadecimal digits, dashes and case aside; "" matches nothing. */
static bool same_uuid(const char *a, const char *b)
{
    if (!*a || !*b)
        return false;
    while (*a || *b) {
        if (*a == '-')
            a++;
        else if (*b == '-')
            b++;
        else if (strncasecmp(a++, b++, 1) != 0)
            return false;
    }
    return true;
}

enum rule { RULE_POSITION, RULE_PAIR, RULE_NAME, RULE_PLATFORM, RULE_UUID };

struct wanted {
    enum rule rule;
    long first, second;
    const char *text;
};

static bool matches(const struct onn_device *d, int position, const struct wanted *w)
{
    switch (w->rule) {
    case RULE_POSITION: return position == w->first;
    case RULE_PAIR: return d->platform_index == w->first && d->device_index == w->second;
    case RULE_NAME: return has_text(d->info.name, w->text);
    case RULE_PLATFORM: return has_text(d->info.platform, w->text);
    case RULE_UUID: return same_uuid(d->uuid, w->text);
    }
    return false;
}

static int count_matches(const struct onn_device *devices, int count, const struct wanted *w, int *last)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        if (matches(&devices[i], i, w)) {
            *last = i;
            found++;
        }
    return found;
}

/* Reads all but the words; false: this is no selector. */
static bool parse(const char *selector, struct wanted *w)
{
    char *end;
    if (strncmp(selector, "name~", 5) == 0) {
        *w = (struct wanted){.rule = RULE_NAME, .text = selector + 5};
        return w->text[0] != '\0';
    }
    if (strncmp(selector, "uuid=", 5) == 0) {
        *w = (struct wanted){.rule = RULE_UUID, .text = selector + 5};
        return w->text[0] != '\0';
    }
    if (selector[0] < '0' || selector[0] > '9')
        return false;
    *w = (struct wanted){.rule = RULE_POSITION, .first = strtol(selector, &end, 10)};
    if (*end == ':' && end[1] >= '0' && end[1] <= '9') {
        w->rule = RULE_PAIR;
        w->second = strtol(end + 1, &end, 10);
    }
    return *end == '\0';
}

/* "no device matches 'gpu'; there are: 0:0 name (platform), …": all devices, or those that match `only`. */
static enum oclnn_status explain(const struct onn_device *devices, int count, const struct wanted *only,
    const char *selector, const char *problem)
{
    struct onn_str list = {0};
    for (int i = 0; i < count; i++)
        if (!only || matches(&devices[i], i, only))
            onn_str_add(&list, "%s%s %s (%s)", list.length ? ", " : "", devices[i].info.selector,
                devices[i].info.name, devices[i].info.platform);
    enum oclnn_status status = onn_error(OCLNN_ERROR_NO_DEVICE, "device selector '%s': %s: %s", selector,
        problem, list.length ? onn_str_text(&list) : "none");
    onn_str_finish(&list);
    return status;
}

enum oclnn_status onn_device_select(const struct onn_device *devices, int count, const char *selector,
    int *chosen)
{
    cl_device_type types = 0;
    bool is_list = strchr(selector, ',') && strncmp(selector, "name~", 5) != 0; /* names have commas */
    if (strcmp(selector, "all") == 0 || is_list)
        return onn_error(OCLNN_ERROR_UNSUPPORTED,
            "device selector '%s': a context has one device; make one context per device", selector);
    if (strcmp(selector, "gpu") == 0)
        types = CL_DEVICE_TYPE_GPU;
    else if (strcmp(selector, "cpu") == 0)
        types = CL_DEVICE_TYPE_CPU;
    else if (strcmp(selector, "best") == 0)
        types = CL_DEVICE_TYPE_ALL;
    if (types) {
        *chosen = best_of(devices, count, types);
        return *chosen >= 0 ? OCLNN_OK
                            : explain(devices, count, NULL, selector, "nothing matches; there are");
    }
    struct wanted w;
    if (!parse(selector, &w))
        return explain(devices, count, NULL, selector,
            "not one of gpu, cpu, best, P:D, N, name~TEXT, uuid=HEX; there are");
    int found = count_matches(devices, count, &w, chosen);
    if (found == 0 && w.rule == RULE_NAME) {
        w.rule = RULE_PLATFORM;
        found = count_matches(devices, count, &w, chosen);
    }
    if (found == 1)
        return OCLNN_OK;
    if (found == 0)
        return explain(devices, count, NULL, selector, "nothing matches; there are");
    return explain(devices, count, &w, selector, "several match");
}
