#!/usr/bin/env python3
"""What a user has after `meson install`: every header from C++17, and the programs of test/api and README.md's C example
compiled as C11 with nothing but pkg-config. installed.py BUILD; the programs are run (77 = no device is fine)."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
C_FLAGS = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror']


def run(command, **more):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, **more)
    if p.returncode not in (0, 77):
        sys.exit(f'installed: {" ".join(command)} gave {p.returncode}\n{p.stdout}')
    return p.stdout


def find(folder, name):
    for where, _, files in os.walk(folder):
        if name in files:
            return where
    sys.exit(f'installed: {name} was not installed')


def pkg_config(folder, include, option):
    """The file says where it would lie without DESTDIR: `prefix` is set anew."""
    prefix = os.path.dirname(os.path.dirname(include))
    env = dict(os.environ, PKG_CONFIG_PATH=folder)
    return run(['pkg-config', f'--define-variable=prefix={prefix}', option, 'oclnn'], env=env).split()


def examples():
    """The README's C programs; a fenced block counts when it has a main."""
    with open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as f:
        blocks = re.findall(r'^```c\n(.*?)^```', f.read(), re.S | re.M)
    return [b for b in blocks if re.search(r'\bint main\s*\(', b)]


def main():
    build = os.path.abspath(sys.argv[1])
    compiler, cxx = os.environ.get('CC', 'cc'), os.environ.get('CXX', 'c++')
    for tool in ('meson', 'pkg-config', compiler):
        if not shutil.which(tool):
            print(f'installed: no {tool}')
            return 77
    with tempfile.TemporaryDirectory(prefix='oclnn-installed-') as there:
        run(['meson', 'install', '-C', build, '--no-rebuild', '--destdir', there])
        include = find(there, 'oclnn.h')
        pc = find(there, 'oclnn.pc')
        library = find(there, 'liboclnn.so')
        cflags = pkg_config(pc, include, '--cflags')
        libs = pkg_config(pc, include, '--libs')
        headers = sorted(os.path.basename(h) for h in glob.glob(os.path.join(include, '*.h')))
        wanted = sorted(os.path.basename(h) for h in glob.glob(os.path.join(ROOT, 'include', 'oclnn', '*.h')))
        if [h for h in wanted if h not in headers] or 'config.h' not in headers:
            sys.exit(f'installed: headers {headers}, wanted {wanted} and config.h')
        if shutil.which(cxx):
            for h in headers:
                run([cxx, '-x', 'c++', '-std=c++17', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only',
                     *cflags, '-'], input=f'#include <oclnn/{h}>\n')
        env = dict(os.environ, LD_LIBRARY_PATH=library + ':' + os.environ.get('LD_LIBRARY_PATH', ''))
        program = os.path.join(there, 'program')
        for source in sorted(glob.glob(os.path.join(ROOT, 'test', 'api', '*.c'))):
            with open(source, encoding='utf-8') as f:
                text = f.read()
            if 'cmocka.h' in text:
                continue
            own = ['-lOpenCL'] if 'oclnn/opencl.h' in text else []
            run([compiler, *C_FLAGS, *cflags, source, '-o', program, *libs, *own, '-lm'])
            run([program], env=env, cwd=there)
            print(f'{os.path.basename(source)}: right')
        for i, text in enumerate(examples()):
            source = os.path.join(there, f'readme{i}.c')
            with open(source, 'w', encoding='utf-8') as f:
                f.write(text)
            run([compiler, *C_FLAGS, *cflags, source, '-o', program, *libs, '-lm'])
            print(f'README.md, example {i + 1}: compiles')
    print(f'{len(headers)} headers compile as C++17' if shutil.which(cxx) else 'no C++ compiler: headers not compiled')
    return 0


if __name__ == '__main__':
    sys.exit(main())
