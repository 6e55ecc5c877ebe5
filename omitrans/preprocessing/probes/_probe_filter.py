"""Transformer that drops unsuitable array probes."""

import re
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from omitrans.annotation import check_probe_table
from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing._columns import ColumnsMixin, find_rows
from omitrans.utils._sklearn import StrOptions, fit_context

# switch -> (column of the annotation, the value that drops a probe)
_FLAG_RULES = {
    "drop_off_epic": ("on_epic", False),
    "drop_snp": ("snp_within_5bp", True),
    "drop_multi_mapped": ("multi_mapped", True),
}
# switch -> how the probe ids begin that it drops, and their pattern
_ID_RULES = {
    "drop_non_cpg": ("ch.", re.compile(r"ch\.")),
    "drop_snp_assay": ("rs", re.compile(r"rs\d")),
}


class ProbeFilter(ColumnsMixin, BaseEstimator):
    """Drop methylation probes that the annotation or their id marks as unsuitable.

    Each rule has its own parameter. The defaults are the five rules of the OmiTrans paper, which
    keeps the sex chromosomes.

    Parameters
    ----------
    annotation : DataFrame or None, default=None
        Probe table, as :func:`omitrans.annotation.check_probe_table` accepts it; each rule below
        names the column that it reads. None applies only the rules that read the probe id; if X has
        no column names either, every column is kept.
    drop_off_epic : bool, default=True
        Whether to drop probes that the EPIC array no longer has (column ``on_epic``).
    drop_snp : bool, default=True
        Whether to drop probes with a SNP within five base pairs of the target (column
        ``snp_within_5bp``).
    drop_multi_mapped : bool, default=True
        Whether to drop probes that map to more than one place in the genome (column
        ``multi_mapped``).
    drop_non_cpg : bool, default=True
        Whether to drop probes of loci that are not CpG sites (ids that start with "ch.").
    drop_snp_assay : bool, default=True
        Whether to drop genotyping probes (ids that start with "rs" and a digit).
    drop_sex_chromosomes : bool, default=False
        Whether to drop probes on the chromosomes X and Y (column ``chromosome``).
    unannotated : {"keep", "drop", "error"}, default="keep"
        What to do with columns of X that the annotation does not list. If it lists none of the
        columns, `fit` always raises an error.
    unit : {"beta"} or None, default=None
        "beta" declares that X holds beta values: values outside [0, 1] are then an error in `fit`
        and `transform`. None does not check.

    Attributes
    ----------
    rule_counts_ : Series of int
        Number of probes that each applied rule marks, under the name of its parameter without
        ``drop_``. The rules overlap: ``rule_counts_["any"]`` is the number of probes that are
        dropped.
    column_indices_ : ndarray of int
        Positions in X of the probes that are kept.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    References
    ----------
    The OmiTrans preprint, section Datasets (first step of the feature filtering).

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.preprocessing import ProbeFilter
    >>> probes = pd.DataFrame({
    ...     "probe_id": ["cg01", "cg02", "cg03", "ch.1.4F"], "chromosome": ["1", "1", "X", "1"],
    ...     "position": [10, 20, 30, 40], "on_epic": [True, False, True, True],
    ...     "snp_within_5bp": False, "multi_mapped": False,
    ... })
    >>> X = pd.DataFrame([[0.1, 0.9, 0.5, 0.2]], columns=probes["probe_id"], index=["patient"])
    >>> probe_filter = ProbeFilter(probes).fit(X)
    >>> probe_filter.rule_counts_
    off_epic        1
    snp             0
    multi_mapped    0
    non_cpg         1
    snp_assay       0
    any             2
    dtype: int64
    >>> probe_filter.transform(X)
    probe_id  cg01  cg03
    patient    0.1   0.5
    """

    _parameter_constraints = {
        "annotation": [pd.DataFrame, None],
        "drop_off_epic": ["boolean"],
        "drop_snp": ["boolean"],
        "drop_multi_mapped": ["boolean"],
        "drop_non_cpg": ["boolean"],
        "drop_snp_assay": ["boolean"],
        "drop_sex_chromosomes": ["boolean"],
        "unannotated": [StrOptions({"keep", "drop", "error"})],
        "unit": [StrOptions({"beta"}), None],
    }

    def __init__(
        self,
        annotation: pd.DataFrame | None = None,
        *,
        drop_off_epic: bool = True,
        drop_snp: bool = True,
        drop_multi_mapped: bool = True,
        drop_non_cpg: bool = True,
        drop_snp_assay: bool = True,
        drop_sex_chromosomes: bool = False,
        unannotated: str = "keep",
        unit: str | None = None,
    ) -> None:
        self.annotation = annotation
        self.drop_off_epic = drop_off_epic
        self.drop_snp = drop_snp
        self.drop_multi_mapped = drop_multi_mapped
        self.drop_non_cpg = drop_non_cpg
        self.drop_snp_assay = drop_snp_assay
        self.drop_sex_chromosomes = drop_sex_chromosomes
        self.unannotated = unannotated
        self.unit = unit

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Decide which probes to drop.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows; the column names are probe ids. Values are read only to find infinity
            and, with ``unit="beta"``, values that are not betas.
        y : None
            Ignored.

        Returns
        -------
        ProbeFilter
            The fitted filter.

        Raises
        ------
        ValueError
            If the annotation lacks the column of an active rule, or no probe is left.
        """
        return self._fit_columns(X)

    def _choose(self, missing_rates: Callable[[], np.ndarray]) -> None:
        marked = self._marked()
        dropped = marked.any(axis=1).to_numpy()
        self.rule_counts_ = marked.sum().astype(int)
        self.rule_counts_["any"] = int(dropped.sum())
        if dropped.all():
            raise ValueError(
                f"ProbeFilter left none of the {self.n_features_in_} probes; the rules mark: "
                f"{', '.join(f'{rule} {n}' for rule, n in self.rule_counts_.items())}. Switch a "
                "rule off, or check the annotation."
            )
        self.column_indices_ = np.flatnonzero(~dropped)

    def _marked(self) -> pd.DataFrame:
        """Return one row per probe and one column of bool for each rule that applies."""
        names = getattr(self, "feature_names_in_", None)
        marked: dict[str, np.ndarray] = {}
        if self.annotation is not None:
            if names is None:
                raise ValueError(
                    "ProbeFilter(annotation=...) finds probes by name, and X has no column names. "
                    "Give a DataFrame whose columns are probe ids: X = pd.DataFrame(X, "
                    "columns=probe_ids)."
                )
            marked |= self._marked_by_annotation(self.annotation, names)
        for switch, (start, pattern) in _ID_RULES.items():
            if getattr(self, switch) and names is not None:
                # few names begin so: the pattern would take a second for those of an array
                found = [name.startswith(start) and bool(pattern.match(name)) for name in names]
                marked[switch] = np.array(found, dtype=bool)
        marked = {switch.removeprefix("drop_"): mask for switch, mask in marked.items()}
        return pd.DataFrame(marked, index=range(self.n_features_in_), dtype=bool)

    def _marked_by_annotation(
        self, annotation: pd.DataFrame, names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the mask of each rule that reads the annotation."""
        table = check_probe_table(annotation)
        rules = {switch: rule for switch, rule in _FLAG_RULES.items() if getattr(self, switch)}
        for switch, (column, _) in rules.items():
            if column not in table:
                raise ValueError(
                    f"{switch}=True needs the column {column!r} (bool), which the annotation lacks;"
                    f" it has: {', '.join(map(str, table.columns))}. Add the column, or switch the "
                    f"rule off: {switch}=False."
                )
        rows = find_rows(pd.Index(table["probe_id"].astype(object)), names)
        annotated = rows >= 0
        marked = {
            switch: annotated & (table[column].to_numpy()[rows] == value)
            for switch, (column, value) in rules.items()
        }
        if self.drop_sex_chromosomes:
            on_sex = table["chromosome"].isin(["X", "Y"]).to_numpy(bool)
            marked["drop_sex_chromosomes"] = annotated & on_sex[rows]
        if self.unannotated == "drop":
            marked["unannotated"] = ~annotated
        elif self.unannotated == "error" and not annotated.all():
            raise FeatureMismatchError(
                f"{int((~annotated).sum())} of {len(names)} columns of X are not in the annotation "
                f"(first: {names[~annotated][0]}). Add them, or use unannotated='keep' or 'drop'."
            )
        return marked
