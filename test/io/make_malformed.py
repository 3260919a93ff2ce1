#!/usr/bin/env python3
"""Writes malformed (and a few odd but legal) ONNX models into a folder, with a writer of its own for the wire format.

usage: make_malformed.py FOLDER
A file's name starts with what must happen: bad_ = an error, ok_ = success, any_ = either, but no harm.
"""
import os
import random
import struct
import sys


# ---- the wire format ----
def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def tag(number, wire):
    return varint(number << 3 | wire)


def num(number, value):
    return tag(number, 0) + varint(value)


def raw(number, content):
    content = content.encode() if isinstance(content, str) else content
    return tag(number, 2) + varint(len(content)) + content


def flt(number, value):
    return tag(number, 5) + struct.pack('<f', value)


# ---- the messages of ONNX ----
def tensor(name='w', dims=(2,), dtype=1, data=None, extra=b''):
    count = 1
    for d in dims:
        count *= max(d, 0)
    if data is None:
        data = raw(9, struct.pack('<%df' % count, *range(count)))
    return b''.join(num(1, d) for d in dims) + num(2, dtype) + raw(8, name) + data + extra


def external(name, location, dims=(4,), **keys):
    entries = {'location': location}
    entries.update(keys)
    pairs = b''.join(raw(13, raw(1, k) + raw(2, str(v))) for k, v in entries.items() if v is not None)
    return tensor(name, dims, 1, b'', pairs + num(14, 1))


def value(name, dims=(1, 2), dtype=1):
    shape = b''.join(raw(1, raw(2, d) if isinstance(d, str) else num(1, d)) for d in dims)
    return raw(1, name) + raw(2, raw(1, num(1, dtype) + raw(2, shape)))


def attr(name, kind, content):
    return raw(1, name) + content + num(20, kind)


def node(op, ins, outs, attrs=(), name='', domain=None):
    return (b''.join(raw(1, i) for i in ins) + b''.join(raw(2, o) for o in outs) + (raw(3, name) if name else b'') +
            raw(4, op) + b''.join(raw(5, a) for a in attrs) + (raw(7, domain) if domain is not None else b''))


def graph(nodes=(), inits=(), ins=None, outs=None, extra=b''):
    ins = [value('x')] if ins is None else ins
    outs = [value('y')] if outs is None else outs
    return (b''.join(raw(1, n) for n in nodes) + raw(2, 'g') + b''.join(raw(5, t) for t in inits) +
            b''.join(raw(11, v) for v in ins) + b''.join(raw(12, v) for v in outs) + extra)


def model(g=None, ir=8, opset=13, extra=b''):
    return ((num(1, ir) if ir is not None else b'') + raw(2, 'test') + (raw(7, g) if g is not None else b'') +
            (raw(8, raw(1, '') + num(2, opset)) if opset is not None else b'') + extra)


RELU = node('Relu', ['x'], ['y'], name='r')


def with_init(t, **more):
    return model(graph([RELU], [t]), **more)


def with_node(n, **more):
    return model(graph([n]), **more)


def with_attr(a):
    return with_node(node('Softmax', ['x'], ['y'], [a]))


def base():
    """A model with one of everything: its truncations and mutations hit every field."""
    branch = [graph([node('Relu', ['b'], [n])], [], [], [value(n)]) for n in ('t', 'e')]
    return model(graph(
        [node('Conv', ['x', 'w', 'b0'], ['a'], [attr('pads', 7, b''.join(num(8, 1) for _ in range(4))),
                                               attr('group', 2, num(3, 1))], 'conv1'),
         node('Relu', ['a'], ['b'], name='relu1'),
         node('If', ['c'], ['d'], [attr('then_branch', 5, raw(6, branch[0])), attr('else_branch', 5, raw(6, branch[1]))]),
         node('LeakyRelu', ['d'], ['l'], [attr('alpha', 1, flt(2, 0.5))]),
         node('Constant', [], ['s'], [attr('value', 4, raw(5, tensor('', (2,), 7, raw(7, varint(1) + varint(-1)))))]),
         node('Reshape', ['l', 's'], ['y'])],
        [tensor('w', (2, 1, 3, 3)), tensor('b0', (2,), 1, raw(4, struct.pack('<2f', 1, 2)))],
        [value('x', ('N', 1, 4, 4)), value('c', (), 9)], [value('y', ('N', 32))], raw(13, value('a', (1, 2, 4, 4)))),
        extra=raw(14, raw(1, 'key') + raw(2, 'value')))


