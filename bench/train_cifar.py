#!/usr/bin/env python3
"""CIFAR-10 from identical initial weights: test accuracy of oclnn-train and of PyTorch over several seeds, and whether their
means differ by more than two standard errors of the difference.

usage: train_cifar.py --oclnn build/tools/oclnn-train --data FOLDER [--seeds 5] [NET...]
                                   FOLDER: cifar10_train_4000.bin.gz and cifar10_test_1000.bin.gz
cifar-lenet: 30 epochs; resnet20-cifar: 10 epochs. Batch 64, SGD 0.05 with momentum 0.9, cosine, flips and crops with 4
pixels of padding, pixels / 255. Needs torch, onnx and numpy. Exit code: 0 when no mean differs by more."""
import argparse
import gzip
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH, RATE = 64, 0.05


def unit(i, o, k, s=1, relu=True):
    layers = [nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Block(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.body = nn.Sequential(unit(i, o, 3, s), unit(o, o, 3, relu=False))
        self.side = unit(i, o, 1, s, relu=False) if s != 1 or i != o else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.side(x))


def resnet20():
    layers, i = [unit(3, 16, 3)], 16
    for o in (16, 32, 64):
        for k in range(3):
            layers.append(Block(i, o, 2 if k == 0 and o > 16 else 1))
            i = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def lenet():
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


NETS = {"cifar-lenet": (lenet, 30), "resnet20-cifar": (resnet20, 10)}


def load(path):
    raw = np.frombuffer(gzip.open(path).read(), np.uint8).reshape(-1, 3073)
    return torch.tensor(raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255), torch.tensor(raw[:, 0].astype(np.int64))


def changed(x, rng):
    """Flips and crops, image by image."""
    out, wide = torch.empty_like(x), F.pad(x, (4, 4, 4, 4))
    for i in range(len(x)):
        a, b = rng.integers(0, 9, 2)
        one = wide[i, :, a:a + 32, b:b + 32]
        out[i] = one.flip(2) if rng.integers(2) else one
    return out


def train_torch(net, train, test, epochs, seed):
    x, y = train
    rng, steps = np.random.default_rng(seed), len(x) // BATCH
    opt = torch.optim.SGD(net.parameters(), lr=RATE, momentum=.9)
    net.train()
    for e in range(epochs):
        order = rng.permutation(len(x))
        for k in range(steps):
            opt.param_groups[0]["lr"] = RATE * .5 * (1 + math.cos(math.pi * (e + k / steps) / epochs))
            at = order[k * BATCH:(k + 1) * BATCH]
            loss = F.cross_entropy(net(changed(x[at], rng)), y[at])
            opt.zero_grad()
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        return 100 * (net(test[0]).argmax(1) == test[1]).float().mean().item()


def train_own(args, model, epochs, seed):
    p = subprocess.run([args.oclnn, model, "--data", f"cifar10:{args.data}/cifar10_train_4000.bin.gz", "--test",
                        f"cifar10:{args.data}/cifar10_test_1000.bin.gz", "--epochs", str(epochs), "--batch", str(BATCH),
                        "--optimizer", f"sgd:lr={RATE},momentum=0.9", "--schedule", "cosine", "--ema", "0", "--augment", "flip,crop:4",
                        "--seed", str(seed), "-d", args.device, "-q"], capture_output=True, text=True, check=False)
    found = re.search(r"^result:.*\btest_top1=([0-9.]+)", p.stdout, re.M)
    if not found:
        sys.exit(f"oclnn-train: {p.stderr.strip() or p.stdout.strip() or p.returncode}")
    return 100 * float(found.group(1))


def compare(name, args, folder):
    build, epochs = NETS[name]
    train = load(os.path.join(args.data, "cifar10_train_4000.bin.gz"))
    test = load(os.path.join(args.data, "cifar10_test_1000.bin.gz"))
    own, peer = [], []
    for seed in range(1, args.seeds + 1):
        torch.manual_seed(seed)
        net, model = build(), os.path.join(folder, f"{name}.onnx")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(net, (train[0][:BATCH],), model, input_names=["x"], output_names=["logits"], opset_version=17,
                              dynamo=False, do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING,
                              dynamic_axes={"x": {0: "n"}, "logits": {0: "n"}})
        own.append(train_own(args, model, epochs, seed))
        peer.append(train_torch(net, train, test, epochs, seed))
        print(f"  {name} seed {seed}: oclnn {own[-1]:.1f} %, PyTorch {peer[-1]:.1f} %", flush=True)
    error = math.sqrt((statistics.variance(own) + statistics.variance(peer)) / args.seeds)
    gap = statistics.mean(own) - statistics.mean(peer)
    good = abs(gap) <= 2 * error
    print(f"{name}: oclnn {statistics.mean(own):.2f} %, PyTorch {statistics.mean(peer):.2f} %, difference {gap:+.2f}, "
          f"standard error {error:.2f}: {'pass' if good else 'FAIL'}", flush=True)
    return good


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oclnn", required=True)
    ap.add_argument("--data", required=True)
    ap.add_argument("-d", "--device", default="cpu")
    ap.add_argument("--seeds", type=int, default=5)
    ap.add_argument("nets", nargs="*")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        good = [compare(n, args, folder) for n in args.nets or NETS]
    return 0 if all(good) else 1


sys.exit(main())
