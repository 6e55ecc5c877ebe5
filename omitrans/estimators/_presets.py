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

# The U-Net of Figure 4 and the discriminator of Figure 5. Table 2 is headed "FC-based"; no settings
# of the CNN are published, so it gets the same.
PAPER_CNN = PAPER_FC | {"generator": "unet-in", "discriminator": "cnn-small"}

# The conditional GAN of Table 1: the same networks without the distance of equation 5.
PAPER_CGAN = PAPER_FC | {"reconstruction_weight": 0.0}

# The defaults of the authors' command line. Its discriminator normalises the logits, so that the
# adversarial loss cannot fall below ln 2; a faithful copy must do so too.
REPO_DEFAULT = PAPER_FC | {
    "generator": "chromosome-fc",
    "generator_params": {"hidden_layer_sizes": (1024, 512)},
    "discriminator": "chromosome-fc",
    "discriminator_params": {"normalize_logits": True},
    "dropout": 0.0,
    "lr": 2e-4,
    "discriminator_lr": 2e-4,
    "batch_size": 4,
    "max_epochs": 100,
    "decay_epochs": 0,
}

OMITRANS_PRESETS: dict[str, dict[str, Any]] = {
    "paper-cgan": PAPER_CGAN,
    "paper-cnn": PAPER_CNN,
    "paper-fc": PAPER_FC,
    "repo-default": REPO_DEFAULT,
}
