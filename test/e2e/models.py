"""The tools on real models: test data, images, outputs written and read back, the bench's JSON."""
import json
import os
import shutil
import struct
import sys
import tempfile
import unittest
import zipfile

import tool_test
from tool_test import DATA, ROOT, run

sys.path.insert(0, os.path.join(ROOT, 'test', 'io'))
import make_malformed as onnx

SMALL = ['mnist_8', 'resnet20_cifar10', 'squeezenet']


def model(name):
    return os.path.join(DATA, 'models', name, 'model.onnx')


class Run(unittest.TestCase):
    def test_data(self):
        for name in SMALL:
            folder = os.path.join(DATA, 'models', name)
            code, out, err = run('oclnn-run', model(name), '--data', folder)
            self.assertEqual((code, err), (0, ''), name)
            sets = len([d for d in os.listdir(folder) if d.startswith('test_data_set')])
            self.assertEqual(out.count('pass'), sets)

    def test_half_precision(self):
        for name in SMALL[:2]:
            folder = os.path.join(DATA, 'models', name)
            code, out, err = run('oclnn-run', model(name), '--data', os.path.join(folder, 'test_data_set_0'), '--dtype', 'f16')
            self.assertEqual((code, err), (0, ''), name)
            part = float(out.split('(')[1].split()[0])
            self.assertGreater(part, 1e-5, 'it was computed with f32 between the layers')
            self.assertLess(part, 1e-2)

    def test_other_vector_widths(self):
        """Kernels for vectors that this processor does not have; compilers take them apart or leave lanes idle, and some
        write warnings to our standard error."""
        for width in '4', '16':
            for name in SMALL[:2]:
                folder = os.path.join(DATA, 'models', name)
                code, out, err = run('oclnn-run', model(name), '--data', os.path.join(folder, 'test_data_set_0'),
                                     env=dict(os.environ, OCLNN_VECTOR_WIDTH=width, OCLNN_CHAIN='off'))
                self.assertEqual(code, 0, f'{name}, {width}: {err}')
                self.assertIn('pass', out)

    def test_no_patience(self):
        """Joined layers whose work-groups leave at once when they would have to wait: the others do the rest."""
        with tempfile.TemporaryDirectory() as folder:
            kernels = shutil.copytree(os.path.join(ROOT, 'cl'), f'{folder}/cl')
            with open(f'{kernels}/chain.cl') as f:
                text = f.read()
            self.assertEqual(text.count('CHAIN_PATIENCE (1 << 22)'), 1)
            with open(f'{kernels}/chain.cl', 'w') as f:
                f.write(text.replace('CHAIN_PATIENCE (1 << 22)', 'CHAIN_PATIENCE 1'))
            for _ in range(3):
                code, out, err = run('oclnn-run', model('mnist_8'), '--data', os.path.join(DATA, 'models', 'mnist_8'),
                                     env=dict(os.environ, OCLNN_CL_DIR=kernels))
                self.assertEqual((code, err), (0, ''))
                self.assertEqual(out.count('pass'), 3)

    def test_staging(self):
        """Pinned memory on the way in and out: the same bits, and counted."""
        source, seen = os.path.join(DATA, 'models', 'resnet20_cifar10'), []
        with tempfile.TemporaryDirectory() as folder:
            for word in 'on', 'off':
                env = dict(os.environ, OCLNN_STAGING=word)
                code, out, err = run('oclnn-run', model('resnet20_cifar10'), '--data', source, env=env)
                self.assertEqual((code, err), (0, ''), word)
                self.assertIn('pass', out)
                code, out, err = run('oclnn-bench', model('resnet20_cifar10'), '--data', f'{source}/test_data_set_0',
                                     '--min-time', '1ms', '--outputs', f'{folder}/{word}.npz', '-o', 'json', env=env)
                self.assertEqual(code, 0, err)
                with open(f'{folder}/{word}.npz', 'rb') as f:
                    seen.append((f.read(), json.loads(out)['results'][0]))
        self.assertEqual(seen[0][0], seen[1][0])
        staging = [row['bytes']['staging'] for _, row in seen]
        self.assertGreaterEqual(staging[0], staging[1] + 2 * 4 * (3 * 32 * 32 + 10))
        self.assertTrue(all(row['pipelined_ms'] > 0 for _, row in seen))

    def test_mismatch_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(DATA, 'models', 'mnist_8')
            shutil.copy(f'{source}/test_data_set_0/input_0.pb', folder)
            shutil.copy(f'{source}/test_data_set_1/output_0.pb', folder)
            code, _, err = run('oclnn-run', model('mnist_8'), '--data', folder)
        self.assertEqual(code, 1)
        self.assertRegex(err, r"output 'Plus214_Output_0' at \[0,\d\]: got [-\d.]+, wanted [-\d.]+")

    def image(self, path, value):
        """An .npz with mnist_8's input: zeros but one."""
        numbers = [0.0] * 784
        numbers[14 * 28 + 14] = value
        head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }".ljust(117) + b'\n'
        with zipfile.ZipFile(path, 'w') as z:
            z.writestr('Input3.npy', b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head + struct.pack('<784f', *numbers))

    def test_first_layer_that_diverges(self):
        """One pixel that is a power of two: the first convolution adds zeros to single products, exactly, in any order;
        what follows up to the second one is exact too; there, or in the product behind it, sums depend on their order."""
        with tempfile.TemporaryDirectory() as folder:
            self.image(f'{folder}/x.npz', 2.0 ** 20)
            compare = [model('mnist_8'), f'{folder}/x.npz', '--compare-variant', 'reference']
            code, _, err = run('oclnn-run', *compare)
            self.assertEqual((code, err), (0, ''))
            code, _, err = run('oclnn-run', *compare, '--tol', '0')
            self.assertEqual(code, 1)
            self.assertRegex(err, r"first layer that diverges is number \d+ of 12, '(Convolution110|Times212)' "
                                  r"\((conv|matmul)\): its result '\1_Output_0' at \[0,[\d,]+\] is [-\d.]+, wanted [-\d.]+")
            code, out, _ = run('oclnn-run', *compare, '--tol', '0', '--json')
            found, = (row for row in json.loads(out)['results'] if 'first_diverging_layer' in row)
            self.assertEqual(code, 1)
            self.assertIn(found['first_diverging_layer'], ('Convolution110', 'Times212'))

    def refused(self, content, *args):
        """What oclnn-run says of a model made here."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'made.onnx')
            with open(path, 'wb') as f:
                f.write(content)
            code, out, err = run('oclnn-run', path, *args)
        self.assertEqual((code, out), (1, ''), err)
        self.assertRegex(err, r'\Aoclnn-run: error: [^\n]*\n\Z')
        return err

    def test_unknown_operator(self):
        two = [onnx.node('Frobnicate', ['x'], ['a'], name='first'), onnx.node('Relu', ['a'], ['y'])]
        err = self.refused(onnx.model(onnx.graph(two)), '--summary')
        self.assertIn("made.onnx: operators that are not supported (opset 13): Frobnicate (node 'first'); "
                      'oclnn-info --operators', err)
        self.assertIn('Relu', run('oclnn-info', '--operators')[1])

    def test_wrong_shape(self):
        code, _, err = run('oclnn-run', model('squeezenet'), '--data',
                           os.path.join(DATA, 'models', 'mnist_8', 'test_data_set_0'))
        self.assertEqual(code, 1)
        self.assertIn("input 'data_0' takes f32[1,3,224,224], given is f32[1,1,28,28]", err)
        code, _, err = run('oclnn-run', model('resnet20_cifar10'), '--summary', '--shape', 'input=2x3x16x32')
        self.assertEqual(code, 1)
        self.assertEqual(err, "oclnn-run: error: input 'input' takes ?x3x32x32, not 2x3x16x32\n")

    def test_wrong_dtype(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, 'input_0.pb'), 'wb') as f:
                f.write(onnx.tensor('x', (1, 2), 7, onnx.raw(9, bytes(16))))
            err = self.refused(onnx.model(onnx.graph([onnx.RELU])), '--data', folder)
        self.assertIn("input 'x' takes f32, the tensor given has i64", err)

    def test_out_of_memory(self):
        huge = onnx.tensor('s', (2,), 7, onnx.raw(9, (1 << 20).to_bytes(8, 'little') * 2))
        big = [onnx.node('Expand', ['x', 's'], ['e'], name='grow'), onnx.node('ReduceMax', ['e'], ['y'])]
        err = self.refused(onnx.model(onnx.graph(big, [huge], [onnx.value('x', (1, 1))])), '--summary')
        self.assertRegex(err, r'(a tensor of|the plan needs) \d{13} bytes .* a smaller batch or input takes less')

    def test_unknown_names(self):
        relu = onnx.model(onnx.graph([onnx.RELU]))
        self.assertIn('no format is called "c9x"; the usual ones: plain, nhwc, c8, c16',
                      self.refused(relu, '--summary', '--format', 'c9x'))
        self.assertRegex(self.refused(relu, '--summary', '--variant', 'fastest'),
                         r'no kernel variant is called "fastest"; known ones: .*\breference\b')

    def test_truncated_model(self):
        with tempfile.TemporaryDirectory() as folder, open(model('mnist_8'), 'rb') as f:
            content = f.read()
            for size in (1, 100, len(content) // 2, len(content) - 1):
                path = os.path.join(folder, 'cut.onnx')
                with open(path, 'wb') as cut:
                    cut.write(content[:size])
                code, out, err = run('oclnn-run', path, 'x.png')
                self.assertEqual((code, out), (1, ''), f'{size} bytes')
                self.assertIn('cut.onnx', err)

    def test_image(self):
        image = os.path.join(DATA, 'images', 'photos', 'chelsea.png')
        labels = os.path.join(DATA, 'labels', 'imagenet_synset.txt')
        code, out, err = run('oclnn-run', model('squeezenet'), image, '--labels', labels, '--top', '3', '--resize',
                             'short:256', '--crop', '224', '--bgr', '--mean', '103.939,116.779,123.68')
        self.assertEqual((code, err), (0, ''))
        lines = out.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertIn('cat', lines[1])

    def test_npz_both_ways(self):
        with tempfile.TemporaryDirectory() as folder:
            first = os.path.join(folder, 'a.npz')
            data = os.path.join(DATA, 'models', 'silero_vad', 'test_data_set_0')
            code, _, err = run('oclnn-run', model('silero_vad'), '--data', data, '--out', first)
            self.assertEqual((code, err), (0, ''))
            self.assertGreater(os.path.getsize(first), 0)

    def test_eval(self):
        images = os.path.join(DATA, 'datasets', 'cifar10', 'cifar10_test_exact_100.bin.gz')
        code, out, err = run('oclnn-run', model('resnet20_cifar10'), '--eval', f'cifar10:{images}', '--scale',
                             str(1 / 255), '--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225', '--batch', '32')
        self.assertEqual((code, err), (0, ''))
        self.assertIn('top-1 95 of 100', out)

    def test_summary(self):
        code, out, err = run('oclnn-run', model('mnist_8'), '--summary', '--dump')
        self.assertEqual((code, err), (0, ''))
        self.assertIn('Conv', out + out.replace('conv', 'Conv'))


class Bench(unittest.TestCase):
    def test_contract(self):
        with tempfile.TemporaryDirectory() as folder:
            outputs = os.path.join(folder, 'o.npz')
            code, out, err = run('oclnn-bench', model('mnist_8'), '--data',
                                 os.path.join(DATA, 'models', 'mnist_8', 'test_data_set_0'), '--min-time', '20ms',
                                 '--outputs', outputs, '-o', 'json')
            self.assertEqual(code, 0, err)
            self.assertGreater(os.path.getsize(outputs), 0)
        answer = json.loads(out)
        self.assertEqual(set(answer), {'oclnn', 'results', 'errors'})
        row, = answer['results']
        for key in ('device', 'platform', 'driver', 'model', 'batch', 'dtype', 'mode', 'time_ms', 'images_per_s',
                    'gflops', 'load_ms', 'build_ms', 'first_answer_ms', 'round_trip_ms', 'cache', 'bytes', 'verify',
                    'warnings', 'repro'):
            self.assertIn(key, row)
        self.assertEqual(row['model'], 'mnist_8')
        self.assertEqual(row['verify']['status'], 'pass')
        self.assertEqual(set(row['time_ms']), {'min', 'median', 'mean', 'p90', 'p99', 'samples'})
        for key in ('parameters', 'derived', 'arena', 'arena_lower_bound', 'workspace', 'staging'):
            self.assertIn(key, row['bytes'])

    def test_types(self):
        folder = os.path.join(DATA, 'models', 'mnist_8', 'test_data_set_0')
        code, out, err = run('oclnn-bench', model('mnist_8'), '--dtype', 'f32,f16', '--data', folder, '--min-time', '1ms', '-o',
                             'json')
        self.assertEqual(code, 0, err)
        rows = json.loads(out)['results']
        self.assertEqual([r['dtype'] for r in rows], ['f32', 'f16'])
        self.assertEqual([r['verify']['status'] for r in rows], ['pass', 'pass'])
        self.assertLess(rows[0]['verify']['max_rel'] * 100, rows[1]['verify']['max_rel'])
        self.assertGreater(rows[0]['bytes']['arena'], rows[1]['bytes']['arena'])
        self.assertIn('--dtype f16', rows[1]['repro'])

    def test_wrong_outputs_fail(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(DATA, 'models', 'mnist_8')
            shutil.copy(f'{source}/test_data_set_0/input_0.pb', folder)
            shutil.copy(f'{source}/test_data_set_1/output_0.pb', folder)
            code, out, _ = run('oclnn-bench', model('mnist_8'), '--data', folder, '--min-time', '1ms', '-o', 'json')
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(out)['results'][0]['verify']['status'], 'fail')

    def test_forms(self):
        for form, words in (('table', 'median ms'), ('md', '| ---'), ('csv', 'model,batch'), ('jsonl', '"model"')):
            code, out, err = run('oclnn-bench', model('mnist_8'), '--min-time', '1ms', '--per-layer', '-o', form)
            self.assertEqual(code, 0, err)
            self.assertIn(words, out)

    def test_where_the_time_goes(self):
        with tempfile.TemporaryDirectory() as folder:
            code, out, err = run('oclnn-bench', model('mnist_8'), '--min-time', '20ms', '-o', 'json', '--roofline',
                                 f'{folder}/r.svg')
            self.assertEqual(code, 0, err)
            with open(f'{folder}/r.svg') as f:
                drawn = f.read()
        row, = json.loads(out)['results']
        self.assertGreater(row['enqueue_ms'], 0)
        self.assertLess(row['transfer_ms'], row['time_ms']['median'])
        self.assertEqual(row['tune_ms'], 0)
        self.assertTrue(all(layer['roofline_ms'] > 0 for layer in row['layers'] if layer['op'] == 'conv'))
        for words in ('<svg', 'mnist_8', 'at the roofline'):
            self.assertIn(words, drawn)

    def test_compare(self):
        """Against itself, against a base that was twice as fast, and against one without such a row."""
        with tempfile.TemporaryDirectory() as folder:
            base = f'{folder}/base.json'
            command = ['oclnn-bench', model('mnist_8'), '--min-time', '20ms', '--compare', base, '--compare-limit']
            code, _, err = run('oclnn-bench', model('mnist_8'), '--min-time', '20ms', '-o', 'json', '--output', base)
            self.assertEqual(code, 0, err)
            code, out, err = run(*command, '100000')
            self.assertEqual(code, 0, err)
            self.assertIn('base/now', out)
            with open(base) as f:
                rows = json.load(f)
            rows['results'][0]['time_ms']['median'] /= 100
            with open(base, 'w') as f:
                json.dump(rows, f)
            code, out, _ = run(*command, '10', '-o', 'json')
            row, = json.loads(out)['results']
            self.assertEqual(code, 1)
            self.assertAlmostEqual(row['ratio'] * row['time_ms']['median'], row['base_ms'])
            self.assertTrue(any('slower than in' in text for text in row['warnings']))
            rows['results'][0]['model'] = 'another'
            with open(base, 'w') as f:
                json.dump(rows, f)
            code, _, err = run(*command, '10')
            self.assertEqual(code, 1)
            self.assertIn('none of its rows', err)
            with open(base, 'w') as f:
                f.write('{"results": 3')
            code, _, err = run(*command, '10')
            self.assertEqual(code, 1)
            self.assertIn(base, err)

    def test_every_device(self):
        """PoCL can show one processor as two devices: both are measured unless one is named."""
        env = dict(os.environ, POCL_DEVICES='basic pthread')
        env.pop('OCLNN_DEVICE', None)
        devices = run('oclnn-info', '--list-devices', env=env)[1].splitlines()[1:]
        if len(devices) != 2:
            self.skipTest('not PoCL alone')
        command = ['oclnn-bench', 'relu x=1x8x5x5', '--min-time', '1ms', '--min-runs', '1', '-o', 'json']
        wanted = [[line.split()[0] for line in devices], ['0:1'], ['0:0'], ['0:1', '0:0']]
        for args, more, expected in (((), {}, wanted[0]), ((), {'OCLNN_DEVICE': '0:1'}, wanted[1]), (('-d', '0'), {}, wanted[2]),
                                     (('-d', '0:1, 0:0'), {}, wanted[3])):
            code, out, err = run(*command, *args, env=dict(env, **more))
            self.assertEqual(code, 0, err)
            selectors = [row['selector'] for row in json.loads(out)['results']]
            self.assertEqual(list(dict.fromkeys(selectors)), expected)
        code, _, err = run('oclnn-bench', model('mnist_8'), '--outputs', 'o.npz', env=env)
        self.assertEqual(code, 2)
        self.assertIn('one device', err)

    def test_fixed_batch(self):
        code, _, err = run('oclnn-bench', model('mnist_8'), '--batch', '4')
        self.assertEqual(code, 1)
        self.assertIn('batch', err)

    def test_free_batch(self):
        code, out, err = run('oclnn-bench', model('resnet20_cifar10'), '--batch', '1,3', '--min-time', '1ms', '-o',
                             'json', '--verify', 'strict')
        self.assertEqual(code, 0, err)
        self.assertEqual([r['batch'] for r in json.loads(out)['results']], [1, 3])


if __name__ == '__main__':
    if not os.path.isdir(DATA):
        tool_test.skip('no ../shared/data')
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    tool_test.main()
