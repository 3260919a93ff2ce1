#!/usr/bin/env python3
"""One table: oclnn beside ONNX Runtime, OpenVINO and PyTorch, as far as they are installed here.

usage: compare_peers.py [--bench build/tools/oclnn-bench] [-d DEV[,..]] [--engines ort,openvino,torch] [--threads N]
                        [--seconds 2] [--rounds 5] [--batch N] [--tol T] [--train] [-o md|json] MODEL...

MODEL is an ONNX file, a folder with model.onnx (and test_data_set_0, whose inputs are then fed), or the name of a
built-in network: oclnn-run exports it for ONNX Runtime and OpenVINO, and PyTorch runs its own of that name where it or
torchvision has one. The peers run on the CPU with --threads threads (default: all). Every round runs each engine once for
seconds/rounds, in turn, so that a drift of the machine meets all of them; the median over all rounds counts. Outputs are
compared with those of test_data_set_0, else with ONNX Runtime's: |got - want| <= T * max|want| + 1e-5; a model with wrong
ones has no ratio. Last lines: geometric mean and worst ratio for each peer (above 1 = oclnn is faster), over all models
and over those that take the peer 0.3 ms or more. Exit status: 0 when every model ran and was right.
--train: MODEL is a network that PyTorch has too (mlp784, lenet5, mnist-conv1, mnist-conv2, cifar-lenet, resnet20-cifar,
resnet18-cifar, resnet50, mobilenet-v2, unet-128), training steps are timed (peers_training.py).
Needs Python's numpy and onnx for ONNX files; an engine that is not installed is left out with a line that says so."""
import argparse
import glob
import importlib
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOLERANCE = 1e-3
# Half precision, and a reference that another engine computed.
TOLERANCES = {'squeezenet_fp16': 1e-2, 'light_densenet121': 2e-3}
SMALL_MS = 0.3


def module(name):
    try:
        return importlib.import_module(name)
    except Exception:
        return None


np, onnx = module('numpy'), module('onnx')


class Model:
    """What is compared: its ONNX file or name, and the inputs that everyone gets."""

    def __init__(self, argument, options, folder):
        self.path, self.data, self.feed, self.want = None, None, {}, None
        self.is_built_in = not os.path.exists(argument)
        self.name = os.path.basename(argument.rstrip('/'))
        if self.name == 'model.onnx':
            self.name = os.path.basename(os.path.dirname(os.path.abspath(argument)))
        if os.path.isdir(argument):
            self.path = os.path.join(argument, 'model.onnx')
            data = os.path.join(argument, 'test_data_set_0')
            self.data = data if os.path.isdir(data) else None
        elif os.path.isfile(argument):
            self.path = argument
        self.batch = options.batch or 1
        if self.is_built_in and np and onnx:
            self.export(argument, options, folder)
        self.item = self.path or argument
        if self.path:
            if not np or not onnx:
                raise RuntimeError('ONNX files need the Python packages numpy and onnx')
            self.read_inputs()
            self.read_outputs()

    def export(self, name, options, folder):
        run = os.path.join(os.path.dirname(options.bench), 'oclnn-run')
        self.path = os.path.join(folder, name + '.onnx')
        done = subprocess.run([run, name, '--export', self.path], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ['oclnn-run --export failed'])[-1])

    def read_outputs(self):
        paths = [f'{self.data}/output_{k}.pb' for k in range(len(glob.glob(f'{self.data}/output_*.pb')))] if self.data else []
        for path in paths:
            tensor = onnx.TensorProto()
            with open(path, 'rb') as f:
                tensor.ParseFromString(f.read())
            self.want = (self.want or []) + [onnx.numpy_helper.to_array(tensor)]

    def read_inputs(self):
        graph = onnx.load(self.path).graph
        stored = {i.name for i in graph.initializer}
        rng = np.random.default_rng(0)
        for k, value in enumerate(i for i in graph.input if i.name not in stored):
            if self.data:
                tensor = onnx.TensorProto()
                with open(f'{self.data}/input_{k}.pb', 'rb') as f:
                    tensor.ParseFromString(f.read())
                self.feed[value.name] = onnx.numpy_helper.to_array(tensor)
                continue
            kind = value.type.tensor_type
            shape = [d.dim_value or (self.batch if i == 0 else 1) for i, d in enumerate(kind.shape.dim)]
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
            self.feed[value.name] = rng.uniform(-1, 1, shape).astype(dtype)


# ---- engines: open(model, threads) gives a function that runs once and returns the outputs ----

def open_ort(model, threads):
    rt = importlib.import_module('onnxruntime')
    options = rt.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    session = rt.InferenceSession(model.path, options, providers=['CPUExecutionProvider'])
    return lambda: session.run(None, model.feed)


