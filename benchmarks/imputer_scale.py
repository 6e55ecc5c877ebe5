"""PMIImputer on a table of GTEx's size: seconds an epoch against a plain loop, and peak memory.

Two programs train the published inductive network on the same simulated values (NaN in half of
the entries, three covariates), each in a process of its own:

fit    ``PMIImputer.fit`` on a frame, and ``transform`` of the whole frame afterwards
loop   a plain loop over minibatches, as one would write it by hand with fused Adam

They take turns; the ratio is the median over the turns. Memory is the peak resident size of the
process, with the frame that it is given.

    python benchmarks/imputer_scale.py --output benchmarks/results/imputer_scale.csv
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch

from omitrans import PMIImputer
from omitrans.networks.imputers import MaskedMLP

PROGRAMS = ("fit", "loop")
TISSUES = 49


def make_values(n_samples, n_genes):
    """Return float32 expression of low rank with NaN in half of its entries, block by block."""
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((20, n_genes), dtype=np.float32)
    values = np.empty((n_samples, n_genes), dtype=np.float32)
    for start in range(0, n_samples, 500):
        block = values[start : start + 500]
        np.matmul(rng.standard_normal((len(block), 20), dtype=np.float32), loadings, out=block)
        block += rng.standard_normal(block.shape, dtype=np.float32)
        block[rng.random(block.shape, dtype=np.float32) < 0.5] = np.nan
    return values


def run_fit(values, args):
    frame = pd.DataFrame(values, columns=[f"gene{i}" for i in range(values.shape[1])], copy=False)
    rng = np.random.default_rng(1)
    covariates = pd.DataFrame(
        {
            "tissue": rng.choice([f"tissue{i}" for i in range(TISSUES)], len(frame)),
            "sex": rng.choice(["1", "2"], len(frame)),
            "age": rng.uniform(20, 80, len(frame)),
        }
    )
    frame = pd.concat([covariates, frame], axis=1, copy=False)
    imputer = PMIImputer(
        categorical_covariates=["tissue", "sex"],
        numeric_covariates=["age"],
        hidden_layer_sizes=(args.hidden,),
        dropout=0.2,
        lr=1e-4,
        batch_size=args.batch,
        max_epochs=args.epochs,
        early_stopping=False,
        precision="float32",
        random_state=0,
    )
    start = time.perf_counter()
    imputer.fit(frame)
    fitted = time.perf_counter()
    filled = imputer.transform(frame)
    transformed = time.perf_counter() - fitted
    assert np.isfinite(filled).all()
    return imputer.history_["seconds"].tolist(), fitted - start, transformed


def run_loop(values, args):
    torch.manual_seed(0)
    X = torch.from_numpy(values)
    mean = X.nanmean(0)
    scale = torch.stack([(part - part.nanmean(0)).square().nanmean(0) for part in X.split(1000)])
    scale = scale.mean(0).sqrt()
    covariates = torch.ones(len(X), 3)
    network = MaskedMLP(
        3, X.shape[1], n_categories=(TISSUES, 2), hidden_layer_sizes=(args.hidden,), dropout=0.2
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
    seconds = []
    begin = time.perf_counter()
    for _ in range(args.epochs):
        start = time.perf_counter()
        for rows in torch.randperm(len(X)).split(args.batch):
            x = (X[rows] - mean) / scale
            observed = ~x.isnan()
            shown = observed & (torch.rand(x.shape) < 0.5)
            x = x.nan_to_num()
            output = network(covariates[rows], x * shown, shown.float())
            hidden = observed & ~shown
            errors = ((output - x) * hidden).square().sum(1) / hidden.sum(1).clamp_min(1)
            loss = errors.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.detach().item()
        seconds.append(time.perf_counter() - start)
    return seconds, time.perf_counter() - begin, float("nan")


def child(kind, args):
    """Run one program; print its times and peak memory as JSON."""
    torch.set_num_threads(args.threads)
    values = make_values(args.samples, args.genes)
    epochs, whole, transform = {"fit": run_fit, "loop": run_loop}[kind](values, args)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    # the first epoch also fills caches and allocators, in both alike
    epoch = median(epochs[1:] or epochs)
    print(json.dumps({"epoch": epoch, "whole": whole, "transform": transform, "peak": peak}))


def measure(kind, args):
    numbers = ("samples", "genes", "hidden", "batch", "epochs", "threads")
    options = [text for name in numbers for text in (f"--{name}", str(getattr(args, name)))]
    done = subprocess.run(
        [sys.executable, __file__, "--child", kind, *options],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=15_000)
    parser.add_argument("--genes", type=int, default=12_557)
    parser.add_argument("--hidden", type=int, default=3_072)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--child", choices=PROGRAMS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args)
        return
    header = (
        "n_samples,n_genes,hidden,batch_size,fit_epoch_s,loop_epoch_s,fit_over_loop,"
        "transform_s,fit_peak_mib,loop_peak_mib"
    )
    print(header)
    turns = []
    for turn in range(args.turns):
        order = PROGRAMS if turn % 2 == 0 else PROGRAMS[::-1]
        turns.append({kind: measure(kind, args) for kind in order})

    def mid(kind, what):
        return median(turn[kind][what] for turn in turns)

    ratio = median(turn["fit"]["epoch"] / turn["loop"]["epoch"] for turn in turns)
    values = [
        *(args.samples, args.genes, args.hidden, args.batch),
        *(mid("fit", "epoch"), mid("loop", "epoch"), ratio, mid("fit", "transform")),
        *(mid("fit", "peak") / 2**20, mid("loop", "peak") / 2**20),
    ]
    line = ",".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)
    print(line)
    if args.output:
        args.output.write_text(f"{header}\n{line}\n")


if __name__ == "__main__":
    main()
