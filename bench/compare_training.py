#!/usr/bin/env python3
"""Training, number by number: oclnn against PyTorch from identical weights and one identical batch, fp32, SGD 0.01 with
momentum 0.9.

usage: compare_training.py --oclnn build/tools/oclnn-bench [-d cpu] [--steps 100] [--smooth] [--svg FOLDER]
                           [--seeds N [--calm]] [--bench-options=OPTIONS] [NET...]

Per network: the first loss, the first gradient of every parameter (largest difference, relative to the tensor's largest
value), then the loss over the steps: the largest distance to PyTorch's contiguous run, each beside the distance between
PyTorch's own contiguous and channels_last runs. A network passes when the first loss agrees within 1e-4, every gradient
within 1e-4 or 3 times PyTorch's own distance, and no step is further away than 3 times PyTorch's own distance at any step
so far + 1e-3 of the loss (at least of 0.1).
An input of ReLU that rounding moves across 0 switches a whole term of a gradient on or off, two nearly equal inputs of a
max-pool move one: deep networks of these differ by percents between any two orders of summation, PyTorch's own two among
them. --smooth puts SiLU in place of ReLU and ReLU6 and average-pools in place of max-pools: then nothing is switched, and
every gradient must agree within 1e-4.
A gradient that differs by 10 % or more between PyTorch's own two layouts is 0 but for rounding (a bias in front of a batch
normalisation has no effect): it may be as far away as they are.
--seeds N asks instead who is nearer to the truth: for N seeds (weights and batch anew) the distance of the first loss
(relative) and of every parameter's first gradient (largest difference, relative to the tensor's largest value) to PyTorch's in
float64, for oclnn and PyTorch's two layouts in fp32: median and worst over parameters and seeds. A network passes when the
medians of oclnn are at most twice those of the layout that is further away.
--calm asks it of small batches in which the gradients do not hang on rounding: in PyTorch's float64, no input of a ReLU or
ReLU6 is nearer to where its slope jumps, and no two largest inputs of a max-pool are nearer to each other, than 8 times the
rounding error there (of that tensor, root of mean square, in the worse of PyTorch's two fp32 layouts). Seeds are tried in
turn until N are calm. A network passes when for all of these the first loss and every gradient of oclnn are within 1e-4 of
float64 and of both layouts.
NET may also be one of another library, with random weights: torchvision:NAME or timm:NAME. Its batch is two images of 64 x 64
(224 x 224 if it takes no other), it has neither dropout nor dropped paths, and with --smooth activations and pools that its
code calls by themselves are replaced too. Two images leave some normalisations few numbers: a gradient may be 3 times as far
away as PyTorch's layouts are from each other also with --smooth.
OPTIONS go to oclnn-bench, as '--variant blocked'. Needs torch, onnx and numpy. Exit code: 0 when every network passes."""
import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

LIMIT = 1e-4


def conv_bn(i, o, k, s=1, g=1, act=None):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([act] if act else []))


class Sum(nn.Module):
    """body(x) + side(x), then an activation."""

    def __init__(self, body, side, act):
        super().__init__()
        self.body, self.side, self.act = body, side, act

    def forward(self, x):
        return self.act(self.body(x) + self.side(x))


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def mnist_conv2():  # its second pool leaves a row and a column over
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(1600, 10))