def open_openvino(model, threads):
    ov = importlib.import_module('openvino')
    network = ov.Core().read_model(model.path)
    network.reshape({name: list(value.shape) for name, value in model.feed.items()})
    config = {'INFERENCE_PRECISION_HINT': 'f32', 'INFERENCE_NUM_THREADS': threads, 'PERFORMANCE_HINT': 'LATENCY'}
    request = ov.Core().compile_model(network, 'CPU', config).create_infer_request()
    return lambda: list(request.infer(model.feed).values())


def torch_network(name):
    """The network in PyTorch with random weights and its input shape; None if it is not known there."""
    torch = importlib.import_module('torch')
    nn = torch.nn
    small = {
        'mlp784': lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
        'mnist-conv1': lambda: nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Flatten(), nn.Linear(21632, 10)),
        'mnist-conv2': lambda: nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1600, 10)),
        'lenet5': lambda: nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
            nn.Linear(84, 10)),
    }
    if name in small:
        return small[name](), (1, 28, 28)
    vision = module('torchvision')
    same = {'alexnet': 'alexnet', 'vgg16': 'vgg16', 'squeezenet': 'squeezenet1_1', 'resnet18': 'resnet18',
            'resnet50': 'resnet50', 'resnext50': 'resnext50_32x4d', 'densenet121': 'densenet121',
            'mobilenet-v2': 'mobilenet_v2', 'mobilenet-v3': 'mobilenet_v3_large',
            'shufflenet-v2': 'shufflenet_v2_x1_0', 'efficientnet-b0': 'efficientnet_b0',
            'convnext-tiny': 'convnext_tiny'}
    if vision and name in same:
        return getattr(vision.models, same[name])(weights=None), (3, 224, 224)
    return None


def open_torch(model, threads):
    torch = importlib.import_module('torch')
    if not model.is_built_in:
        return None
    found = torch_network(model.name)
    if not found:
        return None
    network, shape = found
    torch.set_num_threads(threads)
    network = network.eval().to(memory_format=torch.channels_last)
    x = torch.randn(model.batch, *shape).to(memory_format=torch.channels_last)

    def run():
        with torch.inference_mode():
            return [network(x).numpy()]
    return run


OPENERS = {'ort': open_ort, 'openvino': open_openvino, 'torch': open_torch}
PACKAGES = {'ort': 'onnxruntime', 'openvino': 'openvino', 'torch': 'torch'}


def timed(run, seconds):
    samples, start = [], time.perf_counter()
    while len(samples) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        samples.append((time.perf_counter() - before) * 1e3)
    return samples


