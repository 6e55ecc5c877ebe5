"""Methylation and expression of TCGA cohorts, from the public UCSC Xena hubs."""

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import product
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from omitrans.datasets.fetch._xena import DOWNLOAD_CONSTRAINTS, fetch_xena
from omitrans.exceptions import DataFormatError, SampleMismatchError, UnknownNameError
from omitrans.io import read_matrix
from omitrans.utils._sklearn import Interval, StrOptions, validate_params

COHORTS = (
    *("ACC", "BLCA", "BRCA", "CESC", "CHOL", "COAD", "DLBC", "ESCA", "GBM", "HNSC", "KICH"),
    *("KIRC", "KIRP", "LAML", "LGG", "LIHC", "LUAD", "LUSC", "MESO", "OV", "PAAD", "PCPG"),
    *("PRAD", "READ", "SARC", "SKCM", "STAD", "TGCT", "THCA", "THYM", "UCEC", "UCS", "UVM"),
)
MODALITIES = ("methylation", "expression")
_ATTRIBUTES = {"methylation": "X", "expression": "Y"}
_METHYLATION = {
    "gdc": {"450K": "methylation450.tsv.gz", "27K": "methylation27.tsv.gz"},
    "tcga": {"450K": "HumanMethylation450.gz", "27K": "HumanMethylation27.gz"},
}
# measure -> (file, unit); the first of a hub is its default
_EXPRESSION = {
    "gdc": {
        "tpm": ("star_tpm.tsv.gz", "log2(TPM + 1)"),
        "fpkm": ("star_fpkm.tsv.gz", "log2(FPKM + 1)"),
        "fpkm-uq": ("star_fpkm-uq.tsv.gz", "log2(FPKM-UQ + 1)"),
    },
    "tcga": {"rsem": ("HiSeqV2.gz", "log2(RSEM normalized count + 1)")},
}
_PREFIX = {"gdc": "TCGA-{}.", "tcga": "TCGA.{}.sampleMap/"}
_SAMPLE_TYPES = {
    "01": "primary tumor",
    "02": "recurrent tumor",
    "03": "primary blood cancer",
    "05": "additional primary tumor",
    "06": "metastasis",
    "07": "additional metastasis",
    "11": "normal tissue",
}

DESCR = """\
The Cancer Genome Atlas, cohorts {cohorts}
==========================================

Samples that were measured in every modality asked for ({modalities}), as the UCSC Xena hub {hub!r}
holds them. Methylation: betas of the Illumina {array} array, with holes where the source masked a
probe. Expression: {unit}.

The data are the result of the TCGA Research Network, https://www.cancer.gov/tcga. Cite it, and
Goldman et al., "Visualizing and interpreting cancer genomics data via the Xena platform", Nature
Biotechnology, 2020. A patient may have several samples: keep them together when samples are split.
"""


