/* A sliding window by value: the same struct as struct onn_window_args of lib/ops/conv.h. Entries are depth, height,
 * width; a dimension that the tensor does not have is 1. */
#ifndef ONN_WINDOW_H
#define ONN_WINDOW_H

struct onn_window {
    int in[3], out[3], taps[3], stride[3], pad[3], dilation[3];
};

#endif
