"""Whole ways that users go, from files of a new array to a report of predictions."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import omitrans
from omitrans.baselines import make_baselines
from omitrans.cli.__main__ import main
from omitrans.datasets import make_paired_omics, simulate_array_version
from omitrans.exceptions import DomainShiftWarning, LowCoverageWarning
from omitrans.model_selection import patient_of
from omitrans.pipelines import make_translation_pipeline
from omitrans.trust import TrustedRegressor

sys.path.append(str(Path(__file__).parent / "io"))
from idat_writer import write_samples

N_NEW = 3


@pytest.fixture(scope="module")
def cohort():
    return make_paired_omics(80, 1500, 12, missing_rate=0.02, random_state=0)


def call(capsys, *arguments):
    """Return the JSON that a command prints."""
    code = main([*map(str, arguments), "--json"])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return json.loads(shown.out)


@pytest.mark.slow
def test_from_idat_files_of_a_newer_array_to_a_report(cohort, tmp_path, capsys):
    pytest.importorskip("pyarrow")
    old, new = cohort.X.iloc[:-N_NEW], cohort.X.iloc[-N_NEW:]
    written = simulate_array_version(new, "EPICv2", noise=0, random_state=0).fillna(0.5)
    written = written.loc[:, ~written.columns.str.startswith("ctl_")]
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    manifest = write_samples(written, arrays, written.shape[1] // 7, red_factor=1.3)
    model, betas, expression, page = (
        tmp_path / name for name in ("m.omitrans", "betas.parquet", "y.csv", "report.html")
    )
    old.T.to_csv(tmp_path / "X.tsv.gz", sep="\t", index_label="sample")
    cohort.Y.to_parquet(tmp_path / "Y.parquet")

    converted = call(capsys, "convert", arrays, betas, "--manifest", manifest)
    assert (converted["n_samples"], converted["n_features"]) == written.shape
    errors = pd.read_parquet(betas).to_numpy() - written.to_numpy()
    assert np.nanmedian(np.abs(errors)) < 0.05  # what background does to them

    options = ["--model", "ridge", "--cv", 3, "--groups", "tcga", "-o", model]
    call(capsys, "fit", tmp_path / "X.tsv.gz", tmp_path / "Y.parquet", *options)
    from_idat = call(
        capsys, "predict", model, arrays, "--manifest", manifest, "-o", expression,
        "--intervals", 0.9, "--report", page,
    )  # fmt: skip
    assert from_idat["platforms"] == {"EPICv2": N_NEW}
    assert (from_idat["n_samples"], from_idat["n_genes"]) == (N_NEW, 12)
    assert 0.7 < from_idat["coverage"]["lowest"] < 0.9
    text = page.read_text(encoding="utf-8")
    assert "EPICv2" in text
    assert "<img" in text

    call(capsys, "predict", model, betas, "-o", tmp_path / "again.csv", "--intervals", 0.9)
    table = pd.read_csv(expression, index_col=0)
    again = pd.read_csv(tmp_path / "again.csv", index_col=0)
    pd.testing.assert_frame_equal(table, again, check_names=False)
    for gene in cohort.Y:
        assert (table[f"{gene}_lower"] <= table[gene]).all()
        assert (table[gene] <= table[f"{gene}_upper"]).all()

    facts = call(capsys, "info", model)
    assert (facts["n_targets"], facts["trust"]["n_samples"]) == (12, len(old))


@pytest.mark.slow
@pytest.mark.parametrize(
    "regressor",
    [
        make_baselines(["ridge"])["ridge"],
        omitrans.OmiTransRegressor(max_epochs=3, random_state=0),
    ],
    ids=["ridge", "omitrans"],
)
def test_a_saved_model_gives_a_sample_alone_what_it_gets_in_a_batch(cohort, tmp_path, regressor):
    """Bit for bit, with suffixes, replicates, absent probes and gaps of its own."""
    model = TrustedRegressor(make_translation_pipeline(clone(regressor)), cv=3, random_state=0)
    patients = patient_of(cohort.X.index)
    model.fit(cohort.X.iloc[:60], cohort.Y.iloc[:60], groups=patients[:60])
    omitrans.save(model, tmp_path / "model.omitrans")
    loaded = omitrans.load(tmp_path / "model.omitrans")

    new = simulate_array_version(cohort.X.iloc[60:], "EPICv2", random_state=0)
    probes = pd.Series(new.columns).str.split("_").str[0]
    assert probes.duplicated().any()
    assert not set(cohort.X) <= set(probes)
    gaps = np.random.default_rng(0).random(new.shape) < np.linspace(0, 0.1, len(new))[:, None]
    new = new.mask(gaps).astype(np.float32)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LowCoverageWarning)
        warnings.simplefilter("ignore", DomainShiftWarning)
        batch = omitrans.predict_frame(loaded, new, intervals=0.9)
        pd.testing.assert_frame_equal(
            batch, omitrans.predict_frame(model, new, intervals=0.9), check_exact=True
        )
        shifts = loaded.shift_report(new)
        for sample in new.index:
            alone = omitrans.predict_frame(loaded, new.loc[[sample]], intervals=0.9)
            pd.testing.assert_frame_equal(alone, batch.loc[[sample]], check_exact=True)
            pd.testing.assert_frame_equal(
                loaded.shift_report(new.loc[[sample]]), shifts.loc[[sample]], check_exact=True
            )
