"""Recognise and check the unit of expression values, and convert them to log2(x + 1)."""

import re
import warnings
from typing import Any

import numpy as np

from omitrans.preprocessing._columns import map_values
from omitrans.preprocessing.genes._unit_rules import (
    DOUBLE_LOG,
    LOG2_X_1,
    MAX_DOUBLE_LOG,
    MAX_LOG,
    Summary,
    UnitGuess,
    as_table,
    guess_unit,
    summarize,
)
from omitrans.utils._sklearn import validate_params

_LINEAR = {"linear", "fpkm", "fpkm-uq", "rpkm", "tpm", "cpm"}
_LOG2 = re.compile(r"log2\(\s*[\w .-]+?\s*\+\s*(\d*\.?\d+)\s*\)")

# Tables of fewer genes may be a choice of weakly or evenly expressed ones: warn, do not refuse.
_MANY_GENES = 50
# A whole transcriptome: its highest FPKM is in the thousands.
_ALL_GENES = 10_000

Faults = list[tuple[bool, str]]  # whether it is certain, and what is said


def detect_expression_unit(Y: Any) -> UnitGuess:
    """Guess the unit of expression values from their distribution.

    The whole table is searched for its lowest and highest value; the shape of the distribution
    is taken from evenly spaced samples (about two million values at most).

    Parameters
    ----------
    Y : array-like or DataFrame of shape (n_samples, n_genes)
        Expression values; NaN is allowed.

    Returns
    -------
    UnitGuess
        Named tuple of ``unit`` and ``reasons``, a tuple of sentences. The unit is one of

        - "log2(x + 1)": not negative, up to 50 and little skewed;
        - "log2(x + 0.001)" (or 0.01, 0.05, 0.1): at least 1 % of the values are the lowest, which
          is the logarithm of that pseudocount;
        - "log2(log2(x + 1) + 1)": logged twice, at most 5.3, with most values in the upper half;
        - "counts": whole numbers beyond 50;
        - "linear" (FPKM, TPM, normalised or expected counts): beyond 50, or beyond 5.3 and skewed
          as no logarithms are;
        - "z-scores": columns (or rows) of mean 0 and standard deviation 1;
        - "unknown": none of these for certain.

    See Also
    --------
    check_expression_unit : Raises an error if a table does not have the stated unit.
    to_log2 : Converts expression to log2(x + 1).

    Notes
    -----
    The rules prefer "unknown" to a wrong answer. They cannot distinguish ln(x + 1) from log2(x +
    1), and they cannot distinguish log2(x + 1) of counts from log2(x + 1) of FPKM or from log2
    intensities of an array.

    Examples
    --------
    >>> from omitrans.datasets import make_paired_omics
    >>> from omitrans.preprocessing import detect_expression_unit
    >>> Y = make_paired_omics(n_samples=30, random_state=0).Y
    >>> detect_expression_unit(Y).unit
    'log2(x + 1)'
    >>> detect_expression_unit(2**Y - 1).unit
    'linear'
    """
    return guess_unit(summarize(as_table(Y)))


@validate_params(
    {"Y": ["array-like"], "unit": [str]},
    prefer_skip_nested_validation=True,
)
def check_expression_unit(Y: Any, unit: str = LOG2_X_1) -> None:
    """Raise an error if expression values cannot have the stated unit; warn if that is unlikely.

    Parameters
    ----------
    Y : array-like or DataFrame of shape (n_samples, n_genes)
        Expression values; NaN is allowed.
    unit : str, default="log2(x + 1)"
        Stated unit: "log2(x + 1)", or the same with another name for x or another pseudocount, such
        as "log2(FPKM + 1)" and "log2(tpm + 0.001)"; "linear", "FPKM", "FPKM-UQ", "RPKM", "TPM",
        "CPM"; "counts"; "z-scores".

    Raises
    ------
    ValueError
        If the values contradict the unit: raw values instead of logarithms, logarithms instead of
        raw values, values logged twice (in a table of 50 genes or more), values that are too low
        for a whole transcriptome (10,000 genes or more), negative values in a unit that has none,
        or infinite values.

    Warns
    -----
    UserWarning
        If the values are unlikely in this unit, but possible: in a table of few genes, or with some
        negative values, as batch correction produces them.

    See Also
    --------
    detect_expression_unit : Guesses the unit.
    to_log2 : Converts expression to log2(x + 1).

    Examples
    --------
    >>> from omitrans.datasets import make_paired_omics
    >>> from omitrans.preprocessing import check_expression_unit
    >>> Y = make_paired_omics(n_samples=30, random_state=0).Y
    >>> check_expression_unit(Y, "log2(FPKM + 1)")
    >>> check_expression_unit(2**Y - 1, "log2(FPKM + 1)")
    Traceback (most recent call last):
        ...
    ValueError: Y is stated to be in log2(FPKM + 1), but ... Convert it: to_log2(Y, "linear").
    """
    _check(summarize(as_table(Y)), unit)


