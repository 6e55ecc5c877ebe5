"""Rules that guess the unit of expression values."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import skew
from sklearn.utils.validation import check_array

from omitrans.preprocessing._columns import column_blocks
from omitrans.utils._validation import refuse_labelled_array
from omitrans.utils._value_range import smallest_and_largest

LOG2_X_1 = "log2(x + 1)"
DOUBLE_LOG = "log2(log2(x + 1) + 1)"

# No transcript is so abundant that log2 of it reaches this: 2**50 reads or 2**50 FPKM.
MAX_LOG = 50.0
# log2(log2(x + 1) + 1) of log2(x + 1) = 38; log2(x + 1) of a whole transcriptome goes beyond.
MAX_DOUBLE_LOG = 5.3
_MIN_DOUBLE_LOG = 2.5
# Skewness of the positive values: below 4 for logged tables, above 20 for raw ones, as a rule.
_LOGGED_SKEWNESS, _RAW_SKEWNESS = 5.0, 8.0
_PSEUDOCOUNTS = (0.001, 0.01, 0.05, 0.1)
_SAMPLE_ELEMENTS = 2**21


class UnitGuess(NamedTuple):
    """Result of :func:`detect_expression_unit`."""

    unit: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """Summary of a table that the rules use; fractions are fractions of the finite values."""

    n_columns: int
    n_finite: int
    infinite: bool
    low: float
    high: float
    whole: bool
    negative: float
    at_low: float  # share of values equal to the lowest
    skewness: float  # of the positive values
    middle: float  # their median in parts of the highest value
    standardized: bool


def as_table(Y: Any) -> Any:
    """Return a DataFrame as it is, other input as an array; raise an error unless it is a table."""
    refuse_labelled_array(Y, "Y")
    if not isinstance(Y, pd.DataFrame):
        return check_array(Y, dtype=(np.float64, np.float32), ensure_all_finite=False)
    check_array(Y.head(1).to_numpy(), dtype=np.float64, ensure_all_finite=False)
    return Y


def summarize(Y: Any) -> Summary:
    low = high = np.nan
    infinite = False
    for _, block in column_blocks(Y):
        block_low, block_high = smallest_and_largest(block)
        infinite |= bool(np.isinf([block_low, block_high]).any())
        low, high = float(np.fmin(low, block_low)), float(np.fmax(high, block_high))
    sample = _sample(Y)
    values = sample[np.isfinite(sample)]
    positive = values[values > 0]
    positive = positive / positive.max(initial=1e-300)
    varied = positive.size > 0 and np.ptp(positive) > 1e-6
    return Summary(
        n_columns=Y.shape[1],
        n_finite=values.size,
        infinite=infinite,
        low=low,
        high=high,
        whole=bool((values == np.rint(values)).all()),
        negative=float(np.mean(values < 0)) if values.size else 0.0,
        at_low=float(np.mean(np.isclose(values, low, rtol=0, atol=1e-3))) if values.size else 0.0,
        skewness=float(skew(positive)) if varied else 0.0,
        middle=float(np.median(positive)) if varied else 0.0,
        standardized=_standardized(sample) or _standardized(sample.T),
    )


def _sample(Y: Any) -> np.ndarray:
    """Return evenly spaced rows (and columns, if the table is very wide) as float64."""
    n_columns = min(Y.shape[1], _SAMPLE_ELEMENTS // 16)
    n_rows = min(Y.shape[0], max(16, _SAMPLE_ELEMENTS // max(1, n_columns)))
    rows = np.linspace(0, Y.shape[0] - 1, n_rows).astype(int)
    columns = np.linspace(0, Y.shape[1] - 1, n_columns).astype(int)
    if isinstance(Y, pd.DataFrame):
        return Y.iloc[rows, columns].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(Y[np.ix_(rows, columns)], dtype=np.float64)


def _standardized(sample: np.ndarray) -> bool:
    """Return whether most columns have mean 0 and standard deviation 1; needs eight rows."""
    enough = np.isfinite(sample).sum(axis=0) >= 8
    sample = np.where(np.isfinite(sample), sample, np.nan)[:, enough]
    if not sample.shape[1]:
        return False
    with np.errstate(over="ignore"):
        sd = np.nanstd(sample, axis=0)
    mean = np.nanmean(sample, axis=0)[sd > 0]
    sd = sd[sd > 0]
    like = (np.abs(mean) < 0.2) & (np.abs(sd - 1) < 0.2)
    return bool(like.size and like.mean() > 0.8)


def guess_unit(s: Summary) -> UnitGuess:
    """Apply the rules that :func:`detect_expression_unit` lists."""
    if s.infinite:
        return _unknown("It holds infinite values, as log2(x) of zeros without a pseudocount does.")
    if s.n_finite < 20:
        return _unknown(f"It holds {s.n_finite} values; 20 are needed to tell.")
    if s.low == s.high:
        return _unknown(f"All values are {s.low:.4g}.")
    if s.whole and max(-s.low, s.high) <= MAX_LOG:
        return _unknown("It holds small whole numbers, as copy numbers or classes.")
    found = f"Its values range from {s.low:.4g} to {s.high:.4g}."
    guess = _guess_signed(s) if s.low < 0 else _guess_unsigned(s)
    return UnitGuess(guess.unit, (found, *guess.reasons))


def _guess_signed(s: Summary) -> UnitGuess:
    for pseudocount in _PSEUDOCOUNTS:
        if abs(s.low - np.log2(pseudocount)) < 1e-3 and s.at_low >= 0.01 and s.high <= MAX_LOG:
            share = f"{s.at_low:.0%} of its values are log2({pseudocount:g}), the value of zeros."
            return UnitGuess(f"log2(x + {pseudocount:g})", (share,))
    if s.standardized:
        return UnitGuess("z-scores", ("Genes (or samples) have mean 0 and standard deviation 1.",))
    if s.negative > 0.3:
        return _unknown(
            f"{s.negative:.0%} are negative, as in centred values or log ratios; the scale is not "
            "that of z-scores."
        )
    return _unknown(
        f"{s.negative:.1%} are negative, as in logged values after batch correction, or log2(x) "
        "without a pseudocount."
    )


def _guess_unsigned(s: Summary) -> UnitGuess:
    if s.high <= 1:
        return _unknown("All lie in [0, 1]: they may be methylation betas, or ranks.")
    shape = f"The skewness of the positive ones is {s.skewness:.3g}."
    if s.high > MAX_LOG:
        if s.whole:
            return UnitGuess("counts", ("They are whole numbers, too high for logarithms.",))
        if s.skewness > 2:
            return UnitGuess("linear", ("Too high for logarithms.", shape))
        return _unknown(f"Too high for logarithms, and too even for raw expression. {shape}")
    if s.high > MAX_DOUBLE_LOG:
        if s.skewness < _LOGGED_SKEWNESS:
            return UnitGuess(LOG2_X_1, (shape,))
        if s.skewness > _RAW_SKEWNESS:
            return UnitGuess("linear", (f"{shape} Logarithms are not so skewed.",))
        return _unknown(f"{shape} It fits neither logarithms nor raw values.")
    if s.high > _MIN_DOUBLE_LOG and s.skewness < 0.3 and s.middle > 0.4:
        middle = f"The median of the positive ones is {s.middle:.0%} of the highest."
        return UnitGuess(DOUBLE_LOG, ("Too low for log2(x + 1) of a transcriptome.", middle))
    return _unknown(
        "Too low for log2(x + 1) of a transcriptome: log10, weakly expressed genes, or a double "
        "logarithm."
    )


def _unknown(reason: str) -> UnitGuess:
    return UnitGuess("unknown", (reason,))
