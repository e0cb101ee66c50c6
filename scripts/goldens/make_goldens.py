"""Writes Tests/HDBSCANTests/Fixtures/python-hdbscan.json: what the Python package `hdbscan` says.

Each data set is generated here. Its mutual-reachability spanning tree is made by Prim's algorithm
in float64 and sorted by (weight, smaller index, larger index); the package's own tree code turns
that tree into labels, probabilities, persistence and GLOSH scores. The tests feed the same tree to
the Swift library in ordered mode and compare.

    pip install hdbscan==0.8.44 scikit-learn numpy
    python scripts/goldens/make_goldens.py

Numbers that JSON cannot hold are written as strings: "inf", "nan".
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from hdbscan._hdbscan_linkage import label
from hdbscan._hdbscan_tree import outlier_scores
from hdbscan.hdbscan_ import _tree_to_labels
from sklearn.datasets import make_blobs

FIXTURE = (
    Path(__file__).resolve().parents[2] / "Tests/HDBSCANTests/Fixtures/python-hdbscan.json"
)


def data_sets():
    random = np.random.default_rng(20260101)
    yield "blobs", make_blobs(70, 2, centers=5, cluster_std=0.8, random_state=3)[0]
    yield "blobs-16d", make_blobs(80, 16, centers=6, cluster_std=2.5, random_state=5)[0]
    yield "uniform", random.random((75, 3))
    nested = [c + s * random.standard_normal((14, 2))
              for c, s in [((0, 0), 0.1), ((1, 0), 0.1), ((0, 1), 0.3), ((9, 9), 1.0), ((12, 9), 0.4)]]
    yield "nested", np.concatenate(nested)
    yield "one-group", random.standard_normal((40, 2))
    yield "grid", np.unique(random.integers(0, 9, (60, 2)), axis=0)[::-1].astype(float)
    copies = random.standard_normal((40, 2))
    yield "duplicates", np.concatenate([copies, copies[:12], copies[:6], copies[:2]])


def spanning_tree(points, min_samples):
    """Core distances and sorted edges (a < b, weight) of the mutual-reachability graph."""
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    count = len(points)
    np.fill_diagonal(distances, -1)  # Sorts first: the point itself is not its neighbour.
    core = np.sort(distances, axis=1)[:, min(min_samples, count - 1)]
    reach = np.maximum(np.maximum(core[:, None], core[None]), distances)
    inside = np.zeros(count, bool)
    best = np.full(count, np.inf)
    source = np.zeros(count, int)
    current, edges = 0, []
    for _ in range(count - 1):
        inside[current] = True
        closer = (reach[current] < best) & ~inside
        best[closer], source[closer] = reach[current][closer], current
        following = int(np.argmin(np.where(inside, np.inf, best)))
        edges.append((min(following, source[following]), max(following, source[following]),
                      best[following]))
        current = following
    edges.sort(key=lambda edge: (edge[2], edge[0], edge[1]))
    return core, np.array(edges, dtype=float)


SETTINGS = [
    {},
    {"allow_single_cluster": True},
    {"cluster_selection_method": "leaf"},
    {"cluster_selection_epsilon": 0.37},
    {"cluster_selection_epsilon": 1.23, "allow_single_cluster": True},
    {"cluster_selection_method": "leaf", "cluster_selection_epsilon": 0.61},
    {"max_cluster_size": 11},
    {"cluster_selection_epsilon_max": 0.83},
    {"cluster_selection_persistence": 0.21},
    {"cluster_selection_persistence": 1.7},
    {"cluster_selection_persistence": 0.9, "cluster_selection_method": "leaf"},
]


def portable(values):
    return [float(v) if np.isfinite(v) else str(v) for v in values]


def run(points, min_cluster_size, min_samples, core, edges):
    results = []
    for settings in SETTINGS:
        linkage = label(edges)
        labels, probabilities, persistence, tree, _ = _tree_to_labels(
            points, linkage, min_cluster_size, **settings)
        results.append({
            "settings": settings,
            "labels": [int(v) for v in labels],
            "probabilities": portable(np.round(probabilities, 10)),
            "persistence": portable(persistence),
            "outlier_scores": portable(np.round(outlier_scores(tree), 10)),
        })
    return {
        "min_cluster_size": min_cluster_size,
        "min_samples": min_samples,
        "core_distances": portable(core),
        "edges": [[int(a), int(b), float(w)] for a, b, w in edges],
        "runs": results,
    }


def main():
    cases = []
    for name, points in data_sets():
        sizes = [(3, 2)] if name != "blobs" else [(3, 2), (5, 5), (2, 1)]
        for min_cluster_size, min_samples in sizes:
            core, edges = spanning_tree(points, min_samples)
            case = run(points, min_cluster_size, min_samples, core, edges)
            cases.append({"name": name, "points": [portable(row) for row in points]} | case)
    document = {
        "made_by": {name: version(name) for name in ["hdbscan", "numpy", "scikit-learn"]}
        | {"python": platform.python_version()},
        "cases": cases,
    }
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    FIXTURE.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(f"{FIXTURE.name}: {len(cases)} cases, {FIXTURE.stat().st_size // 1000} kB,",
          document["made_by"])


if __name__ == "__main__":
    main()
