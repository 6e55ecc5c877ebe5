"""Dye bias and detection of two-colour bead intensities, by tables over all 65,536 of them."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from omitrans.exceptions import DataFormatError

GREEN, RED = 0, 1
N_LEVELS = 2**16
_MIN_BEAD_TYPES = 20


class ArrayDesign(NamedTuple):
    """Positions of the bead types of each probe in the intensities; -1 means absent.

    `m_at` and `u_at` index the bead types, `m_colour` and `u_colour` the colours; `two_beads` marks
    Infinium I. `controls` maps the type of a control to the places of its bead types.
    """

    m_at: np.ndarray
    u_at: np.ndarray
    m_colour: np.ndarray
    u_colour: np.ndarray
    two_beads: np.ndarray
    controls: dict[str, np.ndarray]

    def in_band(self, colour: int) -> np.ndarray:
        """Return the bead types of Infinium I probes that are read in this colour."""
        probes = self.two_beads & (self.m_colour == colour)
        at = np.concatenate([self.m_at[probes], self.u_at[probes]])
        return at[at >= 0]

    def controls_of(self, *types: str) -> np.ndarray:
        """Return the bead types of controls of these types."""
        return np.concatenate(
            [np.empty(0, np.intp), *(at for name, at in self.controls.items() if name in types)]
        )


def correction_tables(means: np.ndarray, design: ArrayDesign, method: str | None) -> np.ndarray:
    """Return the corrected value of each intensity, of shape (2 colours, 65,536)."""
    levels = np.arange(N_LEVELS, dtype=np.float64)
    if method is None:
        return np.stack([levels, levels])
    if method == "controls":
        green = _enough(design.controls_of("NORM_C", "NORM_G"), "NORM_C or NORM_G controls")
        red = _enough(design.controls_of("NORM_A", "NORM_T"), "NORM_A or NORM_T controls")
        ratio = means[GREEN, green].mean() / max(means[RED, red].mean(), 1.0)
        return np.stack([levels, levels * ratio])
    pools = [
        np.sort(means[colour, _enough(design.in_band(colour), f"Infinium I probes in {name}")])
        for colour, name in ((GREEN, "green"), (RED, "red"))
    ]
    return np.stack([_quantile_table(pools[0], pools[1]), _quantile_table(pools[1], pools[0])])


def _enough(at: np.ndarray, what: str) -> np.ndarray:
    """Return the bead types; raise an error if there are too few to correct the dye bias."""
    if len(at) < _MIN_BEAD_TYPES:
        raise DataFormatError(
            f"The dye bias cannot be estimated: {len(at)} bead types of {what} are both in the "
            f"manifest and in the files, {_MIN_BEAD_TYPES} are needed. Set dye_bias to another "
            "method or to None, or give the manifest with what is missing."
        )
    return at


def _quantile_table(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Map each intensity half way to the intensity of the same rank in the other sorted pool."""
    ranks = np.linspace(0, 1, len(own))
    halfway = (own + np.interp(ranks, np.linspace(0, 1, len(other)), other)) / 2
    counts = np.bincount(own, minlength=N_LEVELS)
    known = np.flatnonzero(counts)
    mapped = np.bincount(own, halfway, minlength=N_LEVELS)[known] / counts[known]
    levels = np.arange(N_LEVELS, dtype=np.float64)
    table = np.interp(levels, np.append(0, known), np.append(0 if known[0] else mapped[0], mapped))
    above = levels > known[-1]
    table[above] = levels[above] * (mapped[-1] / max(known[-1], 1))
    return table


def detection_p_values(means: np.ndarray, design: ArrayDesign, background: str) -> np.ndarray:
    """Return the detection p-value of each probe; NaN where a bead type is absent."""
    m = means[design.m_colour, design.m_at]
    u = means[design.u_colour, design.u_at]
    if background == "oob":
        # in one colour the background is what probes of the other colour show there
        pools = [means[GREEN, design.in_band(RED)], means[RED, design.in_band(GREEN)]]
        p = _p_of_brighter(m, u, design, [_survival_table(pool) for pool in pools])
    else:
        p = _p_of_sum(m, u, design, means[:, design.controls_of("NEGATIVE")])
    p[(design.m_at < 0) | (design.u_at < 0)] = np.nan
    return p.astype(np.float32)


def _survival_table(pool: np.ndarray) -> np.ndarray:
    """Return, for each intensity, the probability that background is at least as bright."""
    if len(pool) < _MIN_BEAD_TYPES:
        raise DataFormatError(
            f"Only {len(pool)} bead types show out-of-band background, {_MIN_BEAD_TYPES} are "
            "needed. Give the array's whole manifest, or set background='negative' or "
            "detection_p=None."
        )
    as_bright = np.bincount(pool, minlength=N_LEVELS)[::-1].cumsum()[::-1]
    return (as_bright + 1) / (len(pool) + 1)


def _p_of_brighter(
    m: np.ndarray, u: np.ndarray, design: ArrayDesign, survival: list[np.ndarray]
) -> np.ndarray:
    """Return the probability that the brighter of two background signals is this bright."""
    tables = np.stack(survival)
    smaller = np.minimum(tables[design.m_colour, m], tables[design.u_colour, u])
    return smaller * (2 - smaller)


def _p_of_sum(
    m: np.ndarray, u: np.ndarray, design: ArrayDesign, negatives: np.ndarray
) -> np.ndarray:
    """Return the probability that the sum of two background signals is at least this large."""
    if negatives.shape[1] < _MIN_BEAD_TYPES:
        raise DataFormatError(
            f"The manifest and the files share {negatives.shape[1]} NEGATIVE controls, "
            f"{_MIN_BEAD_TYPES} are needed. Give a manifest with them, or set background='oob'."
        )
    centre = np.median(negatives, axis=1)
    deviation = np.median(np.abs(negatives - centre[:, None]), axis=1) * 1.4826
    mean = centre[design.m_colour] + centre[design.u_colour]
    variance = deviation[design.m_colour] ** 2 + deviation[design.u_colour] ** 2
    excess = m.astype(np.float64) + u - mean
    return ndtr(-excess / np.sqrt(np.maximum(variance, 1.0)))
