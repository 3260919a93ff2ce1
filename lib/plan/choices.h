/* The choices of a plan as text, one line per node of the graph that assign saw: they can be saved, compared and given back,
 * and then the same kernels run whatever the databases and cost models say by then. */
#ifndef ONN_PLAN_CHOICES_H
#define ONN_PLAN_CHOICES_H

#include "plan/assign.h"

#define ONN_CHOICES_HEAD "oclnn choices 1"

/* One line, without a line break: "conv winograd43 c8,pack3(8,1,0,0),plain>c8 - conv1": operator, variant, formats of
 * inputs and outputs, tunables, the node's name. Appended to s. */
void onn_choice_text(const struct onn_node *n, const struct onn_choice *c, struct onn_str *s);
/* All of them behind the headline. */
void onn_choices_text(const struct onn_graph *g, const struct onn_choice *choice, struct onn_str *s);
/* The start of node k's line in a text of choices; *length without the line break. NULL: there is none. */
const char *onn_choices_line(const char *text, int k, size_t *length);
/* Has the text the headline and one line for each of n nodes, and no more? The sentence says what is wrong. */
enum oclnn_status onn_choices_check(const char *text, int n);

#endif
