"""Presets: published settings of the estimators, by name."""

from typing import Any

from omitrans.exceptions import UnknownNameError

# Table 2 of the OmiTrans paper. Settings that it does not give are those of the authors' code: L1
# distance, λ = 100, first moment of Adam 0.5, unscaled data, no early stopping.
PAPER_FC: dict[str, Any] = {
    "backbone": None,
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

# The U-Net of Figure 4 and the discriminator of Figure 5. Table 2 is headed "FC-based"; settings of
# the CNN are not published, so it gets the same settings.
PAPER_CNN = PAPER_FC | {"generator": "unet-in", "discriminator": "cnn-small"}

# The conditional GAN of Table 1: the same networks without the distance of equation 5.
PAPER_CGAN = PAPER_FC | {"reconstruction_weight": 0.0}

# The defaults of the authors' command line. Its discriminator normalises the logits, so that the
# adversarial loss cannot fall below ln 2. This preset does the same.
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

# PMI (supplement and configurations of the authors' code). An epoch of that code is 100 batches
# of 32, so 1,000 of them are at most 350 passes over its 9,100 training samples.
_PMI: dict[str, Any] = {
    "norm": "batch",
    "scaling": "standard",
    "alpha": 0.0,
    "batch_size": 32,
    "max_epochs": 350,
    "early_stopping": True,
    "n_iter_no_change": 30,
    "tol": 0.0,
    "restore_best": False,
}
_PMI_IN_PLACE = _PMI | {"hidden_layer_sizes": (1366, 1366), "dropout": 0.0, "lr": 1e-4}
_PMI_IN_PLACE_PATHWAY = _PMI | {"hidden_layer_sizes": (1383,) * 3, "dropout": 0.0, "lr": 1e-3}
PMI_PRESETS: dict[str, dict[str, Any]] = {
    "paper-inductive": _PMI
    | {"hidden_layer_sizes": (3072,), "dropout": 0.2, "lr": 1e-4, "observed_rate": (0.5, 0.5)},
    "paper-in-place": _PMI_IN_PLACE | {"observed_rate": (0.5, 0.9)},
    "paper-inductive-pathway": _PMI
    | {
        "hidden_layer_sizes": (1531, 1531),
        "dropout": 0.2,
        "lr": 1e-3,
        "observed_rate": (0.5, 0.5),
        "n_iter_no_change": 10,
    },
    "paper-in-place-pathway": _PMI_IN_PLACE_PATHWAY | {"observed_rate": (0.6, 0.9)},
    # the authors' code reads alpha and then leaves beta at its default of 0.5
    "code-in-place": _PMI_IN_PLACE | {"observed_rate": (0.5, 0.5)},
    "code-in-place-pathway": _PMI_IN_PLACE_PATHWAY | {"observed_rate": (0.5, 0.6)},
}

# GAIN-GTEx; the discriminator drops features twice in each layer.
_GAIN = _PMI | {
    "lr": 1e-3,
    "adversarial_weight": 1.0,
    "reconstruction_weight": 1.0,
    "hint_rate": (0.5, 0.5),
}
GAIN_PRESETS: dict[str, dict[str, Any]] = {
    "paper-inductive": _GAIN
    | {
        "hidden_layer_sizes": (1902,) * 4,
        "dropout": 0.2,
        "discriminator_params": {"dropout": 1 - 0.8**2},
        "observed_rate": (0.5, 0.5),
    },
    "paper-in-place": _GAIN
    | {"hidden_layer_sizes": (296,) * 3, "dropout": 0.0, "observed_rate": (1.0, 1.0)},
    "paper-mse-in-place": _GAIN
    | {
        "hidden_layer_sizes": (2403,),
        "dropout": 0.0,
        "adversarial_weight": 0.0,
        "observed_rate": (1.0, 1.0),
    },
    "paper-inductive-pathway": _GAIN
    | {
        "hidden_layer_sizes": (54,) * 3,
        "dropout": 0.0,
        "reconstruction_weight": 10.0,
        "batch_size": 128,
        "observed_rate": (0.5, 0.5),
    },
    "paper-in-place-pathway": _GAIN
    | {
        "hidden_layer_sizes": (296,) * 3,
        "dropout": 0.4,
        "discriminator_params": {"dropout": 1 - 0.6**2},
        "observed_rate": (1.0, 1.0),
        "n_iter_no_change": 10,
    },
}

# WGAN-GP. The paper does not give the size of the noise, the steps of the critic or the batch size.
_WGAN: dict[str, Any] = {
    "backbone": None,
    "scaling": "standard",
    "n_critic": 5,
    "gp_weight": 10.0,
    "weight_averaging": 0.0,
    "optimizer": "rmsprop",
    "lr": 5e-4,
    "critic_lr": None,
    "batch_size": 32,
    "early_stopping": True,
    "validation_fraction": 0.1,
    "validate_every": 5,
    "validation_score": "s_dist",
    "n_iter_no_change": 30,
    "tol": 0.0,
    "refit": False,
}
_WGAN_ECOLI = _WGAN | {"hidden_layer_sizes": (128, 128), "noise_dim": 10, "max_epochs": 500}
_WGAN_HUMAN = _WGAN | {"hidden_layer_sizes": (256, 256), "noise_dim": 64, "max_epochs": 2000}
# The code takes batches in the order of the table, no numeric covariates, and ten validations of
# patience. For E. coli it adds noise, and its notebook rescales and clips what is generated.
_WGAN_REPO = {"shuffle": False, "numeric_covariates": None, "n_iter_no_change": 50}
WGAN_PRESETS: dict[str, dict[str, Any]] = {
    "paper-ecoli": _WGAN_ECOLI,
    "paper-gtex-tcga": _WGAN_HUMAN,
    "repo-ecoli": _WGAN_ECOLI
    | _WGAN_REPO
    | {
        "augmentation": 0.25,
        "augmentation_sd": 0.5,
        "frozen_augmentation": True,
        "rescale": True,
        "clip": True,
    },
    "repo-gtex-tcga": _WGAN_HUMAN | _WGAN_REPO,
}

# OmiEmbed, from the defaults of the authors' code: values in [0, 1], no early stopping.
_OMIEMBED: dict[str, Any] = {
    "group_width": 128,
    "latent_dim": 128,
    "head_layer_sizes": (128, 64),
    "dropout": 0.2,
    "norm": "batch",
    "reconstruction_loss": "cross-entropy",
    "scaling": "minmax",
    "kl_weight": 0.01,
    "embedding_weight": 0.001,
    "class_weight": None,
    "lr": 1e-4,
    "weight_decay": 1e-4,
    "batch_size": 32,
    "embedding_epochs": 50,
    "head_epochs": 50,
    "max_epochs": 200,
    "decay_epochs": 50,
    "early_stopping": False,
}
# With several kinds of omics the first layer of expression is wider there.
OMIEMBED_PRESETS: dict[str, dict[str, Any]] = {
    "paper": _OMIEMBED | {"hidden_layer_sizes": (1024, 1024, 512)},
    "repo-multi-omics": _OMIEMBED | {"hidden_layer_sizes": (2048, 1024, 512)},
}


def find_preset(presets: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the parameters of a preset.

    Parameters
    ----------
    presets : dict
        Presets by name, one of the tables of this file.
    name : str
        Name of the preset.

    Returns
    -------
    dict
        Parameters by name.

    Raises
    ------
    UnknownNameError
        If there is no preset of this name. The message lists the known names.
    """
    if name not in presets:
        raise UnknownNameError(f"Unknown preset {name!r}. Available: {', '.join(sorted(presets))}.")
    return presets[name]
