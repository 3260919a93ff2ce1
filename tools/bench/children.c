#include "bench/children.h"
#include "common/tool.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

/* Results and errors printed so far. */
static size_t printed[2];

static void print_new(const json_t *list, const char *key, size_t *from)
{
    for (; *from < json_array_size(list); (*from)++) {
        json_t *line = json_object();

        json_object_set(line, key, json_array_get(list, *from));
        tool_json_print(line, 1, stdout);
        json_decref(line);
    }
    fflush(stdout);
}

void bench_child_print(struct bench_report *r)
{
    print_new(r->results, "result", &printed[0]);
    print_new(r->errors, "error", &printed[1]);
}

/* One line of the child. A driver may print lines of its own: those go on to standard error. */
static void take_line(void *user, const char *line)
{
    struct bench_report *r = user;
    json_t *object = json_loads(line, 0, NULL), *part;

    if ((part = json_object_get(object, "result"))) {
        bench_report_add(r, json_incref(part));
    } else if ((part = json_object_get(object, "error"))) {
        json_array_append(r->errors, part);
        if (r->done)
            r->done(r);
    } else {
        fputs(line, stderr);
    }
    json_decref(object);
}

static pid_t start(char **argv, int argc, const char *selector, int fd)
{
    char **args = tool_alloc((size_t)argc + 2, sizeof(*args));
    char *option = tool_format("--child=%s", selector);

    args[0] = argv[0];
    args[1] = option;
    for (int i = 1; i < argc; i++)
        args[i + 1] = argv[i];
    fflush(NULL);
#ifdef PR_SET_PDEATHSIG
    const pid_t parent = getpid();
#endif
    const pid_t child = fork();
    if (child == 0) {
#ifdef PR_SET_PDEATHSIG /* nobody would read its rows any more */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
#endif
        dup2(fd, STDOUT_FILENO);
        execv("/proc/self/exe", args);
        _exit(127);
    }
    free(option);
    free(args);
    return child;
}

void bench_child_run(char **argv, int argc, const char *selector, struct bench_report *r)
{
    int pipes[2], state = 0;
    pid_t child;
    char *message = NULL;

    if (pipe(pipes)) {
        bench_report_error(r, selector, NULL, strerror(errno));
        return;
    }
    child = start(argv, argc, selector, pipes[1]);
    close(pipes[1]);
    if (child < 0) {
        close(pipes[0]);
        bench_report_error(r, selector, NULL, strerror(errno));
        return;
    }
    tool_each_line(pipes[0], take_line, r);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(state))
        message = tool_format("the driver ended the process: %s", strsignal(WTERMSIG(state)));
    else if (WEXITSTATUS(state) != TOOL_OK && WEXITSTATUS(state) != TOOL_FAILED && !tool_interrupted())
        message = tool_format("the process for this device ended with exit status %d", WEXITSTATUS(state));
    if (message)
        bench_report_error(r, selector, NULL, message);
    free(message);
}
