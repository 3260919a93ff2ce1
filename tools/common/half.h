/* Half precision and bfloat16 in tensors. */
#ifndef OCLNN_TOOLS_HALF_H
#define OCLNN_TOOLS_HALF_H

#include <oclnn/tensor.h>

double tool_half_value(uint16_t half);
double tool_bf16_value(uint16_t bf16);
/* Round to nearest even. */
uint16_t tool_half_bits(float value);
uint16_t tool_bf16_bits(float value);
/* Turns an f32 tensor into f16, bf16 or f64 (f32: nothing to do). TOOL_OK or TOOL_FAILED after a message. */
int tool_to_float_type(oclnn_tensor **tensor, enum oclnn_dtype dtype);

#endif
