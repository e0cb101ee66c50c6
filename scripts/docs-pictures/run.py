"""A small data set, and what photodb makes of it."""

import csv
import json
import math
import pathlib
import random
import struct
import subprocess
import tempfile

SEED = 3
MIN_CLUSTER_SIZE = 5
MIN_SAMPLES = 3
# (points, centre x, centre y, spread): two neighbours, and a wide group with a dense place in it.
GROUPS = [(14, 22, 20, 5), (12, 41, 27, 6), (11, 76, 47, 14), (7, 71, 50, 4)]
STRAYS = 5
WIDTH, HEIGHT = 100, 68


def points():
    """Points in 0..100 x 0..68, the same with every Python (random.random is stable)."""
    source = random.Random(SEED)
    result = []
    for count, x, y, spread in GROUPS:
        for _ in range(count):
            radius = spread * math.sqrt(source.random()) * (0.4 + 0.6 * source.random())
            angle = 2 * math.pi * source.random()
            result.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    for _ in range(STRAYS):
        result.append((WIDTH * source.random(), HEIGHT * source.random()))
    return [(round(x, 2), round(y, 2)) for x, y in result]


def read_safetensors(path):
    """Tensors of a file as flat lists (float64 and int64 only)."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    codes = {"F64": "d", "I64": "q"}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] in codes:
            start, end = entry["data_offsets"]
            form = f"<{(end - start) // 8}{codes[entry['dtype']]}"
            tensors[name] = list(struct.unpack(form, body[start:end]))
    return tensors


def fit(program, rows):
    """The tensors that `photodb hdbscan fit` writes."""
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder, "points.csv")
        with table.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        result = pathlib.Path(folder, "result.safetensors")
        command = [program, "hdbscan", "fit", table, "--out", result, "--quiet"]
        command += ["--single-linkage", "--min-cluster-size", str(MIN_CLUSTER_SIZE)]
        command += ["--min-samples", str(MIN_SAMPLES)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return read_safetensors(result)