def boundaries(data, at=0, end=None, depth=0):
    """Positions where fields begin, inside everything that looks like a message."""
    end = len(data) if end is None else end
    while at < end:
        yield at
        number = shift = 0
        while at < end:
            number |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                break
        wire, size, shift = number & 7, 0, 0
        if wire == 5:
            at += 4
        elif wire in (0, 2):
            while at < end:
                size |= (data[at] & 127) << shift
                at, shift = at + 1, shift + 7
                if data[at - 1] < 128:
                    break
            if wire == 2:
                if depth < 8 and size:
                    yield from boundaries(data, at, min(at + size, end), depth + 1)
                at += size
        else:
            return


# ---- the files ----
def wire_cases(add):
    good = model(graph([RELU]))
    add('bad', 'empty', b'')
    add('bad', 'zero', b'\0')
    add('bad', 'text', b'this is not a model\n')
    add('bad', 'gzip', b'\x1f\x8b\x08\0\0\0\0\0\0\3' + good)
    add('bad', 'field_zero', good + b'\x02\x00')
    for wire in (3, 4, 6, 7):
        add('bad', 'wire_type_%d' % wire, good + tag(99, wire) + b'\0\0\0\0')
    add('bad', 'varint_too_long', good + b'\xff' * 11)
    add('bad', 'tag_over_32_bits', good + varint(1 << 40) + b'\0')
    for bits in (7, 20, 31, 32, 33, 62, 63):
        add('bad', 'length_2_to_%d' % bits, good + tag(6, 2) + varint(1 << bits))
        add('bad', 'graph_length_2_to_%d' % bits, num(1, 8) + tag(7, 2) + varint(1 << bits) + graph([RELU]))
    add('bad', 'length_all_ones', good + tag(6, 2) + varint(-1))
    for number in (1, 5):
        for wire, content in ((1, b'\0' * 8), (2, b'\1a'), (5, b'\0' * 4)):
            add('bad', 'integer_%d_as_%d' % (number, wire), tag(number, wire) + content + good)
    for number in (2, 7, 8):
        for wire, content in ((0, b'\1'), (1, b'\0' * 8), (5, b'\0' * 4)):
            add('bad', 'bytes_%d_as_%d' % (number, wire), tag(number, wire) + content + good)
    add('bad', 'graph_twice', good + raw(7, graph([RELU])))
    add('bad', 'name_with_nul', with_node(node('Relu', ['x'], ['y'], name='a\0b')))
    add('bad', 'name_with_escape', with_node(node('Relu', ['x'], ['y'], name='\x1b[31m')))
    add('ok', 'unknown_fields', good + num(77, 5) + raw(78, b'abc') + flt(79, 1) + tag(80, 1) + b'\0' * 8)
    nested = graph([RELU])
    for _ in range(40):
        nested = graph([node('If', ['x'], ['y'], [attr('then_branch', 5, raw(6, nested))])])
    add('bad', 'deep_subgraphs', model(nested))
    kind = num(1, 1)
    for _ in range(3000):
        kind = raw(4, raw(1, kind))
    add('bad', 'deep_types', model(graph([RELU], ins=[raw(1, 'x') + raw(2, kind)])))
    add('bad', 'million_nodes', model((raw(1, b'')) * 1500000))
    add('bad', 'million_tensors', model(raw(5, b'') * 1500000))
    add('bad', 'million_dims', model(graph([RELU], [num(1, 1) * 1500000])))
    add('bad', 'million_packed', with_attr(attr('axis', 7, raw(8, b'\1' * 24000000))))
    add('ok', 'floats_unpacked', with_init(tensor('w', (3,), 1, flt(4, 1) * 3)))
    add('bad', 'packed_odd', with_init(tensor('w', (1,), 1, raw(4, b'\0' * 5))))
    add('bad', 'packed_cut', with_init(tensor('w', (1,), 7, raw(7, b'\xff'))))


