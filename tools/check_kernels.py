#!/usr/bin/env python3
"""Compiles each cl/*.cl alone, with its default tunables and all parts that are optional (ONN_WITH_...), as OpenCL C 1.2 with
clang; warnings are errors. Structs have no arrays of arrays: as arguments by value some drivers count them too small."""
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from source_text import ROOT, find, read, report

FLAGS = ['-x', 'cl', '-cl-std=CL1.2', '-Xclang', '-finclude-default-header', '-fsyntax-only', '-Icl', '-Wall',
         '-Werror', '-target', 'spir64-unknown-unknown']


def nested_arrays():
    errors = []
    for path in find(['cl'], ['.cl', '.h']):
        text = read(path)
        for struct in re.finditer(r'\bstruct \w+ *\{[^}]*\}', text):
            for member in re.finditer(r'\w+\[[^\]]*\] *\[', struct.group()):
                line = text.count('\n', 0, struct.start() + member.start()) + 1
                errors.append(f'{path}:{line}: an array of arrays in a struct')
    return errors


def main():
    errors = nested_arrays()
    clang = shutil.which('clang')
    if not clang:
        print('kernels: not compiled, clang is missing')
        return report(errors, 'kernels')

    parts = {name for path in find(['cl'], ['.cl', '.h']) for name in re.findall(r'\bONN_WITH_\w+', read(path))}
    flags = FLAGS + ['-D' + name for name in sorted(parts)]

    def check(path):
        done = subprocess.run([clang] + flags + [path], cwd=ROOT, capture_output=True, text=True)
        if done.returncode == 0:
            return []
        return done.stderr.strip().splitlines() or [f'{path}:1: clang failed']

    folder = os.path.join(ROOT, 'cl')
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        errors += sum(pool.map(check, ['cl/' + n for n in names if n.endswith('.cl')]), [])
    return report(errors, 'kernels')


if __name__ == '__main__':
    sys.exit(main())
