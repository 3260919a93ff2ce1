#!/usr/bin/env python3
"""Peak resident memory of training ResNet-50, oclnn beside PyTorch: SGD with momentum, fp32, one batch again and again.
From each process's peak goes what an idle process holds that has opened the device (PyTorch: has run one convolution).

usage: train_memory.py --oclnn build/tools/oclnn-bench [-d cpu] [--batch 8] [--steps 4]
Needs torch. Exit code: 0 when oclnn needs at most 0.8 times what PyTorch needs."""
import argparse
import os
import subprocess
import sys

BAR = 0.8
PEER = """
import sys, torch, torch.nn as nn, torch.nn.functional as F
batch, steps, layout = int(sys.argv[1]), int(sys.argv[2]), getattr(torch, sys.argv[3])
F.conv2d(torch.zeros(1, 8, 8, 8), torch.zeros(8, 8, 3, 3))
def unit(i, o, k, s=1):
    return nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o))
class Bottleneck(nn.Module):
    def __init__(self, i, m, s):
        super().__init__()
        self.a, self.b, self.c = unit(i, m, 1), unit(m, m, 3, s), unit(m, 4 * m, 1)
        self.side = unit(i, 4 * m, 1, s) if s > 1 or i != 4 * m else nn.Identity()
    def forward(self, x):
        y = F.relu(self.b(F.relu(self.a(x), inplace=True)), inplace=True)
        return F.relu(self.c(y) + self.side(x), inplace=True)
if steps:
    layers, i = [unit(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)], 64
    for m, n, s in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for k in range(n):
            layers.append(Bottleneck(i, m, 1 if k else s))
            i = 4 * m
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000)).to(memory_format=layout)
    x = torch.randn(batch, 3, 224, 224).to(memory_format=layout)
    y = torch.randint(0, 1000, (batch,))
    opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for _ in range(steps):
        opt.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        opt.step()
"""


def peak(command):
    """Peak resident MiB of a process."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]}: exit status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss / 1024


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oclnn", required=True)
    ap.add_argument("-d", "--device", default="cpu")
    ap.add_argument("--batch", type=int, default=8)
    ap.add_argument("--steps", type=int, default=4)
    args = ap.parse_args()
    own = [args.oclnn, "-d", args.device, "--min-time", "1ms", "--min-runs"]
    idle = peak([*own, "1", "relu x=1x8"])
    busy = peak([*own, str(args.steps), "--train", "resnet50", "-b", str(args.batch), "--optimizer", "sgd:lr=0.01,momentum=0.9"])
    print(f"oclnn                  {busy:7.0f} MiB - {idle:4.0f} idle = {busy - idle:7.0f}")
    least = None
    for layout in ("contiguous_format", "channels_last"):
        torch_idle, torch_busy = (peak([sys.executable, "-c", PEER, str(args.batch), str(n), layout]) for n in (0, args.steps))
        need = torch_busy - torch_idle
        least = need if least is None else min(least, need)
        print(f"PyTorch {layout:<15}{torch_busy:7.0f} MiB - {torch_idle:4.0f} idle = {need:7.0f}")
    ratio = (busy - idle) / least
    print(f"oclnn / PyTorch: {ratio:.2f} (bar {BAR})")
    return 0 if ratio <= BAR else 1


sys.exit(main())