def model_cases(add):
    add('bad', 'no_graph', model(None))
    add('bad', 'no_ir_version', model(graph([RELU]), ir=None))
    for ir in (0, -1):
        add('bad', 'ir_version_%d' % ir, model(graph([RELU]), ir=ir))
    add('ok', 'ir_version_99', model(graph([RELU]), ir=99))
    add('ok', 'ir_version_2_without_opset', model(graph([RELU]), ir=2, opset=None))
    add('bad', 'no_opset', model(graph([RELU]), opset=None))
    for opset in (0, -1, 1 << 40):
        add('bad', 'opset_%d' % opset, model(graph([RELU]), opset=opset))
    add('ok', 'opset_newer', model(graph([RELU]), opset=99))
    add('bad', 'opset_conflict', model(graph([RELU]), extra=raw(8, raw(1, 'ai.onnx') + num(2, 7))))
    add('ok', 'opset_ml_unused', model(graph([RELU]), extra=raw(8, raw(1, 'ai.onnx.ml') + num(2, 2))))
    add('bad', 'node_without_type', with_node(raw(1, 'x') + raw(2, 'y')))
    add('bad', 'node_unknown', with_node(node('Frobnicate', ['x'], ['y'])))
    add('bad', 'node_other_domain', with_node(node('Relu', ['x'], ['y'], domain='com.example')))
    add('ok', 'node_default_domain', with_node(node('Relu', ['x'], ['y'], domain='ai.onnx')))
    add('bad', 'fifty_unknown', model(graph([node('Foo%d' % i, ['x'], ['y%d' % i]) for i in range(50)])))
    add('bad', 'cycle_self', with_node(node('Relu', ['y'], ['y'])))
    add('bad', 'cycle_two', model(graph([node('Relu', ['y'], ['a']), node('Relu', ['a'], ['y'])])))
    ring = [node('Relu', ['v%d' % i], ['v%d' % ((i + 1) % 5000)]) for i in range(5000)]
    add('bad', 'cycle_long', model(graph(ring, outs=[value('v0')])))
    chain = [node('Relu', ['v%d' % i], ['v%d' % (i + 1)]) for i in range(20000)]
    add('ok', 'chain_reversed', model(graph(chain[::-1], ins=[value('v0')], outs=[value('v20000')])))
    many = [node('Sum', ['s%d' % i for i in range(20000)], ['y'])] + [
        node('Relu', ['x'], ['s%d' % i]) for i in range(20000)]
    add('ok', 'deep_fan_in_reversed', model(graph(many)))
    add('ok', 'two_nodes_reversed', model(graph([node('Relu', ['a'], ['y']), node('Relu', ['x'], ['a'])])))
    add('bad', 'input_missing', with_node(node('Relu', ['nowhere'], ['y'])))
    add('bad', 'input_absent', with_node(node('Relu', [''], ['y'])))
    add('bad', 'input_none', with_node(node('Relu', [], ['y'])))
    add('bad', 'inputs_too_many', with_node(node('Relu', ['x'] * 99, ['y'])))
    add('bad', 'outputs_none', with_node(node('Relu', ['x'], [])))
    add('bad', 'outputs_too_many', with_node(node('Relu', ['x'], ['y', 'z'])))
    add('bad', 'value_made_twice', model(graph([RELU, node('Relu', ['x'], ['y'])])))
    add('bad', 'value_is_input', with_node(node('Relu', ['x'], ['x'])))
    add('bad', 'value_is_initializer', model(graph([node('Relu', ['x'], ['w'])], [tensor()], outs=[value('w')])))
    add('bad', 'initializer_twice', model(graph([RELU], [tensor(), tensor()])))
    add('bad', 'input_twice', model(graph([RELU], ins=[value('x'), value('x')])))
    add('bad', 'no_outputs', model(graph([RELU], outs=[])))
    add('bad', 'output_unknown', model(graph([RELU], outs=[value('q')])))
    add('bad', 'output_unnamed', model(graph([RELU], outs=[value('')])))
    add('ok', 'output_is_input', model(graph([], outs=[value('x')])))
    add('bad', 'input_unnamed', model(graph([RELU], ins=[value('x'), value('')])))
    add('bad', 'input_untyped', model(graph([RELU], ins=[raw(1, 'x')])))
    add('bad', 'input_empty_type', model(graph([RELU], ins=[raw(1, 'x') + raw(2, b'')])))
    add('bad', 'input_sequence', model(graph([RELU], ins=[raw(1, 'x') + raw(2, raw(4, raw(1, raw(1, num(1, 1)))))])))
    for dtype in (0, 8, 14, 99, -1):
        add('bad', 'input_type_%d' % dtype, model(graph([RELU], ins=[value('x', (1,), dtype)])))
    add('bad', 'input_rank_9', model(graph([RELU], ins=[value('x', (1,) * 9)])))
    add('bad', 'input_too_big', model(graph([RELU], ins=[value('x', (1 << 40, 1 << 40))])))
    add('ok', 'input_without_shape', model(graph([RELU], ins=[raw(1, 'x') + raw(2, raw(1, num(1, 1)))])))
    add('ok', 'input_negative_dim', model(graph([RELU], ins=[value('x', (-5, 2))])))
    add('bad', 'sparse_initializer', model(graph([RELU], extra=raw(15, raw(1, tensor())))))


