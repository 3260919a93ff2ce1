/* write_events FOLDER: an event file with known content, for events.py. */
#include "common/tb_events.h"
#include "common/tool.h"
#include <math.h>

int main(int argc, char **argv)
{
    struct tb_events e;
    float value[1000];
    int code;

    tool_init("write_events");
    code = argc == 2 ? tb_events_open(&e, argv[1]) : TOOL_USAGE;
    if (code != TOOL_OK)
        return code;
    for (int i = 0; i < 5 && code == TOOL_OK; i++)
        code = tb_events_scalar(&e, "loss/train", 100 * i, 1.0 / (i + 1));
    if (code == TOOL_OK)
        code = tb_events_scalar(&e, "a rate, \xc3\xbc", INT64_C(5000000000), -0.001);
    for (int i = 0; i < 1000; i++) /* -499 … 500, and three that do not count */
        value[i] = (float)(i - 499);
    value[10] = NAN;
    value[20] = INFINITY;
    value[30] = -INFINITY;
    if (code == TOOL_OK)
        code = tb_events_histogram(&e, "weights/conv1", 7, value, 1000);
    for (int i = 0; i < 8; i++)
        value[i] = 0.25f;
    if (code == TOOL_OK)
        code = tb_events_histogram(&e, "weights/equal", 7, value, 8);
    if (code == TOOL_OK)
        code = tb_events_histogram(&e, "weights/none", 7, value, 0);
    return tb_events_close(&e) == TOOL_OK ? code : TOOL_FAILED;
}
