#!/usr/bin/env python3
"""Checks that every .c file under lib, tools and test is named in the meson.build that builds it."""
import os
import re
import sys

from source_text import ROOT, find, read, report


def named(build, stem):
    """Is 'stem' or 'folder/stem.c' quoted in that meson.build?"""
    if not os.path.exists(os.path.join(ROOT, build)):
        return False
    text = re.sub(r'#.*', '', read(build))
    return re.search(r"'(?:[\w./-]*/)?%s(?:\.c)?'" % re.escape(stem), text) is not None


def main():
    errors = []
    for path in find(['lib', 'tools', 'test'], ['.c']):
        stem = os.path.basename(path)[:-2]
        folder = os.path.dirname(path)
        builds = [f'{folder}/meson.build', f'{os.path.dirname(folder)}/meson.build']
        if folder == 'test/ops':
            builds.append('lib/ops/meson.build')
        if not any(named(b, stem) for b in builds if b[0] != '/'):
            errors.append(f'{path}:1: named in no meson.build: it is not compiled')
    return report(errors, 'lists')


if __name__ == '__main__':
    sys.exit(main())
