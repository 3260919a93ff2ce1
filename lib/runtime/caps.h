/* What a device really can do: reported limits plus probed facts. Plain data; tests fill it by hand. */
#ifndef ONN_RUNTIME_CAPS_H
#define ONN_RUNTIME_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct onn_caps {
    char name[128], vendor[64], driver[64], version[64], platform[64], uuid[40];
    bool is_cpu, is_gpu; /* the reported type; for users and selectors, never for choosing kernels */
    bool vector_cpu; /* local memory is plain memory and native float vectors are >= 4 wide: register tiles */
    int vector_width; /* native fp32 lanes for vector_cpu kernels: 4, 8, 16; 1 elsewhere */
    int compute_units, clock_mhz;
    size_t max_group; /* work-items per work-group */
    size_t max_item[3];
    size_t local_bytes;
    bool local_is_real, unified, has_fp16, has_fp64, has_subgroups, has_command_buffer, has_int64_atomics;
    int subgroup_size;
    bool host_memory; /* probed: kernels work in the host's own bytes, seen by both sides without a command */
    bool staged; /* has memory of its own: arrays go through pinned memory, see runtime/staging.h */
    size_t global_bytes, max_alloc, cache_bytes, constant_bytes, base_align; /* base_align in bytes */
    int opencl_major, opencl_minor;
    bool
        copies_args; /* kernels may read arguments by value at constant indices only: they copy them (-D ONN_COPY_ARGS) */
    bool
        adds_ids; /* get_global_id is a macro that adds the ids of the group and in it: its compiler draws wrong conclusions from it */
    double peak_gflops; /* measured fp32 FMA rate; 0 until measured */
    double bandwidth_gbs; /* measured copy rate (read + write) */
    bool joins; /* one long kernel beats many short ones, and compiles about as fast: see plan/chain.h */
    bool shares; /* kernels of several files are compiled together: see plan/programs.h */
    double launch_us; /* measured cost of one small launch, back to back */
    bool scalar; /* its compiler takes vectors apart, and long ones cost it minutes */
    bool simulated; /* known not to be a device of its own: its work-items take turns */
    bool slow; /* a simulator, known as one or found out: a launch takes more than a millisecond */
};

#endif
