#!/usr/bin/env python3
"""Test accuracy of the small networks after training on MNIST: mean over seeds, beside what PyTorch reached with the same
settings (Adam 1e-3, batch 64, pixels / 255).

usage: train_mnist.py --oclnn build/tools/oclnn-train --data FOLDER [--seeds 3] [--ema X] [NET...]
FOLDER: with the IDX files; --ema X: that option of oclnn-train, which measures averages of the weights by default; 0 measures
the last weights, as the runs of PyTorch did.
Exit code: 0 when every mean reaches its bar."""
import argparse
import re
import statistics
import subprocess
import sys

NETS = {  # epochs, bar, PyTorch's mean; percent
    "mlp784": (5, 97.3, 97.45),
    "mnist-conv1": (3, 97.8, 97.95),
    "mnist-conv2": (3, 98.8, 98.97),
    "lenet5": (5, 98.7, 98.81),
}


def accuracy(args, net, epochs, seed):
    p = subprocess.run([args.oclnn, net, "--data", f"mnist:{args.data}/train", "--test", f"mnist:{args.data}/t10k",
                        "--epochs", str(epochs), "--batch", "64", "--optimizer", "adam", "--lr", "0.001", "--seed", str(seed),
                        "-d", args.device, "-q", *(["--ema", args.ema] if args.ema else [])], capture_output=True, text=True, check=False)
    found = re.search(r"^result:.*\btest_top1=([0-9.]+)", p.stdout, re.M)
    if not found:
        sys.exit(f"{net}: {p.stderr.strip() or p.stdout.strip() or p.returncode}")
    return 100 * float(found.group(1))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oclnn", required=True)
    ap.add_argument("--data", required=True)
    ap.add_argument("-d", "--device", default="cpu")
    ap.add_argument("--seeds", type=int, default=3)
    ap.add_argument("--ema", default="")
    ap.add_argument("nets", nargs="*")
    args = ap.parse_args()
    good = True
    for net in args.nets or NETS:
        epochs, bar, peer = NETS[net]
        got = [accuracy(args, net, epochs, seed) for seed in range(1, args.seeds + 1)]
        mean = statistics.mean(got)
        good = good and mean >= bar
        print(f"{net:<12} {epochs} epochs  {mean:.2f} %  ({', '.join(f'{a:.2f}' for a in got)})  bar {bar}  PyTorch {peer}"
              f"  {'pass' if mean >= bar else 'FAIL'}", flush=True)
    return 0 if good else 1


sys.exit(main())
