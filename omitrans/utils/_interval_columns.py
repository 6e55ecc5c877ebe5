"""Which columns of a prediction are genes, and which the bounds of their intervals."""

import pandas as pd

LOWER, UPPER = "_lower", "_upper"


def split_columns(predictions: pd.DataFrame) -> tuple[list, list]:
    """Return the genes of a prediction, and those of them that have intervals.

    Parameters
    ----------
    predictions : DataFrame
        A column a gene; with intervals also ``GENE_lower`` and ``GENE_upper``.

    Returns
    -------
    genes, bounded : list of column labels
        The genes in their order, and those with both bounds.
    """
    known = set(predictions.columns)
    bounded = [name for name in predictions if {f"{name}{LOWER}", f"{name}{UPPER}"} <= known]
    bounds = {f"{name}{end}" for name in bounded for end in (LOWER, UPPER)}
    return [name for name in predictions if name not in bounds], bounded
