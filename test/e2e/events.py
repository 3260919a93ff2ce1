"""TensorBoard event files: framing, checksums and fields by a reader of our own, and by the package tensorboard where this
interpreter or the one that $OCLNN_PEER_PYTHON names has it."""
import glob
import os
import struct
import subprocess
import sys
import tempfile
import unittest

import tool_test

WRITER = os.environ.get('OCLNN_WRITE_EVENTS')
LOSSES = [(100 * i, 1 / (i + 1)) for i in range(5)]

# Prints what TensorBoard's own accumulator finds, as one Python literal.
READER = r'''
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
a = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'tensors': 0, 'histograms': 0})
a.Reload()
tags = a.Tags()
out = {'scalars': {t: [(e.step, e.value) for e in a.Scalars(t)] for t in tags['scalars']}, 'histograms': {}}
for t in tags['histograms']:
    e, = a.Histograms(t)
    h = e.histogram_value
    out['histograms'][t] = (e.step, h.min, h.max, h.num, h.sum, h.sum_squares, list(h.bucket_limit), list(h.bucket))
print(out)
'''


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def records(data):
    while data:
        length, check = struct.unpack('<QI', data[:12])
        assert masked(crc32c(data[:8])) == check
        body = data[12:12 + length]
        assert len(body) == length
        assert struct.unpack('<I', data[12 + length:16 + length])[0] == masked(crc32c(body))
        yield body
        data = data[16 + length:]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def fields(data):
    out, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            size = 8 if key & 7 == 1 else 4
            value, at = struct.unpack('<d' if size == 8 else '<f', data[at:at + size])[0], at + size
        out[key >> 3] = value
    return out


class Events(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.logs = os.path.join(self.folder.name, 'deep', 'logs')
        done = subprocess.run([WRITER, self.logs], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def check_histograms(self, found):
        counted = [float(i - 499) for i in range(1000) if i not in (10, 20, 30)]
        step, low, high, n, total, squares, limits, buckets = found['weights/conv1']
        self.assertEqual((step, low, high, n, total), (7, -499, 500, 997, sum(counted)))
        self.assertEqual(squares, sum(v * v for v in counted))
        self.assertEqual((len(limits), limits[-1], sum(buckets)), (len(buckets), 500, 997))
        left = low
        for k, (right, have) in enumerate(zip(limits, buckets)):
            last = k == len(limits) - 1
            self.assertEqual(have, len([v for v in counted if left <= v < right or last and v == right]))
            left = right
        self.assertEqual(found['weights/equal'][1:5], (0.25, 0.25, 8, 2))
        self.assertEqual(found['weights/none'][3], 0)

    def check_scalars(self, found):
        self.assertEqual([s for s, _ in found['loss/train']], [s for s, _ in LOSSES])
        for (_, have), (_, want) in zip(found['loss/train'], LOSSES):
            self.assertAlmostEqual(have, want, places=6)
        (step, value), = found['a rate, ü']
        self.assertEqual(step, 5000000000)
        self.assertAlmostEqual(value, -0.001, places=9)

    def test_fields(self):
        path, = glob.glob(os.path.join(self.logs, 'events.out.tfevents.*'))
        self.assertEqual(masked(crc32c(b'123456789')), ((0xe3069283 >> 15 | 0xe3069283 << 17) + 0xa282ead8) & 0xffffffff)
        with open(path, 'rb') as f:
            events = [fields(r) for r in records(f.read())]
        self.assertEqual(events[0][3], b'brain.Event:2')
        scalars, histograms = {}, {}
        for e in events[1:]:
            value = fields(fields(e[5])[1])
            tag = value[1].decode()
            self.assertGreater(e[1], 1.6e9)
            if 2 in value:
                scalars.setdefault(tag, []).append((e[2], value[2]))
            else:
                h = fields(value[5])
                lists = [list(struct.unpack(f'<{len(h[k]) // 8}d', h[k])) for k in (6, 7)]
                histograms[tag] = (e[2], *[h[k] for k in range(1, 6)], *lists)
        self.check_scalars(scalars)
        self.check_histograms(histograms)

    def test_tensorboard(self):
        python = os.environ.get('OCLNN_PEER_PYTHON') or sys.executable
        if subprocess.run([python, '-c', 'import tensorboard'], capture_output=True).returncode:
            self.skipTest('no Python with the package tensorboard (OCLNN_PEER_PYTHON names one)')
        done = subprocess.run([python, '-c', READER, self.logs], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = eval(done.stdout, {'__builtins__': {}}) # a literal that the reader above printed
        self.check_scalars(found['scalars'])
        print(sorted(found['histograms']))
        self.check_histograms(found['histograms'])

    def test_not_writable(self):
        blocked = os.path.join(self.folder.name, 'file')
        open(blocked, 'w').close()
        done = subprocess.run([WRITER, os.path.join(blocked, 'logs')], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn('file/logs', done.stderr)


if __name__ == '__main__':
    tool_test.main()
