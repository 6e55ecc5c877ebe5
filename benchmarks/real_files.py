"""Real tables, arrays and annotation, from files to predictions.

1. layouts: every table of numbers in `--data` is written in each layout of ``table_layouts.py``,
   read back and compared with the original; one table of each cohort also goes through
   ``omitrans convert``.
2. arrays: a ridge model of TCGA breast cancer predicts the pairs of IDAT files in ``idat_hm27``,
   in Python and by ``omitrans predict``; and one of 3,012 450K probes of chromosome 21 predicts
   IDAT files of the size of the 450K, EPIC and EPICv2 arrays, written here from samples that were
   set aside.
3. annotation: gene tables, the 450K probe table in `ProbeFilter`, and the recognition of arrays.

    python benchmarks/real_files.py --data DIR

Results go to ``results/real_files.csv``, a row for each thing tried; with `--parts`, rows of the
other parts stay. The exit code is 1 if anything did not go through.
"""

import argparse
import io
import json
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
from idat_readers import ARRAYS  # also finds idat_writer
from idat_writer import write_samples
from table_layouts import LAYOUTS, read_layout, side, undetected

import omitrans
from omitrans.annotation import check_gene_table
from omitrans.baselines import make_baselines
from omitrans.cli.__main__ import main as run_omitrans
from omitrans.datasets import simulate_array_version
from omitrans.io import read_gene_table, read_h5ad, read_idat, read_matrix
from omitrans.model_selection import patient_of
from omitrans.pipelines import make_translation_pipeline
from omitrans.preprocessing import ProbeFilter, array_platform
from omitrans.trust import TrustedRegressor

OUTPUT = Path(__file__).parent / "results" / "real_files.csv"
PARTS = ("layouts", "arrays", "annotation")
NO_COHORTS = ("annotation", "idat_hm27", "splits")
CONVERTED = {  # layout -> ending of what omitrans convert makes of it
    "tsv.gz, samples as columns": ".parquet",
    "Xena": ".h5ad",
    "GEO betas with p-values": ".csv.gz",
    "GEO series matrix": ".tsv",
    "Parquet, samples as columns": ".csv",
    "h5ad": ".parquet",
}
SET_ASIDE = 9  # last samples of chromosome 21; the cut parts no patient's samples


def numeric_tables(data):
    """Yield the name and the values of each table of numbers."""
    for path in sorted(data.rglob("*.parquet")):
        if path.relative_to(data).parts[0] in NO_COHORTS:
            continue
        table = pd.read_parquet(path)
        numeric = all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes)
        if numeric and table.shape[1] > 20:
            yield str(path.relative_to(data).with_suffix("")), table.astype(np.float32)


def same(one, other):
    """Return whether names and values of two tables are the same, NaN included."""
    return (
        one.index.tolist() == other.index.tolist()
        and one.columns.tolist() == other.columns.tolist()
        and np.array_equal(one.to_numpy(np.float32), other.to_numpy(np.float32), equal_nan=True)
    )


class Results:
    """Rows of the table of results."""

    def __init__(self):
        self.rows = []

    def add(self, part, data, what, ok, start, note="", shape=(None, None)):
        row = {
            "part": part,
            "data": data,
            "what": what,
            "n_samples": shape[0],
            "n_features": shape[1],
            "seconds": round(perf_counter() - start, 2),
            "ok": bool(ok),
            "note": note,
        }
        self.rows.append(row)
        print(*(value for value in row.values() if value not in (None, "")), sep=" | ", flush=True)

    def attempt(self, part, data, what, function, *arguments):
        """Add a row of what a function returns: ok, note and shape; or of its error."""
        start = perf_counter()
        try:
            ok, note, shape = function(*arguments)
        except Exception as error:  # one that fails shall not end the others
            ok, note, shape = False, f"{type(error).__name__}: {error}", (None, None)
        self.add(part, data, what, ok, start, note, shape)