def run_oclnn(bench, model, device, seconds, folder):
    """One call of oclnn-bench: its row and its outputs, or a RuntimeError with its message."""
    outputs = os.path.join(folder, 'out.npz')
    command = [bench, model.item, '-d', device, '--min-time', f'{seconds:.3f}s', '-o', 'json', '--quiet']
    if model.path and np:
        command += ['--outputs', outputs]
        given = model.data
        if not given:
            given = os.path.join(folder, 'in.npz')
            np.savez(given, **model.feed)
        command += ['--data', given]
    elif model.batch > 1:
        command += ['--batch', str(model.batch)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        answer = json.loads(done.stdout)
        row = answer['results'][0]
    except Exception:
        message = (done.stderr.strip().splitlines() or [f'exit status {done.returncode}'])[-1]
        raise RuntimeError(message) from None
    arrays = None
    if model.path and np and os.path.exists(outputs):
        loaded = np.load(outputs)
        arrays = [loaded[f'out_{k}'] for k in range(len(loaded.files))]
    return row, arrays


def fault(got, want, tolerance):
    """What is wrong with the outputs; None: nothing."""
    if len(got) < len(want):
        return f'{len(got)} outputs, not {len(want)}'
    for k, (a, b) in enumerate(zip(got, want)):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        if a.shape != b.shape:
            return f'output {k} has shape {a.shape}, not {b.shape}'
        scale, off = np.abs(b).max(initial=0), np.abs(a - b).max(initial=0)
        if not off <= tolerance * scale + 1e-5:
            return f'output {k} is off by {off:.2g}, largest value {scale:.2g}'
    return None


def compare(options, engines, model):
    runs, samples, notes, outputs = {}, {}, [], {}
    for name in engines:
        if not model.path and name != 'torch':
            notes.append(f'{name}: needs the Python packages numpy and onnx')
            continue
        try:
            run = OPENERS[name](model, options.threads)
            if run:
                outputs[name] = run()
                runs[name] = run
        except Exception as error:
            notes.append(f'{name}: {str(error).splitlines()[0][:100]}')
    devices = [d for d in options.device.split(',') if d]
    want = model.want or outputs.get('ort')
    tolerance = options.tol or TOLERANCES.get(model.name, TOLERANCE)
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name, run in runs.items():
                samples.setdefault(name, []).append(statistics.median(timed(run, options.seconds / options.rounds)))
            for device in list(devices):
                label = f'oclnn {device}'
                try:
                    row, arrays = run_oclnn(options.bench, model, device, options.seconds / options.rounds, folder)
                    samples.setdefault(label, []).append(row['time_ms']['median'])
                    off = fault(arrays, want, tolerance) if arrays is not None and want else None
                    if off:
                        raise RuntimeError(f'WRONG: {off}')
                except RuntimeError as error:
                    notes.append(f'{label}: {error}')
                    devices.remove(device)
                    wrong.append(label)
    for label in wrong:
        samples.pop(label, None)
    return {'model': model.name, 'median_ms': {k: statistics.median(v) for k, v in samples.items()}, 'notes': notes}


def print_table(rows, versions):
    names = []
    for row in rows:
        names += [n for n in row['median_ms'] if n not in names]
    names.sort(key=lambda n: (not n.startswith('oclnn'), n))
    own = next((n for n in names if n.startswith('oclnn')), None)
    heads = ['model'] + [f'{n} ms' for n in names] + [f'{n} / {own}' for n in names if own and n != own]
    print('| ' + ' | '.join(heads) + ' |')
    print('| --- |' + ' ---: |' * (len(heads) - 1))
    for row in rows:
        ms = row['median_ms']
        cells = [row['model']] + [f'{ms[n]:.3f}' if n in ms else '' for n in names]
        cells += [f'{ms[n] / ms[own]:.2f}' if n in ms and own in ms else '' for n in names if own and n != own]
        print('| ' + ' | '.join(cells) + ' |')
    print()
    for row in rows:
        for note in row['notes']:
            print(f'- {row["model"]}: {note}')
    for line in summary(rows):
        print(line)
    print('; '.join(f'{k} {v}' for k, v in versions.items()))


def summary(rows):
    """Geometric mean and worst ratio of every peer to the first device of oclnn; how many models were right."""
    lines, labels = [], {n for row in rows for n in row['median_ms']}
    for own in sorted(n for n in labels if n.startswith('oclnn')):
        for peer in sorted(n for n in labels if not n.startswith('oclnn')):
            for least, what in ((0, 'all'), (SMALL_MS, f'{SMALL_MS} ms or more')):
                ratios = sorted((row['median_ms'][peer] / row['median_ms'][own], row['model']) for row in rows
                                if own in row['median_ms'] and row['median_ms'].get(peer, -1) >= least)
                if ratios:
                    mean = math.exp(sum(math.log(r) for r, _ in ratios) / len(ratios))
                    lines.append(f'{peer} / {own}, {what}, {len(ratios)} models: geometric mean {mean:.3f}, worst '
                                 f'{ratios[0][0]:.3f} ({ratios[0][1]}), slower than the peer on {sum(r < 1 for r, _ in ratios)}')
        right = sum(own in row['median_ms'] for row in rows)
        lines.append(f'{own}: right {right} of {len(rows)}')
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument('--bench', default=None)
    parser.add_argument('-d', '--device', default='best')
    parser.add_argument('--engines', default='ort,openvino,torch')
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument('--seconds', type=float, default=2.0)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--batch', type=int, help='default: 1; with --train as it suits the network')
    parser.add_argument('--tol', type=float, help=f'default: {TOLERANCE}; half precision 1e-2')
    parser.add_argument('--train', action='store_true')
    parser.add_argument('-o', choices=['md', 'json'], default='md')
    parser.add_argument('models', nargs='+')
    options = parser.parse_args()
    built = sorted(glob.glob(os.path.join(here, '*', 'tools', 'oclnn-bench')))
    options.bench = options.bench or (built[0] if built else shutil.which('oclnn-bench'))
    if not options.bench or not os.path.exists(options.bench):
        parser.error('oclnn-bench is not built: give --bench PATH')
    engines, versions = [], {}
    version = subprocess.run([options.bench, '--version'], capture_output=True, text=True).stdout.split()
    versions['oclnn'] = version[-1] if version else '?'
    for name in options.engines.split(','):
        if name and name not in OPENERS:
            parser.error(f'there is no engine "{name}": ort, openvino, torch')
        found = name and module(PACKAGES[name])
        if found:
            engines.append(name)
            versions[PACKAGES[name]] = found.__version__
        elif name:
            print(f'{PACKAGES[name]} is not installed: left out', file=sys.stderr)
    versions['Python'] = platform.python_version()
    versions['threads'] = options.threads
    rows = []
    for argument in options.models:
        try:
            if options.train:
                import peers_training
                rows.append(peers_training.compare(options, argument, torch_network))
                continue
            with tempfile.TemporaryDirectory() as folder:
                rows.append(compare(options, engines, Model(argument, options, folder)))
        except Exception as error:
            rows.append({'model': argument, 'median_ms': {}, 'notes': [str(error)]})
    failed = not all(any(n.startswith('oclnn') for n in row['median_ms']) for row in rows)
    if options.o == 'json':
        json.dump({'versions': versions, 'rows': rows, 'summary': summary(rows)}, sys.stdout, indent=1)
        print()
    else:
        print_table(rows, versions)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