def tensor_cases(add):
    def bad(name, t):
        add('bad', 'tensor_' + name, with_init(t))
        add('bad', 'constant_' + name, model(graph([RELU, node('Constant', [], ['k'], [attr('value', 4, raw(5, t))])])))

    add('bad', 'initializer_unnamed', with_init(tensor('')))
    bad('negative_dim', tensor(dims=(-1,)))
    bad('overflow', tensor(dims=(1 << 32, 1 << 32), data=raw(9, b'')))
    bad('overflow_bytes', tensor(dims=(1 << 62,), data=raw(9, b'')))
    bad('terabyte', tensor(dims=(1 << 38,), data=raw(9, b'abcd')))
    bad('terabyte_no_data', tensor(dims=(1 << 38,), data=b''))
    bad('rank_9', tensor(dims=(1,) * 9))
    bad('raw_short', tensor(dims=(3,), data=raw(9, b'\0' * 11)))
    bad('raw_long', tensor(dims=(3,), data=raw(9, b'\0' * 13)))
    bad('no_data', tensor(dims=(3,), data=b''))
    bad('list_short', tensor(dims=(3,), data=raw(4, struct.pack('<2f', 1, 2))))
    bad('list_long', tensor(dims=(1,), data=raw(4, struct.pack('<2f', 1, 2))))
    bad('wrong_list', tensor(dims=(2,), data=raw(7, b'\1\2')))
    bad('two_lists', tensor(dims=(2,), data=raw(4, struct.pack('<2f', 1, 2)) + raw(7, b'\1\2')))
    bad('raw_and_list', tensor(dims=(1,), data=raw(9, b'\0' * 4) + raw(4, struct.pack('<f', 1))))
    bad('strings', tensor(dims=(1,), dtype=8, data=raw(6, 'abc')))
    for dtype in (0, 8, 14, 15, 99, -1):
        bad('type_%d' % dtype, tensor(dims=(1,), dtype=dtype))
    bad('u8_300', tensor(dims=(1,), dtype=2, data=raw(5, varint(300))))
    bad('i8_minus_129', tensor(dims=(1,), dtype=3, data=raw(5, varint(-129))))
    bad('bool_2', tensor(dims=(1,), dtype=9, data=raw(5, varint(2))))
    bad('f16_70000', tensor(dims=(1,), dtype=10, data=raw(5, varint(70000))))
    bad('f64_as_int32', tensor(dims=(1,), dtype=11, data=raw(5, varint(1))))
    bad('segment', tensor(extra=raw(3, num(1, 0) + num(2, 1))))
    for dtype, size in ((1, 4), (2, 1), (3, 1), (6, 4), (7, 8), (9, 1), (10, 2), (11, 8), (16, 2)):
        add('ok', 'tensor_raw_%d' % dtype, with_init(tensor(dims=(3,), dtype=dtype, data=raw(9, b'\1' * 3 * size))))
        add('bad', 'tensor_raw_%d_cut' % dtype, with_init(tensor(dims=(3,), dtype=dtype, data=raw(9, b'\1' * (3 * size - 1)))))
    for dtype in (2, 3, 6, 9, 10, 16):
        add('ok', 'tensor_int32_%d' % dtype, with_init(tensor(dims=(2,), dtype=dtype, data=raw(5, b'\1\0'))))
    add('ok', 'tensor_scalar', with_init(tensor(dims=())))
    add('ok', 'tensor_empty', with_init(tensor(dims=(0, 3), data=b'')))


