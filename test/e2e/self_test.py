"""oclnn-info --self-test when its process ends in the middle, as drivers' compilers can do to it: that operator has failed, and
another process goes on with the next one."""
import os
import re
import signal
import subprocess
import unittest

import tool_test
from tool_test import TOOLS


def child_of(pid):
    """Process numbers of its children."""
    with open(f'/proc/{pid}/task/{pid}/children') as f:
        return [int(word) for word in f.read().split()]


@unittest.skipUnless(os.path.exists('/proc/self/task') and tool_test.has_device(), 'no OpenCL device, or no /proc')
class SelfTest(unittest.TestCase):
    def start(self, *args):
        process = subprocess.Popen([os.path.join(TOOLS, 'oclnn-info'), *args], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertIn('driver', process.stdout.readline())
        return process, process.stdout.readline().split()[1]

    def test_killed_in_one_operator(self):
        process, _ = self.start('--self-test=conv')
        for child in child_of(process.pid):
            os.kill(child, signal.SIGKILL)
        out, _ = process.communicate(timeout=60)
        self.assertRegex(out, r'(?m)^FAIL +conv .*: the driver ended the process: Killed$')
        self.assertRegex(out, r'(?m)^\d+ passed, 1 failed, ')
        self.assertEqual(process.returncode, 1)

    def test_goes_on_behind_it(self):
        process, first = self.start('--self-test')
        for child in child_of(process.pid):
            os.kill(child, signal.SIGKILL)
        failed = None
        for line in process.stdout:
            op = line.split()[1]
            if line.startswith('FAIL'):
                failed = op
                self.assertIn('the driver ended the process', line)
            elif failed and op != failed:
                break
        self.assertIsNotNone(failed, first)

    def test_too_long(self):
        process, _ = self.start('--self-test=conv', '--timeout', '1000')
        for child in child_of(process.pid):
            os.kill(child, signal.SIGALRM)
        out, _ = process.communicate(timeout=60)
        self.assertRegex(out, r'(?m)^FAIL +conv .*: it takes longer than 1000 s$')

    def test_usage(self):
        code, _, err = tool_test.run('oclnn-info', '--self-test', '--timeout', 'soon')
        self.assertEqual(code, 2)
        self.assertRegex(err, re.compile('--timeout takes seconds'))


if __name__ == '__main__':
    tool_test.main()
