#!/usr/bin/env python3
"""Cuts the demo faces that photodb carries from a safetensors file of labelled face embeddings.

    python3 scripts/make-demo-faces.py SOURCE.safetensors Sources/CDemoFaces/demo-faces.safetensors

SOURCE holds `embeddings` (n x d float32), `identity`, `photo`, `confidence`, `bbox`. The output
holds the same as small types, photos and identities renumbered in order of appearance, and
`arrival`: 1 for a seeded random fifth of the faces, which the demo lets arrive after the bootstrap.
Needs numpy and safetensors; the output was made with numpy 2.4.6 and safetensors 0.8.
"""

import json
import sys

import numpy
import safetensors.numpy

SEED = 20240613
ARRIVAL_SHARE = 0.2
LIMIT_BYTES = 4_000_000


def renumbered(values):
    """0, 1, 2, ... in order of first appearance; negative values (unlabelled) become -1."""
    numbers = {}
    result = [numbers.setdefault(v, len(numbers)) if v >= 0 else -1 for v in values.tolist()]
    return numpy.array(result, dtype=numpy.int32)


def with_sorted_header(data):
    """The same file with its header in one order: the package writes metadata in a random one."""
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":"))
    padded = header.encode().ljust(-(-len(header.encode()) // 8) * 8)
    return len(padded).to_bytes(8, "little") + padded + data[8 + length :]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source = safetensors.numpy.load_file(sys.argv[1])
    count, dimensions = source["embeddings"].shape
    arrival = numpy.random.Generator(numpy.random.PCG64(SEED)).random(count) < ARRIVAL_SHARE
    tensors = {
        "embeddings": numpy.ascontiguousarray(source["embeddings"], dtype=numpy.float32),
        "identity": renumbered(source["identity"]),
        "photo": renumbered(source["photo"]),
        "confidence": source["confidence"].astype(numpy.float32),
        "bbox": source["bbox"].astype(numpy.float32),
        "arrival": arrival.astype(numpy.uint8),
    }
    metadata = {
        "title": "photodb demo faces",
        "content": f"{count} faces, SFace (2021dec) {dimensions}-d embeddings, L2-normalised",
        "source": "faces found by YuNet in photos of Labeled Faces in the Wild (public)",
        "identity": "integers without names; one number is one person",
        "arrival": f"1 for a random {ARRIVAL_SHARE:.0%} held back (PCG64, seed {SEED})",
        "model": "sface_2021dec",
    }
    data = with_sorted_header(safetensors.numpy.save(tensors, metadata=metadata))
    if len(data) >= LIMIT_BYTES:
        sys.exit(f"{len(data)} bytes are more than the {LIMIT_BYTES} that a binary may carry")
    with open(sys.argv[2], "wb") as file:
        file.write(data)
    print(json.dumps({"faces": count, "bytes": len(data), "arrivals": int(arrival.sum())}))


if __name__ == "__main__":
    main()
