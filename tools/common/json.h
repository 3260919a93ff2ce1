/* JSON: numbers that may be NaN, and output. */
#ifndef OCLNN_TOOLS_JSON_H
#define OCLNN_TOOLS_JSON_H

#include <jansson.h>
#include <stdio.h>

/* A number; null when it is not finite. */
json_t *tool_json_real(double value);
/* A string; bytes that are not UTF-8 become '?'. */
json_t *tool_json_text(const char *text);
/* Sets object[key] and takes `value` over. */
void tool_json_set(json_t *object, const char *key, json_t *value);
/* object[key] or 0. */
double tool_json_get_real(const json_t *object, const char *key);
const char *tool_json_get_text(const json_t *object, const char *key);
/* One line if `compact`, else indented; returns an exit code after a message. */
int tool_json_print(const json_t *value, int compact, FILE *f);

#endif
