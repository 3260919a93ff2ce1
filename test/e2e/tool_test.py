"""What the tests of the tools share. A test script is called with the folder of the built tools; it ends with 77 when
it has nothing to test here (no device, no data)."""
import os
import subprocess
import sys
import unittest

ROOT = os.environ.get('OCLNN_SOURCE_ROOT') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(os.path.dirname(ROOT), 'shared', 'data')
TOOLS = os.environ.get('OCLNN_TOOLS') or (sys.argv[1] if len(sys.argv) > 1 else '.')


def contents(folder):
    """The bytes of every plain file below it."""
    found = {}
    for where, _, names in os.walk(folder):
        for path in (os.path.join(where, name) for name in names):
            if os.path.isfile(path) and not os.path.islink(path) and os.access(path, os.R_OK):
                with open(path, 'rb') as f:
                    found[path] = f.read()
    return found


def put_back(folder, before):
    now = contents(folder)
    for path in now.keys() - before.keys():
        os.remove(path)
    for path, data in before.items():
        if now.get(path) != data:
            with open(path, 'wb') as f:
                f.write(data)


def run(tool, *args, folder=None, **kwargs):
    """Exit status, standard output and standard error of a tool. Where LeakSanitizer itself crashes, on a thread of the driver
    that ends while it looks, the tool's own status is lost: it runs again, at last without looking for leaks. `folder`: what
    it changed there (a checkpoint that it goes on from) is put back first."""
    before = contents(folder) if folder and 'ASAN_OPTIONS' in os.environ else None
    for attempt in range(4):
        if attempt and before is not None:
            put_back(folder, before)
        if attempt == 3:
            env = dict(kwargs.get('env') or os.environ)
            env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
            kwargs['env'] = env
        done = subprocess.run([os.path.join(TOOLS, tool), *args], capture_output=True, text=True, timeout=300, **kwargs)
        if 'LeakSanitizer has encountered a fatal error' not in done.stderr:
            break
    return done.returncode, done.stdout, done.stderr


def has_device():
    return run('oclnn-info', '--list-devices')[0] == 0


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def main():
    del sys.argv[1:]
    unittest.main(verbosity=2)