def resnet20():
    layers, i = [conv_bn(3, 16, 3, act=nn.ReLU())], 16
    for o in (16, 32, 64):
        for k in range(3):
            s = 2 if k == 0 and o != 16 else 1
            side = conv_bn(i, o, 1, s) if s != 1 else nn.Identity()
            body = nn.Sequential(conv_bn(i, o, 3, s, act=nn.ReLU()), conv_bn(o, o, 3))
            layers.append(Sum(body, side, nn.ReLU()))
            i = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def mobilenet_v2():
    layers, i = [conv_bn(3, 32, 3, 2, act=nn.ReLU6())], 32
    for t, o, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                       (6, 320, 1, 1)):
        for k in range(n):
            h, step = i * t, s if k == 0 else 1
            body = nn.Sequential(*([conv_bn(i, h, 1, act=nn.ReLU6())] if t > 1 else []),
                                 conv_bn(h, h, 3, step, g=h, act=nn.ReLU6()), conv_bn(h, o, 1))
            layers.append(Sum(body, nn.Identity(), nn.Identity()) if step == 1 and i == o else body)
            i = o
    layers += [conv_bn(320, 1280, 1, act=nn.ReLU6()), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*layers)


class Unet(nn.Module):
    def __init__(self, c=32):
        super().__init__()

        def two(i, o):
            return nn.Sequential(conv_bn(i, o, 3, act=nn.ReLU()), conv_bn(o, o, 3, act=nn.ReLU()))
        w = [c, 2 * c, 4 * c, 8 * c]
        self.down = nn.ModuleList(two(i, o) for i, o in zip([3] + w, w))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * o, o, 2, 2) for o in reversed(w[:-1]))
        self.mix = nn.ModuleList(two(2 * o, o) for o in reversed(w[:-1]))
        self.out = nn.Conv2d(c, 2, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        kept = []
        for k, d in enumerate(self.down):
            x = d(x)
            if k < 3:
                kept.append(x)
                x = self.pool(x)
        for u, m in zip(self.up, self.mix):
            x = m(torch.cat([kept.pop(), u(x)], 1))
        return self.out(x)


NETS = {  # builder, input, classes
    "lenet5": (lenet5, (64, 1, 28, 28), 10),
    "mnist-conv2": (mnist_conv2, (64, 1, 28, 28), 10),
    "resnet20-cifar": (resnet20, (32, 3, 32, 32), 10),
    "mobilenet-v2": (mobilenet_v2, (4, 3, 224, 224), 1000),
    "unet-128": (Unet, (2, 3, 128, 128), 2),
}


# --calm: input and shift of all normalisations. So few activations that one seed in twelve or more has none near 0;
# mobilenet-v2 has too many even so: its inputs of ReLU6, with deviation 1 around 0, are moved to 2, where 2 % of them are
# below 0.
CALM = {
    "lenet5": ((64, 1, 28, 28), 0),
    "mnist-conv2": ((16, 1, 28, 28), 0),
    "resnet20-cifar": ((2, 3, 32, 32), 0),
    "mobilenet-v2": ((2, 3, 96, 96), 2),
    "unet-128": ((1, 3, 32, 32), 0),
}


def smooth(net):
    for name, child in net.named_children():
        if isinstance(child, (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.Hardswish)):
            setattr(net, name, nn.SiLU())
        if isinstance(child, nn.Hardsigmoid):
            setattr(net, name, nn.Sigmoid())
        if isinstance(child, nn.MaxPool2d):
            setattr(net, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode))
        smooth(child)
    return net


def smooth_functions():
    """What networks call without a module."""
    def pool(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        assert dilation == 1 and not return_indices, "a max-pool that no average-pool stands for"
        return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode)
    F.relu = F.relu6 = lambda x, inplace=False: F.silu(x)
    torch.relu = F.silu
    F.max_pool2d = pool


def still(net):
    """Without dropout, dropped paths and activations in place."""
    for name, child in net.named_children():
        if type(child).__name__ in ("StochasticDepth", "DropPath"):
            setattr(net, name, nn.Identity())
        if isinstance(child, (nn.Dropout, nn.Dropout2d)):
            child.p = 0.0
        if hasattr(child, "inplace"):
            child.inplace = False
        still(child)
    return net


