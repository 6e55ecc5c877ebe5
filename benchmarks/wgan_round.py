"""Time of one round of WGANGPGenerator's training against a hand-written PyTorch loop.

A round is `n_critic` steps of the critic and one step of the generator. Both programs train the
same networks on the same batches in one process, in turns that alternate, after one that does not
count; ratios are medians over the turns.

loop   what one would write by hand: networks of concatenated inputs, torch.optim.RMSprop, and the
       gradient penalty by a double backward
round  ``WassersteinNet.train_step``, as ``WGANGPGenerator.fit`` calls it with the settings of the
       preset "paper-gtex-tcga"; with --default, with the default settings, whose generator holds a
       Gaussian model as well

    python benchmarks/wgan_round.py --output benchmarks/results/wgan_round.csv
"""

import argparse
import platform
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn

from omitrans import WGANGPGenerator

WIDTHS, NOISE_DIM, N_CRITIC, GP_WEIGHT = (256, 256), 64, 5, 10.0
N_TISSUES = 15


def perceptron(n_in, n_out):
    """Return layers with ReLU between them."""
    layers = []
    for a, b in pairwise((n_in, *WIDTHS)):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(WIDTHS[-1], n_out))


class Player(nn.Module):
    """A perceptron of concatenated inputs: values, age, and an embedded tissue."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.embedding = nn.Embedding(N_TISSUES, 4)
        self.layers = perceptron(n_in + 1 + 4, n_out)

    def forward(self, values, tissue, age):
        return self.layers(torch.cat([values, age, self.embedding(tissue)], dim=1))


class Loop:
    """The hand-written round."""

    def __init__(self, n_genes, device):
        self.device = device
        self.G = Player(NOISE_DIM, n_genes).to(device)
        self.D = Player(n_genes, 1).to(device)
        options = {"lr": 5e-4, "alpha": 0.9, "eps": 1e-7}
        self.optimizer_G = torch.optim.RMSprop(self.G.parameters(), **options)
        self.optimizer_D = torch.optim.RMSprop(self.D.parameters(), **options)

    def __call__(self, x, tissue, age):
        n = len(x)
        for _ in range(N_CRITIC):
            with torch.no_grad():
                fake = self.G(torch.randn(n, NOISE_DIM, device=self.device), tissue, age)
            alpha = torch.rand(n, 1, device=self.device)
            between = (alpha * x + (1 - alpha) * fake).requires_grad_(True)
            score = self.D(between, tissue, age).sum()
            (slope,) = torch.autograd.grad(score, between, create_graph=True)
            penalty = ((slope.square().sum(1).sqrt() - 1) ** 2).mean()
            distance = self.D(fake, tissue, age).mean() - self.D(x, tissue, age).mean()
            self.optimizer_D.zero_grad()
            (distance + GP_WEIGHT * penalty).backward()
            self.optimizer_D.step()
        self.D.requires_grad_(False)
        fake = self.G(torch.randn(n, NOISE_DIM, device=self.device), tissue, age)
        loss = -self.D(fake, tissue, age).mean()
        self.optimizer_G.zero_grad()
        loss.backward()
        self.optimizer_G.step()
        self.D.requires_grad_(True)
        return loss.detach()


def make_net(n_genes, batch_size, device, precision, *, default):
    """Return the net of an estimator after one short epoch."""
    rng = np.random.default_rng(0)
    X = np.empty((batch_size, 2), dtype=object)
    X[:, 0] = [f"tissue{i % N_TISSUES:02d}" for i in range(batch_size)]
    X[:, 1] = rng.normal(size=batch_size)
    published = {"backbone": None, "optimizer": "rmsprop", "lr": 5e-4, "weight_averaging": 0.0}
    model = WGANGPGenerator(
        **({} if default else published),
        hidden_layer_sizes=WIDTHS,
        noise_dim=NOISE_DIM,
        n_critic=N_CRITIC,
        gp_weight=GP_WEIGHT,
        scaling="none",
        categorical_covariates=[0],
        numeric_covariates=[1],
        early_stopping=False,
        max_epochs=1,
        device=device,
        precision=precision,
        random_state=0,
    )
    Y = rng.normal(size=(batch_size, n_genes)).astype(np.float32)
    trained = {}
    make = model._make_net
    model._make_net = lambda **options: trained.setdefault("net", make(**options))
    finish = model._finish

    def keep(net, held_out):  # its optimizers are trimmed away afterwards
        finish(net, held_out)
        trained["optimizers"] = net.optimizer_, net.discriminator_optimizer_

    model._finish = keep
    model.fit(X, Y)
    net = trained["net"]
    net.optimizer_, net.discriminator_optimizer_ = trained["optimizers"]
    return net


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--genes", type=int, default=18_154)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=2, help="rounds per turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", help="of ours; the loop is in float32")
    parser.add_argument("--default", action="store_true", help="the default settings of ours")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    net = make_net(args.genes, args.batch, args.device, args.precision, default=args.default)
    loop = Loop(args.genes, args.device)
    x = torch.randn(args.batch, args.genes, device=args.device)
    tissue = torch.arange(args.batch, device=args.device) % N_TISSUES
    age = torch.randn(args.batch, 1, device=args.device)
    covariates = torch.cat([1 + tissue[:, None].float(), age], dim=1)
    programs = {
        "loop": lambda: loop(x, tissue, age),
        "round": lambda: net.train_step((covariates, x))["adversarial"],
    }
    seconds = {kind: [] for kind in programs}
    for turn in range(args.turns + 1):
        for kind in sorted(programs, reverse=turn % 2 == 1):
            start = time.perf_counter()
            for _ in range(args.rounds):
                last = programs[kind]()
            last.item()  # waits for the device
            seconds[kind].append((time.perf_counter() - start) / args.rounds)
    seconds = {kind: values[1:] for kind, values in seconds.items()}  # the first one wakes up
    ratio = median(a / b for a, b in zip(seconds["round"], seconds["loop"], strict=True))
    mid = {kind: 1e3 * median(values) for kind, values in seconds.items()}
    print(f"{platform.machine()}, {args.threads} threads, {args.device}, {args.turns} turns")
    lines = [
        "n_genes,batch_size,round_ms,loop_ms,round_over_loop",
        f"{args.genes},{args.batch},{mid['round']:.4g},{mid['loop']:.4g},{ratio:.3f}",
    ]
    print("\n".join(lines))
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
