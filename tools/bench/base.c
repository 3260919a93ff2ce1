/* --compare: against the rows of an earlier run. */
#include "bench/output.h"
#include "common/tool.h"
#include <string.h>

/* What makes two rows the same measurement. */
static bool is_same(const json_t *a, const json_t *b)
{
    static const char *const key[] = {"device", "model", "dtype", "mode", "variant", "formats"};

    for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++)
        if (strcmp(tool_json_get_text(a, key[i]), tool_json_get_text(b, key[i])))
            return false;
    return tool_json_get_real(a, "batch") == tool_json_get_real(b, "batch") &&
        json_is_true(json_object_get(a, "resident")) == json_is_true(json_object_get(b, "resident"));
}

static double median_of(const json_t *row)
{
    return tool_json_get_real(json_object_get(row, "time_ms"), "median");
}

static const json_t *find(const json_t *base, const json_t *row)
{
    size_t i;
    json_t *old;

    json_array_foreach(base, i, old) if (is_same(old, row) && median_of(old) > 0) return old;
    return NULL;
}

int bench_compare(const struct bench_options *o, struct bench_report *r)
{
    json_error_t error;
    json_t *file = json_load_file(o->compare, 0, &error), *base = json_object_get(file, "results"), *row;
    int code = TOOL_OK;
    size_t i, found = 0;

    if (!json_is_array(base))
        code = file ? tool_error("--compare %s: no list \"results\": give what -o json printed", o->compare)
                    : tool_error("--compare %s: %s", o->compare, error.text);
    json_array_foreach(code == TOOL_OK ? r->results : NULL, i, row)
    {
        const json_t *old = find(base, row);
        double now = median_of(row), then = median_of(old);

        if (!old || !(now > 0)) {
            bench_row_warn(row, "%s has no such row to compare with", o->compare);
            continue;
        }
        found++;
        tool_json_set(row, "base_ms", tool_json_real(then));
        tool_json_set(row, "ratio", tool_json_real(then / now));
        if (now > then * (1 + o->compare_limit / 100)) {
            bench_row_warn(row, "slower than in %s: %.4g ms, was %.4g (limit %.3g %%)", o->compare, now, then,
                o->compare_limit);
            code = TOOL_FAILED;
        }
    }
    if (file && json_is_array(base) && found == 0)
        code = tool_error("--compare %s: none of its rows was measured now", o->compare);
    json_decref(file);
    return code;
}
