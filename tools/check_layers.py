#!/usr/bin/env python3
"""Checks who may include and name what: the rooms' ranks, OpenCL, the C library, vendors."""
import os
import re
import sys

from source_text import ROOMS, ROOT, find, read, report, strip

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
OPENCL_HEADER = re.compile(r'^(CL/|OpenCL/|clblast)')
OPENCL_NAME = re.compile(r'\b(cl[A-Z]\w+|CL_[A-Z]\w*)')
LIBC_NAME = re.compile(r'(?<![\w.>])(exit|_exit|_Exit|abort|printf|fprintf|vprintf|puts|putchar|perror)\s*\(')
ENV_NAME = re.compile(r'\b(secure_getenv|getenv)\s*\(')
VENDOR = re.compile(r'nvidia|(?<![a-z])(amd|intel|pocl|mesa)(?![a-z])', re.I)
VENDOR_FREE = re.compile(r'^(lib/runtime/probe|cl/lib/mma_)')
GENERATED = {'onnx.pb-c.h': 'io'}


def check_lib_include(room, bracket, header):
    if OPENCL_HEADER.match(header) and room != 'runtime':
        return f'{header} may be included only in lib/runtime'
    if bracket == '<':
        return None
    if header in GENERATED:
        return None if room == GENERATED[header] else f'{header} belongs to lib/{GENERATED[header]}'
    target = header.split('/')[0]
    if '/' not in header or target not in ROOMS:
        return f'"{header}": write "room/file.h", or <oclnn/...> for public headers'
    if target != room and ROOMS[target] >= ROOMS[room]:
        return f'{room} (rank {ROOMS[room]}) includes {header} (rank {ROOMS[target]}): only lower ranks may be included'
    return None


def check_lib(path, errors):
    parts = path.split('/')
    room = parts[1] if len(parts) > 2 else None
    if room not in ROOMS:
        errors.append(f'{path}:1: not in a room')
        return
    text = read(path)
    for number, line in enumerate(strip(text).split('\n'), 1):
        m = INCLUDE.match(line)
        reason = m and check_lib_include(room, *m.groups())
        if reason:
            errors.append(f'{path}:{number}: {reason}')
    for number, line in enumerate(strip(text, strings=True).split('\n'), 1):
        if INCLUDE.match(line):
            continue
        m = OPENCL_NAME.search(line)
        if m and room != 'runtime':
            errors.append(f'{path}:{number}: {m.group(1)} may be used only in lib/runtime')
        m = LIBC_NAME.search(line)
        if m:
            errors.append(f'{path}:{number}: {m.group(1)} is not for a library')
        m = ENV_NAME.search(line)
        if m and path != 'lib/base/env.c':
            errors.append(f'{path}:{number}: {m.group(1)} may be used only in lib/base/env.c')


def check_vendor(path, errors):
    if VENDOR_FREE.match(path):
        return
    for number, line in enumerate(strip(read(path)).split('\n'), 1):
        m = VENDOR.search(line)
        if m:
            errors.append(f'{path}:{number}: {m.group(0)}: a choice depends on capabilities, not on a vendor')


def is_own_header(path, header, private):
    """A quoted header beside the tools; tools/train is not the room of the same name."""
    if not private or '..' in header:
        return False
    return header.split('/')[0] not in ROOMS or (path.startswith('tools/') and
                                                 os.path.exists(os.path.join(ROOT, 'tools', header)))


def check_outside(path, errors, private):
    """Tools, bench and public headers: nothing of ours but <oclnn/...>; private: further quoted includes allowed."""
    for number, line in enumerate(strip(read(path)).split('\n'), 1):
        m = INCLUDE.match(line)
        if not m:
            continue
        header = m.group(2)
        if OPENCL_HEADER.match(header) and path != 'include/oclnn/opencl.h' and not path.startswith('bench/'):
            errors.append(f'{path}:{number}: {header} belongs to lib/runtime and oclnn/opencl.h')
        elif m.group(1) == '"' and not is_own_header(path, header, private):
            errors.append(f'{path}:{number}: {header}: only <oclnn/...> may be included here')


def main():
    errors = []
    for path in find(['lib'], ['.c', '.h', '.inc']):
        check_lib(path, errors)
    for path in find(['lib', 'cl'], ['.c', '.h', '.inc', '.cl']):
        check_vendor(path, errors)
    for path in find(['include'], ['.h', '.h.in']):
        check_outside(path, errors, private=False)
    for path in find(['tools', 'bench'], ['.c', '.h']):
        check_outside(path, errors, private=True)
    return report(errors, 'layers')


if __name__ == '__main__':
    sys.exit(main())
