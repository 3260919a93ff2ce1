"""Shared by the checks: which files there are, and C text without comments or strings."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOMS = {'base': 0, 'runtime': 1, 'tensor': 2, 'graph': 3, 'ops': 4, 'pass': 5, 'io': 5, 'plan': 6,
         'tune': 6.5, 'model': 7, 'train': 8}
TOKEN = re.compile(r'/\*.*?\*/|//(?:\\\n|[^\n])*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as f:
        return f.read()


def find(folders, suffixes):
    """Paths relative to the root, sorted."""
    out = []
    for folder in folders:
        for base, dirs, names in os.walk(os.path.join(ROOT, folder)):
            dirs[:] = [d for d in dirs if not d.startswith(('.', '__'))]
            out += [os.path.relpath(os.path.join(base, n), ROOT) for n in names if n.endswith(tuple(suffixes))]
    return sorted(out)


def all_files():
    """What git tracks or would track; without git, everything but hidden and build folders."""
    try:
        done = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT,
                              capture_output=True, check=True)
        names = [n for n in done.stdout.decode().split('\0') if n]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for base, dirs, files in os.walk(ROOT):
            dirs[:] = [d for d in dirs if not d.startswith(('build', '__', '.git'))]
            names += [os.path.relpath(os.path.join(base, n), ROOT) for n in files]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(ROOT, n)))


def strip(text, strings=False):
    """Blanks comments (and, when asked, strings), keeping every newline and so the line numbers."""
    def blank(m):
        token = m.group(0)
        if token[0] == '/':
            return ' ' + '\n' * token.count('\n')
        if strings:
            return token[0] * 2
        return token
    return TOKEN.sub(blank, text)


def report(errors, what):
    for e in errors:
        print(e)
    print(f'{what}: {len(errors)} errors' if errors else f'{what}: ok')
    return 1 if errors else 0
