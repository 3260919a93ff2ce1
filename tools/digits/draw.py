#!/usr/bin/env python3
"""Draws the ten digits as strokes, 28 x 28, white on black, like handwriting: digit_0.png … digit_9.png.

usage: draw.py FOLDER        (needs numpy and nothing else: the PNG is written here)"""
import math
import os
import struct
import sys
import zlib

import numpy as np

SIZE, SUPER = 28, 8

# Strokes in a box of 0 … 1: lists of points; arcs as ("arc", x, y, radius x, radius y, from degrees, to degrees).
DIGITS = {
    0: [("arc", .5, .5, .27, .40, 0, 360)],
    1: [[(.42, .24), (.56, .10), (.52, .90)]],
    2: [("arc", .48, .32, .25, .22, 190, 390), [(.70, .43), (.25, .88)], [(.25, .88), (.78, .86)]],
    3: [("arc", .46, .30, .24, .20, 200, 450), ("arc", .46, .69, .27, .21, 270, 500)],
    4: [[(.58, .10), (.22, .60), (.80, .57)], [(.62, .38), (.58, .92)]],
    5: [[(.74, .12), (.34, .14), (.30, .46)], ("arc", .47, .65, .27, .24, 230, 490)],
    6: [[(.62, .08), (.40, .34), (.28, .62)], ("arc", .49, .68, .22, .21, 0, 360)],
    7: [[(.22, .15), (.77, .13), (.45, .90)]],
    8: [("arc", .5, .30, .20, .19, 0, 360), ("arc", .49, .70, .24, .21, 0, 360)],
    9: [("arc", .48, .34, .22, .22, 0, 360), [(.70, .34), (.66, .62), (.58, .92)]],
}


def points(stroke):
    if isinstance(stroke, list):
        return stroke
    _, x, y, rx, ry, a, b = stroke
    n = 40
    angles = [math.radians(a + (b - a) * i / n) for i in range(n + 1)]
    return [(x + rx * math.cos(t), y + ry * math.sin(t)) for t in angles]


def distance(px, py, a, b):
    (ax, ay), (bx, by) = a, b
    dx, dy = bx - ax, by - ay
    t = np.clip(((px - ax) * dx + (py - ay) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    return np.hypot(px - ax - t * dx, py - ay - t * dy)


def draw(digit):
    n = SIZE * SUPER
    y, x = np.mgrid[0:n, 0:n]
    px, py = (x + .5) / n, (y + .5) / n
    px, py = (px - .5) / .72 + .5, (py - .5) / .72 + .5  # a margin as MNIST has it
    near = np.full((n, n), 9.0)
    for stroke in DIGITS[digit]:
        p = points(stroke)
        for a, b in zip(p, p[1:]):
            near = np.minimum(near, distance(px, py, a, b))
    ink = np.clip((.062 - near) / .025 + .5, 0, 1)
    return (255 * ink.reshape(SIZE, SUPER, SIZE, SUPER).mean((1, 3)) + .5).astype(np.uint8)


def save(path, image):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"".join(b"\0" + r.tobytes() for r in image)
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 0, 0, 0, 0)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for digit in DIGITS:
        save(os.path.join(sys.argv[1], f"digit_{digit}.png"), draw(digit))


main()
