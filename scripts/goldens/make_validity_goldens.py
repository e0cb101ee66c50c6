"""Writes Tests/HDBSCANTests/Fixtures/python-validity.json: validity indices of other packages.

scikit-learn gives silhouette, Davies-Bouldin and Calinski-Harabasz over the clustered points; the
Python package `hdbscan` gives DBCV. Its value depends on the order of the points, because edges of
its trees tie wherever a core distance is shared. So it is asked with ties broken by distance: a
trace of the distance is added to each mutual reachability, and tree edges are matched to 1e-13. The
package's own values over seeded permutations are stored beside that one, least and greatest.

    pip install hdbscan==0.8.44 scikit-learn numpy
    python scripts/goldens/make_validity_goldens.py
"""

import json
import platform
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from hdbscan import validity
from sklearn.datasets import make_blobs
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

FIXTURE = (
    Path(__file__).resolve().parents[2] / "Tests/HDBSCANTests/Fixtures/python-validity.json"
)
PERMUTATIONS = 60


def data_sets():
    random = np.random.default_rng(20260102)
    for name, count, columns, centers, spread in [
            ("two-apart", 30, 2, 2, 0.5), ("five", 70, 2, 5, 1.2), ("mixed", 60, 3, 4, 3.0),
            ("eight-dimensions", 64, 8, 4, 2.0)]:
        points, labels = make_blobs(
            count, columns, centers=centers, cluster_std=spread, random_state=7)
        noise = random.random(count) < 0.15
        yield name, points, np.where(noise, -1, labels)
    points = random.random((40, 2))
    yield "random-labels", points, random.integers(-1, 3, 40)


def dbcv_over_permutations(points, labels):
    random = np.random.default_rng(1)
    found = []
    for _ in range(PERMUTATIONS):
        order = random.permutation(len(points))
        found.append(validity.validity_index(points[order], labels[order]))
    return [float(min(found)), float(max(found))]


def dbcv_with_ties_by_distance(points, labels):
    distances_between_points, isclose = validity.distances_between_points, validity.isclose

    def with_trace(points, labels, cluster, *arguments, **options):
        reach, core = distances_between_points(points, labels, cluster, *arguments, **options)
        distances = distances_between_points(points, labels, cluster, no_coredist=True)[0]
        return reach + 1e-10 * distances, core

    validity.distances_between_points, validity.isclose = with_trace, partial(
        np.isclose, rtol=1e-13, atol=0)
    try:
        return float(validity.validity_index(points, labels))
    finally:
        validity.distances_between_points, validity.isclose = distances_between_points, isclose


def main():
    cases = []
    for name, points, labels in data_sets():
        inside = labels >= 0
        clustered = points[inside], labels[inside]
        cases.append({
            "name": name,
            "points": points.tolist(),
            "labels": labels.tolist(),
            "silhouette": float(silhouette_score(*clustered)),
            "davies_bouldin": float(davies_bouldin_score(*clustered)),
            "calinski_harabasz": float(calinski_harabasz_score(*clustered)),
            "density_validity": dbcv_with_ties_by_distance(points, labels),
            "density_validity_over_permutations": dbcv_over_permutations(points, labels),
        })
    document = {
        "made_by": {name: version(name) for name in ["hdbscan", "numpy", "scikit-learn"]}
        | {"python": platform.python_version()},
        "cases": cases,
    }
    FIXTURE.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(f"{FIXTURE.name}: {len(cases)} cases, {FIXTURE.stat().st_size // 1000} kB,",
          document["made_by"], [case["density_validity"] for case in cases],
          [case["density_validity_over_permutations"] for case in cases])


if __name__ == "__main__":
    main()