def attr_cases(add):
    add('bad', 'attr_unnamed', with_attr(num(3, 1) + num(20, 2)))
    add('bad', 'attr_twice', with_node(node('Softmax', ['x'], ['y'], [attr('axis', 2, num(3, 1))] * 2)))
    add('bad', 'attr_int_holds_floats', with_attr(attr('axis', 2, raw(7, struct.pack('<f', 1)))))
    add('bad', 'attr_float_for_int', with_attr(attr('axis', 1, flt(2, 1))))
    add('bad', 'attr_ints_for_int', with_attr(attr('axis', 7, num(8, 1))))
    add('bad', 'attr_string_for_int', with_attr(attr('axis', 3, raw(4, 'one'))))
    add('bad', 'attr_tensor_empty', with_attr(attr('axis', 4, b'')))
    add('bad', 'attr_graph_empty', with_attr(attr('axis', 5, b'')))
    add('bad', 'attr_reference', with_attr(raw(1, 'axis') + raw(21, 'other') + num(20, 2)))
    for kind in (9, 10, 11, 12, 13, 14, 77, -1):
        add('bad', 'attr_type_%d' % kind, with_attr(attr('axis', kind, b'')))
    add('bad', 'attr_string_nul', with_attr(attr('axis', 3, raw(4, b'a\0b'))))
    add('ok', 'attr_unknown', with_attr(attr('colour', 2, num(3, 1))))
    add('ok', 'attr_without_type', with_attr(raw(1, 'axis') + num(3, 1)))
    add('bad', 'attr_many', with_node(node('Softmax', ['x'], ['y'], [attr('a%d' % i, 2, num(3, 1)) for i in range(2000)])))
    for number, kind in ((8, 3), (4, 77)):
        add('bad', 'constant_kind_%d' % kind, with_node(node('Constant', [], ['y'], [attr('value', kind, raw(number, 'a'))])))
    add('bad', 'constant_nothing', with_node(node('Constant', [], ['y'])))
    add('bad', 'constant_two_outputs', with_node(node('Constant', [], ['y', 'z'], [attr('value_int', 2, num(3, 1))])))
    add('ok', 'constant_int', with_node(node('Constant', [], ['y'], [attr('value_int', 2, num(3, 1))])))
    branch = graph([node('Relu', ['nowhere'], ['t'])], [], [], [value('t')])
    add('bad', 'branch_unknown_value', with_node(node('If', ['x'], ['y'], [
        attr('then_branch', 5, raw(6, branch)), attr('else_branch', 5, raw(6, branch))])))
    cyclic = graph([node('Relu', ['t'], ['t'])], [], [], [value('t')])
    add('bad', 'branch_cycle', with_node(node('If', ['x'], ['y'], [
        attr('then_branch', 5, raw(6, cyclic)), attr('else_branch', 5, raw(6, cyclic))])))
    add('bad', 'branch_missing_operator', with_node(node('If', ['x'], ['y'], [attr('then_branch', 5, raw(
        6, graph([node('Frobnicate', ['x'], ['t'])], [], [], [value('t')])))])))
    outer = graph([node('Relu', ['y'], ['t'])], [], [], [value('t')])
    add('bad', 'branch_reads_own_output', with_node(node('If', ['x'], ['y'], [
        attr('then_branch', 5, raw(6, outer)), attr('else_branch', 5, raw(6, outer))])))
    for opset, op, attrs in ((6, 'Add', [attr('axis', 2, num(3, 99)), attr('broadcast', 2, num(3, 1))]),
                             (6, 'Clip', [attr('min', 7, num(8, 1))]), (9, 'Slice', [attr('starts', 2, num(3, 1))]),
                             (9, 'TopK', [attr('k', 3, raw(4, 'k'))]), (7, 'Upsample', [attr('scales', 2, num(3, 1))]),
                             (5, 'Cast', [attr('to', 3, raw(4, 'COMPLEX'))]), (10, 'Pad', [attr('pads', 1, flt(2, 1))])):
        ins = ['x', 'x'] if op == 'Add' else ['x']
        add('bad', 'old_%s_%d' % (op, opset), with_node(node(op, ins, ['y'], attrs), opset=opset))


