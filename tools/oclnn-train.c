/* oclnn-train: trains a network on labelled images. */
#include "common/tool.h"
#include "train/train.h"
#include <stdlib.h>

static void close_set(struct train_set *set)
{
    oclnn_dataset_destroy(&set->data);
    oclnn_dataset_destroy(&set->whole);
}

int main(int argc, char **argv)
{
    struct train_options o;
    struct session s = {.o = &o};
    int code;

    tool_init("oclnn-train");
    code = train_options_parse(&o, argc, argv);
    if (code < 0) {
        code = train_setup(&s);
        if (code == TOOL_OK)
            code = train_run(&s);
        if (history_close(&s.history) != TOOL_OK && code == TOOL_OK)
            code = TOOL_FAILED;
        if (tb_events_close(&s.events) != TOOL_OK && code == TOOL_OK)
            code = TOOL_FAILED;
        oclnn_trainer_destroy(&s.trainer);
        oclnn_model_destroy(&s.model);
        if (!s.test_is_val)
            close_set(&s.test);
        close_set(&s.val);
        close_set(&s.train);
        oclnn_context_destroy(&s.ctx);
        free(s.weights);
    }
    train_options_finish(&o);
    return code;
}
