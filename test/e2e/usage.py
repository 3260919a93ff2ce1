"""Mistakes on the command line and in files: exit status, a sentence on standard error, nothing on standard output."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import tool_test
from tool_test import run

TOOLS = ['oclnn-info', 'oclnn-run', 'oclnn-bench', 'oclnn-train']


class Usage(unittest.TestCase):
    def check(self, wanted, words, tool, *args, **kwargs):
        code, out, err = run(tool, *args, **kwargs)
        self.assertEqual(code, wanted, f'{tool} {args}: {err}')
        self.assertIn(words, err)
        return out

    def test_help(self):
        for tool in TOOLS:
            code, out, err = run(tool, '--help')
            self.assertEqual((code, err), (0, ''))
            self.assertTrue(out.startswith('Usage: ' + tool))
            self.assertIn('default', out)
            for line in out.splitlines():
                self.assertLessEqual(len(line), 80, f'{tool}: {line}')

    def test_version(self):
        for tool in TOOLS:
            code, out, _ = run(tool, '--version')
            self.assertEqual(code, 0)
            self.assertRegex(out, rf'^{tool} \d+\.\d+\.\d+\n$')

    def test_unknown_option(self):
        for tool in TOOLS:
            out = self.check(2, "Try '%s --help'." % tool, tool, '--no-such-option')
            self.assertEqual(out, '')

    def test_missing_value(self):
        for tool in TOOLS:
            self.check(2, '--help', tool, '--device')

    def test_bad_values_bench(self):
        for option, value in [('--batch', '0'), ('--batch', '1,x'), ('--min-time', 'soon'), ('--min-runs', '0'),
                              ('--warmup', '-1'), ('--tol', 'small'), ('-o', 'xml'), ('--verify', 'maybe'),
                              ('--compare-limit', '-1'), ('--dtype', 'f64'), ('--dtype', 'f16,f16'),
                              ('--shape', 'x'), ('--shape', 'x=1y2')]:
            self.check(2, 'oclnn-bench: error: ' + ('--' if option[1] == '-' else '-o'), 'oclnn-bench', option, value)
        self.check(2, '--outputs', 'oclnn-bench', '--outputs', 'o.npz')
        self.check(2, 'one model', 'oclnn-bench', 'a', 'b', '--data', 'folder')
        self.check(2, 'one --dtype', 'oclnn-bench', 'a', '--outputs', 'o.npz', '--dtype', 'f32,f16')
        self.check(2, ':f16', 'oclnn-bench', 'relu x=1x8', '--dtype', 'f16')
        self.check(2, 'does not mix types', 'oclnn-bench', 'lenet5', '--train', '--dtype', 'f16')

    def test_bad_values_run(self):
        for option, value in [('--top', '0'), ('--mean', '1,2'), ('--std', '0'), ('--resize', 'big'), ('--crop', '0'),
                              ('--layout', 'chwn'), ('--scale', '0'), ('--dtype', 'f64'), ('--label-offset', 'one')]:
            self.check(2, 'oclnn-run: error: ' + option, 'oclnn-run', 'm.onnx', option, value)

    def test_run_needs_something(self):
        self.check(2, 'no model', 'oclnn-run')
        self.check(2, 'nothing to run', 'oclnn-run', 'm.onnx')
        self.check(2, 'only one of them', 'oclnn-run', 'm.onnx', 'a.png', '--data', 'x')

    def test_info_one_thing(self):
        self.check(2, 'one thing', 'oclnn-info', '--operators', '--networks')
        self.check(2, 'not understood', 'oclnn-info', 'operators')

    def test_operators(self):
        code, out, err = run('oclnn-info', '--operators')
        self.assertEqual((code, err), (0, ''))
        self.assertRegex(out, r'(?m)^conv +Conv ')

    def test_full_disk(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full')
        with open('/dev/full', 'w') as full:
            done = subprocess.run([os.path.join(tool_test.TOOLS, 'oclnn-info'), '--operators'], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn('standard output', done.stderr)


class Manual(unittest.TestCase):
    """Every option of --help is in the manual page and completed by bash."""

    def options(self, tool):
        return set(re.findall(r'(?:^|[ ,])(--[a-z][a-z-]*|-[a-z])(?=[ ,=\[]|$)', '\n'.join(
            re.split(' {2,}', line.strip())[0] for line in run(tool, '--help')[1].splitlines() if re.match(r' {2,6}-', line)), re.M))

    def test_pages(self):
        for tool in TOOLS:
            page = os.path.join(tool_test.TOOLS, tool + '.1')
            if not os.path.exists(page):
                self.skipTest('no manual pages: scdoc was not there when oclnn was built')
            with open(page) as f:
                text = f.read().replace('\\-', '-').replace('\\fB', '').replace('\\fR', '')
            self.assertGreater(len(self.options(tool)), 5)
            for option in self.options(tool):
                self.assertRegex(text, rf'(?m)^(.*, )?{option}\b', tool)
            for section in ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXAMPLES', 'EXIT STATUS'):
                self.assertIn(f'.SH {section}\n', text)

    def complete(self, *words):
        script = os.path.join(tool_test.ROOT, 'tools', 'completion', 'oclnn.bash')
        path = os.path.join(tool_test.TOOLS, words[0])
        done = subprocess.run(['bash', '-c', f'source {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oclnn {path}; '
                               'printf "%s\\n" "${COMPREPLY[@]}"', 'bash', *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return set(done.stdout.split())

    @unittest.skipUnless(shutil.which('bash'), 'no bash')
    def test_completion(self):
        for tool in TOOLS:
            self.assertEqual(self.options(tool) - self.complete(tool, '-'), set())
        self.assertEqual(self.complete('oclnn-train', '--val-s'), {'--val-split'})
        self.assertEqual(self.complete('oclnn-train', '--optimizer', 'adam'), {'adam', 'adamw'})
        self.assertIn('lenet5', self.complete('oclnn-train', 'lene'))
        self.assertIn('resnet18-cifar', self.complete('oclnn-bench', 'resnet1'))


class Scripts(unittest.TestCase):
    """bench/compare_peers.py as far as it goes without the peers."""

    def call(self, *args):
        script = os.path.join(tool_test.ROOT, 'bench', 'compare_peers.py')
        return subprocess.run([sys.executable, script, *args], capture_output=True, text=True, timeout=300)

    def test_help(self):
        done = self.call('--help')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        for option in ('--bench', '--device', '--engines', '--threads', '--seconds', '--rounds', '--batch', '--tol', '--train'):
            self.assertIn(option, done.stdout)

    @unittest.skipUnless(tool_test.has_device(), 'no OpenCL device')
    def test_alone(self):
        bench = os.path.join(tool_test.TOOLS, 'oclnn-bench')
        done = self.call('--bench', bench, '--engines', '', '--seconds', '0.05', '--rounds', '1', 'mlp784', 'no-such-network')
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r'\| mlp784 \| \d')
        self.assertIn('oclnn best: right 1 of 2', done.stdout)
        self.assertIn('no-such-network: ', done.stdout)


@unittest.skipUnless(tool_test.has_device(), 'no OpenCL device')
class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, content=None):
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, 'wb') as f:
                f.write(content)
        return path

    def test_missing_model(self):
        for tool, rest in [('oclnn-run', ['x.png']), ('oclnn-bench', [])]:
            code, out, err = run(tool, self.path('none.onnx'), *rest)
            self.assertEqual((code, out.strip() if tool == 'oclnn-run' else ''), (1, ''))
            self.assertIn('none.onnx', err)
            self.assertIn('neither a file nor', err)

    def test_malformed_model(self):
        for content in [b'', b'\x08', b'not a model at all', bytes(range(256)) * 20]:
            path = self.path('bad.onnx', content)
            code, out, err = run('oclnn-run', path, 'x.png')
            self.assertEqual((code, out), (1, ''), err)
            self.assertIn('bad.onnx', err)

    def test_unknown_device(self):
        code, out, err = run('oclnn-run', self.path('m.onnx', b'x'), 'x.png', '-d', 'name~no such device')
        self.assertEqual((code, out), (1, ''))
        self.assertIn('no such device', err)
        # Names have commas; a list goes on where another selector follows.
        code, _, err = run('oclnn-bench', 'mlp784', '-d', 'name~no such, device, name~nor this', '-o', 'json')
        self.assertEqual(code, 1)
        self.assertIn("'name~no such, device'", err)
        self.assertIn("'name~nor this'", err)

    def test_no_platform(self):
        env = dict(os.environ, OCL_ICD_VENDORS=self.path('no_folder'))
        code, out, err = run('oclnn-run', self.path('m.onnx', b'x'), 'x.png', env=env)
        self.assertEqual((code, out), (1, ''))
        self.assertIn('no OpenCL platform', err)
        self.assertIn('install', err)

    def test_memory_at_plan_time(self):
        """Four times the machine's memory for activations: said before anything is touched."""
        memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        code, out, err = run('oclnn-bench', '--train', 'unet-128', '--batch', str(4 * memory // (30 << 20)), '-d', 'cpu')
        self.assertEqual(code, 1)
        self.assertRegex(err, r'unet-128: .*\b\d{9,} bytes')

    def children(self, parent):
        found = []
        for entry in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{entry}/stat') as f:
                    fields = f.read().rpartition(')')[2].split()
            except OSError:
                continue
            if fields[1] == str(parent) and fields[0] != 'Z':
                found.append(entry)
        return found

    @unittest.skipUnless(os.path.exists('/proc/self/stat'), 'no /proc')
    def test_killed_bench_leaves_no_child(self):
        """One process per device measures: it ends with the one that asked for it."""
        bench = subprocess.Popen([os.path.join(tool_test.TOOLS, 'oclnn-bench'), 'mlp784', '-d', 'cpu', '--min-time', '300s'],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(bench.wait)
        child, end = [], time.monotonic() + 20
        while not child and bench.poll() is None and time.monotonic() < end:
            child = self.children(bench.pid)
            time.sleep(0.05)
        bench.kill()
        self.assertTrue(child, 'the bench started no process')
        end = time.monotonic() + 20
        while os.path.exists(f'/proc/{child[0]}/exe') and time.monotonic() < end:
            time.sleep(0.05)
        self.assertFalse(os.path.exists(f'/proc/{child[0]}/exe'), 'the child goes on')

    def test_bench_error_entry(self):
        import json
        code, out, _ = run('oclnn-bench', self.path('bad.onnx', b'nonsense'), '-o', 'json', '--min-time', '1ms')
        answer = json.loads(out)
        self.assertEqual(code, 1)
        self.assertEqual(answer['results'], [])
        self.assertEqual(len(answer['errors']), 1)
        self.assertIn('message', answer['errors'][0])

    def test_bench_problem(self):
        import json
        code, out, err = run('oclnn-bench', 'relu x=1x8x5x5', '-o', 'json', '--min-time', '1ms', '--min-runs', '1')
        answer = json.loads(out)
        self.assertEqual((code, answer['errors']), (0, []), err)
        self.assertEqual({r['verify']['status'] for r in answer['results']}, {'pass'})
        code, out, err = run('oclnn-bench', 'conv x=1x8x5x5 w=8x7x3x3', '-o', 'json')
        self.assertEqual(code, 1)
        self.assertIn('input channels', err)


if __name__ == '__main__':
    tool_test.main()
