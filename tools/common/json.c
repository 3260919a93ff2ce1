#include "common/json.h"
#include "common/tool.h"
#include <math.h>
#include <stdlib.h>

json_t *tool_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *tool_json_text(const char *text)
{
    json_t *value = json_string(text);
    char *copy;

    if (value)
        return value;
    copy = tool_strdup(text);
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

void tool_json_set(json_t *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(object, key, value)) {
        tool_error("out of memory");
        exit(TOOL_FAILED);
    }
}

double tool_json_get_real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

const char *tool_json_get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

int tool_json_print(const json_t *value, int compact, FILE *f)
{
    size_t flags = JSON_REAL_PRECISION(9) | (compact ? JSON_COMPACT : JSON_INDENT(2));

    if (json_dumpf(value, f, flags) || fputc('\n', f) == EOF)
        return tool_error("cannot write JSON");
    return TOOL_OK;
}