@validate_params(
    {"Y": ["array-like"], "unit": [str], "check": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def to_log2(Y: Any, unit: str, *, check: bool = True) -> Any:
    """Convert expression to log2(x + 1).

    Parameters
    ----------
    Y : array-like or DataFrame of shape (n_samples, n_genes)
        Expression values; NaN is allowed.
    unit : str
        Unit of Y, one of the units that :func:`check_expression_unit` lists except "z-scores",
        which have lost their means. Values in log2(x + 1) are returned unchanged.
    check : bool, default=True
        Whether to raise an error for values that contradict `unit`, above all for values that are
        already logarithms. Use False for the rare table that the rules misjudge; negative values
        are still an error.

    Returns
    -------
    ndarray or DataFrame of shape (n_samples, n_genes)
        Values in log2(x + 1), as a DataFrame if `Y` is a DataFrame; float32 stays float32.

    Raises
    ------
    ValueError
        If the values contradict `unit`.

    See Also
    --------
    check_expression_unit : The same check without conversion.

    Examples
    --------
    >>> from omitrans.preprocessing import to_log2
    >>> to_log2([[0.0, 7.0, 1023.0]], "FPKM")
    array([[ 0.,  3., 10.]])
    >>> to_log2([[-9.9657843, 3.0]], "log2(tpm + 0.001)").round(3)
    array([[0.  , 3.17]])
    """
    kind, pseudocount = parse_unit(unit)
    if kind == "z-scores":
        raise ValueError(
            "z-scores cannot be converted: the mean and scale of each gene are gone. Take the "
            "table from before standardization."
        )
    Y = as_table(Y)
    summary = summarize(Y)
    if check:
        _check(summary, unit)
    elif kind != "log2" and summary.low < 0:
        raise ValueError(_stated(unit, f"it holds negative values (lowest {summary.low:.4g})."))

    def convert(values: np.ndarray) -> np.ndarray:
        if kind == "log2" and pseudocount == 1:
            return values
        if kind == "log2":
            # what is left of rounding below 0 is 0
            values = np.maximum(np.exp2(values) - values.dtype.type(pseudocount), 0)
        return np.log2(values + values.dtype.type(1))

    with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
        return map_values(Y, convert)


def parse_unit(unit: str) -> tuple[str, float]:
    """Return the kind of a unit ("log2", "linear", "counts", "z-scores") and its pseudocount.

    Parameters
    ----------
    unit : str
        Unit, one of those that :func:`check_expression_unit` lists.

    Returns
    -------
    tuple of str and float
        Kind of the unit, and its pseudocount, which is 0 if the unit has none.
    """
    text = unit.strip().lower()
    logged = _LOG2.fullmatch(text)
    if logged and float(logged[1]) > 0:
        return "log2", float(logged[1])
    if text in _LINEAR:
        return "linear", 0.0
    if text in {"counts", "z-scores"}:
        return text, 0.0
    raise ValueError(
        f"unit {unit!r} is not known. Use 'log2(x + 1)' with any name for x and any pseudocount, "
        "'linear', 'FPKM', 'FPKM-UQ', 'RPKM', 'TPM', 'CPM', 'counts' or 'z-scores'."
    )


def _check(s: Summary, unit: str) -> None:
    """Raise an error or warn as :func:`check_expression_unit` describes."""
    kind, pseudocount = parse_unit(unit)
    if s.infinite:
        raise ValueError(_stated(unit, "it holds infinite values. Mark them as missing first."))
    if not s.n_finite:
        return
    guess = guess_unit(s)
    if kind == "log2":
        faults = _faults_of_log(s, guess, pseudocount)
    elif kind == "z-scores":
        faults = _faults_of_z_scores(s)
    else:
        faults = _faults_of_raw(s, guess, kind)
    for certain, fault in faults:
        if certain:
            raise ValueError(_stated(unit, fault))
        warnings.warn(_stated(unit, fault), UserWarning, stacklevel=4)


def _faults_of_log(s: Summary, guess: UnitGuess, pseudocount: float) -> Faults:
    """Return the evidence against logarithms, and whether it is certain."""
    span = f"its values range from {s.low:.4g} to {s.high:.4g}"
    many = s.n_columns >= _MANY_GENES
    if s.high > MAX_LOG:
        raw = "counts" if guess.unit == "counts" else "linear"
        cure = f'Convert it: to_log2(Y, "{raw}").'
        return [(True, f"{span}, too high for logarithms. {cure}")]
    lowest = float(np.log2(pseudocount))
    if s.low < lowest - 1e-3:
        return [_too_low(s, guess, lowest)]
    if guess.unit == "linear":
        return [(False, f"{span} and are skewed as raw ones are. If so: to_log2(Y, 'linear').")]
    if pseudocount == 1 and s.high <= 1:
        return [(False, f"{span}: are they methylation betas?")]
    if guess.unit == DOUBLE_LOG:
        cure = "Undo one logarithm, Y = 2**Y - 1, and find out where the second one is taken."
        return [(many, f"{span}, as in values logged twice. {cure}")]
    if s.n_columns >= _ALL_GENES and s.low < s.high <= MAX_DOUBLE_LOG:
        cure = "They are logged twice, or to base 10: find out how they were made."
        return [(True, f"{span}, too low for a transcriptome of {s.n_columns} genes. {cure}")]
    if pseudocount < 1 and s.low >= 0 and guess.unit == LOG2_X_1:
        return [(False, f"{span}: with this pseudocount zeros would be {lowest:.4g}.")]
    return []


def _too_low(s: Summary, guess: UnitGuess, lowest: float) -> tuple[bool, str]:
    found = f"it holds values down to {s.low:.4g}, and {lowest:.4g} is the lowest there can be"
    if guess.unit.startswith("log2("):
        return True, f'{found}. They look like {guess.unit}: to_log2(Y, "{guess.unit}").'
    if guess.unit == "z-scores":
        return True, f"{found}. They look like z-scores: take the table from before that step."
    few = s.negative <= 0.05
    cure = (
        "Batch correction and models leave some; set them to 0: Y.clip(lower=0)."
        if few
        else "They may be log ratios, or log2(x) without or with another pseudocount."
    )
    return not few, f"{found}. {cure}"


def _faults_of_raw(s: Summary, guess: UnitGuess, kind: str) -> Faults:
    if s.low < 0:
        return [(True, f"it holds negative values (lowest {s.low:.4g}). Were they logged?")]
    if guess.unit in {LOG2_X_1, DOUBLE_LOG}:
        fault = (
            f"its values range from {s.low:.4g} to {s.high:.4g} as logarithms do: they look like "
            f"{guess.unit}. Logging them again would spoil them. State that unit."
        )
        return [(s.n_columns >= _MANY_GENES, fault)]
    if s.n_columns >= _ALL_GENES and s.low < s.high <= MAX_LOG and not s.whole:
        span = f"its values range from {s.low:.4g} to {s.high:.4g}"
        return [(True, f"{span}, too low for {s.n_columns} genes. Were they logged?")]
    if kind == "counts" and not s.whole:
        return [(True, "it holds fractions. Expected counts (RSEM) are 'linear' here.")]
    return []


def _faults_of_z_scores(s: Summary) -> Faults:
    if s.low >= 0 or s.high > MAX_LOG:
        return [(True, f"its values range from {s.low:.4g} to {s.high:.4g}.")]
    return []


def _stated(unit: str, fault: str) -> str:
    return f"Y is stated to be in {unit}, but {fault}"
