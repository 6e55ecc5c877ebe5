"""Write a model file of each class that came after `make_models_format1.py` was run.

The files stand beside the others in ``format1/``. Add a class here when it comes, and run the
script with its name alone, so that the files of the other classes stay as they are:

    python -m tests.reference.make_later_models_format1 MultiKernelRidgeRegressor
"""

import sys

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

import omitrans
from omitrans import OmiEmbedClassifier, OmiTransRegressor, WGANGPGenerator
from omitrans.baselines import (
    DualRidgeRegressor,
    GaussianCopulaGenerator,
    GaussianGenerator,
    GeneNetworkSimulator,
    ImputerGenerator,
    MultiKernelRidgeRegressor,
)
from tests.reference.make_models_format1 import FOLDER, N_NEW, outcome, tables

NETWORK = pd.DataFrame({"regulator": "gene0", "target": ["gene1", "gene2"], "effect": ["+", "-"]})
# The generators take the betas as numeric covariates.
MODELS = {
    "GaussianCopulaGenerator": GaussianCopulaGenerator(rank=1, random_state=0),
    "GaussianGenerator": GaussianGenerator(rank=1, random_state=0),
    "GaussianGenerator_class": GaussianGenerator(rank=1, class_prior=20.0, random_state=0),
    "GeneNetworkSimulator": GeneNetworkSimulator(NETWORK, flavour="genenetweaver", random_state=0),
    "ImputerGenerator": ImputerGenerator(n_rounds=1, random_state=0),
    "MultiKernelRidgeRegressor": MultiKernelRidgeRegressor(),
    "OmiEmbedClassifier": OmiEmbedClassifier(
        blocks={"first": slice(0, 6), "second": [9, 7, 6]},
        hidden_layer_sizes=(4, 3),
        latent_dim=2,
        head_layer_sizes=(3,),
        class_weight="balanced",
        embedding_epochs=2,
        head_epochs=2,
        max_epochs=6,
        decay_epochs=0,
        device="cpu",
        random_state=0,
    ),
    "OmiTransRegressor_backbone": OmiTransRegressor(
        backbone=DualRidgeRegressor(alpha=1e4),
        n_networks=2,
        latent_dim=3,
        lr=0.05,
        max_epochs=20,
        batch_size=8,
        random_state=0,
    ),
    "OmiTransRegressor_fast": OmiTransRegressor(speed="fast"),
    "WGANGPGenerator": WGANGPGenerator(
        n_factors=2, hidden_layer_sizes=(4,), noise_dim=2, max_epochs=3, random_state=0
    ),
    "WGANGPGenerator_published": WGANGPGenerator(
        backbone=None,
        categorical_covariates="tissue",
        ignored_columns="donor",
        hidden_layer_sizes=(4,),
        noise_dim=2,
        weight_averaging=0.5,
        rescale=True,
        clip=True,
        max_epochs=3,
        device="cpu",
        random_state=0,
    ),
}


def main() -> None:
    data = tables()
    for name in sys.argv[1:]:
        X = data["X"]
        if name.startswith("WGANGPGenerator"):  # it takes covariates
            X = data["tissues"][["tissue", "age", "donor"]]
        y = data["tissues"]["tissue"] if is_classifier(MODELS[name]) else data["Y"]
        model, new = MODELS[name].fit(X, y), X.tail(N_NEW)
        omitrans.save(model, FOLDER / f"{name}.omitrans")
        new.to_csv(FOLDER / f"{name}_new.csv")
        np.savetxt(FOLDER / f"{name}_expected.csv", outcome(model, new), delimiter=",")


if __name__ == "__main__":
    main()
