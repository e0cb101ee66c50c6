"""Times implementations of HDBSCAN on the same vectors; see scripts/benchmark-peers.

Every measurement is a process of its own, so that its peak memory is its own. Reading the file and
importing modules is not counted, and of what is compiled on first use (fast_hdbscan) one fit of 1,000
rows comes before. The least of up to three fits counts.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

import numpy as np

MIN_CLUSTER_SIZE, MIN_SAMPLES = 3, 2
REPEATS, ENOUGH_SECONDS = 3, 30


def faces(count, dimensions, seed=1):
    """Unit vectors distributed like faces: power-law identities, 60 % singletons, 15 % outliers."""
    random = np.random.default_rng(seed)
    scales = np.exp(-np.arange(dimensions) / 150)
    scales /= np.linalg.norm(scales)

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)

    def noise(rows):
        return unit(random.standard_normal((rows, dimensions)) * scales)

    sizes, outliers = [], []
    while sum(sizes) < count:
        outlier = random.random() < 0.15
        single = outlier or random.random() < 0.6
        sizes.append(1 if single else min(int(2 / (1 - random.random())), 400))
        outliers.append(outlier)
    identity = np.repeat(np.arange(len(sizes)), sizes)[:count]
    mean = unit(random.standard_normal(dimensions))
    centres = unit(0.4 * mean + 0.9165 * noise(len(sizes)))
    spread = np.where(np.array(outliers)[identity], 1.2, 0.5)
    spread = spread * np.exp(0.55 * random.standard_normal(count))
    rows = unit(centres[identity] + np.sqrt(spread)[:, None] * noise(count))
    return random.permutation(rows).astype(np.float32)


def gemm_seconds(points):
    """T_gemm: all n² inner products in blocks; nothing is kept."""
    side, times = 1024, []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for row in range(0, len(points), side):
            for column in range(0, len(points), side):
                points[row:row + side] @ points[column:column + side].T
        times.append(time.perf_counter() - start)
    return min(times)


THREAD_SETTINGS = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"]


def hdbscan_fit(points, algorithm, threads):
    from hdbscan import HDBSCAN
    return HDBSCAN(
        min_cluster_size=MIN_CLUSTER_SIZE, min_samples=MIN_SAMPLES, algorithm=algorithm,
        approx_min_span_tree=False, core_dist_n_jobs=threads).fit(points).labels_


def sklearn_fit(points, threads):
    from sklearn.cluster import HDBSCAN
    return HDBSCAN(  # Counts the point itself among its samples.
        min_cluster_size=MIN_CLUSTER_SIZE, min_samples=MIN_SAMPLES + 1, algorithm="brute",
        n_jobs=threads, copy=True).fit(points).labels_


def fast_fit(points):
    from fast_hdbscan import HDBSCAN
    return HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE, min_samples=MIN_SAMPLES).fit(points).labels_


# Name, package, whether memory grows with n², how to fit.
PEERS = {
    "hdbscan, best (Prim)": ("hdbscan", False, lambda p, t: hdbscan_fit(p, "best", t)),
    # Refuses float32.
    "hdbscan, generic": ("hdbscan", True, lambda p, t: hdbscan_fit(p.astype(float), "generic", t)),
    "scikit-learn, brute": ("scikit-learn", True, sklearn_fit),
    "fast_hdbscan": ("fast_hdbscan", False, lambda p, t: fast_fit(p)),
}


def child(task, file, out, threads):
    """One measurement, in this process."""
    points = np.load(file)
    if task == "T_gemm":
        result, labels = gemm_seconds(points), np.zeros(0)
    else:
        fit, times = PEERS[task][2], []
        fit(points[:1000], threads)
        while len(times) < REPEATS and sum(times) < ENOUGH_SECONDS:
            start = time.perf_counter()
            labels = fit(points, threads)
            times.append(time.perf_counter() - start)
        result = min(times)
    np.savez(out, seconds=result, labels=labels)


def measured(command, environment, limit):
    """Peak memory of a command in MB, or in words why there is none."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True)
    deadline = time.monotonic() + limit
    while True:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            process.kill()
            os.wait4(process.pid, 0)
            return f"over {limit:g} in all"
        time.sleep(0.05)
    if status != 0:
        return "failed: " + (process.stderr.read().strip().splitlines() or ["no message"])[-1]
    return usage.ru_maxrss / 1000