def omitrans_cli(*arguments):
    """Return the JSON that a command prints, or raise with what it says."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_omitrans([*map(str, arguments), "--json"])
    if code:
        raise RuntimeError(f"exit code {code}: {err.getvalue().strip()}")
    return json.loads(out.getvalue())


# --- layouts ---


def check_layouts(data, folder, results):
    """Write and read every table in every layout."""
    converted = set()
    for name, table in numeric_tables(data):
        convert = Path(name).parts[0] not in converted
        converted.add(Path(name).parts[0])
        for layout, how in LAYOUTS.items():
            path = Path(folder, how.file)
            how.write(table, path)
            expected = table.mask(undetected(table)) if how.hides else table
            results.attempt("layouts", name, layout, check_read, path, layout, expected)
            if convert and layout in CONVERTED:
                what = f"omitrans convert: {layout} -> {CONVERTED[layout]}"
                results.attempt("layouts", name, what, check_convert, path, layout, expected)
            path.unlink()


def check_read(path, layout, expected):
    table, told = read_layout(path, layout)
    return same(table, expected), "told which way round" if told else "", table.shape


def check_convert(path, layout, expected):
    target = path.with_name(f"converted{CONVERTED[layout]}")
    options = LAYOUTS[layout].options
    if LAYOUTS[layout].read is read_matrix:
        options = ("--samples", side(layout))
    omitrans_cli("convert", path, target, *options)
    h5ad = target.suffix == ".h5ad"
    table = read_h5ad(target) if h5ad else read_matrix(target, samples="rows")
    target.unlink()
    return same(table, expected), "", table.shape


# --- arrays ---


def train(data, cohort, rows=slice(None)):
    """Return a ridge model with a trust card, learned on samples of a cohort."""
    X, Y = (
        pd.read_parquet(data / cohort / f"{name}.parquet").iloc[rows]
        for name in ("methylation", "expression")
    )
    pipeline = make_translation_pipeline(make_baselines(["ridge"])["ridge"])
    patients = np.asarray(patient_of(X.index, id_format="tcga"))
    return TrustedRegressor(pipeline, random_state=0).fit(X, Y, groups=patients)


def judge(model, betas):
    """Return predictions with intervals, and what is said of the samples in words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predicted = omitrans.predict_frame(model, betas, intervals=0.9)
        shift = model.shift_report(betas)
    coverage = model.estimator_["harmonizer"].report(betas)
    words = [
        f"platform {', '.join(coverage['platform'].unique())}",
        f"coverage {coverage['coverage'].min():.4f} ({', '.join(coverage['status'].unique())})",
        f"shifted {int(shift['shifted'].sum())} of {len(shift)}",
        f"distance {shift['distance'].min():.3g} to {shift['distance'].max():.3g}",
        *sorted({f"warns {warning.category.__name__}" for warning in caught}),
    ]
    return predicted, "; ".join(words)


def ordered(predicted):
    """Return whether all predictions are numbers and lie in their intervals.

    A gene that was 0 in all training samples has an interval without width.
    """
    genes = [name for name in predicted if f"{name}_lower" in predicted]
    middle = predicted[genes].to_numpy()
    lower, upper = (predicted[[f"{g}_{s}" for g in genes]].to_numpy() for s in ("lower", "upper"))
    return np.isfinite(predicted.to_numpy()).all() and ((lower <= middle) & (middle <= upper)).all()


def check_real_arrays(data, folder, results):
    """Predict the real arrays, in Python and by the command line."""
    manifest = data / "annotation" / "hm27_probes.parquet"
    model = train(data, "tcga_brca")
    path, table = Path(folder, "brca.omitrans"), Path(folder, "predicted.parquet")
    omitrans.save(model, path)

    def predict():
        betas = read_idat(data / "idat_hm27", manifest)
        predicted, words = judge(model, betas)
        return ordered(predicted) and "27K" in words, words, betas.shape

    def predict_by_command():
        page = Path(folder, "report.html")
        result = omitrans_cli(
            "predict", path, data / "idat_hm27", "--manifest", manifest,
            "-o", table, "--intervals", 0.9, "--report", page,
        )  # fmt: skip
        expected, _ = judge(model, read_idat(data / "idat_hm27", manifest))
        equal = np.array_equal(pd.read_parquet(table), expected)
        words = f"{result['platforms']}, shifted {result['shifted']}, equal to Python: {equal}"
        return equal and page.stat().st_size > 0, words, pd.read_parquet(table).shape

    results.attempt("arrays", "idat_hm27", "IDAT -> betas -> brca model", predict)
    results.attempt("arrays", "idat_hm27", "omitrans predict --manifest", predict_by_command)