def library_net(name, args):
    """Builder, input, classes of a network of torchvision or timm."""
    library, kind = name.split(":", 1)
    F.dropout = lambda x, *_, **__: x

    def build():
        if library == "torchvision":
            import torchvision
            more = {"aux_logits": False} if kind == "googlenet" else {}
            net = torchvision.models.get_model(kind, weights=None, **more)
        else:
            import timm
            net = timm.create_model(kind, pretrained=False, num_classes=100)
        return still(net).train()

    def classes(side):
        with torch.no_grad():
            return (smooth(build()) if args.smooth else build())(torch.zeros(2, 3, side, side)).shape[1]
    try:
        return build, (2, 3, 64, 64), classes(64)
    except (RuntimeError, AssertionError, ValueError):
        return build, (2, 3, 224, 224), classes(224)


def torch_run(build, state, x, y, layout, steps, dtype=torch.float32):
    """Losses and the first step's gradients."""
    net = build()
    net.load_state_dict(state)
    net, x = net.to(dtype=dtype, memory_format=layout), x.to(dtype=dtype, memory_format=layout)
    opt = torch.optim.SGD(net.parameters(), lr=.01, momentum=.9)
    losses, first = [], {}
    for k in range(steps):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        if k == 0:
            first = {n: p.grad.detach().numpy().copy() for n, p in net.named_parameters()}
        opt.step()
        losses.append(loss.item())
    return losses, first


def plot(path, name, curves):
    """A small SVG with one line per run."""
    top = max(max(v) for v in curves.values())
    colours = ["#1b6ca8", "#d1495b", "#66a182"]
    with open(path, "w", encoding="utf-8") as f:
        f.write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="sans-serif" font-size="12">\n')
        f.write('<rect width="640" height="400" fill="white"/>\n')
        f.write(f'<text x="20" y="20">{name}: loss over {len(next(iter(curves.values())))} steps</text>\n')
        for (label, v), colour, y in zip(curves.items(), colours, (40, 56, 72)):
            at = " ".join(f"{40 + 580 * i / max(1, len(v) - 1):.1f},{380 - 330 * a / top:.1f}" for i, a in enumerate(v))
            f.write(f'<polyline fill="none" stroke="{colour}" points="{at}"/>\n')
            f.write(f'<text x="440" y="{y}" fill="{colour}">{label}</text>\n')
        f.write("</svg>\n")


def away(a, b):
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))


def prepare(name, args, seed):
    """Builder, network, batch and targets of a seed."""
    make, shape, classes = library_net(name, args) if ":" in name else NETS[name]
    shape, shift = CALM[name] if args.calm else (shape, 0)

    def build():
        return smooth(make()) if args.smooth else make()
    torch.manual_seed(seed)
    net, x = build(), torch.randn(*shape)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and shift:
            nn.init.constant_(module.bias, shift)
    pixels = tuple(shape[2:]) if name.startswith("unet") else ()
    return build, net, x, torch.randint(0, classes, (shape[0],) + pixels)


def oclnn_run(net, x, y, args, folder, steps):
    """Losses and the first step's gradients; None and what went wrong."""
    model, batch, grads = (os.path.join(folder, f) for f in ("net.onnx", "batch.npz", "gradients.npz"))
    np.savez(batch, x=x.numpy(), y=y.numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x,), model, input_names=["x"], output_names=["logits"], opset_version=17, dynamo=False,
                          do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING)
    p = subprocess.run([args.oclnn, model, "--train", "--data", batch, "--loss", "softmax-ce", "--optimizer",
                        "sgd:lr=0.01,momentum=0.9", "-d", args.device, "--steps", str(steps), "--min-time", "1ms",
                        "--min-runs", "1", "--warmup", "0", "--outputs", grads, "-o", "json", *args.bench_options.split()],
                       capture_output=True, text=True, check=False)
    report = json.loads(p.stdout) if p.stdout else {"results": [], "errors": [p.stderr]}
    if not report["results"]:
        return None, report["errors"]
    return report["results"][0]["losses"], dict(np.load(grads))


