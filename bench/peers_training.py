"""compare_peers.py --train: training steps beside PyTorch. One network with one set of initial weights and one batch goes to
both; a step is forward, softmax cross-entropy, backward and update (SGD 0.01, momentum 0.9) on data in memory. PyTorch runs
in both of its layouts, the better one counts; its losses judge oclnn's."""
import json
import os
import statistics
import subprocess
import tempfile
import time
import warnings


def residual(deep):
    """ResNet-18 for CIFAR images, or (deep) ResNet-50."""
    from compare_training import Sum, conv_bn, nn
    layers, i = [conv_bn(3, 64, *((7, 2) if deep else (3,)), act=nn.ReLU())], 64
    layers += [nn.MaxPool2d(3, 2, 1)] if deep else []
    for m, count in zip((64, 128, 256, 512), (3, 4, 6, 3) if deep else (2, 2, 2, 2)):
        for k in range(count):
            s, o = 2 if k == 0 and m > 64 else 1, 4 * m if deep else m
            body = ([conv_bn(i, m, 1, act=nn.ReLU()), conv_bn(m, m, 3, s, act=nn.ReLU()), conv_bn(m, o, 1)] if deep else
                    [conv_bn(i, m, 3, s, act=nn.ReLU()), conv_bn(m, m, 3)])
            layers.append(Sum(nn.Sequential(*body), nn.Identity() if i == o and s == 1 else conv_bn(i, o, 1, s), nn.ReLU()))
            i = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(i, 1000 if deep else 10))


def cifar_lenet():
    from compare_training import nn
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


MORE = {'cifar-lenet': (cifar_lenet, (64, 3, 32, 32), 10), 'resnet50': (lambda: residual(True), (8, 3, 224, 224), 1000),
        'resnet18-cifar': (lambda: residual(False), (64, 3, 32, 32), 10)}


def network(name, batch, torch_network):
    """Builder, input shape and number of classes; None: PyTorch has no such network here."""
    import compare_training
    known = {**compare_training.NETS, **MORE}
    if name in known:
        make, shape, classes = known[name]
        return make, (batch or shape[0], *shape[1:]), classes
    found = torch_network(name)
    if not found:
        return None
    shape = found[1]
    return (lambda: torch_network(name)[0]), (batch or (64 if shape[1] < 64 else 8), *shape), 10 if shape[1] < 64 else 1000


def stepper(torch, make, state, x, y, layout):
    net = make()
    net.load_state_dict(state)
    net, inputs = net.to(memory_format=layout), x.to(memory_format=layout)
    update = torch.optim.SGD(net.parameters(), lr=.01, momentum=.9)

    def step():
        update.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(net(inputs), y)
        loss.backward()
        update.step()
        return loss.item()
    return step


def timed(step, seconds):
    samples, start = [], time.perf_counter()
    while len(samples) < 2 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step()
        samples.append((time.perf_counter() - before) * 1e3)
    return statistics.median(samples)


def fault(losses, plain, last):
    """What is wrong with oclnn's losses beside those of PyTorch's two layouts; None: nothing."""
    if len(losses) < len(plain):
        return f'{len(losses)} losses, not {len(plain)}'
    if not abs(losses[0] / plain[0] - 1) <= 1e-4:
        return f'first loss {losses[0]:.6g}, PyTorch {plain[0]:.6g}'
    if not abs(losses[-1] - plain[-1]) <= 3 * abs(plain[-1] - last[-1]) + 1e-3 * max(plain[-1], .1):
        return f'loss {losses[-1]:.6g} after {len(plain)} steps, PyTorch {plain[-1]:.6g} and {last[-1]:.6g}'
    return None


def compare(options, name, torch_network):
    """A row as compare_peers.compare makes it."""
    import numpy as np
    import torch
    torch.set_num_threads(options.threads)
    found = network(name, options.batch, torch_network)
    if not found:
        raise RuntimeError('PyTorch has no network of this name here')
    make, shape, classes = found
    torch.manual_seed(0)
    net, x = make(), torch.randn(*shape)
    y = torch.randint(0, classes, (shape[0],) + (tuple(shape[2:]) if name.startswith('unet') else ()))
    state = {k: v.clone() for k, v in net.state_dict().items()}
    steps = [stepper(torch, make, state, x, y, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    losses = [[step() for _ in range(10)] for step in steps]
    own, theirs, wrong = [], [[], []], None
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        file, data = os.path.join(folder, 'net.onnx'), os.path.join(folder, 'batch.npz')
        np.savez(data, x=x.numpy(), y=y.numpy())
        torch.onnx.export(net, (x,), file, input_names=['x'], output_names=['logits'], opset_version=17, dynamo=False,
                          do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING)
        part = options.seconds / options.rounds
        for _ in range(options.rounds):
            for step, samples in zip(steps, theirs):
                samples.append(timed(step, part / 2))
            done = subprocess.run([options.bench, file, '--train', '--data', data, '--optimizer', 'sgd:lr=0.01,momentum=0.9', '-d',
                                   options.device, '--min-time', f'{part:.3f}s', '-o', 'json', '--quiet'],
                                  capture_output=True, text=True)
            try:
                row = json.loads(done.stdout)['results'][0]
            except (ValueError, LookupError):
                raise RuntimeError((done.stderr.strip().splitlines() or ['no answer'])[-1]) from None
            own.append(row['time_ms']['median'])
            wrong = wrong or fault(row['losses'], *losses)
    label = f'oclnn {options.device}'
    medians = {'torch': min(statistics.median(s) for s in theirs)}
    medians.update({} if wrong else {label: statistics.median(own)})
    return {'model': f'{name}, batch {shape[0]}', 'median_ms': medians, 'notes': [f'{label}: {wrong}'] if wrong else []}
