"""Time and memory of OmiTransRegressor.fit against a hand-written PyTorch loop, and its floor.

Programs train the same published networks on the same data, each in a process of its own:

fit    ``OmiTransRegressor.fit``
before ``OmiTransRegressor.fit`` of another build, if ``--against`` names one
loop   a plain loop over minibatches, as one would write it by hand with fused Adam
floor  only the matrix products of that training and the fused Adam updates

They run in turn, `--repeats` times after a turn that does not count, each turn beginning with
another one of them; ratios are medians over the turns. Memory is the peak resident size of the
process (on CUDA: the peak that torch's allocator handed out).

    python benchmarks/train_step.py --output benchmarks/results/train_step.csv
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from statistics import median

import numpy as np
import torch
from builds import HERE, checkout
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from omitrans import OmiTransRegressor
from omitrans.networks import get_discriminator, get_generator

PROGRAMS = ("fit", "loop", "floor", "before")
SHAPES = [(5_000, 3_000, 64), (20_000, 15_000, 128)]
N_BATCHES, N_EPOCHS = 8, 3


def make_data(n_source, n_target, batch_size):
    """Return paired float32 tables of N_BATCHES whole batches."""
    rng = np.random.default_rng(0)
    n_samples = N_BATCHES * batch_size
    X = rng.random((n_samples, n_source), dtype=np.float32)
    Y = rng.random((n_samples, n_target), dtype=np.float32)
    return X, Y


def run_fit(X, Y, batch_size, device):
    model = OmiTransRegressor.from_preset(
        "paper-fc",
        max_epochs=N_EPOCHS,
        decay_epochs=0,
        batch_size=batch_size,
        precision="float32",
        device=device,
        random_state=0,
    ).fit(X, Y)
    return model.history_["seconds"].tolist()


def run_loop(X, Y, batch_size, device):
    torch.manual_seed(0)
    X, Y = torch.from_numpy(X).to(device), torch.from_numpy(Y).to(device)
    G = get_generator("fc")(X.shape[1], Y.shape[1]).to(device)
    D = get_discriminator("fc")(Y.shape[1], X.shape[1]).to(device)
    optimizer_G = torch.optim.Adam(G.parameters(), lr=1e-4, betas=(0.5, 0.999), fused=True)
    optimizer_D = torch.optim.Adam(D.parameters(), lr=1e-4, betas=(0.5, 0.999), fused=True)
    seconds = []
    for _ in range(N_EPOCHS):
        start = time.perf_counter()
        for rows in torch.randperm(len(X)).to(device).split(batch_size):
            x, y = X[rows], Y[rows]
            fake = G(x)
            real_logits, fake_logits = D(y, x), D(fake.detach(), x)
            loss_D = (
                binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
                + binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
            ) / 2
            optimizer_D.zero_grad()
            loss_D.backward()
            optimizer_D.step()
            D.requires_grad_(False)
            logits = D(fake, x)
            loss_G = binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
            loss_G = loss_G + 100 * l1_loss(fake, y)
            optimizer_G.zero_grad()
            loss_G.backward()
            optimizer_G.step()
            D.requires_grad_(True)
        loss_G.detach().item()  # waits for the device
        seconds.append(time.perf_counter() - start)
    return seconds


def layer_products(weight, batch_size, *, forward, weight_gradients, input_gradients):
    """Return a function that does a layer's products, into memory that is there already."""
    n_out, n_in = weight.shape
    h = torch.rand(batch_size, n_in, device=weight.device)
    out = torch.empty(batch_size, n_out, device=weight.device)
    back = torch.empty(batch_size, n_in, device=weight.device)

    def work():
        for _ in range(forward):
            torch.mm(h, weight.t(), out=out)
        for _ in range(weight_gradients):
            torch.mm(out.t(), h, out=weight.grad)
        for _ in range(input_gradients):
            torch.mm(out, weight, out=back)

    return work


def prepare(network):
    """Return the weights of a network's layers and its optimizer, gradients in place."""
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    weights = [m.weight for m in network.modules() if isinstance(m, torch.nn.Linear)]
    return weights, torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)


