/* The self-test in a process of its own, which tells the rows through a pipe, one JSON object a line: a driver whose compiler
 * crashes or never ends fails one operator, and another process goes on behind it. */
#include "common/devices.h"
#include "common/tool.h"
#include "info/info.h"
#include <errno.h>
#include <oclnn/config.h>
#include <oclnn/info.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

static const char *const words[] = {"PASS", "FAIL", "REFUSED", "UNTESTED", NULL};

/* ---- the child ---- */

static void tell(FILE *f, const char *key, json_t *value)
{
    json_t *line = json_object();

    tool_json_set(line, key, value);
    tool_json_print(line, 1, f);
    json_decref(line);
    fflush(f);
}

static void tell_row(void *user, const struct oclnn_self_test_row *row)
{
    json_t *entry = json_object();

    tool_json_set(entry, "verdict", tool_json_text(words[row->verdict]));
    tool_json_set(entry, "op", tool_json_text(row->op));
    tool_json_set(entry, "variant", tool_json_text(row->variant));
    tool_json_set(entry, "formats", tool_json_text(row->formats));
    tool_json_set(entry, "problem", tool_json_text(row->problem));
    tool_json_set(entry, "reason", tool_json_text(row->reason));
    tool_json_set(entry, "max_abs", tool_json_real(row->max_abs));
    tell(user, "row", entry);
}

/* Tests the wanted operators from number `first` on. */
static int test_from(const struct info_options *o, int first, FILE *f)
{
    struct oclnn_device_info device;
    struct oclnn_operator_info op;
    oclnn_context *ctx = NULL;
    enum oclnn_status status = OCLNN_OK;
    bool found = false;
    int code = tool_context(o->device, o->log_level, &ctx);

    if (code != TOOL_OK)
        return code;
    if (oclnn_context_device(ctx, &device) == OCLNN_OK)
        tell(f, "device", info_device_json(&device));
    for (int i = first; i < oclnn_operator_count() && status == OCLNN_OK && !tool_interrupted(); i++) {
        status = oclnn_operator(i, &op);
        if (status != OCLNN_OK || (o->op && strcmp(o->op, op.name) != 0))
            continue;
        found = true;
        tell(f, "begin", json_integer(i));
        alarm(o->limit); /* its signal ends this process */
        status = oclnn_self_test(ctx, op.name, tell_row, f, NULL);
        alarm(0);
    }
    if (!found && o->op && status == OCLNN_OK)
        status = oclnn_self_test(ctx, o->op, tell_row, f, NULL); /* says that there is none */
    if (status != OCLNN_OK)
        code = tool_fail(status, "self-test");
    oclnn_context_destroy(&ctx);
    return code;
}

/* ---- the parent ---- */

struct report {
    const struct info_options *o;
    json_t *device, *rows;
    int count[4]; /* of each verdict */
    int at; /* operator that the child is at, -1: none yet */
};

static void print_row(const struct report *r, const json_t *row, int verdict)
{
    static const enum tool_colour colour[] = {TOOL_GREEN, TOOL_RED, TOOL_YELLOW, TOOL_YELLOW};
    const char *formats = tool_json_get_text(row, "formats"), *problem = tool_json_get_text(row, "problem");
    const char *reason = tool_json_get_text(row, "reason");

    if (r->o->quiet && verdict != OCLNN_FAIL)
        return;
    printf("%s%-8s%s %s %s", tool_colour(stdout, colour[verdict]), words[verdict],
        tool_colour(stdout, TOOL_RESET), tool_json_get_text(row, "op"), tool_json_get_text(row, "variant"));
    if (formats[0])
        printf(" [%s]", formats);
    if (problem[0])
        printf(" '%s'", problem);
    if (reason[0])
        printf(": %s", reason);
    putchar('\n');
    fflush(stdout);
}

static void add_row(struct report *r, json_t *row)
{
    const int verdict = tool_parse_word(tool_json_get_text(row, "verdict"), words);

    if (verdict < 0)
        return;
    r->count[verdict]++;
    if (r->o->json)
        json_array_append(r->rows, row);
    else
        print_row(r, row, verdict);
}

