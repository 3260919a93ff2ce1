/* Option values of everything that trains. */
#ifndef OCLNN_TOOLS_TRAINING_H
#define OCLNN_TOOLS_TRAINING_H

#include <oclnn/train.h>

/* Each returns -1, or TOOL_USAGE after a message that names the option. */
/* "softmax-ce", "mse", … */
int tool_parse_loss(const char *option, const char *text, enum oclnn_loss *out);
/* "sgd:lr=0.01,momentum=0.9" */
int tool_parse_optimizer(const char *option, const char *text, struct oclnn_optimizer *out);
/* "cosine", "step:size=10,gamma=0.1", "multi-step:at=30/60,gamma=0.1" */
int tool_parse_schedule(const char *option, const char *text, struct oclnn_schedule *out);

#endif
