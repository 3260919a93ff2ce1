#!/usr/bin/env python3
"""Compiles each cl/*.cl alone, with its default tunables, as OpenCL C 1.2 with clang; warnings are errors."""
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from source_text import ROOT, report

FLAGS = ['-x', 'cl', '-cl-std=CL1.2', '-Xclang', '-finclude-default-header', '-fsyntax-only', '-Icl', '-Wall',
         '-Werror', '-target', 'spir64-unknown-unknown']


def main():
    clang = shutil.which('clang')
    if not clang:
        print('kernels: skipped, clang is missing')
        return 0

    def check(path):
        done = subprocess.run([clang] + FLAGS + [path], cwd=ROOT, capture_output=True, text=True)
        if done.returncode == 0:
            return []
        return done.stderr.strip().splitlines() or [f'{path}:1: clang failed']

    folder = os.path.join(ROOT, 'cl')
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = sum(pool.map(check, ['cl/' + n for n in names if n.endswith('.cl')]), [])
    return report(errors, 'kernels')


if __name__ == '__main__':
    sys.exit(main())