def run_peer(task, file, folder, arguments, environment, limit):
    out = f"{folder}/out.npz"
    memory = measured(
        [sys.executable, "-W", "ignore", __file__, "--child", task, file, out, str(arguments.threads)],
        environment, limit)
    if isinstance(memory, str):
        return memory
    with np.load(out) as result:
        return float(result["seconds"]), memory, result["labels"]


def run_photodb(file, folder, arguments, environment):
    out, times = f"{folder}/out.safetensors", []
    command = [
        arguments.program, "hdbscan", "fit", file, "--out", out, "--json", "--quiet",
        "--without-vectors", "--min-cluster-size", str(MIN_CLUSTER_SIZE),
        "--min-samples", str(MIN_SAMPLES), "--threads", str(arguments.threads)]
    while len(times) < REPEATS and sum(times) < ENOUGH_SECONDS:
        text = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        report = json.loads(text)
        times.append(report["seconds"]["fit"])
    with open(out, "rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        start, end = header["labels"]["data_offsets"]
        stream.seek(start, os.SEEK_CUR)
        labels = np.frombuffer(stream.read(end - start), np.int64)
    return min(times), report["peak_memory_bytes"] / 1e6, labels


def compare(size, arguments, environment):
    from sklearn.metrics import adjusted_rand_score
    count, dimensions = (int(number) for number in size.split("x"))
    print(f"\n{count:,} × {dimensions}\n\n| implementation | seconds | × photodb | × T_gemm | "
          "peak MB | ARI with photodb |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/faces.npy"
        np.save(file, faces(count, dimensions))
        # The yardstick is one core's, however many the fits use.
        one_core = dict(environment, **{name: "1" for name in THREAD_SETTINGS})
        gemm = run_peer("T_gemm", file, folder, arguments, one_core, float("inf"))
        if isinstance(gemm, str):
            sys.exit(f"T_gemm {gemm}")
        gemm = gemm[0]
        ours = run_photodb(file, folder, arguments, environment)

        def row(name, result):
            seconds, memory, labels = result
            agreement = adjusted_rand_score(ours[2], labels)
            print(f"| {name} | {seconds:.3g} | {seconds / ours[0]:.3g} | {seconds / gemm:.3g} | "
                  f"{memory:,.0f} | {agreement:.3f} |", flush=True)

        row("photodb", ours)
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        for name, (package, is_quadratic, _) in PEERS.items():
            title = name.replace(package, f"{package} {version(package)}", 1)
            if is_quadratic and 3 * 8 * count * count > 0.8 * physical:
                print(f"| {title} | not run: needs n² doubles | | | | |", flush=True)
                continue
            result = run_peer(name, file, folder, arguments, environment, arguments.limit)
            if isinstance(result, str):
                print(f"| {title} | {result} | | | | |", flush=True)
            else:
                row(title, result)
        print(f"\nT_gemm {gemm:.3g} s (NumPy {version('numpy')})", flush=True)


def main():
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("sizes", nargs="*", default=["10000x128", "10000x512", "20000x128"])
    arguments = parser.parse_args()
    environment = dict(os.environ)
    for name in THREAD_SETTINGS:
        environment[name] = str(arguments.threads)
    processor = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine())
    print(f"{time.strftime('%Y-%m-%d')}, {processor}, {os.cpu_count()} cores, {arguments.threads} used, "
          f"Python {platform.python_version()}, min_cluster_size {MIN_CLUSTER_SIZE}, "
          f"min_samples {MIN_SAMPLES}")
    for size in arguments.sizes:
        compare(size, arguments, environment)


if __name__ == "__main__":
    main()
