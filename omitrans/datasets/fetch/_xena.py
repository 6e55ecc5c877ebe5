"""Download single files of the public UCSC Xena hubs."""

import re
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd

from omitrans.datasets.fetch._cache import fetch_file, find_data_home
from omitrans.exceptions import UnknownNameError
from omitrans.io import read_probemap
from omitrans.utils._sklearn import Interval, StrOptions, validate_params

HUBS = {
    "gdc": "https://gdc-hub.s3.us-east-1.amazonaws.com/download/",
    "tcga": "https://tcga-xena-hub.s3.us-east-1.amazonaws.com/download/",
}
PROBE_MAPS = {
    ("gdc", "450K"): "HM450.hg38.manifest.gencode.v36.probeMap",
    ("gdc", "27K"): "HM27.hg38.manifest.gencode.v36.probeMap",
    ("gdc", "genes"): "gencode.v36.annotation.gtf.gene.probemap",
    ("tcga", "450K"): "probeMap/illuminaMethyl450_hg19_GPL16304_TCGAlegacy",
    ("tcga", "genes"): "probeMap/hugo_gencode_good_hg19_V24lift37_probemap",
}
DOWNLOAD_CONSTRAINTS: dict[str, list[Any]] = {
    "hub": [StrOptions(set(HUBS))],
    "base_url": [str, None],
    "data_home": [str, PathLike, None],
    "download_if_missing": ["boolean"],
    "n_retries": [Interval(Integral, 0, None, closed="left")],
    "delay": [Interval(Real, 0, None, closed="left")],
    "timeout": [Interval(Real, 0, None, closed="neither")],
    "progress": ["boolean"],
}


@validate_params(
    {"dataset": [str], "known_hash": [str, None], **DOWNLOAD_CONSTRAINTS},
    prefer_skip_nested_validation=True,
)
def fetch_xena(
    dataset: str,
    *,
    hub: str = "gdc",
    known_hash: str | None = None,
    data_home: str | PathLike[str] | None = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    delay: float = 1.0,
    timeout: float = 30.0,
    progress: bool = True,
    base_url: str | None = None,
) -> Path:
    """Download one file of a UCSC Xena hub to a cache and return its path.

    The file is downloaded only once; later calls use the cached file and need no network. An
    interrupted download continues where it stopped, in the next attempt or the next call. Only a
    complete file gets its final name in the cache.

    Parameters
    ----------
    dataset : str
        Name of the file in the hub, as in its download address and without percent signs:
        "TCGA-BRCA.methylation450.tsv.gz", "TCGA.BRCA.sampleMap/HiSeqV2.gz".
    hub : {"gdc", "tcga"}, default="gdc"
        Hub to download from: "gdc" holds the data as reprocessed by the Genomic Data Commons
        (hg38), "tcga" the last release of the TCGA project itself (hg19).
    known_hash : str, default=None
        SHA-256 that the file must have, or another hash as "md5:...". Xena publishes no hashes.
        With None, the SHA-256 is stored in ``<file>.sha256`` at the first download, and the file
        must have it from then on: later changes are noticed, an error in the first download is not.
    data_home : path-like, default=None
        Folder of the cache. None takes the folder that the environment variable ``OMITRANS_DATA``
        names, or else the cache folder of the operating system.
    download_if_missing : bool, default=True
        Whether to download a file that is absent or damaged. If False, such a file is an error.
    n_retries : int, default=3
        Number of attempts after the first that may fail in a row. An attempt that receives new
        bytes starts the count again.
    delay : float, default=1.0
        Seconds to wait before the first retry; each further wait is twice as long, at most a
        minute.
    timeout : float, default=30.0
        Seconds without a byte after which a connection counts as stalled.
    progress : bool, default=True
        Whether to show a progress bar.
    base_url : str, default=None
        Address of a mirror of the hub, to which the quoted name of the file is appended.

    Returns
    -------
    Path
        Path of the file in the cache.

    Raises
    ------
    ConnectionError
        If the server cannot be reached, stalls or answers with an error.
    FileNotFoundError
        If the hub has no such file, or the file is absent and may not be downloaded.
    DataFormatError
        If the file has another hash, is named ``.gz`` but is not a complete gzip file, or is a web
        page.

    See Also
    --------
    fetch_tcga : Loads methylation and expression of whole cohorts as tables.
    omitrans.io.read_xena : Reads a downloaded matrix.

    Notes
    -----
    Needs the extra ``fetch``. If several processes request the same file, the first downloads it
    and the others wait. To download a file again, delete it and its ``.sha256``.

    References
    ----------
    .. [1] Goldman et al., "Visualizing and interpreting cancer genomics data via the Xena
       platform", Nature Biotechnology, 2020.

    Examples
    --------
    >>> from omitrans.datasets import fetch_xena
    >>> from omitrans.io import read_xena
    >>> path = fetch_xena("TCGA-CHOL.star_tpm.tsv.gz")  # doctest: +SKIP
    >>> expression = read_xena(path)  # doctest: +SKIP
    """
    _check_name(dataset)
    place = hub if base_url is None else _folder_name(base_url)
    return fetch_file(
        (base_url or HUBS[hub]).rstrip("/") + "/" + quote(dataset, safe=""),
        find_data_home(data_home) / "xena" / place / dataset,
        known_hash=known_hash,
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
        timeout=timeout,
        progress=progress,
    )


