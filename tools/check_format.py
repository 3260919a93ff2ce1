#!/usr/bin/env python3
"""Checks C files with clang-format; with --fix, formats them. Kernels and generated files are left alone."""
import os
import shutil
import subprocess
import sys

from source_text import ROOT, find, report


def main():
    program = shutil.which('clang-format') or shutil.which('clang-format-14')
    if not program:
        print('format: skipped, clang-format is missing')
        return 0
    paths = find(['lib', 'include', 'tools', 'test', 'bench'], ['.c', '.h'])
    if not paths:
        return report([], 'format')
    if '--fix' in sys.argv[1:]:
        return subprocess.run([program, '-i'] + paths, cwd=ROOT).returncode
    done = subprocess.run([program, '--dry-run', '--Werror'] + paths, cwd=ROOT, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if 'clang-format-violations' in line]
    if done.returncode and not errors:
        errors = done.stderr.splitlines() or [f'{os.path.basename(program)} failed']
    shown = errors[:40] + ([f'... and {len(errors) - 40} more'] if len(errors) > 40 else [])
    status = report(shown, 'format')
    if status:
        print('python3 tools/check_format.py --fix formats them all')
    return status


if __name__ == '__main__':
    sys.exit(main())
