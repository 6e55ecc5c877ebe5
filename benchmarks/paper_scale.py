"""The paper's own sizes on one device: seconds a step, the memory floor, and the whole training.

9,081 samples, 39,464 probes, 60,483 genes, batches of 128, synthetic values. Prints, for the
networks of ``from_preset("paper-fc")``, the time of a step against the least time that moving the
weights through memory takes (each is read and written with its gradient and Adam's two moments),
and what 800 epochs would take. For the LASSO, the time of blocks of genes at a tenth, a fifth and
half of the largest penalty, and what all genes would take.

    python benchmarks/paper_scale.py                  # a CUDA device
    python benchmarks/paper_scale.py --small          # any machine, a hundredth of the size
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from omitrans import OmiTransRegressor
from omitrans.solvers import lasso_paths

PAPER = {"n_samples": 9_081, "n_source": 39_464, "n_target": 60_483}
SMALL = {"n_samples": 640, "n_source": 2_000, "n_target": 3_000}
BATCH, PAPER_EPOCHS = 128, 800
# bytes that a step must move for every weight: weight, gradient and two moments, read and written
# (the gradient is written once and read once; forward and backward read the weight once each)
BYTES_A_WEIGHT = 4 * (2 + 2 + 4 + 1 + 1)


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def measure_bandwidth(device):
    """Return bytes a second of adding two large tensors into a third."""
    size = 2**28 if device == "cuda" else 2**25
    a, b, c = (torch.ones(size, device=device) for _ in range(3))
    seconds = []
    for _ in range(5):
        synchronize(device)
        start = time.perf_counter()
        torch.add(a, b, out=c)
        synchronize(device)
        seconds.append(time.perf_counter() - start)
    return 3 * 4 * size / min(seconds)


def time_training(shape, device, epochs, precision):
    """Yield rows on the networks of the preset."""
    rng = np.random.default_rng(0)
    X = rng.random((shape["n_samples"], shape["n_source"]), dtype=np.float32)
    Y = rng.random((shape["n_samples"], shape["n_target"]), dtype=np.float32)
    model = OmiTransRegressor.from_preset(
        "paper-fc",
        max_epochs=epochs,
        decay_epochs=0,
        batch_size=BATCH,
        device=device,
        precision=precision,
        random_state=0,
    ).fit(X, Y)
    n_steps = -(-len(X) // BATCH)
    step = model.history_["seconds"].iloc[1:].median() / n_steps
    networks = (model.net_.module_, model.net_.discriminator_)
    n_weights = sum(w.numel() for network in networks for w in network.parameters())
    floor = n_weights * BYTES_A_WEIGHT / measure_bandwidth(device)
    yield "weights, millions", n_weights / 1e6
    yield "step, ms", 1e3 * step
    yield "memory floor of a step, ms", 1e3 * floor
    yield "step over floor", step / floor
    yield f"{PAPER_EPOCHS} epochs, hours", PAPER_EPOCHS * n_steps * step / 3600


def time_lasso(shape, device, block, tol):
    """Yield rows on the LASSO of all genes."""
    generator = torch.Generator(device).manual_seed(0)

    def normal(*size):
        return torch.randn(*size, generator=generator, device=device)

    # features share programmes, as methylation does; a gene follows ten of them and noise
    n, p = shape["n_samples"], shape["n_source"]
    X = normal(n, 30) @ normal(30, p) * 0.3 + normal(n, p)
    X = (X - X.mean(0)) / X.std(0, correction=0)
    X = X.t().contiguous().t()  # columns lie together, as the solver wants them
    chosen = torch.randint(p, (10, block), generator=generator, device=device)
    Y = (X[:, chosen] * normal(10, block)).sum(1)
    Y = Y + Y.std(0) * normal(n, block)
    Y = Y - Y.mean(0)
    largest = (X.t() @ Y).abs().amax(0) / n
    lasso_paths(X, Y[:, :8], 0.5 * largest[:8, None], tol=tol)  # wakes the device
    for fraction in (0.5, 0.2, 0.1):
        synchronize(device)
        start = time.perf_counter()
        solved = lasso_paths(X, Y, fraction * largest[:, None], tol=tol)
        synchronize(device)
        seconds = time.perf_counter() - start
        name = f"LASSO at {fraction} of the largest penalty"
        yield f"{name}: ms a gene", 1e3 * seconds / block
        yield f"{name}: features a gene", solved.coef._nnz() / block
        yield f"{name}: largest relative gap", float(solved.gap.max())
        yield f"{name}: all genes, minutes", seconds / block * shape["n_target"] / 60


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="sizes that any machine can take")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bf16"])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--block", type=int, default=512, help="genes a block of the LASSO")
    parser.add_argument("--tol", type=float, default=1e-4, help="relative duality gap")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    shape = SMALL if options.small else PAPER
    device = options.device
    rows = [*shape.items()]
    rows += time_training(shape, device, options.epochs, options.precision)
    rows += time_lasso(shape, device, options.block, options.tol)
    table = pd.DataFrame(rows, columns=["what", "value"])
    where = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{where}, torch {torch.__version__}\n{table.to_string(index=False)}")
    if options.output:
        table.assign(device=where).to_csv(options.output, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
