#!/usr/bin/env python3
"""Draws the pictures of the article "How it works" from a real fit of 49 points in the plane.

    python3 scripts/docs-pictures/make_pictures.py .build/release/photodb

Writes Sources/HDBSCAN/HDBSCAN.docc/Images/*.svg, each for light and for dark pages (DocC takes
`NAME~dark` on dark ones). Needs nothing but Python; the pictures were made with 3.11.7. Every core
distance, edge, merge, row, stability, label and probability is the program's own.
"""

import math
import pathlib
import sys

import run
from canvas import Canvas

UNIT = 7.4  # picture units to one unit of the plane
LEFT, TOP = 12, 56  # corner of the picture in the plane; nothing lies outside


def place(point):
    return (UNIT * (point[0] - LEFT), UNIT * (TOP - point[1]))


def neighbours(points, result):
    canvas = Canvas("Core distances: circles that reach to the third nearest other point")
    at = [place(point) for point in points]
    cores = result["core_distances"]
    shown = [11, 20, 28, 46]
    for centre in shown:
        nearest = sorted(range(len(points)), key=lambda i: math.dist(points[i], points[centre]))
        for other in nearest[1 : run.MIN_SAMPLES + 1]:
            canvas.line(at[centre], at[other], "0")
        canvas.dot(at[centre], UNIT * cores[centre], "0", fill_opacity=0.13, stroke="0")
    for index, position in enumerate(at):
        canvas.dot(position, fill="0" if index in shown else "ink")
    return canvas


def tree_edges(result):
    flat = result["mst"]
    return [(int(flat[i]), int(flat[i + 1]), flat[i + 2]) for i in range(0, len(flat), 3)]


def spanning_tree(points, result):
    canvas = Canvas("Minimum spanning tree of mutual reachability; thin edges are long")
    at = [place(point) for point in points]
    for a, b, weight in tree_edges(result):
        canvas.line(at[a], at[b], "0", min(12 / weight, 6.0))
    for position in at:
        canvas.dot(position)
    return canvas


def hierarchy(points, result):
    canvas = Canvas("Single-linkage hierarchy: the edges, shortest first, join groups")
    count, flat = len(points), result["single_linkage"]
    merges = [flat[i : i + 4] for i in range(0, len(flat), 4)]
    order, stack = [], [count + len(merges) - 1]
    while stack:
        node = stack.pop()
        if node < count:
            order.append(node)
        else:
            stack += [int(child) for child in merges[node - count][1::-1]]
    bottom, top = canvas.height - 20, merges[-1][2]
    height = lambda distance: bottom - (bottom - 30) * distance / top
    canvas.scale([(height(d), str(d)) for d in range(0, int(top) + 1, 5)],
                 "mutual reachability distance")  # fmt: skip
    x = {point: 68 + 560 * index / (count - 1) for index, point in enumerate(order)}
    y = dict.fromkeys(x, height(0))
    for index, (left, right, distance, _) in enumerate(merges):
        level = height(distance)
        for child in (left, right):
            canvas.line((x[child], y[child]), (x[child], level))
        canvas.line((x[left], level), (x[right], level))
        x[count + index], y[count + index] = (x[left] + x[right]) / 2, level
    return canvas


def condensed_tree(points, result, selected=()):
    """Every cluster as a bar, as wide as it has points; area is stability."""
    canvas = Canvas("Condensed tree: bars are clusters, their area is their stability")
    root, rows = len(points), list(zip(result["condensed_parent"], result["condensed_child"],
                                       result["condensed_lambda"], result["condensed_size"]))  # fmt: skip
    below, birth, size = {root: []}, {root: 0.0}, {root: root}
    for parent, child, density, points_of_child in rows:
        if child >= root:
            below[child], birth[child], size[child] = [], density, points_of_child
            below[parent].append(child)
    width = 390 / root
    x, right = {}, 85.0
    for leaf in leaves(root, below):
        x[leaf] = right + size[leaf] * width / 2 + 40
        right = x[leaf] + size[leaf] * width / 2
    for cluster in sorted(below, reverse=True):
        if below[cluster]:
            x[cluster] = sum(x[child] for child in below[cluster]) / len(below[cluster])
    largest = max(row[2] for row in rows)
    y = lambda density: 30 + (canvas.height - 50) * density / largest
    canvas.scale([(y(tick / 10), f"{tick / 10}") for tick in range(int(largest * 10) + 1)],
                 "density λ = 1/distance")  # fmt: skip
    for cluster in sorted(below):
        left, bottom, alive, stability = [], birth[cluster], size[cluster], 0.0
        for parent, child, density, gone in rows:
            if parent == cluster:
                left += [(x[cluster] - alive * width / 2, y(bottom)),
                         (x[cluster] - alive * width / 2, y(density))]  # fmt: skip
                stability += (density - birth[cluster]) * gone
                alive, bottom = alive - gone, density
        corners = left + [(2 * x[cluster] - a, b) for a, b in reversed(left)]
        label = selected.index(cluster) if cluster in selected else None
        if label is not None and abs(stability - result["cluster_stability"][label]) > 1e-9:
            sys.exit(f"cluster {cluster}: stability {stability}, but the program says otherwise")
        colour = "soft" if label is None else str(label)
        canvas.polygon(corners, colour, fill_opacity=0.55 if label is None else 0.9)
        for child in below[cluster]:
            canvas.line((x[cluster], y(birth[child])), (x[child], y(birth[child])), "soft")
        if selected and cluster != root:
            beside = (x[cluster] + size[cluster] * width / 2 + 4, y(birth[cluster]) + 16)
            canvas.text(beside, f"{stability:.2f}", "ink", anchor="start")
    return canvas


def leaves(root, below):
    found, stack = [], [root]
    while stack:
        cluster = stack.pop()
        stack += reversed(below[cluster])
        if not below[cluster]:
            found.append(cluster)
    return found


def selection(points, result):
    canvas = condensed_tree(points, result, result["selected_clusters"])
    canvas.title = "Selected clusters in colour, with the stability of every cluster"
    return canvas


def labels(points, result):
    canvas = Canvas("Labels: colour is the cluster, paleness a low probability, rings are noise")
    for index, point in enumerate(points):
        label, probability = result["labels"][index], result["probabilities"][index]
        if label < 0:
            canvas.dot(place(point), 5, "none", stroke="soft", stroke_width=2)
        else:
            canvas.dot(place(point), 6, str(label), fill_opacity=0.2 + 0.8 * probability,
                       stroke=str(label))  # fmt: skip
    return canvas


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = root / "Sources/HDBSCAN/HDBSCAN.docc/Images"
    folder.mkdir(parents=True, exist_ok=True)
    points = run.points()
    result = run.fit(sys.argv[1], points)
    for stage in (neighbours, spanning_tree, hierarchy, condensed_tree, selection, labels):
        stage(points, result).write(folder, stage.__name__.replace("_", "-"))
    print(f"{folder.relative_to(root)}: 6 pictures, each for light and dark pages")


main()
