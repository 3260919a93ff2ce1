/* Half precision on the host: IEEE binary16 and bfloat16, round to nearest even. */
#ifndef ONN_BASE_HALF_H
#define ONN_BASE_HALF_H

#include <stdint.h>

float onn_half_to_float(uint16_t half);
uint16_t onn_float_to_half(float value);
float onn_bf16_to_float(uint16_t bf16);
uint16_t onn_float_to_bf16(float value);

#endif
