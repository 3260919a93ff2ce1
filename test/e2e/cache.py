"""The disk cache of compiled kernels among processes: several on one cold folder at once, and some killed while they write.
There is no lock: files are written beside and renamed. Every survivor answers right, the next process finds what it can use."""
import os
import random
import subprocess
import tempfile
import time
import unittest

import tool_test
from tool_test import ROOT, TOOLS, run

DIGITS = os.path.join(ROOT, 'tools', 'digits')
COMMAND = [os.path.join(DIGITS, 'digits.onnx'), os.path.join(DIGITS, 'digit_7.png'), '--scale', str(1 / 255),
           '--top', '1', '-q']


class Cache(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        # Drivers with a cache of their own: ours is written all the same.
        self.env = dict(os.environ, XDG_CACHE_HOME=self.folder.name, OCLNN_CACHE='force')
        if 'POCL_CACHE_DIR' not in self.env:
            base = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
            self.env['POCL_CACHE_DIR'] = os.path.join(base, 'pocl', 'kcache')

    def start(self, **more):
        return subprocess.Popen([os.path.join(TOOLS, 'oclnn-run'), *COMMAND], env=self.env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def check(self, code, out, err):
        self.assertEqual((code, err), (0, ''))
        self.assertEqual(out.split()[-1:], ['7'], out)

    def files(self):
        folder = os.path.join(self.folder.name, 'oclnn')
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def test_many_at_once(self):
        processes = [self.start() for _ in range(5)]
        for p in processes:
            out, err = p.communicate(timeout=300)
            self.check(p.returncode, out, err)
        self.assertTrue(any(f.endswith('.bin') for f in self.files()))
        self.assertFalse([f for f in self.files() if not f.endswith(('.bin', '.txt'))], 'left behind')
        before = self.files()
        self.check(*run('oclnn-run', *COMMAND, env=self.env))
        self.assertEqual(self.files(), before)

    def test_killed_while_writing(self):
        begin = time.monotonic()
        self.check(*run('oclnn-run', *COMMAND, env=self.env))
        whole = time.monotonic() - begin
        rng = random.Random(7)
        for name in self.files():
            os.remove(os.path.join(self.folder.name, 'oclnn', name))
        for _ in range(6):
            processes = [self.start() for _ in range(2)]
            time.sleep(rng.uniform(0, whole))
            for p in processes:
                p.kill()
                p.communicate()
        self.check(*run('oclnn-run', *COMMAND, env=self.env))


if __name__ == '__main__':
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    tool_test.main()
