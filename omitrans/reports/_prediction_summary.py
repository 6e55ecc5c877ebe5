"""The summary of a prediction in plain words."""

from collections.abc import Iterator
from html import escape

import pandas as pd

from omitrans.reports import _html
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


def summary_section(
    samples: pd.DataFrame, genes: list, table: pd.DataFrame | None, min_r2: float | None
) -> str:
    """Return the main numbers, and what they mean.

    Parameters
    ----------
    samples : DataFrame
        The samples as they were judged.
    genes : list
        The predicted genes.
    table : DataFrame or None
        What the trust card says of them.
    min_r2 : float or None
        Cross-validated R² above which the card calls a gene predictable, if that is known.

    Returns
    -------
    str
        The section as HTML.
    """
    numbers = {"samples": f"{len(samples):,}", "genes": f"{len(genes):,}"}
    if table is not None:
        numbers["genes can be believed"] = f"{table['predictable'].sum():,}"
    if _checked(samples):
        numbers["samples to distrust"] = f"{samples['distrusted'].sum():,}"
    if "coverage" in samples:
        numbers["of the probes present (median)"] = _html.percent(samples["coverage"].median())
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in numbers.items()
    )
    texts = [*_say_genes(table, min_r2), *_say_samples(samples)]
    return _html.section("Summary", f'<dl class="tiles">{tiles}</dl>', _html.bullets(texts))


def _say_genes(table: pd.DataFrame | None, min_r2: float | None) -> Iterator[str]:
    if table is None:
        yield (
            "Which genes can be believed is not known: the model has no trust card. Believe none "
            "without a test on samples with measured expression."
        )
        return
    good = table[table["predictable"]]
    share = _html.percent(len(good) / len(table))
    if not len(good):
        yield "No gene can be believed: none was predicted well enough in cross-validation."
        return
    limit = "" if min_r2 is None else f"above {min_r2:g}, "
    yield (
        f"{len(good):,} of {len(table):,} genes ({share}) can be believed: cross-validation in the "
        f"training cohort found their R² to be {limit}{_html.fixed(good['r2'].median())} in the "
        "median. The others should not be interpreted."
    )
    if "expected" in table:
        yield (
            "With the probes that these samples hold, an R² of "
            f"{_html.fixed(good['expected'].median())} is to be expected of the median believed "
            "gene, in samples like those of the training cohort."
        )


def _say_samples(samples: pd.DataFrame) -> Iterator[str]:
    ordered = sort_worst_first(samples)
    for reason, (of_one, of_many) in _OBJECTIONS.items():
        names = ordered.index[ordered[reason]]
        if len(names):
            saying = of_one if len(names) == 1 else of_many
            yield f"{_html.count(len(names), 'sample')} {saying}: {_names(names)}."
    if samples["shifted"].mean() > 0.5:
        yield (
            "Most samples are unlike the training cohort: the model was probably made for "
            "another tissue or another kind of data. Distrust all of its predictions here."
        )
    if 0 < samples["shifted"].mean() <= 0.1:
        yield (
            "About one in twenty samples of the right kind is flagged as unlike the training "
            "cohort too: look at their distances before you drop them."
        )
    if _checked(samples) and not samples[list(_OBJECTIONS)].any(axis=None):
        yield "No objection was found to any sample."
    if "coverage" not in samples:
        yield "How many of the model's probes the samples hold was not checked."
    if "distance" not in samples:
        yield "Whether the samples are like those of the training cohort was not checked."


def _checked(samples: pd.DataFrame) -> bool:
    return "coverage" in samples or "distance" in samples


def _names(names: pd.Index) -> str:
    """Return the first names as HTML that breaks neither inside a name nor before a comma."""
    named = ',</span> <span class="name">'.join(escape(str(name)) for name in names[:_N_NAMED])
    n_more = len(names) - _N_NAMED
    rest = f" and {n_more:,} more" if n_more > 0 else ""
    return f'<span class="name">{named}</span>{rest}'
