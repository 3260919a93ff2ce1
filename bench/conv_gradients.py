#!/usr/bin/env python3
"""Convolution gradients of ResNet-50's layers, in % of the device's FMA peak: the fastest variant of each problem.

usage: conv_gradients.py --oclnn build/tools/oclnn-bench [-d cpu] [--batch 8] [--min-time 200ms] [--native GFLOPS]
                         [--variants blocked,pointwise,winograd43,winograd34] [--only TEXT]

dx with stride 1 is a convolution of dy with the turned weight, else a transposed convolution; dw is conv_dw. FLOP are those
of the direct method, 2 N K C R S P Q, whatever the variant does, so Winograd may be above 100 %. The peak is the larger one
of the library's probe and of a loop of FMAs that this script compiles for the machine (or --native).
Packing of weights that change in every step is part of no figure here; `oclnn-bench --train resnet50 --per-layer` has it.
Last line: the geometric mean, every layer of the network counted, the stem's dx (which training does not need) left out."""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

# (C, H, K, R, stride, how often), the stem first
LAYERS = [(3, 224, 64, 7, 2, 1), (64, 56, 64, 1, 1, 1), (64, 56, 64, 3, 1, 3), (64, 56, 256, 1, 1, 4), (256, 56, 64, 1, 1, 2),
          (256, 56, 128, 1, 1, 1), (128, 56, 128, 3, 2, 1), (128, 28, 512, 1, 1, 4), (256, 56, 512, 1, 2, 1),
          (512, 28, 128, 1, 1, 3), (128, 28, 128, 3, 1, 3), (512, 28, 256, 1, 1, 1), (256, 28, 256, 3, 2, 1),
          (256, 14, 1024, 1, 1, 6), (512, 28, 1024, 1, 2, 1), (1024, 14, 256, 1, 1, 5), (256, 14, 256, 3, 1, 5),
          (1024, 14, 512, 1, 1, 1), (512, 14, 512, 3, 2, 1), (512, 7, 2048, 1, 1, 3), (1024, 14, 2048, 1, 2, 1),
          (2048, 7, 512, 1, 1, 2), (512, 7, 512, 3, 1, 2)]

NATIVE = r"""
#include <stdio.h>
#include <time.h>
#ifndef V
#define V 8
#endif
typedef float vec __attribute__((vector_size(4 * V)));
int main(void)
{
    enum { N = 12, LOOPS = 20000000 };
    double best = 0;
    for (int again = 0; again < 5; again++) {
        vec a[N], m = {0}, c = {0};
        for (int i = 0; i < V; i++)
            m[i] = 0.999f, c[i] = 1e-3f;
        for (int i = 0; i < N; i++)
            a[i] = c;
        for (int i = 0; i < N; i++) /* or the compiler sees that all are equal */
            __asm__ volatile("" : "+x"(a[i]));
        __asm__ volatile("" : "+x"(m), "+x"(c));
        struct timespec t, u;
        clock_gettime(CLOCK_MONOTONIC, &t);
        for (int k = 0; k < LOOPS; k++)
#pragma GCC unroll 12
            for (int i = 0; i < N; i++)
                a[i] = a[i] * m + c;
        clock_gettime(CLOCK_MONOTONIC, &u);
        for (int i = 0; i < N; i++)
            __asm__ volatile("" ::"x"(a[i]));
        const double g = 2.0 * V * N * LOOPS / ((double)(u.tv_sec - t.tv_sec) * 1e9 + (double)(u.tv_nsec - t.tv_nsec));
        best = g > best ? g : best;
    }
    printf("%f\n", best);
    return 0;
}
"""


def native():
    """GFLOPS of all cores in a loop of FMAs; 0 without a compiler."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/p.c", "w", encoding="utf-8") as f:
            f.write(NATIVE)
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            width = 16 if "avx512f" in f.read() else 8
        try:
            subprocess.run(["gcc", "-O3", "-march=native", f"-DV={width}", f"{folder}/p.c", "-o", f"{folder}/p"], check=True)
        except (OSError, subprocess.CalledProcessError):
            return 0.0
        runs = [subprocess.Popen([f"{folder}/p"], stdout=subprocess.PIPE) for _ in range(os.cpu_count())]
        return sum(float(r.communicate()[0]) for r in runs)


def best(args, problem, flop):
    """(GFLOPS, variant) of the fastest variant, and the probe's peak."""
    rows, said = [], ""
    for variant in args.variants.split(",") if args.variants else [None]:
        command = [args.oclnn, problem, "-d", args.device, "--min-time", args.min_time, "--min-runs", "3", "--verify", "off",
                   "-o", "json"] + (["--variant", variant] if variant else [])
        p = subprocess.run(command, capture_output=True, text=True, check=False)
        rows += json.loads(p.stdout or "{}").get("results", [])
        said += p.stderr
    if not rows:
        sys.exit(f"{problem}: {said.strip()}")
    row = min(rows, key=lambda r: r["time_ms"]["median"])
    peak = 100 * row["gflops"] / row["percent_of_peak"] if row.get("percent_of_peak") else 0.0
    return flop / row["time_ms"]["median"] / 1e6, row["variant"] + " " + row.get("format", ""), peak


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oclnn", required=True)
    ap.add_argument("-d", "--device", default="cpu")
    ap.add_argument("--batch", type=int, default=8)
    ap.add_argument("--min-time", default="200ms")
    ap.add_argument("--native", type=float, help="GFLOPS of the peak loop, if it is known")
    ap.add_argument("--variants", default="", help="only these, comma-separated: the plain ones take long")
    ap.add_argument("--only", default="", help="a part of the problems' texts")
    args = ap.parse_args()
    rows, probe = [], 0.0
    for c, h, k, r, s, count in LAYERS:
        p, pad, n = -(-h // s), r // 2, args.batch
        flop = 2.0 * n * k * c * r * r * p * p
        x, dy = f"{n}x{c}x{h}x{h}", f"{n}x{k}x{p}x{p}"
        problems = [("dw", f"conv_dw x={x} dy={dy} kernel_shape={r} stride={s} pad={pad}")]
        if s == 1:
            problems.append(("dx", f"conv x={dy} w={c}x{k}x{r}x{r} pad={pad}"))
        elif c > 3:
            extra = h - ((p - 1) * s + r - 2 * pad)
            problems.append(("dx", f"convtranspose x={dy} w={k}x{c}x{r}x{r} stride={s} pad={pad} output_padding={extra}"))
        for what, text in problems:
            if args.only not in text:
                continue
            gflops, variant, peak = best(args, text, flop)
            probe = max(probe, peak)
            rows.append((what, gflops, count))
            print(f"{what}  {gflops:7.1f} GFLOPS  x{count}  {variant:<28} {text}", flush=True)
    loop = native() if args.native is None else args.native
    peak = max(loop, probe)
    print(f"peak: probe {probe:.1f}, native loop {loop:.1f} GFLOPS")
    for name in ("dx", "dw", "both"):
        some = [(g, n) for what, g, n in rows if name in (what, "both")]
        if some:
            mean = math.exp(sum(n * math.log(g) for g, n in some) / sum(n for _, n in some))
            print(f"{name}: geometric mean {100 * mean / peak:.1f} % of peak, lowest {100 * min(g for g, _ in some) / peak:.1f} %")
    return 0


sys.exit(main())
