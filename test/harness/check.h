/* What the tests of larger parts begin with: success or the sentence of the failure, and a device. */
#ifndef ONN_TEST_CHECK_H
#define ONN_TEST_CHECK_H

#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Fails with the last error's sentence. */
static inline void good(enum oclnn_status status)
{
    if (status != OCLNN_OK)
        fail_msg("%s: %s", oclnn_status_text(status), oclnn_error_text(NULL));
}

/* The last error's sentence must contain `word`. */
static inline void says(const char *word)
{
    if (!strstr(oclnn_error_text(NULL), word))
        fail_msg("'%s' does not say '%s'", oclnn_error_text(NULL), word);
}

/* For main: 0, else what it returns: 77 where there is no device, 1 after a message. */
static inline int open_device(oclnn_context **out)
{
    const enum oclnn_status status = oclnn_context_create(NULL, out);
    if (status != OCLNN_OK && status != OCLNN_ERROR_NO_DEVICE)
        fprintf(stderr, "no context: %s\n", oclnn_error_text(NULL));
    return status == OCLNN_OK ? 0 : status == OCLNN_ERROR_NO_DEVICE ? 77 : 1;
}

#endif
