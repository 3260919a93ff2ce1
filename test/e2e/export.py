"""Exported networks judged by others: onnx.checker accepts the file with full shape inference, and ONNX Runtime computes
the same outputs from it. Needs the packages onnx and onnxruntime: in this interpreter, in the one that
$OCLNN_PEER_PYTHON names, or in a `peer-python` on PATH. OCLNN_TEST_ALL=1: every network and model, not a few small ones."""
import json
import os
import shutil
import sys
import tempfile
import unittest

import tool_test
from tool_test import DATA, run
from photos import two_kinds
from train import pictures

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError:
    other = os.environ.get('OCLNN_PEER_PYTHON') or shutil.which('peer-python')
    if not other or os.environ.get('OCLNN_PEER_TRIED'):
        tool_test.skip('no Python with onnx and onnxruntime (OCLNN_PEER_PYTHON names one)')
    os.environ['OCLNN_PEER_TRIED'] = '1'
    try:
        os.execv(other, [other] + sys.argv)
    except OSError as error:
        tool_test.skip(f'{other}: {error}')

ALL = os.environ.get('OCLNN_TEST_ALL') == '1'
CHECKED = ['mlp784', 'lenet5', 'mnist-lstm', 'mnist-transformer', 'unet-128', 'squeezenet', 'mobilenet-v3', 'shufflenet-v2',
           'efficientnet-b0']
RUN = ['mlp784', 'lenet5', 'mnist-lstm', 'mnist-transformer']
MODELS = ['mnist_8', 'resnet20_cifar10']
# Free dimensions behind the batch of models in ../shared/data; 0: the file leaves nothing free there.
SIZES = {'lyt_net': 64, 'style_candy': 64, 'ppocr_v3_det_en': 64, 'ppocr_v2_rec_en': 320}


def networks():
    code, out, err = run('oclnn-info', '--networks')
    assert code == 0, err
    return [line.split()[0] for line in out.splitlines() if line.strip()]


