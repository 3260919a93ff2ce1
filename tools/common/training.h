/* Option values of everything that trains. */
#ifndef OCLNN_TOOLS_TRAINING_H
#define OCLNN_TOOLS_TRAINING_H

#include <oclnn/ops.h>
#include <oclnn/train.h>

/* Each returns -1, or TOOL_USAGE after a message that names the option. */
/* "softmax-ce", "mse", … */
int tool_parse_loss(const char *option, const char *text, enum oclnn_loss *out);
/* The same with what the loss takes: "focal:alpha=0.25,gamma=2", "softmax-ce:smoothing=0.1" */
int tool_parse_loss_options(const char *option, const char *text, struct oclnn_trainer_params *out);
/* "PATTERN:lr=0.001,weight-decay=0". The rate stands in out->lr_scale until the optimiser's is known, 0 = not given;
 * malloc'ed pattern. */
int tool_parse_group(const char *option, const char *text, struct oclnn_param_group *out);
/* The rate of a group over the optimiser's, which is its kind's usual one if it is 0. */
float tool_group_scale(float lr, const struct oclnn_optimizer *optimizer);
/* "loss", "accuracy", "iou" */
int tool_parse_monitor(const char *option, const char *text, enum oclnn_monitor *out);
/* "kaiming-normal", "he-normal", "orthogonal:gain=1.4", … */
int tool_parse_init(const char *option, const char *text, struct oclnn_init *out);
/* "sgd:lr=0.01,momentum=0.9" */
int tool_parse_optimizer(const char *option, const char *text, struct oclnn_optimizer *out);
/* "cosine", "step:size=10,gamma=0.1", "multi-step:at=30/60,gamma=0.1" */
int tool_parse_schedule(const char *option, const char *text, struct oclnn_schedule *out);

#endif
