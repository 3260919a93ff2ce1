#!/usr/bin/env python3
"""embed_cl.py FOLDER OUTPUT DEPFILE: writes every FOLDER/*.cl as a string of one C file.

`#include "lib/x.h"` lines are replaced by the file's text, once per kernel file; #line keeps the compilers'
messages pointing at the right place. An include must not stand inside an #if that differs between its users.
"""
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
HEAD = '''/* The kernels of cl/, by tools/embed_cl.py. */
#include "runtime/program.h"

#include <stddef.h>

#pragma GCC diagnostic ignored "-Woverlength-strings"

'''


def inline(folder, name, seen, out):
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        sys.exit(f'{path}: included but not there')
    seen.add(name)
    out.append(f'#line 1 "{name}"')
    with open(path, encoding='utf-8') as f:
        lines = f.read().split('\n')
    for number, line in enumerate(lines, 1):
        m = INCLUDE.match(line)
        if not m:
            out.append(line.rstrip())
            continue
        if m.group(1) not in seen:
            inline(folder, m.group(1), seen, out)
        out.append(f'#line {number + 1} "{name}"')


def literal(line):
    escaped = line.replace('\\', '\\\\').replace('"', '\\"').replace('\t', '\\t').replace('?', '\\?')
    return '    "%s\\n"' % escaped


def dependencies(folder):
    """Every file, and every folder too: its time changes when a file comes or goes."""
    for base, dirs, names in os.walk(folder):
        yield base
        for name in sorted(names):
            if name.endswith(('.cl', '.h')):
                yield os.path.join(base, name)


def main():
    folder, output, depfile = sys.argv[1:]
    names = sorted(n for n in os.listdir(folder) if n.endswith('.cl')) if os.path.isdir(folder) else []
    text = HEAD
    for name in names:
        lines = []
        inline(folder, name, set(), lines)
        text += f'static const char {name[:-3]}_text[] =\n' + '\n'.join(map(literal, lines)) + ';\n\n'
    text += 'const struct onn_cl_source onn_cl_sources[] = {\n'
    text += ''.join(f'    {{.name = "{n[:-3]}", .text = {n[:-3]}_text}},\n' for n in names)
    text += '    {.name = NULL, .text = NULL},\n};\n'
    with open(output, 'w', encoding='utf-8') as f:
        f.write(text)
    with open(depfile, 'w', encoding='utf-8') as f:
        f.write(output + ': ' + ' '.join(p.replace(' ', '\\ ') for p in dependencies(folder)) + '\n')


if __name__ == '__main__':
    main()
