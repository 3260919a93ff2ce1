#!/usr/bin/env python3
"""Checks that no file names a path of somebody's machine or the host of a package registry, and that the lines of the
tools' --help fit 80 columns."""
import re
import sys

from source_text import all_files, read, report

# Put together from parts, so that this file passes its own check.
FOLDERS = '|'.join(['work', 'root', 'home'])
MACHINE_PATH = re.compile(r'(?<![\w.$}~*-])/(?:' + FOLDERS + r')/')
HOSTS = re.compile('|'.join(a + r'\.' + b for a, b in [
    ('pypi', 'org'), ('pythonhosted', 'org'), ('deb', 'debian'), ('snapshot', 'debian'), ('security', 'debian'),
    ('archive', 'ubuntu'), ('ppa', 'launchpad'), ('anaconda', 'org'), ('registry', 'npmjs'), ('crates', 'io'),
    ('proxy', 'golang')]), re.I)
HELP_LINE = re.compile(r'\s*"((?:[^"\\]|\\[^n])*)\\n";?$')
TEMP_PATH = re.compile(r'(?<!\w)/tmp\b')


def main():
    errors = []
    for path in all_files():
        text = read(path)
        if '\0' in text[:4096]:
            continue
        for number, line in enumerate(text.split('\n'), 1):
            for pattern, reason in ((MACHINE_PATH, 'a path of one machine'), (HOSTS, 'the host of a registry')):
                if pattern.search(line):
                    errors.append(f'{path}:{number}: {reason}: {pattern.search(line).group(0)}')
            help_line = HELP_LINE.match(line) if path.startswith('tools/') and '"Usage: ' in text else None
            if help_line and len(help_line.group(1).replace('\\', '')) > 80:
                errors.append(f'{path}:{number}: a line of --help with more than 80 columns')
            if path.startswith('lib/') and TEMP_PATH.search(line):
                errors.append(f'{path}:{number}: a fixed temporary folder')
    return report(errors, 'text')


if __name__ == '__main__':
    sys.exit(main())
