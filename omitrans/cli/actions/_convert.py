"""``omitrans convert``: convert a table to another format, unit or orientation."""

from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.cli._input import check_samples, check_table_target, read_source, write_table
from omitrans.cli._output import print_facts, print_json, working
from omitrans.exceptions import OmiTransError
from omitrans.preprocessing import beta_to_m, m_to_beta, to_log2


def run(options: Any) -> None:
    """Run the command.

    Parameters
    ----------
    options : namespace
        Options and arguments from the command line.
    """
    check_table_target(options.target, inputs=(options.source,))
    table = read_source(
        options.source,
        samples=options.samples,
        kind=options.kind,
        manifest=options.manifest,
        keep_features=None if options.keep is None else _ids_in(options.keep),
        max_missing_rate=options.max_missing_rate,
        min_variance=options.min_variance,
    )
    check_samples(table, str(options.source))
    table = _in_unit(table, options)
    with working(f"Writing {options.target} ..."):
        write_table(table.T if options.transpose else table, options.target)
    result = {
        "output": str(options.target),
        "n_samples": table.shape[0],
        "n_features": table.shape[1],
    }
    if options.json:
        print_json(result)
        return
    facts = {"samples": table.shape[0], "features": table.shape[1]}
    print_facts(facts, title=f"Written to {options.target}:")


def _ids_in(path: Path) -> list[str]:
    """Return the ids that a file lists."""
    ids = path.read_text(encoding="utf-8").split()
    if not ids:
        raise OmiTransError(f"{str(path)!r} names nothing to keep. It must hold an id a line.")
    return ids


def _refuse_betas(table: pd.DataFrame) -> None:
    low, high = table.min().min(), table.max().max()
    if low >= 0 and high <= 1:
        raise OmiTransError(
            f"the values lie between {low:.4g} and {high:.4g}: they look like betas already, not "
            "like M-values, which are negative below a beta of 0.5. Leave out --m-to-beta."
        )


def _in_unit(table: pd.DataFrame, options: Any) -> pd.DataFrame:
    """Return the table in the requested unit, which is stored in ``attrs["unit"]``."""
    if options.beta_to_m:
        table, unit = beta_to_m(table), "M-value"
    elif options.m_to_beta:
        _refuse_betas(table)
        table, unit = m_to_beta(table), "beta"
    elif options.to_log2 is not None:
        table, unit = to_log2(table, options.to_log2), "log2(x + 1)"
    else:
        return table
    table.attrs["unit"] = unit
    return table
