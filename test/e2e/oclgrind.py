"""Kernels under oclgrind: no race, no access outside a buffer, no use of uninitialised values, no wrong API call.

The self-test's small problems run operator by operator, in three ways: races and API; uninitialised values, without the
compiler's optimiser (oclgrind 21.10 does not know its `freeze`); and a device with 16 KB of local memory and work-groups of
at most 64. By default the operators whose kernels share local memory, then others in a seeded order until the time is
over; --all: everything; names: those operators."""
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import tool_test
from tool_test import TOOLS, run

SECONDS, EXTRA = 30, 25  # nothing begins after the one, nothing goes on after both
WAYS = {
    'races': ['--data-races', '--check-api'],
    'uninitialized': ['--uninitialized', '--check-api', '--build-options', '-cl-opt-disable'],
    'small': ['--data-races', '--check-api', '--local-mem-size', '16384', '--max-wgsize', '64'],
}
# Work-items that share local memory, and what everything stands on; the quick ones first.
FIRST = [('races', 'transpose'), ('races', 'softmax'), ('races', 'lrn'), ('uninitialized', 'maxpool'), ('races', 'matmul'),
         ('small', 'softmax'), ('uninitialized', 'softmax'), ('races', 'gemm'), ('small', 'gemm'), ('races', 'reducemean'),
         ('races', 'instancenormalization')]


def check(way, op, cache, timeout):
    """An error text, '' when all is well, None when it took too long."""
    log = os.path.join(cache, f'{way}-{op}.log')
    env = dict(os.environ, XDG_CACHE_HOME=os.path.join(cache, way))
    env.pop('OCL_ICD_VENDORS', None)
    os.makedirs(env['XDG_CACHE_HOME'], exist_ok=True)
    try:
        done = subprocess.run(['oclgrind', *WAYS[way], '--num-threads', '1', '--max-errors', '20', '--log', log,
                               os.path.join(TOOLS, 'oclnn-info'), f'--self-test={op}', '-q'],
                              capture_output=True, text=True, env=env, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None
    with open(log, errors='replace') as f:
        said = f.read().strip()
    if done.returncode == 0 and not said:
        return ''
    return f'{op} ({way}): exit status {done.returncode}\n{done.stdout}{done.stderr}{said[:4000]}'


def main():
    if not shutil.which('oclgrind'):
        tool_test.skip('oclgrind is not installed')
    names = [a for a in sys.argv[1:] if not a.startswith('-') and not os.path.isdir(a)]
    complete = '--all' in sys.argv
    code, out, err = run('oclnn-info', '--operators')
    if code:
        sys.exit(err)
    # Behind the heading: name, ONNX name and the variants of each; those without kernels have nothing to check.
    ops = [m.group(1) for m in re.finditer(r'(?m)^(\w+) +\S+ .*\w', out.partition('\n')[2])]
    work = [(way, op) for op in ops for way in WAYS if not names or op in names]
    if not complete and not names:
        random.Random(3).shuffle(work)
        work = [w for w in FIRST if w in work] + [w for w in work if w not in FIRST]
    start, failures, ran = time.monotonic(), [], 0
    with tempfile.TemporaryDirectory() as cache, concurrent.futures.ThreadPoolExecutor(2) as pool:
        def one(item):
            began = time.monotonic()
            left = None if complete or names else start + SECONDS - began
            if left is not None and left < 0:
                return None
            error = check(*item, cache, left and left + EXTRA)
            word = 'cut off' if error is None else 'FAIL' if error else 'ok'
            print(f'{time.monotonic() - began:6.1f} s  {item[0]:<14} {item[1]:<24} {word}', flush=True)
            return error

        for error in pool.map(one, work):
            ran += error is not None
            if error:
                failures.append(error)
    print('\n'.join(failures))
    print(f'oclgrind: {ran} of {len(work)} runs, {len(failures)} with reports')
    if not ran:
        tool_test.skip('the machine is too busy')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
