"""Operators as old opsets wrote them give the numbers of today's form: one model with all of them in opset 3, the same in
opset 13, the same input, and outputs that agree in every bit."""
import os
import struct
import sys
import tempfile
import unittest
import zipfile

import tool_test
from tool_test import ROOT, run

sys.path.insert(0, os.path.join(ROOT, 'test', 'io'))
from make_malformed import attr, flt, graph, model, node, num, raw, tensor, value

SHAPE = (2, 3, 4, 4)


def ints(name, *v):
    return attr(name, 7, b''.join(num(8, x) for x in v))


def integer(name, v):
    return attr(name, 2, num(3, v))


def number(name, v):
    return attr(name, 1, flt(2, v))


def text(name, v):
    return attr(name, 3, raw(4, v))


def list_of(name, *v):
    return tensor(name, (len(v),), 7, raw(9, struct.pack('<%dq' % len(v), *v)))


def floats(name, dims):
    count = 1
    for d in dims:
        count *= d
    return tensor(name, dims, 1, raw(9, struct.pack('<%df' % count, *((i * 7 % 11 - 4) / 4 for i in range(count)))))


WEIGHTS = [floats('c3', (3,)), floats('n4', (4,)), floats('bias', (6,)), floats('dense', (48, 6)), floats('m3', (3,)),
           tensor('v3', (3,), 1, raw(9, struct.pack('<3f', 1, 2, 0.5)))]
CHANNELS = [floats('c311', (3, 1, 1))]
# Output: how opset 3 writes it (operator, inputs, attributes), how opset 13 does, and the constants of the latter.
FORMS = {
    'add': (('Add', ['x', 'c3'], [integer('broadcast', 1), integer('axis', 1)]), ('Add', ['x', 'c311'], []), []),
    'sub': (('Sub', ['x', 'n4'], [integer('broadcast', 1)]), ('Sub', ['x', 'n4'], []), []),
    'mul': (('Mul', ['x', 'c3'], [integer('broadcast', 1), integer('axis', 1)]), ('Mul', ['x', 'c311'], []), []),
    'prelu': (('PRelu', ['x', 'c3'], []), ('PRelu', ['x', 'c311'], []), []),
    'reshape': (('Reshape', ['x'], [ints('shape', 0, -1, 8)]), ('Reshape', ['x', 'to'], []), [list_of('to', 0, -1, 8)]),
    'cast': (('Cast', ['x'], [text('to', 'INT32')]), ('Cast', ['x'], [integer('to', 6)]), []),
    'concat': (('Concat', ['x', 'x'], []), ('Concat', ['x', 'x'], [integer('axis', 1)]), []),
    'gemm': (('Gemm', ['rows', 'dense', 'bias'], [integer('broadcast', 1)]), ('Gemm', ['rows', 'dense', 'bias'], []), []),
    'norm': (('BatchNormalization', ['x', 'c3', 'm3', 'm3', 'v3'], [integer('is_test', 1), ints('consumed_inputs', 0, 0)]),
             ('BatchNormalization', ['x', 'c3', 'm3', 'm3', 'v3'], []), []),
    'softmax': (('Softmax', ['rows'], []), ('Softmax', ['rows'], [integer('axis', 1)]), []),
    'clip': (('Clip', ['x'], [number('min', -0.5), number('max', 0.25)]), ('Clip', ['x', 'low', 'high'], []),
             [tensor('low', (), 1, raw(9, struct.pack('<f', -0.5))), tensor('high', (), 1, raw(9, struct.pack('<f', 0.25)))]),
    'dropout': (('Dropout', ['x'], [integer('is_test', 1), number('ratio', 0.5)]), ('Dropout', ['x'], []), []),
    'pad': (('Pad', ['x'], [ints('pads', 0, 0, 1, 0, 0, 0, 0, 2), number('value', 1.5)]), ('Pad', ['x', 'pads', 'fill'], []),
            [list_of('pads', 0, 0, 1, 0, 0, 0, 0, 2), tensor('fill', (), 1, raw(9, struct.pack('<f', 1.5)))]),
    'sum': (('ReduceSum', ['x'], [ints('axes', 1, 3)]), ('ReduceSum', ['x', 'over'], []), [list_of('over', 1, 3)]),
    'mean': (('ReduceMean', ['x'], [ints('axes', 2)]), ('ReduceMean', ['x'], [ints('axes', 2)]), []),
    'slice': (('Slice', ['x'], [ints('starts', 1, -3), ints('ends', 3, 4), ints('axes', 1, 2)]),
              ('Slice', ['x', 'starts', 'ends', 'axes'], []),
              [list_of('starts', 1, -3), list_of('ends', 3, 4), list_of('axes', 1, 2)]),
    'squeeze': (('Squeeze', ['one'], [ints('axes', 0)]), ('Squeeze', ['one', 'first'], []), [list_of('first', 0)]),
    'topk': (('TopK', ['rows'], [integer('k', 3)]), ('TopK', ['rows', 'three'], []), [list_of('three', 3)]),
}
SECOND = {'topk': 'topk_index'}


