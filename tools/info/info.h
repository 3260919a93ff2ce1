/* What the parts of oclnn-info share. */
#ifndef OCLNN_TOOLS_INFO_INFO_H
#define OCLNN_TOOLS_INFO_INFO_H

#include "common/json.h"
#include <oclnn/device.h>
#include <oclnn/status.h>
#include <stdbool.h>

struct info_options {
    int what; /* OPT_DEVICES … OPT_SELF_TEST */
    const char *device, *op;
    unsigned limit; /* seconds for one operator of the self-test; 0: any time */
    bool json, quiet;
    enum oclnn_log_level log_level;
};

/* Limits of a device as JSON. */
json_t *info_device_json(const struct oclnn_device_info *d);
/* --self-test; returns an exit code. */
int info_self_test(const struct info_options *o);

#endif
