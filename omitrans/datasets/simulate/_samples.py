"""Simulated patients, their samples, clinical covariates and survival."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

# Cancer types by their number of patients with both 450K and RNA-seq in TCGA (9,081 samples):
# patients, share of women, mean age.
CANCER_TYPES = {
    "BRCA": (784, 0.99, 58), "LGG": (510, 0.45, 43), "THCA": (502, 0.73, 47),
    "HNSC": (500, 0.27, 61), "PRAD": (495, 0.00, 61), "SKCM": (468, 0.38, 58),
    "LUAD": (456, 0.54, 65), "UCEC": (429, 1.00, 64), "BLCA": (408, 0.26, 68),
    "LIHC": (371, 0.33, 59), "LUSC": (370, 0.26, 68), "STAD": (338, 0.35, 65),
    "KIRC": (317, 0.35, 61), "CESC": (304, 1.00, 48), "COAD": (293, 0.46, 65),
    "KIRP": (274, 0.26, 62), "SARC": (259, 0.54, 61), "PCPG": (179, 0.56, 47),
    "PAAD": (177, 0.45, 65), "ESCA": (163, 0.14, 62), "TGCT": (134, 0.00, 32),
    "THYM": (119, 0.48, 58), "LAML": (100, 0.47, 53), "READ": (97, 0.45, 63),
    "MESO": (86, 0.17, 63), "UVM": (80, 0.44, 62), "ACC": (79, 0.61, 47),
    "KICH": (65, 0.40, 52), "GBM": (57, 0.44, 60), "UCS": (56, 1.00, 70),
    "DLBC": (48, 0.54, 56), "CHOL": (36, 0.56, 63), "OV": (7, 1.00, 65),
}  # fmt: skip

AGE_SD = 12.5  # within a cancer type
DEATHS_PER_DAY = 2.6e-4  # overall survival of the same patients, 28 % of them dead
DEATH_SHARE = 0.28
SAMPLE_CODES = {"tumour": "01A", "second tumour": "02A", "normal": "11A"}
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Cohort:
    """Samples as integer codes and numbers; all arrays have shape (n_samples,)."""

    donor: np.ndarray  # 0 .. n_donors - 1
    cancer_type: np.ndarray
    kind: np.ndarray  # keys of SAMPLE_CODES
    batch: np.ndarray
    age: np.ndarray
    female: np.ndarray
    purity: np.ndarray  # 0 in normal tissue

    def __len__(self) -> int:
        return len(self.donor)

    @property
    def tumour(self) -> np.ndarray:
        """Mask of the samples that hold tumour cells."""
        return self.kind != "normal"


def draw_cohort(
    n_samples: int,
    rng: np.random.Generator,
    *,
    n_cancer_types: int,
    n_batches: int,
    normal_fraction: float,
    repeat_fraction: float,
) -> Cohort:
    """Draw patients, then a second sample (adjacent normal or second tumour) for some of them."""
    n_normals = int(n_samples * normal_fraction)
    n_repeats = min(
        int(n_samples * repeat_fraction),
        (n_samples - n_normals) // 2,
        n_samples - 2 * n_normals,
    )
    n_donors = n_samples - n_normals - n_repeats
    donor = np.concatenate(
        [
            np.arange(n_donors),
            rng.choice(n_donors, n_repeats, replace=False),
            rng.choice(n_donors, n_normals, replace=False),
        ]
    )
    kind = np.repeat([*SAMPLE_CODES], [n_donors, n_repeats, n_normals])
    # files of a consortium come in no useful order: an unshuffled split must not be a safe one
    order = rng.permutation(n_samples)
    donor, kind = donor[order], kind[order]

    patients, women, mean_age = np.array([*CANCER_TYPES.values()][:n_cancer_types]).T
    cancer_type = rng.choice(n_cancer_types, n_donors, p=patients / patients.sum())
    female = rng.random(n_donors) < women[cancer_type]
    age = np.clip(rng.normal(mean_age[cancer_type], AGE_SD), 14, 90).astype(int)
    # a plate holds mostly a few cancer types, so batch and type are partly confounded
    plates = rng.dirichlet(np.ones(n_batches), size=n_cancer_types)
    batch = (rng.random(n_donors)[:, None] > plates.cumsum(axis=1)[cancer_type, :-1]).sum(axis=1)
    # TCGA asked for at least 60 % of tumour nuclei; consensus purities average about 0.65
    purity = np.where(kind == "normal", 0.0, 0.2 + 0.8 * rng.beta(4, 3, size=n_samples))
    return Cohort(
        donor=donor,
        cancer_type=cancer_type[donor],
        kind=kind,
        batch=batch[donor],
        age=age[donor],
        female=female[donor],
        purity=purity,
    )


def describe_cohort(cohort: Cohort, rng: np.random.Generator) -> pd.DataFrame:
    """Return the samples as a DataFrame with TCGA-style barcodes."""
    n_donors = cohort.donor.max() + 1
    n_types = len(CANCER_TYPES)
    # a tissue source site sends one cancer type; three sites per type
    sites = rng.choice(36**2, size=(n_types, 3), replace=False)
    site = sites[cohort.cancer_type, rng.integers(3, size=n_donors)[cohort.donor]]
    participant = rng.choice(36**4, n_donors, replace=False)[cohort.donor]
    patient = [
        f"TCGA-{base36(s, 2)}-{base36(p, 4)}" for s, p in zip(site, participant, strict=True)
    ]
    barcodes = [f"{p}-{SAMPLE_CODES[kind]}" for p, kind in zip(patient, cohort.kind, strict=True)]
    return pd.DataFrame(
        {
            "patient": patient,
            "cancer_type": np.array([*CANCER_TYPES], dtype=object)[cohort.cancer_type],
            "sample_type": np.where(cohort.tumour, "tumour", "normal").astype(object),
            "purity": cohort.purity,
            "batch": [f"batch{code + 1}" for code in cohort.batch],
            "age": cohort.age,
            "sex": np.where(cohort.female, "female", "male").astype(object),
        },
        index=pd.Index(barcodes, name="sample_id", dtype=object),
    )


def correlate_within_donor(values: np.ndarray, donor: np.ndarray, correlation: float) -> None:
    """Make later samples of a donor resemble the first, in place, at unchanged variance.

    The last axis of `values` runs over the samples and holds independent draws of mean 0.
    """
    first = np.unique(donor, return_index=True)[1][donor]
    later = np.flatnonzero(first != np.arange(len(donor)))
    values[..., later] *= np.sqrt(1 - correlation**2)
    values[..., later] += correlation * values[..., first[later]]


def draw_survival(
    log_hazard: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return days to death or censoring, and whether the patient died, per patient."""
    death = rng.exponential(1 / (DEATHS_PER_DAY * np.exp(log_hazard)))
    censoring_rate = DEATHS_PER_DAY * (1 - DEATH_SHARE) / DEATH_SHARE
    censoring = rng.exponential(1 / censoring_rate, size=len(log_hazard))
    return np.ceil(np.minimum(death, censoring)).astype(int), death <= censoring


def base36(number: int, width: int) -> str:
    """Return a number in digits and letters, as in barcodes."""
    digits = ""
    for _ in range(width):
        number, digit = divmod(int(number), 36)
        digits = _LETTERS[digit] + digits
    return digits


def own_generator(random_state: int | np.random.RandomState | None) -> np.random.Generator:
    """Return a separate generator; drawing from it does not change the global state.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Seed of the random numbers. None draws a new seed.

    Returns
    -------
    numpy.random.Generator
        Generator of random numbers.
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint32))
    return np.random.default_rng(random_state)
