#include "common/devices.h"
#include "common/table.h"
#include "common/tool.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool write_all(int fd, const void *data, size_t bytes)
{
    const char *p = data;

    while (bytes) {
        ssize_t n = write(fd, p, bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t bytes)
{
    char *p = data;

    while (bytes) {
        ssize_t n = read(fd, p, bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* The child's part: status, sentence, count, entries. Never returns. */
static void list_in_child(int fd)
{
    struct oclnn_device_info *info = NULL;
    char sentence[512] = "";
    int count = 0;
    enum oclnn_status status = oclnn_device_list(NULL, 0, &count);

    if (status == OCLNN_OK && count > 0) {
        int capacity = count;

        info = tool_alloc((size_t)count, sizeof(*info));
        status = oclnn_device_list(info, capacity, &count);
        if (count > capacity)
            count = capacity;
    }
    if (status != OCLNN_OK) {
        snprintf(sentence, sizeof(sentence), "%s", oclnn_error_text(NULL));
        count = 0;
    }
    if (write_all(fd, &status, sizeof(status)) && write_all(fd, sentence, sizeof(sentence)) &&
        write_all(fd, &count, sizeof(count)))
        write_all(fd, info, (size_t)count * sizeof(*info));
    _exit(0);
}

static int list_from_child(int fd, pid_t child, struct oclnn_device_info **out, int *n)
{
    char sentence[512];
    enum oclnn_status status;
    bool ok = read_all(fd, &status, sizeof(status)) && read_all(fd, sentence, sizeof(sentence)) &&
        read_all(fd, n, sizeof(*n));
    int state = 0;

    if (ok && *n > 0) {
        *out = tool_alloc((size_t)*n, sizeof(**out));
        ok = read_all(fd, *out, (size_t)*n * sizeof(**out));
    }
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    if (!ok && WIFSIGNALED(state))
        return tool_error("an OpenCL driver crashed while devices were listed: %s",
            strsignal(WTERMSIG(state)));
    if (!ok)
        return tool_error("devices could not be listed");
    if (status != OCLNN_OK && status != OCLNN_ERROR_NO_DEVICE)
        return tool_error("cannot list devices: %s", sentence[0] ? sentence : oclnn_status_text(status));
    return TOOL_OK;
}

int tool_device_list(struct oclnn_device_info **out, int *n)
{
    int pipes[2], code;
    pid_t child;

    *out = NULL;
    *n = 0;
    fflush(NULL);
    if (pipe(pipes))
        return tool_error("pipe: %s", strerror(errno));
    child = fork();
    if (child < 0) {
        close(pipes[0]);
        close(pipes[1]);
        return tool_error("fork: %s", strerror(errno));
    }
    if (child == 0) {
        close(pipes[0]);
        list_in_child(pipes[1]);
    }
    close(pipes[1]);
    code = list_from_child(pipes[0], child, out, n);
    close(pipes[0]);
    if (code != TOOL_OK) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return code;
}

static void add(char ***out, int *n, const char *text)
{
    *out = tool_realloc(*out, (size_t)*n + 1, sizeof(**out));
    (*out)[(*n)++] = tool_strdup(text);
}

static int add_all(char ***out, int *n)
{
    struct oclnn_device_info *info;
    int count, code = tool_device_list(&info, &count);

    if (code != TOOL_OK)
        return code;
    if (count == 0)
        return tool_error(
            "there is no OpenCL device: install a driver (on Debian: pocl-opencl-icd for the CPU)");
    for (int i = 0; i < count; i++)
        add(out, n, info[i].selector);
    free(info);
    return TOOL_OK;
}

/* Does a selector that is no name begin here, and end at a comma or the end? */
static bool is_selector(const char *text)
{
    static const char *const words[] = {"gpu", "cpu", "best", "all"};
    size_t length = strcspn(text, ",");

    if (!strncmp(text, "name~", 5) || !strncmp(text, "uuid=", 5))
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (length == strlen(words[i]) && !strncmp(text, words[i], length))
            return true;
    return length > 0 && strspn(text, "0123456789:") == length;
}

/* Cuts the first selector off a list and moves on behind its comma. Names have commas: "name~A, B" is one selector unless what
 * follows the comma is another. */
static char *next_selector(char **rest)
{
    char *word = *rest + strspn(*rest, " ,"), *end = word;

    for (;;) {
        end += strcspn(end, ",");
        if (!*end || strncmp(word, "name~", 5) || is_selector(end + 1 + strspn(end + 1, " ")))
            break;
        end++;
    }
    *rest = *end ? end + 1 : end;
    while (end > word && end[-1] == ' ')
        end--;
    *end = 0;
    return *word ? word : NULL;
}

int tool_device_expand(const char *spec, char ***out, int *n)
{
    char *copy = tool_strdup(spec), *rest = copy, *word;
    int code = TOOL_OK;

    *out = NULL;
    *n = 0;
    while (code == TOOL_OK && (word = next_selector(&rest)))
        if (!strcmp(word, "all"))
            code = add_all(out, n);
        else
            add(out, n, word);
    if (code == TOOL_OK && *n == 0)
        code = tool_usage("-d wants a device, not \"%s\"", spec);
    if (code != TOOL_OK)
        tool_device_free(out, n);
    free(copy);
    return code;
}

void tool_device_free(char ***list, int *n)
{
    for (int i = 0; i < *n; i++)
        free((*list)[i]);
    free(*list);
    *list = NULL;
    *n = 0;
}

int tool_device_print(void)
{
    struct oclnn_device_info *info;
    struct tool_table t = {0};
    int n, code = tool_device_list(&info, &n);
    char text[32];

    if (code != TOOL_OK)
        return code;
    if (n == 0)
        return tool_error(
            "there is no OpenCL device: install a driver (on Debian: pocl-opencl-icd for the CPU)");
    tool_table_column(&t, "-d");
    tool_table_column(&t, "device");
    tool_table_column(&t, "type");
    tool_table_column(&t, ">units");
    tool_table_column(&t, ">memory");
    tool_table_column(&t, "fp16");
    tool_table_column(&t, "platform");
    tool_table_column(&t, "driver");
    for (int i = 0; i < n; i++) {
        tool_table_row(&t);
        tool_table_set(&t, 0, "%s", info[i].selector);
        tool_table_set(&t, 1, "%s", info[i].name);
        tool_table_set(&t, 2, "%s", info[i].is_gpu ? "GPU" : info[i].is_cpu ? "CPU" : "other");
        tool_table_set(&t, 3, "%d", info[i].compute_units);
        tool_table_set(&t, 4, "%s", tool_bytes_text((double)info[i].global_bytes, text));
        tool_table_set(&t, 5, "%s", info[i].has_fp16 ? "yes" : "no");
        tool_table_set(&t, 6, "%s", info[i].platform);
        tool_table_set(&t, 7, "%s", info[i].driver);
    }
    tool_table_print(&t, TOOL_TABLE_TEXT, stdout);
    tool_table_finish(&t);
    free(info);
    return tool_finish(TOOL_OK);
}

int tool_context(const char *selector, enum oclnn_log_level level, oclnn_context **out)
{
    struct oclnn_context_params params = {.devices = selector, .log = tool_log, .log_level = level};
    enum oclnn_status status = oclnn_context_create(&params, out);

    if (status != OCLNN_OK)
        return tool_fail(status, "device \"%s\"", selector ? selector : "best");
    return TOOL_OK;
}
