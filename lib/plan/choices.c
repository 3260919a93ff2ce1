#include "plan/choices.h"

#include <string.h>

void onn_choice_text(const struct onn_node *n, const struct onn_choice *c, struct onn_str *s)
{
    char name[48];
    onn_str_add(s, "%s %s ", n->op->name, c->variant ? c->variant->name : "view");
    for (int i = 0; i < c->formats.n_in; i++)
        onn_str_add(s, "%s%s", i ? "," : "", onn_format_name(&c->formats.in[i], name));
    onn_str_add(s, ">");
    for (int i = 0; i < c->formats.n_out; i++)
        onn_str_add(s, "%s%s", i ? "," : "", onn_format_name(&c->formats.out[i], name));
    onn_str_add(s, " ");
    const struct onn_tunable *t = c->variant ? c->variant->tunables : NULL;
    for (int i = 0; t && t[i].name && i < ONN_TUNABLES; i++)
        onn_str_add(s, "%s%s=%d", i ? "," : "", t[i].name, (int)c->tune.v[i]);
    onn_str_add(s, "%s %s", t && t[0].name ? "" : "-", n->name);
}

void onn_choices_text(const struct onn_graph *g, const struct onn_choice *choice, struct onn_str *s)
{
    onn_str_add(s, ONN_CHOICES_HEAD "\n");
    for (int k = 0; k < g->n_nodes; k++) {
        onn_choice_text(&g->node[k], &choice[k], s);
        onn_str_add(s, "\n");
    }
}

const char *onn_choices_line(const char *text, int k, size_t *length)
{
    for (int line = 0; *text; line++) {
        *length = strcspn(text, "\n");
        if (line == k + 1) /* behind the headline */
            return text;
        text += *length + (text[*length] == '\n');
    }
    return NULL;
}

enum oclnn_status onn_choices_check(const char *text, int n)
{
    const size_t head = strlen(ONN_CHOICES_HEAD);
    size_t length;
    int lines = 0;
    if (strncmp(text, ONN_CHOICES_HEAD, head) != 0 || (text[head] && text[head] != '\n'))
        return onn_error(OCLNN_ERROR_ARGUMENT, "the choices do not begin with '" ONN_CHOICES_HEAD "'");
    while (onn_choices_line(text, lines, &length))
        lines++;
    if (lines == n)
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "the choices are for %d nodes, the plan has %d", lines, n);
}
