/* What oclnn-train --help prints. */
#ifndef OCLNN_TOOLS_TRAIN_HELP_H
#define OCLNN_TOOLS_TRAIN_HELP_H

void train_help(void);

#endif