def whole_array(data, X):
    """Return a table of all 450K probes: X's own, and constant values elsewhere."""
    probes = pd.read_parquet(data / "annotation" / "hm450_probes.parquet", columns=["design"]).index
    values = np.resize(np.float32([0.05, 0.5, 0.9]), len(probes))
    table = pd.DataFrame(np.tile(values, (len(X), 1)), X.index, probes)
    table[X.columns] = X
    return table


def check_large_arrays(data, folder, results):
    """Predict arrays of newer makes, written from real betas of chromosome 21."""
    X = pd.read_parquet(data / "tcga_coad_chr21" / "methylation.parquet")
    model = train(data, "tcga_coad_chr21", slice(None, -SET_ASIDE))
    aside = X.iloc[-SET_ASIDE:]
    table = whole_array(data, aside)
    path = Path(folder, "chr21.omitrans")
    omitrans.save(model, path)
    from_table, words = judge(model, aside)
    start = perf_counter()
    results.add(
        "arrays", "450K table", "chr21 model", ordered(from_table), start, words, aside.shape
    )
    for array in ARRAYS:
        version = table if array == "450K" else _as_version(table, array)
        place = Path(folder, array)
        place.mkdir()
        n_one, n_two, n_controls = ARRAYS[array]
        n_one = round(n_one / (n_one + n_two) * version.shape[1])
        manifest = write_samples(version, place, n_one, n_controls=n_controls, red_factor=1.4)
        what = "IDAT -> betas -> chr21 model"
        results.attempt(
            "arrays", array, what, predict_large, model, place, manifest, version, from_table
        )
        what = "omitrans predict --manifest"
        results.attempt("arrays", array, what, predict_by_name, path, model, place, manifest)


def _as_version(table, array):
    version = simulate_array_version(table, array, noise=0, random_state=0)
    return version.loc[:, ~version.columns.str.startswith("ctl_")]


def predict_large(model, place, manifest, written, from_table):
    start = perf_counter()
    betas = read_idat(place, manifest)
    seconds = perf_counter() - start
    start = perf_counter()
    predicted, words = judge(model, betas)
    times = f"reads {seconds:.1f} s, predicts and judges {perf_counter() - start:.1f} s"
    genes = [name for name in predicted if f"{name}_lower" in predicted]
    r = correlation(predicted[genes], from_table[genes])
    r_betas = correlation(betas.fillna(written.set_axis(betas.index)), written)
    alone, _ = judge(model, betas.iloc[[1]])
    equal = np.array_equal(alone.iloc[0], predicted.iloc[1])
    words = (
        f"{words}; {times}; r with the table {r_betas:.4f} in betas, {r:.4f} in predictions; "
        f"alone equal: {equal}"
    )
    platform = model.estimator_["harmonizer"].report(betas)["platform"].eq(place.name).all()
    return ordered(predicted) and equal and platform and r_betas > 0.98, words, betas.shape


def correlation(one, other):
    return np.corrcoef(one.to_numpy().ravel(), other.to_numpy().ravel())[0, 1]


def predict_by_name(path, model, place, manifest):
    target = place / "predicted.parquet"
    start = perf_counter()
    result = omitrans_cli(
        "predict", path, place, "--manifest", manifest, "-o", target, "--intervals", 0.9
    )
    seconds = perf_counter() - start
    expected, _ = judge(model, read_idat(place, manifest))
    table = pd.read_parquet(target)
    equal = np.array_equal(table, expected)
    coverage = result["coverage"]["lowest"]
    words = f"coverage {coverage:.4f}, equal to Python: {equal}; {seconds:.1f} s"
    return equal and result["platforms"] == {place.name: SET_ASIDE}, words, table.shape