@validate_params(
    {"features": [StrOptions({"450K", "27K", "genes"})], "hub": DOWNLOAD_CONSTRAINTS["hub"]},
    prefer_skip_nested_validation=True,
)
def fetch_probe_map(
    features: str = "450K", *, hub: str = "gdc", **download_options: Any
) -> pd.DataFrame:
    """Download the genomic positions of the probes or genes of a UCSC Xena hub.

    Parameters
    ----------
    features : {"450K", "27K", "genes"}, default="450K"
        Features to load: probes of one of the two methylation arrays of the TCGA, or genes.
    hub : {"gdc", "tcga"}, default="gdc"
        Hub whose matrices are to be annotated: "gdc" gives positions on hg38 and genes of GENCODE
        36 by Ensembl identifier with version, "tcga" positions on hg19 and genes by symbol.
    **download_options
        Further parameters of :func:`fetch_xena`.

    Returns
    -------
    DataFrame
        A probe table or a gene table, as :func:`omitrans.io.read_probemap` describes them.

    Raises
    ------
    UnknownNameError
        If the hub has no map of these features.

    See Also
    --------
    fetch_tcga : Loads the matrices.

    Examples
    --------
    >>> from omitrans.datasets import fetch_probe_map
    >>> genes = fetch_probe_map("genes")  # doctest: +SKIP
    """
    if (hub, features) not in PROBE_MAPS:
        known = ", ".join(repr(kind) for place, kind in PROBE_MAPS if place == hub)
        raise UnknownNameError(
            f"No map of {features!r} is known for the hub {hub!r}, which has {known}."
        )
    path = fetch_xena(PROBE_MAPS[hub, features], hub=hub, **download_options)
    return read_probemap(path, kind="gene" if features == "genes" else "probe")


def _check_name(dataset: str) -> None:
    """Raise an error for a name that leads out of the cache folder or to a hidden file."""
    if not re.fullmatch(r"(?![. ])[\w.+, -]+(/(?![. ])[\w.+, -]+)*", dataset):
        raise ValueError(
            "dataset must be the name of a file in the hub, such as "
            "'TCGA-BRCA.star_tpm.tsv.gz' or 'TCGA.BRCA.sampleMap/HiSeqV2.gz' (a slash instead of "
            f"%2F). Got {dataset!r}."
        )


def _folder_name(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"base_url must begin with http:// or https://. Got {base_url!r}.")
    return re.sub(r"[^\w.-]+", "_", parts.netloc.rpartition("@")[2] + parts.path.rstrip("/"))