def external_cases(add, folder):
    def put(name, content):
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(content)

    put('four.bin', bytes(16))
    put('linked.bin', bytes(16))
    put('empty.bin', b'')
    put('big.bin', bytes(1 << 20))
    os.makedirs(os.path.join(folder, 'sub'), exist_ok=True)
    put('sub/inner.bin', bytes(16))
    for name, make in (('soft.bin', lambda p: os.symlink('four.bin', p)),
                       ('softdir', lambda p: os.symlink('sub', p)),
                       ('hard.bin', lambda p: os.link(os.path.join(folder, 'linked.bin'), p)),
                       ('pipe.bin', os.mkfifo)):
        path = os.path.join(folder, name)
        if not os.path.lexists(path):
            make(path)
    ok = {'plain': ('four.bin', {}), 'inner': ('sub/inner.bin', {}), 'offset': ('big.bin', {'offset': 64, 'length': 16}),
          'length': ('four.bin', {'length': 16})}
    bad = {'absolute': ('/etc/passwd', {}), 'parent': ('../four.bin', {}), 'parent_inside': ('sub/../four.bin', {}),
           'dot': ('./four.bin', {}), 'double_slash': ('sub//inner.bin', {}), 'slash_end': ('four.bin/', {}),
           'only_slash': ('/', {}), 'only_dots': ('..', {}), 'empty': ('', {}), 'none': (None, {}),
           'backslash': ('..\\four.bin', {}), 'newline': ('four\n.bin', {}), 'missing': ('nothing.bin', {}),
           'folder': ('sub', {}), 'symlink': ('soft.bin', {}), 'symlink_folder': ('softdir/inner.bin', {}),
           'hard_link': ('hard.bin', {}), 'hard_link_first': ('linked.bin', {}), 'pipe': ('pipe.bin', {}),
           'file_as_folder': ('four.bin/x', {}), 'too_short': ('empty.bin', {}), 'offset_behind': ('four.bin', {'offset': 4}),
           'offset_huge': ('four.bin', {'offset': (1 << 64) - 4}), 'offset_over': ('four.bin', {'offset': 1 << 80}),
           'offset_negative': ('four.bin', {'offset': -4}), 'offset_text': ('four.bin', {'offset': 'x'}),
           'offset_empty': ('four.bin', {'offset': ''}), 'length_short': ('four.bin', {'length': 12}),
           'length_long': ('four.bin', {'length': 20}), 'length_negative': ('four.bin', {'length': -1}),
           'long_name': ('a' * 300, {}), 'device': ('../../../../../../dev/zero', {})}
    for word, cases in (('ok', ok), ('bad', bad)):
        for name, (location, keys) in cases.items():
            add(word, 'external_' + name, with_init(external('w', location, **keys)))
    add('bad', 'external_terabyte', with_init(external('w', 'four.bin', (1 << 38,))))
    add('bad', 'external_and_raw', with_init(external('w', 'four.bin') + raw(9, bytes(16))))
    add('bad', 'external_same_bytes_often',
        model(graph([RELU], [external('w%d' % i, 'big.bin', (1 << 18,)) for i in range(100)])))