@validate_params(
    {
        "cohort": [str, list, tuple],
        "modalities": [list, tuple],
        "array": [StrOptions({"450K", "27K"})],
        "measure": [StrOptions({"tpm", "fpkm", "fpkm-uq", "rsem"}), None],
        "keep_probes": ["array-like", set, frozenset, None],
        "keep_genes": ["array-like", set, frozenset, None],
        "max_missing_rate": [Interval(Real, 0, 1, closed="both"), None],
        "known_hashes": [Mapping, None],
        "return_X_y": ["boolean"],
        **DOWNLOAD_CONSTRAINTS,
    },
    prefer_skip_nested_validation=True,
)
def fetch_tcga(
    cohort: str | Sequence[str] = "BRCA",
    *,
    modalities: Sequence[str] = MODALITIES,
    hub: str = "gdc",
    array: str = "450K",
    measure: str | None = None,
    keep_probes: Any = None,
    keep_genes: Any = None,
    max_missing_rate: float | None = None,
    known_hashes: Mapping[str, str] | None = None,
    data_home: str | PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    n_retries: int = 3,
    delay: float = 1.0,
    timeout: float = 30.0,
    progress: bool = True,
    base_url: str | None = None,
) -> Any:
    """Load methylation and expression of TCGA cohorts; each file is downloaded only once.

    The files are large: the 450K table of BRCA is a download of about 3 GB and takes about 1.7 GB
    as float32. `keep_probes` and `max_missing_rate` leave out columns while a file is read.

    Parameters
    ----------
    cohort : str or list of str, default="BRCA"
        TCGA code of one or several of the 33 cohorts. With several cohorts, the columns that all of
        them have are kept, in the order of the first cohort.
    modalities : list of {"methylation", "expression"}, default=("methylation", "expression")
        Modalities to load. Samples that lack one of them are left out.
    hub : {"gdc", "tcga"}, default="gdc"
        Hub to load from: "gdc" holds the data as reprocessed by the Genomic Data Commons (hg38,
        genes by Ensembl identifier with version), "tcga" the last release of the TCGA project
        itself (hg19, genes by symbol).
    array : {"450K", "27K"}, default="450K"
        Methylation array; early cohorts were partly measured on the smaller 27K array.
    measure : {"tpm", "fpkm", "fpkm-uq", "rsem"}, default=None
        Measure of expression: one of the first three for the hub "gdc", "rsem" for the hub "tcga".
        None takes "tpm" or "rsem".
    keep_probes : sequence or set of str, default=None
        Names of the probes to keep; None keeps all probes.
    keep_genes : sequence or set of str, default=None
        Names of the genes to keep, as in the hub; None keeps all genes.
    max_missing_rate : float, default=None
        Largest fraction of missing values of a probe within a cohort; other probes are left out.
    known_hashes : dict, default=None
        Hash of each file by file name; see `known_hash` of :func:`fetch_xena`.
    data_home : path-like, default=None
        Folder of the cache; see :func:`fetch_xena`.
    download_if_missing : bool, default=True
        Whether to download a file that is absent or damaged. If False, such a file is an error.
    return_X_y : bool, default=False
        Whether to return ``(X, Y)`` instead of a Bunch.
    n_retries : int, default=3
        Number of attempts of a download after the first that may fail in a row.
    delay : float, default=1.0
        Seconds to wait before the first retry; each further wait is twice as long, at most a
        minute.
    timeout : float, default=30.0
        Seconds without a byte after which a connection counts as stalled.
    progress : bool, default=True
        Whether to show a progress bar for each download.
    base_url : str, default=None
        Address of a mirror of the hub.

    Returns
    -------
    data : Bunch
        Dictionary-like object with these attributes:

        X : DataFrame of shape (n_samples, n_probes)
            Betas as float32, NaN where masked. Absent without "methylation".
        Y : DataFrame of shape (n_samples, n_genes)
            Expression as float32. Absent without "expression".
        samples : DataFrame of shape (n_samples, 3)
            ``cohort``, ``patient`` and ``sample_type`` of each sample. Pass ``samples["patient"]``
            as `groups` to a splitter: a patient may have several samples.
        X_unit, Y_unit : str
            Units of X and Y: "beta", and for instance "log2(TPM + 1)".
        paths : dict of list of Path
            Paths of the cached files of each modality.
        DESCR : str
            Description of the data, and what to cite.
    (X, Y) : tuple of DataFrame
        The two tables alone, if `return_X_y` is True.

    Raises
    ------
    UnknownNameError
        If a cohort, modality or measure is not known.
    SampleMismatchError
        If no sample of a cohort has all modalities.
    OSError
        If a file is absent and cannot be downloaded; see :func:`fetch_xena`.
    DataFormatError
        If a file is damaged or has unexpected content.

    See Also
    --------
    fetch_xena : Downloads any other file of a hub.
    fetch_probe_map : Downloads the positions of probes or genes.

    Notes
    -----
    Needs the extra ``fetch``. Xena publishes no checksums; :func:`fetch_xena` explains what is
    checked instead. The names and units of the files are taken from public code and descriptions of
    the hubs. While samples without the other modality are removed, a table is in memory twice.

    References
    ----------
    .. [1] Goldman et al., "Visualizing and interpreting cancer genomics data via the Xena
       platform", Nature Biotechnology, 2020.

    Examples
    --------
    >>> from omitrans.datasets import fetch_tcga
    >>> data = fetch_tcga("CHOL", max_missing_rate=0.1)  # doctest: +SKIP
    >>> data.X.shape, data.Y.shape  # doctest: +SKIP
    """
    cohorts = [cohort] if isinstance(cohort, str) else list(cohort)
    _check_choice(cohorts, COHORTS, "cohort")
    _check_choice(modalities, MODALITIES, "modality")
    if return_X_y and set(modalities) != set(MODALITIES):
        raise ValueError("return_X_y=True needs both modalities, 'methylation' and 'expression'.")
    measures = _EXPRESSION[hub]
    measure = next(iter(measures)) if measure is None else measure
    _check_choice([measure], measures, f"measure of the hub {hub!r}")
    file, unit = measures[measure]
    files = {"methylation": _METHYLATION[hub][array], "expression": file}
    known_hashes = known_hashes or {}
    paths: dict[str, list[Path]] = {modality: [] for modality in modalities}
    for modality, code in product(modalities, cohorts):
        name = _PREFIX[hub].format(code) + files[modality]
        path = fetch_xena(
            name,
            hub=hub,
            known_hash=known_hashes.get(name),
            data_home=data_home,
            download_if_missing=download_if_missing,
            n_retries=n_retries,
            delay=delay,
            timeout=timeout,
            progress=progress,
            base_url=base_url,
        )
        paths[modality].append(path)
    filters = {
        "methylation": {"keep_features": keep_probes, "max_missing_rate": max_missing_rate},
        "expression": {"keep_features": keep_genes},
    }
    tables, samples = _read_cohorts(cohorts, paths, filters)
    if return_X_y:
        return tables["methylation"], tables["expression"]
    return Bunch(
        **{_ATTRIBUTES[modality]: table for modality, table in tables.items()},
        samples=samples,
        X_unit="beta",
        Y_unit=unit,
        paths=paths,
        DESCR=DESCR.format(
            cohorts=", ".join(cohorts),
            modalities=", ".join(modalities),
            hub=hub,
            array=array,
            unit=unit,
        ),
    )