def run_floor(X, Y, batch_size, device):
    weights_G, optimizer_G = prepare(get_generator("fc")(X.shape[1], Y.shape[1]).to(device))
    weights_D, optimizer_D = prepare(get_discriminator("fc")(Y.shape[1], X.shape[1]).to(device))
    work = []
    for i, weight in enumerate(weights_G):  # no gradient goes on to the source
        counts = {"forward": 1, "weight_gradients": 1, "input_gradients": int(i > 0)}
        work.append(layer_products(weight, batch_size, **counts))
    # D sees the real pair, the generated one, and that once more with gradients to its target,
    # which is layer 0; layer 1 is the source half of the folded first layer
    for i, weight in enumerate(weights_D):
        counts = {"forward": 3, "weight_gradients": 2, "input_gradients": {0: 1, 1: 0}.get(i, 3)}
        work.append(layer_products(weight, batch_size, **counts))
    seconds = []
    with torch.no_grad():
        for _ in range(N_EPOCHS):
            start = time.perf_counter()
            for _ in range(N_BATCHES):
                for products in work:
                    products()
                optimizer_G.step()
                optimizer_D.step()
            weights_G[0][0, 0].item()  # waits for the device
            seconds.append(time.perf_counter() - start)
    return seconds


def child(kind, shape, device, threads):
    """Run one program; print its times and peak memory as JSON."""
    torch.set_num_threads(threads)
    X, Y = make_data(*shape)
    start = time.perf_counter()
    run = {"loop": run_loop, "floor": run_floor}.get(kind, run_fit)
    epochs = run(X, Y, shape[-1], device)
    whole = time.perf_counter() - start
    if device == "cpu":
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    else:
        peak = torch.cuda.max_memory_allocated()
    # the first epoch fills caches and allocators, in all three alike
    step = median(epochs[1:]) / N_BATCHES
    print(json.dumps({"seconds": whole, "step": step, "peak": peak}))


def measure(kind, shape, device, threads, folder):
    arguments = ["--child", kind, "--shape", *map(str, shape)]
    arguments += ["--device", device, "--threads", str(threads)]
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(folder)},
    )
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--against", help="another checkout of the package, or a revision of git")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--child", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--shape", type=int, nargs=3, metavar=("SOURCE", "TARGET", "BATCH"))
    args = parser.parse_args()
    if args.child:
        child(args.child, tuple(args.shape), args.device, args.threads)
        return
    with checkout(args.against) if args.against else nullcontext() as other:
        compare(args, other)


def compare(args, other):
    """Run the programs in turn for each shape, and write their medians and ratios."""
    kinds = PROGRAMS if other else PROGRAMS[:-1]
    header = (
        "n_source,n_target,batch_size,fit_step_ms,loop_step_ms,floor_step_ms,"
        "fit_over_loop,step_over_floor,fit_peak_mib,loop_peak_mib,memory_ratio"
    ) + (",step_over_before" if other else "")
    lines = [header]
    print(f"{platform.machine()}, {args.threads} threads, {args.device}; medians of {args.repeats}")
    print(header)
    for shape in [tuple(args.shape)] if args.shape else SHAPES:
        turns = []
        for turn in range(args.repeats + 1):
            order = kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]
            turns.append(
                {
                    kind: measure(
                        kind, shape, args.device, args.threads, other if kind == "before" else HERE
                    )
                    for kind in order
                }
            )
        turns = turns[1:]  # the first one wakes the machine

        def mid(kind, what, turns=turns):
            return median(turn[kind][what] for turn in turns)

        time_ratio = median(t["fit"]["seconds"] / t["loop"]["seconds"] for t in turns)
        floor_ratio = median(t["fit"]["step"] / t["floor"]["step"] for t in turns)
        memory_ratio = median(t["fit"]["peak"] / t["loop"]["peak"] for t in turns)
        steps = [1e3 * mid(kind, "step") for kind in PROGRAMS[:-1]]
        peaks = [mid(kind, "peak") / 2**20 for kind in ("fit", "loop")]
        values = [*shape, *steps, time_ratio, floor_ratio, *peaks, memory_ratio]
        if other:
            values.append(median(t["fit"]["step"] / t["before"]["step"] for t in turns))
        lines.append(",".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in values))
        print(lines[-1], flush=True)
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
