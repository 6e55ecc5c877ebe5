"""Read the matrices of UCSC Xena and of the GDC."""

from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io.matrix._header import CORNERS
from omitrans.io.matrix._read_matrix import read_matrix
from omitrans.io.matrix._text_matrix import TextFormat, open_text_matrix


def read_xena(
    path: str | PathLike[str],
    *,
    keep_features: Any = None,
    max_missing_rate: float | None = None,
    min_variance: float | None = None,
    out: str | PathLike[str] | None = None,
    dtype: str = "float32",
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Read a matrix of UCSC Xena, a tab-separated text file with features as rows.

    Parameters
    ----------
    path : path-like
        Path of a genomic matrix from a hub of Xena, compressed by gzip or not, such as
        ``TCGA-BRCA.methylation450.tsv.gz`` or ``HiSeqV2.gz``. The first cell of its header is
        ``sample``, ``Composite Element REF``, ``xena_sample`` or ``Ensembl_ID``.
    keep_features : sequence or set of str, default=None
        Ids of the features to keep.
    max_missing_rate : float, default=None
        Largest fraction of missing values of a feature that is kept.
    min_variance : float, default=None
        Smallest variance of a feature that is kept.
    out : path-like, default=None
        Path of an .npy or a Parquet file to write the values to; see :func:`read_matrix`.
    dtype : {"float32", "float64"}, default="float32"
        Data type of the returned values.
    n_jobs : int, default=None
        Number of threads that parse. None means one per processor, at most 4.
    progress : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
        Values with samples as rows, in the unit of the file: betas, log2(count + 1), log2(FPKM +
        1), ...

    Raises
    ------
    DataFormatError
        If the file does not hold such a matrix.
    FeatureMismatchError
        If no feature meets the conditions.

    See Also
    --------
    read_matrix : Reads matrices of other layouts; its page explains the parameters in more detail.
    read_probemap : Reads the positions of probes and genes.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from omitrans.io import read_xena
    >>> lines = ["sample TCGA-OR-A5J1-01 TCGA-OR-A5J2-01", "cg00000029 0.5 0.25", "rs10457834 NA 1"]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "HumanMethylation450")
    ...     _ = path.write_text("\\n".join(lines).replace(" ", "\\t"))
    ...     read_xena(path, max_missing_rate=0.2)
                     cg00000029
    TCGA-OR-A5J1-01        0.50
    TCGA-OR-A5J2-01        0.25
    """
    _check_corner(path)
    return read_matrix(
        path,
        samples="columns",
        keep_features=keep_features,
        max_missing_rate=max_missing_rate,
        min_variance=min_variance,
        out=out,
        dtype=dtype,
        sep="\t",
        n_jobs=n_jobs,
        progress=progress,
    )


def _check_corner(path: str | PathLike[str]) -> None:
    how = TextFormat("\t", ".", (), np.dtype("float32"), 1, False)
    with open_text_matrix(path, how) as matrix:
        corner = matrix.layout.corner
    if corner == "sampleID":
        raise DataFormatError(
            f"{path} is a clinical table of Xena (first cell 'sampleID'), not a matrix of "
            "features. Read it with pandas.read_csv(path, sep='\\t', index_col=0)."
        )
    if corner.lower() not in CORNERS:
        raise DataFormatError(
            f"{path}: the first cell of a Xena matrix is 'sample', 'Composite Element REF', "
            f"'xena_sample' or 'Ensembl_ID', not {corner!r}. Read other matrices with "
            "read_matrix(path, samples=...)."
        )