def _check_choice(chosen: Sequence[str], known: Any, what: str) -> None:
    """Raise an error for empty, repeated or unknown names, before anything is downloaded."""
    for name in chosen:
        if name not in known:
            raise UnknownNameError(f"Unknown {what} {name!r}. Known: {', '.join(known)}.")
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"Name each {what} once, and at least one. Got {list(chosen)!r}.")


def _read_cohorts(
    cohorts: Sequence[str],
    paths: Mapping[str, Sequence[Path]],
    filters: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Read one table per modality; all have the samples of the second result, in its order."""
    parts: dict[str, list[pd.DataFrame]] = {modality: [] for modality in paths}
    samples = []
    for number, code in enumerate(cohorts):
        tables = {
            modality: read_matrix(files[number], samples="columns", **filters[modality])
            for modality, files in paths.items()
        }
        shared = _shared_samples(code, tables)
        samples.append(_describe_samples(code, shared))
        for modality in paths:
            table = tables.pop(modality)
            parts[modality].append(table if table.index.equals(shared) else table.loc[shared])
    described = pd.concat(samples)
    if described.index.has_duplicates:
        twice = described.index[described.index.duplicated()][0]
        raise DataFormatError(f"The sample {twice!r} is in two of the cohorts {list(cohorts)}.")
    return {modality: _join(parts.pop(modality)) for modality in paths}, described


def _shared_samples(code: str, tables: Mapping[str, pd.DataFrame]) -> pd.Index:
    """Return the samples that every table has, in the order of the first."""
    shared = reduce(
        lambda kept, other: kept[kept.isin(other)], [table.index for table in tables.values()]
    )
    if shared.empty:
        counts = ", ".join(f"{len(table)} with {modality}" for modality, table in tables.items())
        raise SampleMismatchError(
            f"No sample of the cohort {code} has every modality ({counts}). Choose another array, "
            "or one modality."
        )
    return shared


def _join(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return parts[0] if len(parts) == 1 else pd.concat(parts, join="inner")


def _describe_samples(code: str, samples: pd.Index) -> pd.DataFrame:
    """Return patient and type of each sample from its barcode, such as TCGA-A7-A0CE-01A."""
    names = samples.to_series()
    types = names.str[13:15].map(_SAMPLE_TYPES).fillna("other")
    return pd.DataFrame(
        {"cohort": code, "patient": names.str[:12], "sample_type": types}
    ).rename_axis(index="sample")
