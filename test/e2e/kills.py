"""oclnn-train killed without warning, again and again, at any moment: what lies on the disk always goes on, and ends where a
run that nobody killed ends, bit by bit. With --all many more times."""
import os
import random
import subprocess
import sys
import tempfile
import time

import tool_test
from train import pictures

KILLS = 200 if '--all' in sys.argv else 6
EPOCHS = 40


def main():
    chance = random.Random(int(os.environ.get('OCLNN_TEST_SEED', '1')))
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)

        for name, array in zip('xy', pictures(120)):
            array.save(path(name + '.npy'))
        command = [os.path.join(tool_test.TOOLS, 'oclnn-train'), 'mlp784', '--data', f'npy:{path("x.npy")},{path("y.npy")}',
                   '--epochs', str(EPOCHS), '--batch', '20', '--augment', 'flip,crop:2', '--ema', '0.9', '--accumulate',
                   '4', '--val-split', '0.2', '-q']
        for _ in range(2):  # the second has all its kernels
            started = time.monotonic()
            subprocess.run([*command, '--out', path('whole.onnx'), '--checkpoint', path('w'), '--checkpoint-steps', '1'],
                           check=True, stdout=subprocess.DEVNULL, timeout=600)
            whole = time.monotonic() - started
        os.remove(path('w'))
        killed = rounds = 0
        while killed < KILLS:
            rounds += 1
            resume = ['--resume', path('c')] if os.path.exists(path('c')) else []
            process = subprocess.Popen([*command, '--out', path('o.onnx'), '--checkpoint', path('c'),
                                        '--checkpoint-steps', '1', *resume], stdout=subprocess.DEVNULL)
            try:
                code = process.wait(chance.random() * whole)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
                killed += 1
            assert code in (0, -9), f'round {rounds}: exit status {code}'
            if code == 0:  # from the start again, until there were enough kills
                same(path)
                os.remove(path('c'))
        subprocess.run([*command, '--out', path('o.onnx'), '--checkpoint', path('c'),
                        *(['--resume', path('c')] if os.path.exists(path('c')) else [])],
                       check=True, stdout=subprocess.DEVNULL, timeout=600)
        same(path)
        left = [name for name in os.listdir(folder) if name.startswith('.')]
        assert not left, f'left behind: {left}'
    print(f'{killed} kills in {rounds} rounds: same bytes at the end, nothing left behind')


def same(path):
    with open(path('whole.onnx'), 'rb') as a, open(path('o.onnx'), 'rb') as b:
        assert a.read() == b.read(), 'other weights than those of the run that nobody killed'


if __name__ == '__main__':
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    main()
