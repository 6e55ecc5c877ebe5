"""Simulated donors, their tissue samples and covariates, as in GTEx."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omitrans.datasets.simulate._samples import base36

# tissue -> family; related tissues share most of what sets them apart from others
TISSUES = {
    "Whole Blood": "blood",
    "Brain - Cortex": "brain",
    "Muscle - Skeletal": "muscle",
    "Brain - Cerebellum": "brain",
    "Esophagus - Mucosa": "gut",
    "Heart - Left Ventricle": "muscle",
    "Lung": "lung",
    "Colon - Sigmoid": "gut",
    "Brain - Hippocampus": "brain",
    "Adipose - Subcutaneous": "fat",
    "Stomach": "gut",
    "Skin - Sun Exposed": "skin",
    "Adipose - Visceral": "fat",
    "Spleen": "blood",
    "Heart - Atrial Appendage": "muscle",
    "Skin - Not Sun Exposed": "skin",
}
COHORTS = ("Postmortem", "Organ Donor (OPO)", "Surgical")
COHORT_SHARES = (0.55, 0.4, 0.05)
WOMEN = 0.33
AGE_RANGE = (20, 70)


@dataclass(frozen=True)
class TissueSamples:
    """Samples as integer codes and numbers; all arrays have shape (n_samples,)."""

    donor: np.ndarray
    tissue: np.ndarray  # index into TISSUES
    female: np.ndarray
    age: np.ndarray
    cohort: np.ndarray  # index into COHORTS


def draw_tissue_samples(
    n_samples: int, n_donors: int, n_tissues: int, rng: np.random.Generator
) -> TissueSamples:
    """Draw pairs of donor and tissue; no pair occurs twice."""
    pairs = rng.permutation(n_donors * n_tissues)[:n_samples]
    tissue = pairs % n_tissues
    _, donor = np.unique(pairs // n_tissues, return_inverse=True)  # some gave nothing
    n_donors = donor.max() + 1
    female = rng.random(n_donors) < WOMEN
    # most donors are old: the larger of two draws
    age = rng.integers(*AGE_RANGE, size=(2, n_donors), endpoint=True).max(axis=0)
    cohort = rng.choice(len(COHORTS), n_donors, p=COHORT_SHARES)
    return TissueSamples(donor, tissue, female[donor], age[donor], cohort[donor])


def describe_tissue_samples(samples: TissueSamples, rng: np.random.Generator) -> pd.DataFrame:
    """Return the samples as a DataFrame with GTEx-style ids."""
    n_donors = samples.donor.max() + 1
    letters = rng.choice(36**4, n_donors, replace=False)
    donors = np.array([f"GTEX-1{base36(number, 4)}" for number in letters], dtype=object)
    aliquots = rng.choice(36**4, len(samples.donor), replace=False)
    ids = [
        f"{donor}-{26 + 100 * tissue:04d}-SM-{base36(aliquot, 5)}"
        for donor, tissue, aliquot in zip(
            donors[samples.donor], samples.tissue, aliquots, strict=True
        )
    ]
    return pd.DataFrame(
        {
            "donor": donors[samples.donor],
            "tissue": np.array([*TISSUES], dtype=object)[samples.tissue],
            "sex": np.where(samples.female, "female", "male").astype(object),
            "age": samples.age,
            "cohort": np.array(COHORTS, dtype=object)[samples.cohort],
        },
        index=pd.Index(ids, name="sample_id", dtype=object),
    )
