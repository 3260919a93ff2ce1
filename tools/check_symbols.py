#!/usr/bin/env python3
"""check_symbols.py LIBRARY: a shared library exports oclnn_* and nothing else."""
import subprocess
import sys

from source_text import report

FROM_SANITIZERS = ('__asan', '__odr_asan', '__ubsan', '__tsan')


def main():
    done = subprocess.run(['nm', '-D', '--defined-only', sys.argv[1]], capture_output=True, text=True, check=True)
    names = [line.split()[-1].split('@')[0] for line in done.stdout.splitlines() if line.strip()]
    ours = [n for n in names if n.startswith('oclnn_')]
    errors = [f'{sys.argv[1]}: exports {n}' for n in names
              if n not in ours and not n.startswith(FROM_SANITIZERS)]
    print(f'{len(ours)} symbols')
    return report(errors, 'symbols')


if __name__ == '__main__':
    sys.exit(main())