def switches(net, x, layout, dtype):
    """Inputs of what rounding can switch, in order, each as (module, tensor in float64), of a forward pass in training form."""
    net = copy.deepcopy(net).to(dtype=dtype, memory_format=layout)
    seen = []
    for module in net.modules():
        if isinstance(module, (nn.ReLU, nn.ReLU6, nn.MaxPool2d)):
            module.register_forward_pre_hook(lambda m, args: seen.append((m, args[0].detach().double())))
    net(x.to(dtype=dtype, memory_format=layout))
    return seen


def gap(module, z):
    """The smallest distance of any input to where the slope jumps."""
    if isinstance(module, nn.MaxPool2d):
        windows = F.unfold(z.reshape(-1, 1, *z.shape[2:]), module.kernel_size, stride=module.stride)
        first, second = windows.topk(2, dim=1).values.unbind(1)
        apart = (first - second)[first > 0]  # where the ReLU in front has left nothing, nothing can be moved
        return float(apart.min()) / 2 if apart.numel() else float("inf")
    apart = z.abs().min()
    return float(min(apart, (z - 6).abs().min()) if isinstance(module, nn.ReLU6) else apart)


def is_calm(net, x):
    """Is all that can be switched 8 times as far from its switch as PyTorch's rounding errors are large?"""
    exact = switches(net, x, torch.contiguous_format, torch.float64)
    runs = [switches(net, x, layout, torch.float32) for layout in (torch.contiguous_format, torch.channels_last)]
    return all(gap(m, z) > 8 * max(float((run[i][1] - z).square().mean().sqrt()) for run in runs)
               for i, (m, z) in enumerate(exact))


def chosen_seeds(name, args):
    seed = found = 0
    while found < args.seeds:
        _, net, x, _ = prepare(name, args, seed)
        if not args.calm or is_calm(net, x):
            found += 1
            yield seed
        seed += 1


ENGINES = ("oclnn", "contiguous", "channels last")


def truth(name, args, folder):
    """Distances to float64."""
    losses, gradients, zeros = ({e: [] for e in ENGINES} for _ in range(3))
    beside = [0.0]  # oclnn's distances to PyTorch's layouts
    for seed in chosen_seeds(name, args):
        build, net, x, y = prepare(name, args, seed)
        state = {k: v.clone() for k, v in net.state_dict().items()}
        own, got = oclnn_run(net, x, y, args, folder, 1)
        if own is None:
            print(f"{name:<16} FAIL {got}")
            return False
        exact, want = torch_run(build, state, x, y, torch.contiguous_format, 1, torch.float64)
        runs = {"oclnn": (own, got), "contiguous": torch_run(build, state, x, y, torch.contiguous_format, 1),
                "channels last": torch_run(build, state, x, y, torch.channels_last, 1)}
        top = max(np.abs(w).max() for w in want.values())
        for engine, (loss, grads) in runs.items():
            losses[engine].append(abs(loss[0] / exact[0] - 1))
            for n, w in want.items():
                if np.abs(w).max() > 1e-10 * top:
                    gradients[engine].append(away(grads[n], w))
                else:  # 0 but for rounding
                    zeros[engine].append(float(np.abs(grads[n]).max() / top))
        for peer in ENGINES[1:]:
            beside.append(abs(own[0] / runs[peer][0][0] - 1))
            beside += [away(got[n], runs[peer][1][n]) for n, w in want.items() if np.abs(w).max() > 1e-10 * top]
    good = True
    for engine in ENGINES:
        print(f"{name if engine == 'oclnn' else '':<16} {engine:<14}" + "".join(
            f"  {what} {np.median(v[engine]):.1e} (worst {max(v[engine]):.1e})"
            for what, v in (("loss", losses), ("gradients", gradients), ("zeros", zeros)) if v[engine]), flush=True)
    if args.calm:
        good = max(losses["oclnn"] + gradients["oclnn"] + zeros["oclnn"] + beside) <= LIMIT
        print(f"{'':<16} {'pass' if good else 'FAIL'}  {args.seeds} calm seeds among {seed + 1}; oclnn beside PyTorch's layouts: worst "
              f"{max(beside):.1e}", flush=True)
        return good
    for v in (losses, gradients):
        theirs = max(np.median(v[e]) for e in ENGINES[1:])
        good = good and np.median(v["oclnn"]) <= 2 * theirs + 1e-7 * (v is losses)
    print(f"{'':<16} {'pass' if good else 'FAIL'}  {args.seeds} seeds, {len(gradients['oclnn']) // args.seeds} parameters; "
          f"median of gradients, oclnn's / PyTorch's larger: {np.median(gradients['oclnn']) / theirs:.2f}", flush=True)
    return good