static void add_crash(struct report *r, int number)
{
    struct oclnn_operator_info op;
    char *reason = number == SIGALRM ? tool_format("it takes longer than %u s", r->o->limit)
                                     : tool_format("the driver ended the process: %s", strsignal(number));
    json_t *row = json_object();

    tool_json_set(row, "verdict", tool_json_text(words[OCLNN_FAIL]));
    tool_json_set(row, "op", tool_json_text(oclnn_operator(r->at, &op) == OCLNN_OK ? op.name : "?"));
    tool_json_set(row, "variant", tool_json_text("behind those above"));
    tool_json_set(row, "reason", tool_json_text(reason));
    add_row(r, row);
    json_decref(row);
    free(reason);
}

static void take_line(void *user, const char *line)
{
    struct report *r = user;
    json_t *object = json_loads(line, 0, NULL), *part;

    if ((part = json_object_get(object, "row"))) {
        add_row(r, part);
    } else if ((part = json_object_get(object, "begin"))) {
        r->at = (int)json_integer_value(part);
    } else if ((part = json_object_get(object, "device")) && !r->device) {
        r->device = json_incref(part);
        if (!r->o->json)
            printf("oclnn %s, %s %s, %s, driver %s\n", OCLNN_VERSION, tool_json_get_text(part, "selector"),
                tool_json_get_text(part, "name"), tool_json_get_text(part, "version"),
                tool_json_get_text(part, "driver"));
        fflush(stdout);
    }
    json_decref(object);
}

/* Starts a child; *fd: what it tells. */
static pid_t start(const struct info_options *o, int first, int *fd)
{
    int pipes[2];
    const pid_t parent = getpid();
    pid_t child;

    fflush(NULL);
    if (pipe(pipes))
        return -1;
    child = fork();
    if (child == 0) {
        FILE *f = fdopen(pipes[1], "w");

        close(pipes[0]);
#ifdef PR_SET_PDEATHSIG /* nobody would read its rows any more */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        if (!f || getppid() != parent)
            _exit(TOOL_FAILED);
        dup2(STDERR_FILENO, STDOUT_FILENO); /* what a driver prints */
        exit(tool_finish(test_from(o, first, f)));
    }
    close(pipes[1]);
    if (child < 0)
        close(pipes[0]);
    *fd = pipes[0];
    return child;
}

/* Runs children, each behind where the one before it crashed. */
static int run_all(struct report *r)
{
    for (int first = 0;;) {
        int fd, state = 0;
        const pid_t child = start(r->o, first, &fd);

        if (child < 0)
            return tool_error("no process for the self-test: %s", strerror(errno));
        r->at = -1;
        tool_each_line(fd, take_line, r);
        while (waitpid(child, &state, 0) < 0 && errno == EINTR)
            continue;
        if (WIFEXITED(state))
            return WEXITSTATUS(state);
        if (r->at < 0)
            return tool_error("the driver ended the process: %s", strsignal(WTERMSIG(state)));
        add_crash(r, WTERMSIG(state));
        first = r->at + 1;
        if (r->o->op || first >= oclnn_operator_count() || tool_interrupted())
            return TOOL_FAILED;
    }
}

int info_self_test(const struct info_options *o)
{
    struct report r = {.o = o, .rows = json_array()};
    int code = run_all(&r);

    if (o->json && r.device) {
        json_t *all = json_object();

        tool_json_set(all, "oclnn", tool_json_text(OCLNN_VERSION));
        tool_json_set(all, "device", json_incref(r.device));
        tool_json_set(all, "passed", json_integer(r.count[OCLNN_PASS]));
        tool_json_set(all, "failed", json_integer(r.count[OCLNN_FAIL]));
        tool_json_set(all, "refused", json_integer(r.count[OCLNN_REFUSED]));
        tool_json_set(all, "untested", json_integer(r.count[OCLNN_UNTESTED]));
        tool_json_set(all, "rows", json_incref(r.rows));
        if (tool_json_print(all, 0, stdout) != TOOL_OK)
            code = TOOL_FAILED;
        json_decref(all);
    } else if (r.device) {
        printf("%d passed, %d failed, %d refused, %d untested\n", r.count[OCLNN_PASS], r.count[OCLNN_FAIL],
            r.count[OCLNN_REFUSED], r.count[OCLNN_UNTESTED]);
    }
    json_decref(r.device);
    json_decref(r.rows);
    return r.count[OCLNN_FAIL] ? TOOL_FAILED : code;
}
