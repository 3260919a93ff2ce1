"""The environment variables do what README.md's table says, and the table has those that the library reads."""
import os
import re
import tempfile
import unittest

import tool_test
from tool_test import DATA, ROOT, run

MODEL = os.path.join(ROOT, 'tools', 'digits', 'digits.onnx')


def read(*path):
    with open(os.path.join(ROOT, *path), encoding='utf-8') as f:
        return f.read()


class Table(unittest.TestCase):
    def test_complete(self):
        known = re.search(r'known\[\] = \{(.*?)NULL\}', read('lib', 'base', 'env.c'), re.S).group(1)
        table = re.search(r'(?s)\n## Environment\n(.*?)\n## ', read('README.md')).group(1)
        shown = {name for row in re.findall(r'(?m)^\| (`.*?) \|', table) for name in re.findall('`([A-Z_]+)', row)}
        self.assertEqual(set(re.findall(r'"(\w+)"', known)), shown)


@unittest.skipUnless(tool_test.has_device(), 'no OpenCL device')
class Effects(unittest.TestCase):
    def said(self, wanted=0, **variables):
        """Standard error of a plan made with these variables."""
        env = {k: v for k, v in os.environ.items() if not k.startswith('OCLNN_') or k == 'OCLNN_DEVICE'}
        code, _, err = run('oclnn-run', MODEL, '--compare-variant', 'reference', env=dict(env, **variables))
        self.assertEqual(code, wanted, err)
        return err

    def test_nothing(self):
        self.assertEqual(self.said(), '')

    def test_dump_and_passes_off(self):
        every, some = self.said(OCLNN_DUMP='graph'), self.said(OCLNN_DUMP='graph', OCLNN_PASSES_OFF='fuse,pad')
        after = [re.findall(r'graph after (\w+): \d+ nodes', text) for text in (every, some)]
        for name in ('infer', 'patterns', 'pad', 'fold', 'fuse', 'layout'):
            self.assertIn(name, after[0])
        self.assertEqual([name for name in after[0] if name not in ('fuse', 'pad')], after[1])
        nodes = [int(re.findall(r'graph after layout: (\d+) nodes', text)[0]) for text in (every, some)]
        self.assertLess(nodes[0], nodes[1]) # what was fused is a node of its own
        self.assertIn('no pass is called "no-such"', self.said(wanted=1, OCLNN_PASSES_OFF='fuse,no-such'))

    def test_verbose(self):
        self.assertRegex(self.said(OCLNN_VERBOSE='dispatch'), r'dispatch: .* \(conv\): \w+ refused: \w+')
        text = self.said(OCLNN_VERBOSE='build')
        self.assertRegex(text, r"program '.*' (compiled|loaded|read)")
        self.assertNotIn('refused', text)

    def test_device(self):
        self.assertIn('no such device', self.said(wanted=1, OCLNN_DEVICE='name~no such device'))

    def test_vector_width(self):
        self.assertIn("OCLNN_VECTOR_WIDTH is '5'", self.said(wanted=1, OCLNN_VECTOR_WIDTH='5'))

    def test_staging(self):
        self.assertIn("OCLNN_STAGING is 'maybe'", self.said(wanted=1, OCLNN_STAGING='maybe'))

    def test_chain(self):
        self.assertIn("OCLNN_CHAIN is 'maybe'", self.said(wanted=1, OCLNN_CHAIN='maybe'))

    def test_share(self):
        joined, apart = (re.findall(r"program '(\S*)' ", self.said(OCLNN_VERBOSE='build', OCLNN_CACHE='off', OCLNN_CHAIN='off',
                                                                   OCLNN_SHARE=word)) for word in ('on', 'off'))
        self.assertTrue(any('+' in name for name in joined))
        self.assertFalse(any('+' in name for name in apart))
        self.assertIn("OCLNN_SHARE is 'maybe'", self.said(wanted=1, OCLNN_SHARE='maybe'))

    def test_kernel_folder(self):
        """A folder of kernel files that do not compile: they are taken."""
        with tempfile.TemporaryDirectory() as folder:
            for name in os.listdir(os.path.join(ROOT, 'cl')):
                if not name.endswith('.cl'):
                    continue
                with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
                    f.write('this is no kernel\n')
            self.assertRegex(self.said(wanted=1, OCLNN_CL_DIR=folder, OCLNN_CACHE='off'), '(?i)does not compile|build|this is no kernel')


if __name__ == '__main__':
    tool_test.main()
