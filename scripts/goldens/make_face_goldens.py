"""Writes Tests/HDBSCANTests/Fixtures/python-faces.npz: the Python package `hdbscan` on real faces.

The faces are the first of Sources/CDemoFaces/demo-faces.safetensors, which the tests read too. They
are used as they are, with copies of some, and scaled and shifted away from the unit sphere. For each
set the package's own exact run gives core distances and its spanning tree; photodb, whose program is
the argument, gives its spanning tree in ordered mode. The package's tree code then labels both, over
a grid of parameters. The tests run photodb's fit, and its tree code on the package's tree.

    pip install hdbscan==0.8.44 scikit-learn numpy safetensors
    python scripts/goldens/make_face_goldens.py .build/release/photodb

The script itself fails where the two geometries differ.
"""

import itertools
import json
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from hdbscan import HDBSCAN
from hdbscan._hdbscan_linkage import label
from hdbscan._hdbscan_tree import outlier_scores
from hdbscan.hdbscan_ import _tree_to_labels
from safetensors.numpy import load_file
from sklearn.neighbors import KDTree

ROOT = Path(__file__).resolve().parents[2]
FACES = ROOT / "Sources/CDemoFaces/demo-faces.safetensors"
FIXTURE = ROOT / "Tests/HDBSCANTests/Fixtures/python-faces.npz"

MIN_SAMPLES = [1, 2, 5]
# The last one is the fastest: runs that agree lie next to each other and compress.
GRID = list(itertools.product([2, 3, 5, 10], ["eom", "leaf"], [0.0, 0.3, 0.9]))


def data_sets():
    """Float32 arithmetic that the tests repeat bit by bit."""
    faces = load_file(FACES)["embeddings"]
    yield "faces", faces[:1000]
    yield "copies", np.concatenate([faces[:300], faces[:60], faces[:20], faces[:20]])
    norms = (20 + np.arange(300) % 7).astype(np.float32)[:, None]
    yield "shifted", faces[:300] * norms + np.float32(100)


def their_geometry(points, min_samples):
    """Core distances, and the spanning tree in the order in which the package uses it."""
    fitted = HDBSCAN(
        min_cluster_size=5, min_samples=min_samples, algorithm="prims_kdtree",
        approx_min_span_tree=False, match_reference_implementation=False, gen_min_span_tree=True,
    ).fit(points)
    core = KDTree(points.astype(float)).query(points.astype(float), k=min_samples + 1)[0][:, -1]
    return core, fitted.minimum_spanning_tree_.to_numpy()


def our_tree(program, points, min_samples):
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/in.npy", points)
        subprocess.run(
            [program, "hdbscan", "fit", f"{folder}/in.npy", "--out", f"{folder}/out.safetensors",
             "--min-samples", str(min_samples), "--ties", "ordered", "--quiet"],
            check=True, stdout=subprocess.DEVNULL)
        return load_file(f"{folder}/out.safetensors")["mst"]


def runs(points, trees):
    """What the package's tree code makes of trees: a row of results for each, grid point by point."""
    results = {"labels": [], "probabilities": [], "persistence": [], "scores": []}
    for (min_cluster_size, method, epsilon), tree in itertools.product(GRID, trees):
        labels, probabilities, persistence, condensed, _ = _tree_to_labels(
            points, label(tree), min_cluster_size, method, cluster_selection_epsilon=epsilon)
        results["labels"].append(labels.astype(np.int16))
        results["probabilities"].append(probabilities.astype(np.float32))
        results["persistence"] += [len(persistence), *persistence]
        results["scores"].append(outlier_scores(condensed).astype(np.float32))
    return {name: np.array(rows) for name, rows in results.items()}


def main():
    arrays = {}
    for (name, points), min_samples in itertools.product(data_sets(), MIN_SAMPLES):
        core, theirs = their_geometry(points, min_samples)
        ours = our_tree(sys.argv[1], points, min_samples)
        np.testing.assert_allclose(np.sort(ours[:, 2]), np.sort(theirs[:, 2]), rtol=1e-9, atol=1e-12)
        key = f"{name}/{min_samples}"
        arrays[f"{key}/core_distances"] = core
        arrays[f"{key}/our_edges"] = ours[:, :2].astype(np.int16)
        arrays[f"{key}/their_edges"] = theirs[:, :2].astype(np.int16)
        arrays[f"{key}/their_weights"] = theirs[:, 2]
        results = runs(points, [ours, theirs])
        arrays |= {f"{key}/{name}": rows for name, rows in results.items()}
        print(key, "clusters", results["labels"].max(axis=1)[::2] + 1)
    made_by = {name: version(name) for name in ["hdbscan", "numpy", "scikit-learn"]}
    made_by["python"] = platform.python_version()
    arrays["made_by"] = np.array([json.dumps(made_by)])
    np.savez_compressed(FIXTURE, **arrays)
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size // 1000} kB,", made_by)


if __name__ == "__main__":
    main()
