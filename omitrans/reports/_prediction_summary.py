"""Summary of a prediction in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from omitrans.reports._page import count, fixed, percent
from omitrans.reports._prediction_samples import sort_worst_first

_N_NAMED = 5
_OBJECTIONS = {  # of one sample and of several
    "refused": (
        "has so few of the model's probes that its prediction should not be used",
        "have so few of the model's probes that their predictions should not be used",
    ),
    "missing": ("has no prediction", "have no prediction"),
    "shifted": (
        "is unlike the training cohort; nothing vouches for its prediction",
        "are unlike the training cohort; nothing vouches for their predictions",
    ),
    "low": (
        "lacks many of the model's probes; its prediction is less certain",
        "lack many of the model's probes; their predictions are less certain",
    ),
}


@dataclass(frozen=True)
class Sentence:
    """Sentence of the summary, with the names of the samples that it is about."""

    text: str
    names: list[str] = field(default_factory=list)
    n_more: int = 0


def tiles(samples: pd.DataFrame, genes: list, table: pd.DataFrame | None) -> dict[str, str]:
    """Return the main numbers of a prediction by name.

    Parameters
    ----------
    samples : DataFrame
        Samples with their reasons for doubt, as :func:`judge` returns them.
    genes : list
        Names of the predicted genes.
    table : DataFrame or None
        Rows of the trust card for these genes.

    Returns
    -------
    dict of str to str
        Numbers as text, by name.
    """
    numbers = {"samples": f"{len(samples):,}", "genes": f"{len(genes):,}"}
    if table is not None:
        numbers["genes can be believed"] = f"{table['predictable'].sum():,}"
    if _checked(samples):
        numbers["samples to distrust"] = f"{samples['distrusted'].sum():,}"
    if "coverage" in samples:
        numbers["of the probes present (median)"] = percent(samples["coverage"].median())
    return numbers


def sentences(
    samples: pd.DataFrame, table: pd.DataFrame | None, min_r2: float | None
) -> list[Sentence]:
    """Return sentences that explain the main numbers.

    Parameters
    ----------
    samples : DataFrame
        Samples with their reasons for doubt, as :func:`judge` returns them.
    table : DataFrame or None
        Rows of the trust card for the predicted genes.
    min_r2 : float or None
        Cross-validated R² above which the card calls a gene predictable; None if it is not known.

    Returns
    -------
    list of Sentence
        Sentences of the summary.
    """
    return [*map(Sentence, _say_genes(table, min_r2)), *_say_samples(samples)]


def _say_genes(table: pd.DataFrame | None, min_r2: float | None) -> Iterator[str]:
    if table is None:
        yield (
            "Which genes can be believed is not known: the model has no trust card. Believe none "
            "without a test on samples with measured expression."
        )
        return
    good = table[table["predictable"]]
    share = percent(len(good) / len(table))
    if not len(good):
        yield "No gene can be believed: none was predicted well enough in cross-validation."
        return
    limit = "" if min_r2 is None else f"above {min_r2:g}, "
    yield (
        f"{len(good):,} of {len(table):,} genes ({share}) can be believed: cross-validation in the "
        f"training cohort found their R² to be {limit}{fixed(good['r2'].median())} in the "
        "median. The others should not be interpreted."
    )
    if "expected" in table:
        yield (
            "With the probes that these samples hold, an R² of "
            f"{fixed(good['expected'].median())} is to be expected of the median believed "
            "gene, in samples like those of the training cohort."
        )


def _say_samples(samples: pd.DataFrame) -> Iterator[Sentence]:
    ordered = sort_worst_first(samples)
    for reason, (of_one, of_many) in _OBJECTIONS.items():
        names = [str(name) for name in ordered.index[ordered[reason]]]
        if names:
            saying = of_one if len(names) == 1 else of_many
            text = f"{count(len(names), 'sample')} {saying}"
            yield Sentence(text, names[:_N_NAMED], len(names) - _N_NAMED)
    if samples["shifted"].mean() > 0.5:
        yield Sentence(
            "Most samples are unlike the training cohort: the model was probably made for "
            "another tissue or another kind of data. Distrust all of its predictions here."
        )
    if 0 < samples["shifted"].mean() <= 0.1:
        yield Sentence(
            "About one in twenty samples of the right kind is flagged as unlike the training "
            "cohort too: look at their distances before you drop them."
        )
    if _checked(samples) and not samples[list(_OBJECTIONS)].any(axis=None):
        yield Sentence("No objection was found to any sample.")
    if "coverage" not in samples:
        yield Sentence("How many of the model's probes the samples hold was not checked.")
    if "distance" not in samples:
        yield Sentence("Whether the samples are like those of the training cohort was not checked.")


def _checked(samples: pd.DataFrame) -> bool:
    return "coverage" in samples or "distance" in samples