def deep_cases(add):
    """What a walk along the graph must not do: nest once per node, or look at all nodes for each one."""
    n = 20000

    def chain(op, x, y, other=()):
        names = [x] + ['%s_%s_%d' % (x, op, i) for i in range(1, n)] + [y]
        return [node(op, [names[i], *other], [names[i + 1]]) for i in range(n)]

    inputs = [value('x'), value('s', (2,), 7)]
    zeros = tensor('z', (2,), 7, raw(9, bytes(16)))
    reshape = node('Reshape', ['x', 't'], ['y'])
    cast = node('Cast', ['u'], ['t'], [attr('to', 2, num(3, 7))])
    add('ok', 'deep_steering', model(graph(chain('Add', 's', 't', ['z']) + [reshape], [zeros], inputs)))
    shape = tensor('k', (2,), 7, raw(9, struct.pack('<2q', 1, 2)))
    expand = node('Expand', ['x', 't'], ['y'])
    add('ok', 'deep_expand', model(graph(chain('Max', 's', 't', ['k']) + [expand], [shape], inputs)))
    product = node('MatMul', ['v', 'w'], ['u'])
    add('bad', 'deep_steering_by_data', model(graph(chain('Softmax', 'x', 'v') + [product, cast, reshape], [tensor()])))
    add('ok', 'deep_softmax', model(graph(chain('Softmax', 'x', 'y'))))
    add('ok', 'deep_relu', model(graph(chain('Relu', 'x', 'y'))))
    add('ok', 'deep_transpose', model(graph(chain('Transpose', 'x', 'y'))))
    add('ok', 'deep_affine', model(graph(chain('Mul', 'x', 'm', ['w']) + chain('Add', 'm', 'y', ['w']), [tensor()])))
    add('ok', 'deep_constant', model(graph(chain('Neg', 'w', 'v') + [node('Add', ['x', 'v'], ['y'])], [tensor()])))
    both = [node('Add', ['v%d' % i] * 2, ['v%d' % (i + 1)]) for i in range(200)]
    add('ok', 'deep_both_sides', model(graph(both, ins=[value('v0')], outs=[value('v200')])))
    wide = [node('Softmax', ['x'], ['s%d' % i]) for i in range(4000)]
    last = node('Concat', ['s%d' % i for i in range(4000)], ['y'], [attr('axis', 2, num(3, 0))])
    add('ok', 'deep_concat', model(graph(wide + [last])))


def mutations(add):
    good = base()
    add('ok', 'base', good)
    spots = sorted(set(boundaries(good)))
    for at in spots:
        if 0 < at < len(good):
            add('any', 'cut_%04d' % at, good[:at])
            add('any', 'cut_%04d_1' % at, good[:at + 1])
    for at in spots:
        for wire in range(8):
            add('any', 'wire_%04d_%d' % (at, wire), good[:at] + bytes([good[at] & 0xf8 | wire]) + good[at + 1:])
        add('any', 'number_%04d' % at, good[:at] + bytes([(good[at] + 8) & 127]) + good[at + 1:])
        if at + 1 < len(good):
            add('any', 'length_%04d' % at, good[:at + 1] + b'\xff\xff\xff\x7f' + good[at + 2:])
            add('any', 'huge_%04d' % at, good[:at + 1] + b'\xff' * 9 + b'\1' + good[at + 2:])
            add('any', 'zero_%04d' % at, good[:at + 1] + b'\0' + good[at + 2:])
    r = random.Random(1)
    for i in range(400):
        data = bytearray(good)
        for _ in range(r.choice((1, 1, 2, 8))):
            at = r.randrange(len(data))
            data[at] = r.choice((0, 1, 127, 128, 255, data[at] ^ 1 << r.randrange(8)))
        if r.random() < 0.3:
            at, n = r.randrange(len(data)), r.randrange(1, 40)
            data[at:at + n] = data[r.randrange(len(data)):][:n]
        add('any', 'random_%03d' % i, bytes(data))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    written = set()

    def add(word, name, content):
        path = '%s_%s.onnx' % (word, name.replace('-', 'minus'))
        assert path not in written, path
        written.add(path)
        with open(os.path.join(folder, path), 'wb') as f:
            f.write(content)

    wire_cases(add)
    model_cases(add)
    tensor_cases(add)
    attr_cases(add)
    external_cases(add, folder)
    deep_cases(add)
    mutations(add)
    print(len(written), 'files')


if __name__ == '__main__':
    main()