def compare(name, args, folder):
    build, net, x, y = prepare(name, args, 0)
    state = {k: v.clone() for k, v in net.state_dict().items()}
    own, got = oclnn_run(net, x, y, args, folder, args.steps)
    if own is None:
        print(f"{name:<16} FAIL {got}")
        return False
    plain, want = torch_run(build, state, x, y, torch.contiguous_format, args.steps)
    last, other = torch_run(build, state, x, y, torch.channels_last, args.steps)
    missing = [n for n in want if n not in got]
    vanish = [n for n in want if away(other[n], want[n]) >= 0.1]
    noise = [n for n in vanish if n in got and away(got[n], want[n]) > 3 * away(other[n], want[n])]
    off = {n: away(got[n], w) for n, w in want.items() if n in got and n not in vanish}
    theirs = max(away(other[n], want[n]) for n in off)
    worst = max(off, key=off.get)
    limit = LIMIT if args.smooth and ":" not in name else max(LIMIT, 3 * theirs)
    first = abs(own[0] / plain[0] - 1)
    drift = far = 0.0
    good = not missing and not noise and first <= LIMIT and off[worst] <= limit
    for a, b, c in zip(own, plain, last):
        drift = max(drift, abs(b - c))
        far = max(far, abs(a - b))
        good = good and abs(a - b) <= 3 * drift + 1e-3 * max(b, .1)
    print(f"{name:<16} {'pass' if good else 'FAIL'}  first loss {first:.1e}  gradients of {len(off)} parameters ({len(vanish)} vanish), worst "
          f"{off[worst]:.1e} ({worst}), PyTorch's own {theirs:.1e}  {args.steps} steps: away {far:.2e}, PyTorch's own {drift:.2e}"
          + (f"  missing {missing}" if missing else "") + (f"  not 0: {noise}" if noise else ""), flush=True)
    if args.svg:
        os.makedirs(args.svg, exist_ok=True)
        plot(os.path.join(args.svg, name + ".svg"), name, {"oclnn": own, "PyTorch": plain, "PyTorch, channels last": last})
    return good


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oclnn", required=True)
    ap.add_argument("-d", "--device", default="cpu")
    ap.add_argument("--steps", type=int, default=100)
    ap.add_argument("--smooth", action="store_true")
    ap.add_argument("--svg")
    ap.add_argument("--seeds", type=int, default=0)
    ap.add_argument("--calm", action="store_true")
    ap.add_argument("--bench-options", default="")
    ap.add_argument("nets", nargs="*")
    args = ap.parse_args()
    if args.calm and not args.seeds:
        ap.error("--calm needs --seeds")
    if args.calm and any(n not in CALM for n in args.nets):
        ap.error(f"--calm knows {', '.join(CALM)}")
    if args.smooth:
        smooth_functions()
    torch.set_num_threads(os.cpu_count())
    with tempfile.TemporaryDirectory() as folder:
        good = [(truth if args.seeds else compare)(n, args, folder) for n in args.nets or NETS]
    print(f"{sum(good)} of {len(good)} pass")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
