#!/usr/bin/env python3
"""Checks the lengths of files and functions; prints the median."""
import re
import statistics
import sys

from source_text import find, read, report

FUNCTION_MAX = 80
LIMITS = [('.c', 700), ('.cl', 400)]
PUBLIC_HEADER_MAX = 400
OPENS = re.compile(r'^(\{|[A-Za-z_].*\)\s*\{)\s*$')    # a function's brace: alone in column 0, or behind its )


def functions(lines):
    """(first line, length, name) of each function body, found by braces in column 0."""
    start, name = None, '?'
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r'^[A-Za-z_].*\(', line) and not line.startswith('#'):
            name = re.search(r'(\w+)\s*\(', line).group(1)
        if start is None and OPENS.match(line):
            start = number
        elif start is not None and line.startswith('}'):
            yield start, number - start + 1, name
            start = None


def main():
    errors, file_lengths, function_lengths = [], [], []
    for path in find(['lib', 'tools', 'test', 'bench', 'cl', 'include'], ['.c', '.cl', '.h']):
        lines = read(path).splitlines()
        limit = next((n for s, n in LIMITS if path.endswith(s)), 0)
        if path.startswith('include/'):
            limit = PUBLIC_HEADER_MAX
        if limit:
            file_lengths.append(len(lines))
            if len(lines) > limit:
                errors.append(f'{path}:{limit + 1}: {len(lines)} lines, {limit} allowed')
        for start, length, name in functions(lines):
            function_lengths.append(length)
            if length > FUNCTION_MAX:
                errors.append(f'{path}:{start}: {name} has {length} lines, {FUNCTION_MAX} allowed')
    if file_lengths:
        print(f'{len(file_lengths)} files, median {statistics.median(file_lengths):.0f} lines; '
              f'{len(function_lengths)} functions, median {statistics.median(function_lengths or [0]):.0f} lines')
    return report(errors, 'sizes')


if __name__ == '__main__':
    sys.exit(main())
