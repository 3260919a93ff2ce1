"""oclnn-train on small made data: it learns, repeats itself bit by bit, resumes, obeys signals, and says what is wrong."""
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree
import zlib

import tool_test
from events import fields, records
from tool_test import run


class Array:
    """Numbers in rows, written as numpy writes them; without numpy, which a machine may lack."""

    def __init__(self, code, shape, values):
        self.code, self.shape, self.values = code, shape, values

    def save(self, path):
        head = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (
            {'B': '|u1', 'q': '<i8'}[self.code], ', '.join(map(str, self.shape)))
        head += ' ' * (-(len(head) + 11) % 64) + '\n'
        with open(path, 'wb') as f:
            f.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode())
            f.write(struct.pack(f'<{len(self.values)}{self.code}', *self.values))


def pictures(n, classes=4, height=12, width=None, channels=1, seed=1):
    """Pictures with one bright quarter per class under noise: images and labels."""
    noise, width, values = random.Random(seed), width or height, []
    label = [i % classes for i in range(n)]
    for k in label:
        rows = range(k // 2 % 2 * (height // 2), (k // 2 % 2 + 1) * (height // 2))
        columns = range(k % 2 * (width // 2), (k % 2 + 1) * (width // 2))
        for _ in range(channels):
            values += [noise.randrange(100) + (100 + 20 * (k // 4)) * (r in rows and c in columns)
                       for r in range(height) for c in range(width)]
    return Array('B', (n, channels, height, width), values), Array('q', (n,), label)


def save_png(path, rows, grey=False):
    """An RGB picture, rows of (r, g, b); or a grey one, rows of numbers."""
    def chunk(kind, content):
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    raw = b''.join(b'\0' + bytes(row if grey else (v for pixel in row for v in pixel)) for row in rows)
    head = struct.pack('>IIBBBBB', len(rows[0]), len(rows), 8, 0 if grey else 2, 0, 0, 0)
    with open(path, 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b''))


def result_of(out):
    line = [line for line in out.splitlines() if line.startswith('result: ')][-1]
    return {key: float(value) for key, value in re.findall(r'(\w+)=(\S+)', line)}


class Train(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.spec = self.make('train', *pictures(200))

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, x, label):
        x.save(self.path(name + '_x.npy'))
        label.save(self.path(name + '_y.npy'))
        return f'npy:{self.path(name)}_x.npy,{self.path(name)}_y.npy'

    def read(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def log(self, name):
        with open(self.path(name)) as f:
            return [json.loads(line) for line in f]

    def train(self, *args, code=0, net='mlp784', spec=None):
        got, out, err = run('oclnn-train', net, '--data', spec or self.spec, '--batch', '20', *args,
                            folder=self.folder)
        self.assertEqual(got, code, f'{args}\n{out}\n{err}')
        return out if code == 0 else err

    def start(self, *args, stderr=subprocess.PIPE):
        return subprocess.Popen([os.path.join(tool_test.TOOLS, 'oclnn-train'), 'mlp784', '--data', self.spec, '--batch',
                                 '20', *args], stdout=subprocess.PIPE, stderr=stderr, text=True)

    def wait_for(self, test, process):
        for _ in range(3000):
            if test():
                return
            self.assertIsNone(process.poll(), 'it ended before')
            time.sleep(.01)
        self.fail('waited in vain')


class Learns(Train):
    def test_files(self):
        """Loss goes down; log, curves, checkpoint and networks are there and are what they should be."""
        val = self.make('val', *pictures(60, seed=2))
        out = self.train('--epochs', '4', '--val', val, '--out', self.path('o.onnx'), '--best', self.path('best.onnx'),
                         '--log', self.path('log.jsonl'), '--log-steps', '5', '--svg', self.path('c.svg'),
                         '--checkpoint', self.path('c.ckpt'), '--seed', '3', '-v')
        lines = self.log('log.jsonl')
        epochs = [line for line in lines if line['kind'] == 'epoch']
        self.assertEqual([line['epoch'] for line in epochs], [1, 2, 3, 4])
        self.assertEqual(len(lines) - 4, 4 * 2)
        self.assertLess(epochs[-1]['loss'], .3 * epochs[0]['loss'])
        self.assertGreater(epochs[-1]['val_top1'], .95)
        self.assertEqual(epochs[-1]['updates'], 40)
        result = result_of(out)
        self.assertAlmostEqual(result['val_top1'], epochs[-1]['val_top1'], places=5)
        self.assertEqual((result['epochs'], result['updates'], result['val_count']), (4, 40, 60))
        self.assertEqual(len(re.findall(r'(?m)^epoch [1-4]/4  loss ', out)), 4)
        self.assertIn('parameters', out)
        self.assertRegex(out, r'arena, lower bound +\d+')
        self.assertNotIn('\r', out)
        xml.etree.ElementTree.parse(self.path('c.svg'))
        self.assertEqual(self.read('c.svg').count(b'<path fill="none"'), 4)
        for name in ('o.onnx', 'best.onnx'):
            code, shown, err = run('oclnn-run', self.path(name), '--eval', val, '--scale', str(1 / 255))
            self.assertEqual((code, err), (0, ''))
            self.assertRegex(shown, r'top-1 (5[89]|60) of 60')
        right = round(60 * result['val_top1'])
        self.assertIn(f'top-1 {right} of 60',
                      run('oclnn-run', self.path('o.onnx'), '--eval', val, '--scale', str(1 / 255))[1])

    def test_tensorboard(self):
        """Scalars of every epoch and of some steps, histograms of all weights."""
        self.train('--epochs', '2', '--tensorboard', self.path('tb'), '--log', self.path('l'), '--log-steps', '5')
        name, = os.listdir(self.path('tb'))
        shown = {}
        for record in records(self.read(os.path.join('tb', name))):
            event = fields(record)
            if 5 in event:
                value = fields(fields(event[5])[1])
                shown.setdefault(value[1].decode(), []).append((event[2], value.get(2), value.get(5)))
        lines = self.log('l')
        for tag, kind in (('loss/training', 'epoch'), ('steps/loss', 'step')):
            want = [(line['updates'], line['loss']) for line in lines if line['kind'] == kind]
            self.assertEqual([step for step, _, _ in shown[tag]], [step for step, _ in want])
            for (_, got, _), (_, loss) in zip(shown[tag], want):
                self.assertAlmostEqual(got, loss, places=5)
        weights = [tag for tag in shown if tag.startswith('weights/')]
        self.assertEqual(len(weights), 4)
        self.assertEqual(sum(fields(shown[tag][1][2])[3] for tag in weights), 12 * 12 * 128 + 128 + 128 * 4 + 4)
        self.assertNotIn('loss/validation', shown)

    def test_quiet(self):
        out = self.train('--epochs', '1', '-q')
        self.assertRegex(out, r'\Aresult: [^\n]*\n\Z')

    def test_averages_are_saved(self):
        """--ema: --out and --best hold what was measured, the averages."""
        val = self.make('val', *pictures(60, seed=2))
        out = self.train('--epochs', '2', '--ema', '0.9', '--val', val, '--out', self.path('o.onnx'), '--best',
                         self.path('best.onnx'))
        self.assertRegex(out, r'(?m)^epoch 2/2 .* best$')
        self.assertEqual(self.read('o.onnx'), self.read('best.onnx'))

    def test_split_and_early_stop(self):
        """With a rate of next to nothing the validation loss soon stops getting better: it ends early."""
        args = ['--epochs', '50', '--val-split', '0.2', '--early-stop', '2', '--optimizer', 'sgd', '--lr', '1e-12']
        out = self.train(*args, '--checkpoint', self.path('c'))
        self.assertIn('stopped early', out)
        self.assertEqual(result_of(out)['val_count'], 40)
        epochs = result_of(out)['epochs']
        self.assertLess(epochs, 20)
        again = self.train(*args, '--resume', self.path('c'))
        self.assertIn('stopped early', again)
        self.assertIn(f'c has seen {epochs:.0f} epochs', again)
        for key in ('epochs', 'updates', 'val_loss'):
            self.assertEqual(result_of(again)[key], result_of(out)[key])

    def test_same_seed_same_bytes(self):
        for name, seed in (('a.onnx', '7'), ('b.onnx', '7'), ('c.onnx', '8')):
            self.train('--epochs', '2', '--seed', seed, '--augment', 'flip,crop:1', '--out', self.path(name))
        self.assertEqual(self.read('a.onnx'), self.read('b.onnx'))
        self.assertNotEqual(self.read('a.onnx'), self.read('c.onnx'))

    def test_choices(self):
        """Plans that were written out are taken again; a file that is none, or of another batch, is named."""
        self.train('--epochs', '1', '--choices-out', self.path('c'), '--out', self.path('a.onnx'))
        self.assertIn(b'[update pixels 20x1x12x12]', self.read('c'))
        self.train('--epochs', '1', '--choices', self.path('c'), '--choices-out', self.path('d'), '--out', self.path('b.onnx'))
        self.assertEqual(self.read('a.onnx'), self.read('b.onnx'))
        self.assertEqual(self.read('c'), self.read('d'))
        for args, words in ((['--choices', self.path('a.onnx')], 'a.onnx'), (['--choices', self.path('none')], 'none'),
                            (['--choices', self.path('train_x.npy')], 'train_x.npy'),
                            (['--choices', self.path('c'), '--batch', '30'], 'have no plan [update pixels 30x1x12x12]')):
            self.assertIn(words, self.train('--epochs', '1', *args, code=1))

    def test_rest_of_an_epoch(self):
        for args, updates in (([], 6), (['--keep-last'], 8)):
            out = self.train('--epochs', '2', '--batch', '60', *args)
            self.assertEqual(result_of(out)['updates'], updates)
        self.assertEqual(result_of(self.train('--epochs', '1', '--batch', '300', '--keep-last'))['updates'], 1)
        self.assertIn('--keep-last', self.train('--epochs', '1', '--batch', '300', code=1))

    def test_resume_continues(self):
        """Two epochs and two more are the same as four; the log goes on."""
        self.train('--epochs', '4', '--out', self.path('whole.onnx'), '--schedule', 'exponential')
        self.train('--epochs', '2', '--checkpoint', self.path('c'), '--log', self.path('l'), '--schedule', 'exponential')
        out = self.train('--epochs', '4', '--resume', self.path('c'), '--log', self.path('l'), '--svg', self.path('s'),
                         '--out', self.path('parts.onnx'), '--schedule', 'exponential')
        self.assertNotIn('epoch 2/4', out)
        self.assertEqual(self.read('whole.onnx'), self.read('parts.onnx'))
        self.assertEqual([line['epoch'] for line in self.log('l')], [1, 2, 3, 4])
        self.assertEqual(self.read('s').count(b'<circle'), 8)
        self.assertIn('nothing left to train', self.train('--epochs', '4', '--resume', self.path('c')))

    def test_folder_of_pictures(self):
        """Two folders of PNG files of several sizes; the names of the classes must agree."""
        noise = random.Random(3)
        for name in ('train/blue', 'train/red', 'val/blue', 'val/red', 'other/blue', 'other/green'):
            os.makedirs(self.path(name))
            for i in range(20 if name.startswith('train') else 3):
                save_png(self.path(f'{name}/{i}.png'),
                         [[(noise.randrange(100) + 150 * name.endswith('red'), 50, noise.randrange(100) +
                            150 * name.endswith('blue')) for _ in range(24 + i % 3)] for _ in range(25)])
        spec = 'folder:' + self.path('train')
        out = self.train('--epochs', '2', '--size', '24x24', '--val', 'folder:' + self.path('val'), '--augment',
                         'flip,crop:2,shear:0.1,zoom:0.1', '--batch', '8', '--out', self.path('o.onnx'),
                         net='cifar-lenet', spec=spec)
        self.assertIn('40 images of 3x24x24, 2 classes', out)
        self.assertEqual(result_of(out)['val_count'], 6)
        err = self.train('--size', '24x24', '--val', 'folder:' + self.path('other'), net='cifar-lenet', spec=spec,
                         code=1)
        self.assertIn('class 1 is "green", in --data it is "red"', err)
        with open(self.path('train/red/4.png'), 'r+b') as f:
            f.truncate(100)
        err = self.train('--size', '24x24', net='cifar-lenet', spec=spec, code=1)
        self.assertIn('4.png', err)

    def make_masks(self, name, count, size=32, seed=3):
        """Images with a bright and a dark rectangle in noise, and what is where; the left column does not count."""
        noise = random.Random(seed)
        for part in ('images', 'masks'):
            os.makedirs(self.path(f'{name}/{part}'))
        for i in range(count):
            boxes = [(noise.randrange(size - 12), noise.randrange(size - 12)) for _ in range(2)]
            mask = [[max((k + 1) * (x <= c < x + 12 and y <= r < y + 12) for k, (x, y) in enumerate(boxes))
                     for c in range(size)] for r in range(size)]
            save_png(self.path(f'{name}/images/{i}.png'),
                     [[tuple((90, 190, 10)[v] + noise.randrange(50) for _ in range(3)) for v in row] for row in mask])
            save_png(self.path(f'{name}/masks/{i}.png'), [[255] + row[1:] for row in mask], grey=True)
        return 'masks:' + self.path(name)

    def test_classes_of_pixels(self):
        """U-Net on a folder of images and masks: it learns, tells its scores, and resumes."""
        spec = self.make_masks('m', 40)
        args = ['--size', '32x32', '--batch', '4', '--augment', 'flip,rotate:5', '--val-split', '0.2', '--lr', '0.002']
        out = self.train(*args, '--epochs', '3', '--log', self.path('l'), '--out', self.path('o.onnx'), '--checkpoint',
                         self.path('c'), '--svg', self.path('s'), net='unet-128', spec=spec)
        self.assertIn('32 images of 3x32x32, 3 classes of pixels; 8 for validation', out)
        lines, result = self.log('l'), result_of(out)
        self.assertLess(lines[2]['loss'], .7 * lines[0]['loss'])
        self.assertGreater(result['val_top1'], .8)
        self.assertGreater(result['val_iou'], .5)
        self.assertAlmostEqual(lines[2]['val_iou'], result['val_iou'], places=5)
        self.assertEqual(result['val_count'], 8 * 32 * 31)
        self.assertNotIn('val_top5', lines[2])
        self.assertRegex(out, r'val acc +[\d.]+ %  val IoU +[\d.]+ %')
        again = self.train(*args, '--epochs', '3', '--resume', self.path('c'), net='unet-128', spec=spec)
        self.assertEqual(result_of(again)['val_loss'], result['val_loss'])
        err = self.train('--size', '32x32', net='cifar-lenet', spec=spec, code=1)
        self.assertIn('one class per pixel wants', err)
        os.remove(self.path('m/masks/7.png'))
        self.assertIn('images/7.png has no mask', self.train(*args, net='unet-128', spec=spec, code=1))

    def test_progress_on_a_terminal(self):
        """The line that changes is there on a terminal only, on standard error."""
        master, slave = pty.openpty()
        with self.start('--epochs', '2', stderr=slave) as process:
            os.close(slave)
            seen = b''
            while True:
                try:
                    part = os.read(master, 4096)
                except OSError:  # the other side is closed
                    break
                if not part:
                    break
                seen += part
            out = process.stdout.read()
        os.close(master)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(seen.decode(), r'epoch 1/2 \[[=> ]{20}\] \d+/10  loss \S+  acc \S+ %  \d+ images/s  \d+:\d\d left')
        self.assertIn('epoch 2/2', out)

    def test_fine_tune(self):
        """A trained network with another number of classes."""
        self.train('--epochs', '2', '--out', self.path('four.onnx'))
        two = self.make('two', *pictures(100, classes=2, seed=5))
        six = self.make('six', *pictures(120, classes=6, seed=5))
        self.assertIn('--replace-head', self.train(net=self.path('four.onnx'), spec=six, code=1))
        self.assertIn('labels up to 5, the network 3', self.train('--classes', '3', net=self.path('four.onnx'), spec=six,
                                                                  code=1))
        out = self.train('--classes', '2', '--epochs', '6', '--out', self.path('two.onnx'), net=self.path('four.onnx'),
                         spec=two)
        self.assertGreater(result_of(out)['top1'], .9)
        code, shown, err = run('oclnn-run', self.path('two.onnx'), '--eval', two, '--scale', str(1 / 255))
        self.assertEqual((code, err), (0, ''))


class Choices(Train):
    """Losses, class weights, rates of their own, initial weights, what is the best."""

    def two(self):
        """150 pictures of one class, 50 of the other."""
        x, label = pictures(300, classes=2)
        kept = [i for i in range(300) if label.values[i] == 0 or i % 6 == 1]
        size = 144
        values = [v for i in kept for v in x.values[i * size:(i + 1) * size]]
        return self.make('two', Array('B', (200, 1, 12, 12), values), Array('q', (200,), [label.values[i] for i in kept]))

    def test_two_classes_by_one_output(self):
        """A single output, weights that make up for unequal classes, the best by accuracy; its checkpoint goes on."""
        spec = self.two()
        args = ['--classes', '1', '--loss', 'bce-logits:smoothing=0.05', '--class-weights', 'balanced', '--val-split', '0.2',
                '--monitor', 'accuracy', '--optimizer', 'adam:lr=0.01']
        out = self.train(*args, '--epochs', '12', '--early-stop', '3', '--best-checkpoint', self.path('best'),
                         '--checkpoint', self.path('c'), '--log', self.path('l'), '-v', spec=spec)
        self.assertIn('class weights 0 0.6667, 1 2\n', out)
        self.assertIn('no better validation accuracy for 3 epochs', out)
        best = 0
        for line in self.log('l'):
            self.assertEqual(line['improved'], line['val_top1'] > best)
            best = max(best, line['val_top1'])
        self.assertGreater(best, .9)
        last = max(line['epoch'] for line in self.log('l') if line['improved'])
        self.assertEqual(result_of(out)['epochs'], last + 3)
        again = self.train(*args, '--epochs', str(last), '--resume', self.path('best'), '--checkpoint', self.path('d'),
                           spec=spec)
        self.assertIn(f'best has seen {last} epochs', again)
        self.assertAlmostEqual(result_of(again)['val_top1'], best, places=5)

    def test_losses(self):
        """Each that a network of logits can have learns."""
        for loss in ('focal:gamma=1.5', 'mse', 'huber:alpha=0.5', 'dice-logits'):
            out = self.train('--loss', loss, '--epochs', '4', '--lr', '0.01')
            self.assertGreater(result_of(out)['top1'], .8, loss)

    def test_groups(self):
        """Rates and decay of --group stand above the optimiser's, for the first pattern that fits."""
        self.train('--epochs', '2', '--optimizer', 'sgd:lr=0.05', '--out', self.path('a.onnx'))
        self.train('--epochs', '2', '--optimizer', 'sgd', '--lr', '0.1', '--weight-decay', '0.5', '--group',
                   '*.weight:lr=0.05,weight-decay=0', '--group', '*:weight-decay=0,lr=0.05', '--group', '*:lr=7', '--out',
                   self.path('b.onnx'))
        self.assertEqual(self.read('a.onnx'), self.read('b.onnx'))

    def test_init(self):
        names = ('default', 'orthogonal', 'he-normal', 'kaiming-normal', 'orthogonal:gain=2')
        for i, name in enumerate(names):
            self.train('--epochs', '1', '--init', name, '--out', self.path(f'{i}.onnx'))
        files = [self.read(f'{i}.onnx') for i in range(len(names))]
        self.assertEqual(files[2], files[3])
        self.assertEqual(len(set(files)), 4)
        err = self.train('--init', 'orthogonal', net=self.path('0.onnx'), code=1)
        self.assertIn('--init is for built-in networks', err)


class Signals(Train):
    def test_interrupt(self):
        """Ctrl-C: exit status 130, a checkpoint, no --out; the rest later gives what one run gives."""
        self.train('--epochs', '100', '--out', self.path('whole.onnx'))
        with self.start('--epochs', '100', '--checkpoint', self.path('c'), '--log', self.path('l'), '--log-steps', '1',
                        '--out', self.path('o.onnx')) as process:
            self.wait_for(lambda: os.path.exists(self.path('l')) and self.read('l').count(b'\n') >= 3, process)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn('--resume ' + self.path('c'), err)
        self.assertFalse(os.path.exists(self.path('o.onnx')))
        self.train('--epochs', '100', '--resume', self.path('c'), '--log', self.path('l'), '--out', self.path('o.onnx'))
        self.assertEqual(self.read('o.onnx'), self.read('whole.onnx'))
        self.assertEqual([line['epoch'] for line in self.log('l') if line['kind'] == 'epoch'],
                         list(range(1, 101)))

    def test_interrupt_without_checkpoint(self):
        with self.start('--epochs', '1000000', '--log', self.path('l'), '--log-steps', '1', '--out',
                        self.path('o.onnx')) as process:
            self.wait_for(lambda: os.path.exists(self.path('l')) and self.read('l').count(b'\n') >= 3, process)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(os.path.exists(self.path('o.onnx.ckpt')))

    def test_hangup_saves_and_goes_on(self):
        with self.start('--epochs', '1000000', '--checkpoint', self.path('c'), '--log', self.path('l'), '--log-steps',
                        '1') as process:
            self.wait_for(lambda: os.path.exists(self.path('l')) and self.read('l').count(b'\n') >= 3, process)
            process.send_signal(signal.SIGHUP)
            self.wait_for(lambda: os.path.exists(self.path('c')), process)
            lines = self.read('l').count(b'\n')
            self.wait_for(lambda: self.read('l').count(b'\n') > lines + 3, process)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn('saved ' + self.path('c'), out)


class Resumes(Train):
    def stop_inside(self, *args):
        """A run that ends inside an epoch."""
        with self.start('--epochs', '1000000', '--checkpoint', self.path('c'), '--log', self.path('l'), '--log-steps', '1',
                        *args) as process:
            self.wait_for(lambda: os.path.exists(self.path('l')) and self.read('l').count(b'"step"') >= 3, process)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        return self.log('l')[-1]

    def test_split_of_the_same_seed(self):
        """What the run held out stays held out, whatever --seed says now; and it is the same batch."""
        args = ['--val-split', '0.2', '--checkpoint', self.path('c')]
        want = result_of(self.train('--epochs', '3', '--seed', '7', '--out', self.path('whole.onnx'), *args))
        self.train('--epochs', '1', '--seed', '7', *args)
        with open(self.path('c'), 'rb') as f:
            first = f.read()
        code, out, err = run('oclnn-train', 'mlp784', '--data', self.spec, '--epochs', '3', '--val-split', '0.2', '--resume',
                             self.path('c'), '--seed', '3', '--out', self.path('parts.onnx'), folder=self.folder)
        self.assertEqual(code, 0, err)
        self.assertIn('--seed 3 is not used', err)
        self.assertEqual(result_of(out)['val_loss'], want['val_loss'])
        self.assertEqual(self.read('parts.onnx'), self.read('whole.onnx'))
        with open(self.path('c'), 'wb') as f:
            f.write(first)
        self.assertIn('best', self.train('--epochs', '2', '--resume', self.path('c'), '--val',
                                         self.make('val', *pictures(60, seed=2))))

    def test_inside_an_epoch(self):
        """Other batches, another order or fewer images are told apart; the epoch may begin anew; options may change."""
        while self.stop_inside()['step'] in (0, 10):
            os.remove(self.path('l'))
        few, other = self.make('few', *pictures(100)), self.make('other', *pictures(200, seed=2))
        epoch = self.log('l')[-1]['epoch']
        resume = ['--resume', self.path('c'), '--epochs', str(epoch + 1)]
        for args, spec, words in ((['--batch', '25'], None, 'batch 20 (now 25)'),
                                  (['--keep-order'], None, 'order shuffled (now as it is)'),
                                  (['--augment', 'flip'], None, 'augmentation none (now flip)'),
                                  (['--keep-last'], None, 'batch 20 (now 20 and the rest)'),
                                  ([], few, 'samples 200 (now 100)'), ([], other, "data's fingerprint ")):
            err = self.train(*resume, *args, spec=spec, code=1)
            self.assertIn(words, err)
        out = self.train(*resume, '--batch', '25', '--restart-epoch', '--clip-norm', '1', '--freeze', 'dense1*')
        self.assertEqual(result_of(out)['epochs'], epoch + 1)

    def test_out_that_cannot_be_written(self):
        """The weights are not lost: a checkpoint lies beside."""
        with self.start('--epochs', '300', '--log', self.path('l'), '--log-steps', '1', '--out',
                        self.path('o.onnx')) as process:
            self.wait_for(lambda: os.path.exists(self.path('l')), process)
            os.mkdir(self.path('o.onnx'))
            _, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn('o.onnx', err)
        self.assertIn('--resume ' + self.path('o.onnx.ckpt'), err)
        self.train('--epochs', '300', '--resume', self.path('o.onnx.ckpt'), '--out', self.path('p.onnx'))
        self.train('--epochs', '300', '--out', self.path('whole.onnx'))
        self.assertEqual(self.read('p.onnx'), self.read('whole.onnx'))


class Mistakes(Train):
    def check(self, words, *args, code=1, **kwargs):
        err = self.train(*args, '--epochs', '1', code=code, **kwargs)
        self.assertIn(words, err)
        self.assertEqual(err.count('oclnn-train: error: '), 1, err)

    def test_usage(self):
        for args, words in [(('--no-such',), 'no-such'), (('--loss', 'mse:gamma=2'), '"gamma"'), (('--loss', 'x'), '--loss'),
                            (('--loss', 'softmax-ce:smoothing=1'), 'smoothing'), (('--class-weights', '1'), 'balanced'),
                            (('--class-weights', '1,-2'), 'balanced'), (('--group', 'fc*'), 'PATTERN:lr=X'),
                            (('--class-weights', '1,2,1,1', '--loss', 'dice-logits'), 'dice is a mean'),
                            (('--group', 'fc*:lr=0'), 'lr wants'), (('--group', 'fc*:x=1'), 'there is no "x"'),
                            (('--init', 'random'), 'orthogonal'), (('--init', 'xavier-normal:gain=2'), '"gain"'),
                            (('--monitor', 'time'), 'accuracy'), (('--monitor', 'accuracy'), '--val'),
                            (('--monitor', 'iou', '--val-split', '0.2'), 'masks'), (('--best-checkpoint', 'c'), '--val'),
                            (('--best-checkpoint', 'c', '--checkpoint', 'c', '--val-split', '.2'), 'another --checkpoint'),
                            (('--classes', '1'), 'one output'),
                            (('--optimizer', 'adam:x=1'), '--optimizer'), (('--schedule', 'sometimes'), '--schedule'),
                            (('--lr', '0'), '--lr'), (('--early-stop', '2'), '--val'), (('--best', 'b'), '--val'),
                            (('--augment', 'upside-down'), 'upside-down'), (('--batch', '0'), '--batch'),
                            (('--val-split', '1'), '--val-split'), (('--seed', '-1'), '--seed'),
                            (('--memory-budget', 'lots'), '--memory-budget'), (('--ema', '1'), '--ema'),
                            (('--mean', '1,2'), '--mean'), (('--std', '0'), '--std'), (('--size', '12x12'), '--size'),
                            (('--log-steps', '5'), '--log'),
                            (('--restart-epoch',), '--resume'), (('another',), 'one network')]:
            code, out, err = run('oclnn-train', 'mlp784', '--data', self.spec, *args)
            self.assertEqual((code, out), (2, ''), f'{args}: {err}')
            self.assertIn(words, err)
        self.assertEqual(run('oclnn-train', '--data', self.spec)[0], 2)
        self.assertIn('--data', run('oclnn-train', 'mlp784')[2])

    def test_network(self):
        self.check('neither a file nor a built-in network', net='lenet-five')
        with open(self.path('bad.onnx'), 'wb') as f:
            f.write(b'nonsense')
        self.check('bad.onnx', net=self.path('bad.onnx'))
        self.check('all 4 parameters of the model are frozen', '--freeze', '*')
        self.check("none of the 4 parameters is called 'conv*'; there are dense1.weight", '--freeze', '*bias', '--freeze',
                   'conv*')
        self.check('--replace-head is for files', '--replace-head')
        self.check('has 2 numbers, the network tells 4 classes', '--class-weights', '1,2')
        self.check("none of the 4 parameters is called 'fc*'", '--group', 'fc*:lr=1')
        self.check('bce takes probabilities', '--loss', 'bce')
        self.check('labels up to 3, the network 2 classes', '--classes', '1', '--loss', 'focal')

    def test_data(self):
        self.check('none_x.npy', spec=f'npy:{self.path("none_x.npy")},{self.path("none_y.npy")}')
        self.check('mnist', spec='mnist:' + self.path('nowhere'))
        x, label = pictures(40)
        label.values[7] = -1
        self.check('sample 7 has class -1', spec=self.make('negative', x, label))
        self.check('labels up to 3', '--classes', '3')
        self.check('labels up to 5', '--val', self.make('six', *pictures(60, classes=6)))
        self.check('1x10x10', '--val', self.make('small', *pictures(40, height=10)))
        self.check('square images of 1 channel', spec=self.make('colour', *pictures(40, channels=3)))
        self.check('square', spec=self.make('wide', *pictures(40, width=8)))
        self.check('smaller --batch', spec=self.make('few', *pictures(10)))
        self.check('at least', net='lenet5', spec=self.make('tiny', *pictures(40, height=4)))
        with open(self.path('train_x.npy'), 'r+b') as f:
            f.truncate(5000)
        self.check('train_x.npy')

    def test_files(self):
        self.check('cannot write', '--out', self.path('no/such/folder.onnx'))
        self.check('cannot read the checkpoint', '--resume', self.path('no.ckpt'))
        with open(self.path('bad.ckpt'), 'wb') as f:
            f.write(b'nonsense')
        self.check('bad.ckpt', '--resume', self.path('bad.ckpt'))
        self.train('--epochs', '1', '--checkpoint', self.path('c'))
        self.check('another network', '--resume', self.path('c'), net='lenet5')
        content = self.read('c')
        with open(self.path('cut'), 'wb') as f:
            f.write(content[:len(content) // 2])
        self.check('cut', '--resume', self.path('cut'))

    def test_loss_that_is_not_finite(self):
        """What was saved before stays."""
        for name in ('o.onnx', 'best.onnx', 'c'):
            with open(self.path(name), 'w') as f:
                f.write('precious')
        self.check('not a number', '--optimizer', 'sgd', '--lr', '9e4', '--weight-decay', '9e4', '--val-split', '0.2', '--out',
                   self.path('o.onnx'), '--best', self.path('best.onnx'), '--checkpoint', self.path('c'))
        for name in ('o.onnx', 'best.onnx', 'c'):
            self.assertEqual(self.read(name), b'precious')


if __name__ == '__main__':
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    tool_test.main()
