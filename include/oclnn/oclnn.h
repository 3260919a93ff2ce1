/* All of oclnn but the interoperation with OpenCL programs (opencl.h). */
#ifndef OCLNN_OCLNN_H
#define OCLNN_OCLNN_H

#include <oclnn/config.h>
#include <oclnn/data.h>
#include <oclnn/device.h>
#include <oclnn/graph.h>
#include <oclnn/info.h>
#include <oclnn/io.h>
#include <oclnn/model.h>
#include <oclnn/ops.h>
#include <oclnn/status.h>
#include <oclnn/tensor.h>
#include <oclnn/train.h>
#include <oclnn/zoo.h>

#endif
