"""ONNX's own operator tests (Debian's libonnx-testdata) through oclnn-run: every case passes, or the tool says in one
sentence what is not supported. Wrong numbers, crashes and unclear errors fail.

usage: onnx_cases.py [TOOLS] [--all] [--list] [FILTER...]
Without --all a sample chosen by OCLNN_TEST_SEED; --list prints one line per case.
"""
import os
import re
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

import real_models
import tool_test
from tool_test import run

CASES = os.environ.get('OCLNN_ONNX_CASES') or '/usr/share/libonnx-testdata/data'
SAMPLE = 30
# Sentences that say no, and why; each names the place. A valid model's types are refused only where no kernel has them.
NOT_SUPPORTED = re.compile(r'operators that are not supported|OCLNN_ERROR_(UNSUPPORTED|DTYPE)\)$|'
                           r'are supported|is not supported|no kernel variant takes it|depends on data|is no tensor')
# What oclnn draws at random cannot be what NumPy drew.
RANDOM = re.compile(r'/test_(training_dropout|bernoulli)')


def find_cases():
    """Folders that hold a model and its data; those of real networks are named only, their files are not packaged."""
    found = []
    for kind in sorted(os.listdir(CASES)):
        folder = os.path.join(CASES, kind)
        found += [os.path.join(kind, name) for name in sorted(os.listdir(folder))
                  if os.path.exists(os.path.join(folder, name, 'model.onnx'))]
    return found


def judge(case):
    """'pass', 'not supported' or 'failed', and the reason."""
    folder = os.path.join(CASES, case)
    tolerance = '2e-3' if 'float16' in case.lower() else '2e-4'
    code, out, err = run('oclnn-run', os.path.join(folder, 'model.onnx'), '--data', folder, '--tol', tolerance)
    errors = [line for line in err.splitlines() if line.startswith('oclnn-run: error:')]
    text = err.strip().replace(CASES, '')
    if code == 0:
        return ('pass', '') if 'pass' in out or 'nothing is compared' in err else ('failed', 'nothing was compared')
    if code == 1 and errors and NOT_SUPPORTED.search(errors[0]):
        return 'not supported', text
    if code == 1 and errors and RANDOM.search('/' + case) and 'the reference' in errors[0]:
        return 'pass', 'random'
    return 'failed', f'exit status {code}: {text}'


class Cases(unittest.TestCase):
    chosen = []
    every = False

    def test_cases(self):
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(judge, self.chosen))
        count = {word: [r[0] for r in results].count(word) for word in ('pass', 'not supported', 'failed')}
        for case, (word, reason) in zip(self.chosen, results):
            if word == 'failed' or self.every:
                print(f'{word}: {case}' + (f': {reason}' if reason else ''))
        print(f"{count['pass']} passed, {count['not supported']} not supported, {count['failed']} failed")
        self.assertEqual(count['failed'], 0)
        self.assertGreater(count['pass'], count['not supported'] // 2)


def main():
    options = [a for a in sys.argv[2:] if a.startswith('--')]
    filters = [a for a in sys.argv[2:] if not a.startswith('--')]
    if not os.path.isdir(CASES):
        tool_test.skip('no ' + CASES + ' (package libonnx-testdata)')
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    cases = find_cases()
    if filters:
        cases = [c for c in cases if any(f in c for f in filters)]
    elif '--all' not in options:
        cases = real_models.sample(cases, SAMPLE, 'onnx cases')
    Cases.chosen, Cases.every = cases, '--list' in options
    tool_test.main()


if __name__ == '__main__':
    main()