class Export(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, 'm.onnx')

    def export(self, network):
        code, _, err = run('oclnn-run', network, '--export', self.file)
        self.assertEqual((code, err), (0, ''), network)
        onnx.checker.check_model(self.file, full_check=True)

    def same_outputs(self, network):
        """ONNX Runtime on the exported file against oclnn on the network it came from."""
        session = onnxruntime.InferenceSession(self.file, providers=['CPUExecutionProvider'])
        rng = np.random.default_rng(3)
        feed = {}
        for x in session.get_inputs():
            self.assertIn(x.type, ('tensor(float)', 'tensor(float16)'))
            shape = [d if isinstance(d, int) else SIZES.get(network, 1) if k else 1 for k, d in enumerate(x.shape)]
            feed[x.name] = rng.standard_normal(shape).astype(np.float16 if '16' in x.type else np.float32)
        tolerance = 2e-2 if any(v.dtype == np.float16 for v in feed.values()) else 1e-4
        wanted = session.run(None, feed)
        inputs, outputs = (os.path.join(self.folder.name, n) for n in ('in.npz', 'out.npz'))
        np.savez(inputs, **feed)
        path = os.path.join(DATA, 'models', network, 'model.onnx')
        code, _, err = run('oclnn-run', path if os.path.exists(path) else network, inputs, '--out', outputs, '--quiet')
        self.assertEqual((code, err), (0, ''), network)
        got = np.load(outputs)
        for io, want in zip(session.get_outputs(), wanted):
            have = got[io.name].astype(np.float64)
            want = np.asarray(want).astype(np.float64)
            self.assertEqual(have.shape, want.shape)
            np.testing.assert_array_equal(np.isnan(have), np.isnan(want))
            have, want = np.nan_to_num(have), np.nan_to_num(want)
            error = np.abs(have - want).max() / max(np.abs(want).max(), 1e-3) # ONNX Runtime's sigmoid ends in 0
            print(f'{network} {io.name}: {error:.2g} of the largest value')
            self.assertLessEqual(error, tolerance, f'{network} {io.name}')

    def test_networks(self):
        for name in networks() if ALL else CHECKED:
            with self.subTest(name):
                self.export(name)
                model = onnx.load(self.file)
                self.assertEqual(model.ir_version, 8)
                self.assertGreaterEqual(model.opset_import[0].version, 17)
                self.assertEqual([o.name for o in model.graph.output], ['logits'])
                self.assertEqual(model.graph.input[0].type.tensor_type.shape.dim[0].dim_param, 'x_dim0')
                if ALL or name in RUN:
                    self.same_outputs(name)

    def test_models(self):
        folder = os.path.join(DATA, 'models')
        if not os.path.isdir(folder):
            self.skipTest('no ../shared/data')
        for name in sorted(os.listdir(folder)) if ALL else MODELS:
            with self.subTest(name):
                self.export(os.path.join(folder, name, 'model.onnx'))
                if name != 'silero_vad': # its branches hang on an integer input: read back below
                    self.same_outputs(name)

    def test_trained(self):
        """What oclnn-train writes, normalisations with their statistics included."""
        for network, size, channels in [('lenet5', 28, 1), ('resnet20-cifar', 32, 3)][:2 if ALL else 1]:
            with self.subTest(network):
                x, label = pictures(60, height=size, channels=channels)
                names = [os.path.join(self.folder.name, n + '.npy') for n in 'xy']
                x.save(names[0])
                label.save(names[1])
                code, out, err = run('oclnn-train', network, '--data', 'npy:' + ','.join(names), '--epochs', '2',
                                     '--batch', '20', '--out', self.file)
                self.assertEqual(code, 0, out + err)
                onnx.checker.check_model(self.file, full_check=True)
                self.same_outputs(self.file)

    def test_fine_tuned(self):
        """A classifier of ImageNet on photos of two kinds: only the new last layer is trained, all else stays as it was."""
        model = os.path.join(DATA, 'models', 'squeezenet', 'model.onnx')
        photos = two_kinds(self.folder.name, 16)
        if not photos or not os.path.exists(model):
            self.skipTest('no ../shared/data')
        args = ['--data', 'folder:' + photos, '--batch', '4', '--lr', '0.003', '--mean', '0.408,0.458,0.485', '--std',
                '0.00392157', '--epochs', '4', '--log', os.path.join(self.folder.name, 'log'), '--out', self.file]
        freeze = ['--freeze', '*', '--freeze', '!conv10_*']
        code, out, err = run('oclnn-train', model, '--replace-head', *freeze, *args)
        self.assertEqual((code, err), (0, ''), out)
        self.assertIn('723522 parameters, 1026 of them trained', out)
        with open(os.path.join(self.folder.name, 'log')) as log:
            loss = [json.loads(line)['loss'] for line in log]
        self.assertLess(loss[-1], .8 * loss[0])
        onnx.checker.check_model(self.file, full_check=True)
        self.same_outputs(self.file)
        old, new = ({t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
                    for path in (model, self.file))
        changed = {name for name in old if name.startswith('conv') or name.startswith('fire')}
        self.assertGreater(len(changed), 50)
        for name in changed:
            if name.startswith('conv10_'):
                self.assertEqual((old[name].shape[0], new[name].shape[0]), (1000, 2))
            else:
                np.testing.assert_array_equal(old[name], new[name], name)
        for args, words in [(['--replace-head', '--freeze', '*'], 'all 52 parameters of the model are frozen'),
                            (['--replace-head', '--freeze', 'features.*'], "none of the 52 parameters is called 'features.*'"),
                            ([], 'conv10')]:
            code, out, err = run('oclnn-train', model, '--data', 'folder:' + photos, '--dry-run', *args)
            if args:
                self.assertEqual((code, out), (1, ''))
                self.assertIn(words, err)
            else: # it can be meant so
                self.assertEqual(code, 0)
                self.assertIn('has 1000 classes', err)

    def test_branches(self):
        """A model with If keeps its subgraphs: the exported file passes the model's own test data."""
        model = os.path.join(DATA, 'models', 'silero_vad')
        if not os.path.isdir(model):
            self.skipTest('no ../shared/data')
        self.export(os.path.join(model, 'model.onnx'))
        session = onnxruntime.InferenceSession(self.file, providers=['CPUExecutionProvider'])
        data = os.path.join(model, 'test_data_set_0')
        read = lambda side, k: onnx.numpy_helper.to_array(onnx.load_tensor(os.path.join(data, f'{side}_{k}.pb')))
        feed = {x.name: read('input', k) for k, x in enumerate(session.get_inputs())}
        for k, got in enumerate(session.run(None, feed)):
            np.testing.assert_allclose(got, read('output', k), rtol=1e-4, atol=1e-5)
        code, _, err = run('oclnn-run', self.file, '--data', data, '--quiet')
        self.assertEqual((code, err), (0, ''))

    def test_not_writable(self):
        code, _, err = run('oclnn-run', 'mlp784', '--export', os.path.join(self.folder.name, 'none', 'm.onnx'))
        self.assertEqual(code, 1)
        self.assertIn('none/m.onnx', err)


if __name__ == '__main__':
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    tool_test.main()
