"""The 224-pixel network of three stages on photos of two kinds (animals and things, of ../shared/data), as README.md shows
it; and every command of README.md's training section, as a dry run on made data. --all: at 224 pixels."""
import json
import os
import random
import re
import shlex
import sys
import tempfile
import unittest

import tool_test
from tool_test import DATA, ROOT, run
from train import pictures, result_of, save_png

ALL = '--all' in sys.argv
KINDS = 18 # so many of the 40 photos, in the order of their classes, show animals


def two_kinds(folder, count):
    """A folder of two classes, with links to `count` of the photos; None where they are missing."""
    photos = os.path.join(DATA, 'images', 'imagenet40')
    if not os.path.isdir(photos):
        return None
    names = sorted(name for name in os.listdir(photos) if name.endswith('.JPEG'))
    for kind, some in (('animals', names[:KINDS]), ('things', names[KINDS:])):
        os.makedirs(os.path.join(folder, 'photos', kind))
        for name in some[:count // 2]:
            os.symlink(os.path.join(photos, name), os.path.join(folder, 'photos', kind, name[:-5] + '.jpg'))
    return os.path.join(folder, 'photos')


class Photos(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def train(self, *args):
        size = '224x224' if ALL else '48x48'
        code, out, err = run('oclnn-train', 'three-stage-224', '--data', 'folder:' + self.photos, '--size', size,
                             '--val-split', '0.25', '--batch', '6', '--augment', 'flip,shear:0.2,zoom:0.2', '--optimizer',
                             'adam:lr=0.0005', '--seed', '1', *args)
        self.assertEqual((code, err), (0, ''), out)
        return out

    def test_three_stages(self):
        """The loss falls, it ends early by itself, and two parts are the same as a whole."""
        self.photos = two_kinds(self.folder, 40 if ALL else 24)
        if not self.photos:
            self.skipTest('no ../shared/data')
        out = self.train('--epochs', '60', '--early-stop', '6', '--log', self.path('l'), '--best', self.path('best.onnx'))
        with open(self.path('l')) as log:
            lines = [json.loads(line) for line in log]
        self.assertIn('stopped early', out)
        self.assertLess(len(lines), 60)
        self.assertLess(lines[-1]['loss'], .6) # log 2 = 0.693 is what guessing gives
        self.assertEqual([line['improved'] for line in lines[-6:]], [False] * 6)
        self.assertTrue(lines[-7]['improved'])
        print(f"loss {lines[0]['loss']:.3f} to {lines[-1]['loss']:.3f} in {len(lines)} epochs; best validation "
              f"{min(line['val_loss'] for line in lines):.3f}")
        whole = self.train('--epochs', '3', '--out', self.path('whole.onnx'))
        self.train('--epochs', '1', '--checkpoint', self.path('c'))
        parts = self.train('--epochs', '3', '--resume', self.path('c'), '--out', self.path('parts.onnx'))
        self.assertNotIn('epoch 1/3', parts)
        self.assertEqual(result_of(whole)['val_loss'], result_of(parts)['val_loss'])
        with open(self.path('whole.onnx'), 'rb') as a, open(self.path('parts.onnx'), 'rb') as b:
            self.assertEqual(a.read(), b.read())


def commands():
    """Those of README.md that begin with oclnn-train, comments cut off, continued lines joined."""
    with open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as f:
        text = f.read().replace('\\\n', ' ')
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith('oclnn-train ')]


# The networks that features of this library are promised for, by name: README.md shows how each is trained.
NETWORKS = ['mlp784', 'mnist-conv1', 'mnist-conv2', 'cifar-lenet', 'three-stage-224', 'resnet18-cifar', 'resnet50',
            'mobilenet-v2', 'unet-128', 'mnist-lstm', 'mnist-transformer']


class Readme(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        noise = random.Random(1)
        for name, size in (('photos/a', 20), ('photos/b', 20), ('photos/c', 20), ('masks/images', 20), ('masks/masks', 20)):
            os.makedirs(self.path(name))
            for i in range(40):
                grey = name == 'masks/masks'
                save_png(self.path(f'{name}/{i}.png'),
                         [[noise.randrange(2) if grey else (noise.randrange(256), 50, 90) for _ in range(size)]
                          for _ in range(size)], grey=grey)
        for prefix in ('train', 't10k'):
            x, label = pictures(70, classes=10, height=28)
            with open(self.path(prefix + '-images-idx3-ubyte'), 'wb') as f:
                f.write(bytes([0, 0, 8, 3, 0, 0, 0, 70, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(x.values))
            with open(self.path(prefix + '-labels-idx1-ubyte'), 'wb') as f:
                f.write(bytes([0, 0, 8, 1, 0, 0, 0, 70]) + bytes(label.values))
        for i in range(1, 6):
            with open(self.path(f'data_batch_{i}.bin'), 'wb') as f:
                f.write(b''.join(bytes([k % 10]) + bytes(3072) for k in range(20)))

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_commands(self):
        """Each is understood, finds its network, data and parameters, and could begin."""
        shown = commands()
        names = [line[1] for line in shown]
        for name in NETWORKS:
            self.assertIn(name, names)
        code, _, err = run('oclnn-run', 'resnet18', '--export', self.path('net.onnx'))
        self.assertEqual((code, err), (0, ''))
        for line in shown:
            with self.subTest(' '.join(line)):
                args = [re.sub(r'^(mnist|cifar10):[A-Z]+$', r'\1:' + self.folder, word) for word in line[1:]]
                args = [re.sub(r'^(folder|masks):[A-Z]+$', lambda m: f'{m[1]}:' + self.path(
                    'photos' if m[1] == 'folder' else 'masks'), word) for word in args]
                code, out, err = run('oclnn-train', *args, '--dry-run', cwd=self.folder)
                self.assertEqual((code, err), (0, ''), out)
                self.assertIn('parameters', out)


if __name__ == '__main__':
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    tool_test.main()