# --- annotation ---


def check_annotation(data, results):
    """Read gene tables, filter probes, recognise arrays."""
    folder = data / "annotation"
    for path in sorted(folder.glob("genes_*.parquet")):
        for position in ("start", "tss"):
            results.attempt(
                "annotation", path.stem, f"read_gene_table {position}", read_genes, path, position
            )
    results.attempt("annotation", "hm450_probes", "ProbeFilter", filter_probes, data)
    lists = {
        "27K": probe_ids(folder / "hm27_probes.parquet"),
        "450K": probe_ids(folder / "hm450_probes.parquet"),
        "MSA": probe_ids(folder / "msa_probes.parquet"),
        "EPICv2": probe_ids(folder / "epicv2_snp_probes.parquet", "Probe_ID"),
        "EPIC": probe_ids(folder / "epic_crossreactive_pidsley2016.parquet"),
    }
    rng = np.random.default_rng(0)
    for array, ids in lists.items():
        for n in (len(ids), 5000):
            some = rng.permutation(ids)[:n]
            results.attempt("annotation", array, f"array_platform {n}", recognise, some, array)


def probe_ids(path, column=None):
    table = pd.read_parquet(path)
    return (table.index if column is None else table[column]).astype(str).unique().tolist()


def read_genes(path, position):
    genes = read_gene_table(path, position=position)
    known = set(genes["chromosome"]) >= {*map(str, range(1, 23)), "X", "Y"}
    words = f"{genes['chromosome'].nunique()} chromosomes"
    return known and len(check_gene_table(genes)) == len(genes), words, (None, len(genes))


def filter_probes(data):
    """Drop probes of chromosome 21 by the flags of the 450K table."""
    probes = pd.read_parquet(data / "annotation" / "hm450_probes.parquet").rename(
        columns={
            "chrom_hg38": "chromosome",
            "pos_hg38_0based": "position",
            "multimap_bowtie_hg19": "multi_mapped",
            "snp_in_probe_zhou_infI_or_rs": "snp_within_5bp",
        }
    )
    X = pd.read_parquet(data / "tcga_coad_chr21" / "methylation.parquet")
    fitted = ProbeFilter(probes, drop_off_epic=False, unit="beta").fit(X)
    counts = fitted.rule_counts_
    flags = probes.loc[X.columns, ["multi_mapped", "snp_within_5bp"]].any(axis=1)
    flags |= X.columns.str.startswith(("ch.", "rs"))
    words = ", ".join(f"{name} {n}" for name, n in counts.items())
    kept = fitted.transform(X)
    return counts["any"] == flags.sum() == X.shape[1] - kept.shape[1], words, kept.shape


def recognise(ids, array):
    found = array_platform(ids)
    return found == array, f"taken for {found}" if found != array else "", (None, len(ids))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of cohorts")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    results = Results()
    with TemporaryDirectory() as folder:
        if "annotation" in options.parts:
            check_annotation(options.data, results)
        if "arrays" in options.parts:
            check_real_arrays(options.data, folder, results)
            check_large_arrays(options.data, folder, results)
        if "layouts" in options.parts:
            check_layouts(options.data, folder, results)
    table = pd.DataFrame(results.rows)
    if options.output.exists():  # keep what other parts found
        old = pd.read_csv(options.output)
        table = pd.concat([old[~old["part"].isin(options.parts)], table])
    table = table.astype({"n_samples": "Int64", "n_features": "Int64"})
    table.sort_values("part", kind="stable").to_csv(options.output, index=False)
    failed = table[~table["ok"]]
    print(f"{len(table)} tried, {len(failed)} did not go through")
    if len(failed):
        sys.exit(failed.to_string())


if __name__ == "__main__":
    main()