def build(side):
    """All forms of one side as a model: 0 is opset 3, 1 is opset 13."""
    nodes = [node('Flatten', ['x'], ['rows'])]
    unsqueeze = (node('Unsqueeze', ['x'], ['one'], [ints('axes', 0)]), node('Unsqueeze', ['x', 'zero'], ['one']))
    nodes.append(unsqueeze[side])
    constants = WEIGHTS + CHANNELS + ([list_of('zero', 0)] if side else [])
    outputs = []
    for name, form in FORMS.items():
        op, inputs, attributes = form[side]
        made = [name] + ([SECOND[name]] if name in SECOND else [])
        nodes.append(node(op, inputs, made, attributes))
        constants = constants + (form[2] if side else [])
        outputs += [value(o) for o in made]
    split = (node('Split', ['x'], ['left', 'right'], [integer('axis', 3), ints('split', 1, 3)]),
             node('Split', ['x', 'sizes'], ['left', 'right'], [integer('axis', 3)]))
    constants = constants + ([list_of('sizes', 1, 3)] if side else [])
    return model(graph(nodes + [split[side]], constants, [value('x', SHAPE)], outputs + [value('left'), value('right')]),
                 opset=(3, 13)[side])


def array(dims):
    """An .npy of f32."""
    count = 1
    for d in dims:
        count *= d
    head = repr({'descr': '<f4', 'fortran_order': False, 'shape': tuple(dims)}).encode()
    head += b' ' * (-(len(head) + 11) % 64) + b'\n'
    return (b'\x93NUMPY\1\0' + struct.pack('<H', len(head)) + head +
            struct.pack('<%df' % count, *((i * 37 % 97 - 48) / 32 for i in range(count))))


class Forms(unittest.TestCase):
    def test_same_bits(self):
        answers = []
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, 'x.npz')
            with zipfile.ZipFile(data, 'w') as z:
                z.writestr('x.npy', array(SHAPE))
            for side in (0, 1):
                path, out = os.path.join(folder, f'{side}.onnx'), os.path.join(folder, f'{side}.npz')
                with open(path, 'wb') as f:
                    f.write(build(side))
                code, _, err = run('oclnn-run', path, data, '--out', out)
                self.assertEqual((code, err), (0, ''))
                with zipfile.ZipFile(out) as z:
                    answers.append({name: z.read(name) for name in z.namelist()})
        old, new = answers
        self.assertEqual(sorted(old), sorted(new))
        self.assertEqual(len(old), len(FORMS) + len(SECOND) + 2)
        self.assertEqual([name for name in old if old[name] != new[name]], [])
        self.assertEqual(len(set(old.values())), len(old) - 1) # Dropout and Squeeze both give x
        self.assertNotIn(b'nan', b''.join(old.values()))


if __name__ == '__main__':
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    tool_test.main()
