"""The figures that models are judged by, each line with its bar: answers on all test data, right answers over labelled sets,
memory of the tensors, and (printed only: no test fails because a machine is slow) cold and warm start.
usage: figures.py [TOOLS] [--all] [--only answers|counts|memory|start]; without --all a sample chosen by OCLNN_TEST_SEED."""
import json
import os
import subprocess
import sys
import tempfile
import time

import real_models
import tool_test
from tool_test import DATA, TOOLS, run

ALL = '--all' in sys.argv
ONLY = sys.argv[sys.argv.index('--only') + 1] if '--only' in sys.argv else None
ARENA_BAR = 1.15
COLD_BAR, WARM_BAR = 8.0, 0.5 # seconds: a network of ResNet-50's size on two cores under PoCL
misses = 0


def figure(what, reached, bar, is_reached):
    """One line; is_reached None: nothing to judge."""
    global misses
    misses += is_reached is False
    print(f'{"--  " if is_reached is None else "ok  " if is_reached else "MISS"}  {what}: {reached} (bar: {bar})', flush=True)


def answers(models):
    right = 0
    for m in models:
        code, out, err = run('oclnn-run', m.file, '--data', m.folder, '--tol', m.tolerance, '--json')
        rows = json.loads(out)['results'] if out else []
        passed = {row['data'] for row in rows} - {row['data'] for row in rows if row['status'] != 'pass'}
        worst = max((row['max_rel'] or 0 for row in rows), default=0)
        ok = code == 0 and len(passed) == len(m.sets) > 0
        right += ok
        figure(f'{m.name} --data', f'{len(passed)} of {len(m.sets)} sets, largest error {worst:.1e} of the largest value'
               + ('' if ok else f'; {err.strip()[-300:]}'), f'all, {m.tolerance}', ok)
    figure('models with right answers', f'{right} of {len(models)}', 'all', right == len(models))


PHOTOS = f'npy:{DATA}/images/imagenet40_224_u8.npy,{DATA}/images/imagenet40/labels.csv'
CIFAR = ['--scale', str(1 / 255), '--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225']
# model, what it is shown, top-1, top-5 (None: not promised), set, options
COUNTS = [
    ('mnist_8', '10,000 digits', 9891, None, f'mnist:{DATA}/datasets/mnist/t10k', []),
    ('resnet20_cifar10', '100 images', 95, None, f'cifar10:{DATA}/datasets/cifar10/cifar10_test_exact_100.bin.gz', CIFAR),
    ('resnet20_cifar10', '1000 JPEG copies', 824, None, f'cifar10:{DATA}/datasets/cifar10/cifar10_test_1000.bin.gz', CIFAR),
    ('squeezenet', '40 photos', 24, 33, PHOTOS, ['--bgr', '--mean', '103.939,116.779,123.68']),
    ('mobilenet_v2', '40 photos', 35, 39, PHOTOS, ['--mean', '128', '--std', '128', '--label-offset', '1']),
]


def counts(rows):
    for name, what, top1, top5, data, options in rows:
        code, out, err = run('oclnn-run', os.path.join(DATA, 'models', name, 'model.onnx'), '--eval', data, *options, '--json')
        got = json.loads(out)['results'][0] if code == 0 else {}
        reached = f'{got["top1"]} and {got["top5"]} of {got["images"]}' if got else err.strip()[-300:]
        ok = bool(got) and abs(got['top1'] - top1) <= 1 and (top5 is None or abs(got['top5'] - top5) <= 1)
        figure(f'{name} --eval, {what}, top-1 and top-5', reached, f'{top1}{"" if top5 is None else f" and {top5}"} ±1', ok)


def memory(models):
    worst = 0
    for m in models:
        code, out, err = run('oclnn-bench', m.file, '--data', m.sets[0], '--min-time', '1ms', '--min-runs', '1', '--warmup', '0',
                             '--tol', m.tolerance, '-o', 'json')
        rows = json.loads(out)['results'] if out else []
        if code or not rows:
            figure(f'{m.name} arena', err.strip()[-300:], f'{ARENA_BAR}', False)
            continue
        size = rows[0]['bytes']
        ratio = size['arena_tensors'] / size['arena_lower_bound'] if size['arena_lower_bound'] else 1
        worst = max(worst, ratio)
        figure(f'{m.name} arena of tensors / largest sum of live tensors',
               f'{ratio:.3f} ({size["arena_tensors"]} and {size["arena_lower_bound"]} bytes, padding {size["padding"]}, '
               f'workspace {size["workspace"]})', f'{ARENA_BAR}', ratio <= ARENA_BAR)
    figure('largest of them', f'{worst:.3f}', f'{ARENA_BAR}', worst <= ARENA_BAR)


def start(model, rounds=3):
    """From exec to exit, caches of the driver and the library empty, then filled."""
    cold, warm = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            env = dict(os.environ, XDG_CACHE_HOME=folder, POCL_CACHE_DIR=os.path.join(folder, 'pocl'))
            for times in (cold, warm, warm):
                begin = time.monotonic()
                done = subprocess.run([os.path.join(TOOLS, 'oclnn-run'), model.file, '--data', model.folder], env=env,
                                      capture_output=True, text=True)
                times.append(time.monotonic() - begin)
                if done.returncode:
                    figure(f'{model.name} start', done.stderr.strip()[-300:], 'right answers', False)
                    return
    for what, times, bar in (('empty', cold, COLD_BAR), ('filled', warm, WARM_BAR)):
        figure(f'{model.name} from exec to exit, caches {what}',
               f'{min(times):.2f} to {max(times):.2f} s, median {sorted(times)[len(times) // 2]:.2f}', f'{bar} s', None)


def main():
    models, large = real_models.stored(), []
    if not models:
        tool_test.skip('no ../shared/data')
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    if ALL:
        large, why = real_models.made()
        if why:
            print(f'skipped: the made models: {why}')
    some = models + large if ALL else real_models.sample(models, 3, 'answers')
    parts = {'answers': lambda: answers(some), 'memory': lambda: memory(some),
             'counts': lambda: counts(COUNTS if ALL else real_models.sample(COUNTS, 2, 'counts')),
             'start': lambda: [start(m) for m in large if m.name == 'made_resnet50']}
    for name, part in parts.items():
        if ONLY in (None, name):
            part()
    return 1 if misses else 0


if __name__ == '__main__':
    sys.exit(main())
