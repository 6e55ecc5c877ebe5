"""Write one model file per class, and what each must give; not to be run again for format 1.

The files in ``format1/`` were written by the last build in which the classes stood in other
folders and had other parameters, so that they show what a file of an older version looks like.

    python tests/reference/make_models_format1.py
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge

import omitrans
from omitrans import GAINImputer, OmiTransRegressor, PMIImputer, TDimputeRegressor
from omitrans import baselines as b
from omitrans import preprocessing as p
from omitrans.pipelines import AlignedTargetRegressor, make_translation_pipeline
from omitrans.trust import DomainShiftDetector, TrustedRegressor

FOLDER = Path(__file__).parent / "format1"
N_SAMPLES, N_NEW = 24, 4


def tables() -> dict[str, pd.DataFrame]:
    """Return betas, their expression, a table of several tissues, and the genes' places."""
    rng = np.random.default_rng(0)
    samples = [f"sample{i}" for i in range(N_SAMPLES)]
    hidden = rng.normal(size=(N_SAMPLES, 3))
    noise = rng.normal(size=(N_SAMPLES, 10))
    betas = 1 / (1 + np.exp(-(hidden @ rng.normal(size=(3, 10)) + 0.2 * noise)))
    expression = 4 + hidden @ rng.normal(size=(3, 4))
    X = pd.DataFrame(betas.round(4), samples, [f"cg{i:08d}" for i in range(10)])
    Y = pd.DataFrame(expression.round(4), samples, [f"gene{i}" for i in range(4)])
    holes = X.mask(rng.random(X.shape) < 0.04)
    tissues = Y.assign(tissue=["blood", "liver", "lung"] * (N_SAMPLES // 3), age=range(N_SAMPLES))
    tissues = tissues.astype({"tissue": object}).assign(donor=np.arange(N_SAMPLES) // 3)
    genes = pd.DataFrame(
        {"gene_id": list(Y), "chromosome": ["9", "1", "X", "2"], "start": [5, 7, 1, 3]}
    )
    return {"X": X, "Y": Y, "holes": holes, "tissues": tissues, "genes": genes}


def hide(table: pd.DataFrame) -> pd.DataFrame:
    """Return new samples with some expression missing."""
    new = table.tail(N_NEW).copy()
    new.iloc[0, 0] = new.iloc[1, 2] = new.iloc[3, 3] = np.nan
    return new


def models(data: dict[str, pd.DataFrame]) -> dict[str, tuple[object, pd.DataFrame]]:
    """Return fitted models by name, and the new samples that each is given."""
    X, Y, holes, tissues, genes = data.values()
    new, new_tissues = X.tail(N_NEW), hide(tissues)
    trained = {"max_epochs": 3, "random_state": 0, "device": "cpu"}
    network = {"hidden_layer_sizes": (4,), **trained}
    columns = {"categorical_covariates": "tissue", "numeric_covariates": "age"}
    regressors = {
        "AlignedTargetRegressor": AlignedTargetRegressor(
            Ridge(), transformer=p.LocationAligner(genes)
        ),
        "DualRidgeRegressor": b.DualRidgeRegressor(),
        "LassoRegressor": b.LassoRegressor(cv=3),
        "OmiTransRegressor": OmiTransRegressor(latent_dim=3, **network),
        "OmiTransRegressor_chromosomes": OmiTransRegressor(
            "chromosome-fc",
            "chromosome-fc",
            column_groups=(4, 6),
            latent_dim=3,
            generator_params={"group_width": 3, "decoder_width": 4},
            discriminator_params={"group_width": 3},
            **network,
        ),
        "PLSRegressor": b.PLSRegressor(),
        "SVDRegressor": b.SVDRegressor(),
        "TDimputeRegressor": TDimputeRegressor(n_hidden=4, keep_optimizer=True, **trained),
        "TOBMIRegressor": b.TOBMIRegressor(),
        "TrustedRegressor": TrustedRegressor(
            make_translation_pipeline(Ridge()), cv=3, random_state=0
        ),
        "TrustedRegressor_ensemble": TrustedRegressor(
            TransformedTargetRegressor(
                make_translation_pipeline(
                    OmiTransRegressor(latent_dim=3, adversarial_loss=None, **network)
                )
            ),
            cv=2,
            ensemble=True,
            random_state=0,
        ),
        "pipeline": make_translation_pipeline(Ridge()),
    }
    found: dict[str, tuple[object, pd.DataFrame]] = {
        name: (model.fit(holes if "Trusted" in name or name == "pipeline" else X, Y), new)
        for name, model in regressors.items()
    }
    probes = pd.DataFrame({"probe_id": list(X)[:8], "chromosome": "1", "position": range(8)})
    flags = {"on_epic": True, "snp_within_5bp": [True] + [False] * 7, "multi_mapped": False}
    transformers = {
        "ArrayHarmonizer": p.ArrayHarmonizer(missing="components", random_state=0),
        "ArrayHarmonizer_knn": p.ArrayHarmonizer(missing="knn"),
        "BetaToM": p.BetaToM(),
        "LocationAligner": p.LocationAligner(
            probes.assign(position=range(8, 0, -1)), unmapped="drop"
        ),
        "MissingRateFilter": p.MissingRateFilter(threshold=0.1),
        "ProbeFilter": p.ProbeFilter(probes.assign(**flags), unannotated="drop"),
        "ReferenceQuantileNormalizer": p.ReferenceQuantileNormalizer(),
    }
    found |= {
        name: (model.fit(holes if name.startswith(("Array", "Missing")) else X), new)
        for name, model in transformers.items()
    }
    batches = ["a", "b"] * (N_SAMPLES // 2)
    found["BatchAdjuster"] = (p.BatchAdjuster().fit(X, batch=batches), new)
    found["DomainShiftDetector"] = (DomainShiftDetector(random_state=0).fit(X), new)
    imputers = {
        "CovariateImputer": b.CovariateImputer(**columns),
        "GAINImputer": GAINImputer(adversarial_weight=1.0, **network, **columns),
        "GroupMedianImputer": b.GroupMedianImputer("tissue", ignored_columns=["age", "donor"]),
        "PMIImputer": PMIImputer(**network, **columns),
        "SurrogateTissueImputer": b.SurrogateTissueImputer(
            tissue="tissue", donor="donor", surrogate="blood", ignored_columns=["age"]
        ),
    }
    table = tissues.drop(columns="donor")
    for name, imputer in imputers.items():
        whole = name.startswith(("Group", "Surrogate"))
        found[name] = (imputer.fit(tissues if whole else table), new_tissues)
        if not whole:
            found[name] = (found[name][0], new_tissues.drop(columns="donor"))
    for imputer in (b.RidgeImputer(random_state=0), b.SVDImputer(random_state=0)):
        found[type(imputer).__name__] = (imputer.fit(Y), new_tissues[list(Y)])
    return found


def outcome(model: object, X: pd.DataFrame) -> np.ndarray:
    """Return what a model gives for new samples."""
    if isinstance(model, DomainShiftDetector):
        return model.distance(X)
    if isinstance(model, p.BatchAdjuster):
        return model.transform(X, batch=["a", "b"] * (N_NEW // 2)).to_numpy()
    if hasattr(model, "sample_y") and not (
        hasattr(model, "predict") or hasattr(model, "transform")
    ):
        return model.sample_y(X, random_state=0).to_numpy(dtype=np.float64)
    if hasattr(model, "predict_proba"):
        return np.hstack([model.predict_proba(X), model.transform(X)])
    method = getattr(model, "predict", None) or getattr(model, "transform")  # noqa: B009
    return np.asarray(method(X), dtype=np.float64)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (model, new) in models(tables()).items():
        omitrans.save(model, FOLDER / f"{name}.omitrans")
        new.to_csv(FOLDER / f"{name}_new.csv")
        np.savetxt(FOLDER / f"{name}_expected.csv", outcome(model, new), delimiter=",")


if __name__ == "__main__":
    main()
