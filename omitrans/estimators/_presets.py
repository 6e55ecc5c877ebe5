"""Published settings, by name."""

from typing import Any

# OmiTrans paper, Table 2, with what it leaves open taken from the authors' code: L1 distance,
# λ = 100, Adam's first moment at 0.5, unscaled data, all epochs run.
PAPER_FC: dict[str, Any] = {
    "generator": "fc",
    "discriminator": "fc",
    "hidden_layer_sizes": (4096, 1024, 512),
    "latent_dim": 256,
    "dropout": 0.2,
    "norm": "sample",
    "adversarial_loss": "vanilla",
    "reconstruction_loss": "l1",
    "reconstruction_weight": 100.0,
    "source_scaling": "none",
    "target_scaling": "none",
    "lr": 1e-4,
    "discriminator_lr": 1e-4,
    "alpha": 0.0,
    "batch_size": 128,
    "max_epochs": 800,
    "decay_epochs": 100,
    "early_stopping": False,
}

OMITRANS_PRESETS: dict[str, dict[str, Any]] = {"paper-fc": PAPER_FC}
