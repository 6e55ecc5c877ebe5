"""Gene programmes: hidden factors that move both methylation and expression."""

from dataclasses import dataclass

import numpy as np

from omitrans.datasets.simulate._samples import Cohort, correlate_within_donor

# Standard deviations that make an activity's variance over a pan-cancer cohort about 1:
# tissue of origin 0.5, what its cancer changes 0.4, tumours of one type among themselves 0.75.
TISSUE_SD, CANCER_SD, TUMOUR_SD = 0.5, 0.4, 0.75
# normal tissue of one kind differs less from person to person (mostly by cell composition)
NORMAL_SD = 0.4
# what every cancer shares moves the first programme, so that it separates tumour from normal
TUMOUR_SHIFT = 1.0
# two tumours of a patient resemble each other this much
WITHIN_DONOR = 0.8


@dataclass(frozen=True)
class Activities:
    """Programme activities in the tumour and normal cells of each sample, (n_programmes, n)."""

    tumour: np.ndarray
    normal: np.ndarray


def draw_activities(
    means: np.ndarray,
    group: np.ndarray,
    donor: np.ndarray,
    rng: np.random.Generator,
    sd: float,
) -> np.ndarray:
    """Return activities of samples around the means of their group, (n_programmes, n_samples)."""
    own = rng.normal(0, sd, size=(len(means), len(group)))
    correlate_within_donor(own, donor, WITHIN_DONOR)
    return (means[:, group] + own).astype(np.float32)


def draw_paired_activities(
    cohort: Cohort,
    tissue_means: np.ndarray,
    cancer_means: np.ndarray,
    rng: np.random.Generator,
) -> Activities:
    """Return the activities of both compartments of every sample.

    A normal sample has a tumour compartment as well, which its purity of 0 makes invisible.
    """
    group, donor = cohort.cancer_type, cohort.donor
    return Activities(
        tumour=draw_activities(tissue_means + cancer_means, group, donor, rng, TUMOUR_SD),
        normal=draw_activities(tissue_means, group, donor, rng, NORMAL_SD),
    )


def sparse_loadings(
    n_features: int, n_programmes: int, n_active: int, rng: np.random.Generator
) -> np.ndarray:
    """Return (n_features, n_programmes) loadings, `n_active` non-zero per row, variance 1."""
    n_active = min(n_active, n_programmes)
    dice = rng.random((n_features, n_programmes), dtype=np.float32)
    active = np.argpartition(dice, n_active - 1, axis=1)[:, :n_active]
    values = rng.normal(0, 1 / np.sqrt(n_active), size=active.shape).astype(np.float32)
    loadings = np.zeros_like(dice)
    np.put_along_axis(loadings, active, values, axis=1)
    return loadings
