"""Cohorts as tables, from small matrices on a server of this machine."""

import gzip
import hashlib

import numpy as np
import pandas as pd
import pytest
from http_server import Answer, running_server

from omitrans.datasets import fetch_tcga
from omitrans.exceptions import DataFormatError, SampleMismatchError, UnknownNameError

PATIENTS = [f"TCGA-A1-A0S{letter}" for letter in "ABCDE"]
SAMPLES = [f"{patient}-01A" for patient in PATIENTS] + [f"{PATIENTS[0]}-11A"]
PROBES = ["cg00000029", "cg00000108", "cg00000109", "cg00000165"]
GENES = ["ENSG00000000003.15", "ENSG00000000005.6", "ENSG00000000419.13"]


def draw(samples, features, seed):
    values = np.random.default_rng(seed).random((len(samples), len(features)), dtype=np.float32)
    return pd.DataFrame(values, samples, features)


def packed(table, corner):
    """Return the table as a hub stores it: features as rows, tab-separated, gzip."""
    text = table.T.rename_axis(corner).to_csv(sep="\t", lineterminator="\n")
    return gzip.compress(text.encode(), mtime=0)


@pytest.fixture
def betas():
    table = draw(SAMPLES, PROBES, 0)
    table.iloc[:3, 1] = np.nan
    return table


@pytest.fixture
def expression():
    """Other samples than the betas, in another order."""
    return draw([*SAMPLES[:0:-1], "TCGA-ZZ-ZZZZ-01A"], GENES, 1)


@pytest.fixture
def server(betas, expression):
    with running_server() as server:
        files = {
            "TCGA-BRCA.methylation450.tsv.gz": packed(betas, "Composite Element REF"),
            "TCGA-BRCA.methylation27.tsv.gz": packed(betas.iloc[:, :2], "Composite Element REF"),
            "TCGA-BRCA.star_tpm.tsv.gz": packed(expression, "Ensembl_ID"),
            "TCGA-BRCA.star_fpkm-uq.tsv.gz": packed(expression + 1, "Ensembl_ID"),
            "TCGA.BRCA.sampleMap/HumanMethylation450.gz": packed(betas, "sample"),
            "TCGA.BRCA.sampleMap/HiSeqV2.gz": packed(expression + 2, "sample"),
        }
        for name, body in files.items():
            server.put(name, Answer(body))
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    def run(*arguments, **options):
        options = {"progress": False, "delay": 0.0, "timeout": 0.5} | options
        return fetch_tcga(*arguments, base_url=server.url, data_home=tmp_path, **options)

    return run


def assert_same(got, wanted):
    names = {"check_index_type": False, "check_column_type": False}  # pandas 3 has its own
    pd.testing.assert_frame_equal(got, wanted, check_names=False, rtol=1e-6, **names)


def test_samples_of_both_tables_in_one_order(fetch, betas, expression):
    data = fetch()
    shared = SAMPLES[1:]
    assert_same(data.X, betas.loc[shared])
    assert_same(data.Y, expression.loc[shared])
    assert data.samples.index.tolist() == shared
    assert (data.X.dtypes == np.float32).all()


def test_what_barcodes_say(fetch):
    samples = fetch().samples
    assert samples["patient"].tolist() == [*PATIENTS[1:], PATIENTS[0]]
    assert samples["sample_type"].tolist() == ["primary tumor"] * 4 + ["normal tissue"]
    assert set(samples["cohort"]) == {"BRCA"}


def test_units_paths_and_description(fetch):
    data = fetch()
    assert (data.X_unit, data.Y_unit) == ("beta", "log2(TPM + 1)")
    assert {kind: [path.name for path in paths] for kind, paths in data.paths.items()} == {
        "methylation": ["TCGA-BRCA.methylation450.tsv.gz"],
        "expression": ["TCGA-BRCA.star_tpm.tsv.gz"],
    }
    assert "cohorts BRCA\n" in data.DESCR
    assert "log2(TPM + 1)" in data.DESCR


def test_the_second_call_asks_nobody(fetch, server):
    first = fetch()
    assert_same(fetch(download_if_missing=False).Y, first.Y)
    assert len(server.log) == 2


def test_pair_of_tables(fetch):
    X, Y = fetch(return_X_y=True)
    data = fetch()
    assert_same(X, data.X)
    assert_same(Y, data.Y)


def test_one_modality_keeps_all_its_samples(fetch, expression, server):
    data = fetch(modalities=["expression"])
    assert_same(data.Y, expression)
    assert "X" not in data
    assert len(server.log) == 1
    with pytest.raises(ValueError, match="return_X_y=True needs both modalities"):
        fetch(modalities=["expression"], return_X_y=True)


@pytest.mark.parametrize(
    ("options", "added", "unit"),
    [
        ({"measure": "fpkm-uq"}, 1, "log2(FPKM-UQ + 1)"),
        ({"hub": "tcga"}, 2, "log2(RSEM normalized count + 1)"),
        ({"hub": "tcga", "measure": "rsem"}, 2, "log2(RSEM normalized count + 1)"),
    ],
)
def test_measures_and_hubs(fetch, expression, options, added, unit):
    data = fetch(**options)
    assert data.Y_unit == unit
    assert_same(data.Y, expression.loc[SAMPLES[1:]] + added)


def test_the_smaller_array(fetch):
    assert fetch(array="27K").X.columns.tolist() == PROBES[:2]


def test_columns_are_chosen_while_reading(fetch):
    data = fetch(keep_probes=PROBES[:3], keep_genes=GENES[1:], max_missing_rate=0.3)
    assert data.X.columns.tolist() == [PROBES[0], PROBES[2]]
    assert data.Y.columns.tolist() == GENES[1:]


def test_cohorts_are_joined_on_common_columns(fetch, server, betas):
    names = ["TCGA-B2-0001-01A", "TCGA-B2-0002-06A"]
    other, genes = draw(names, [*PROBES[::-1], "cg99"], 2), draw(names, GENES, 3)
    server.put("TCGA-CHOL.methylation450.tsv.gz", Answer(packed(other, "Composite Element REF")))
    server.put("TCGA-CHOL.star_tpm.tsv.gz", Answer(packed(genes, "Ensembl_ID")))
    data = fetch(["BRCA", "CHOL"])
    assert_same(data.X, pd.concat([betas.loc[SAMPLES[1:]], other[PROBES]]))
    assert data.samples["cohort"].tolist() == ["BRCA"] * 5 + ["CHOL"] * 2
    assert data.samples["sample_type"].iloc[-1] == "metastasis"
    assert data.Y.index.equals(data.X.index)
    assert data.samples.index.equals(data.X.index)


def test_a_sample_in_two_cohorts(fetch, server, expression):
    server.put("TCGA-CHOL.star_tpm.tsv.gz", Answer(packed(expression, "Ensembl_ID")))
    with pytest.raises(DataFormatError, match=r"is in two of the cohorts \['BRCA', 'CHOL'\]"):
        fetch(["BRCA", "CHOL"], modalities=["expression"])


def test_no_sample_in_common(fetch, server):
    table = draw(["TCGA-B2-0001-01A"], GENES, 3)
    server.put("TCGA-BRCA.star_tpm.tsv.gz", Answer(packed(table, "Ensembl_ID")))
    message = r"No sample of the cohort BRCA .*6 with methylation, 1 with expression"
    with pytest.raises(SampleMismatchError, match=message):
        fetch()


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"cohort": "TCGA-BRCA"}, UnknownNameError, "Unknown cohort 'TCGA-BRCA'. Known: ACC, BLCA"),
        ({"cohort": []}, ValueError, "Name each cohort once, and at least one"),
        ({"cohort": ["OV", "OV"]}, ValueError, "Name each cohort once"),
        ({"modalities": ["protein"]}, UnknownNameError, "Unknown modality 'protein'"),
        ({"measure": "rsem"}, UnknownNameError, "Unknown measure of the hub 'gdc' 'rsem'"),
        ({"hub": "tcga", "measure": "tpm"}, UnknownNameError, "Known: rsem"),
    ],
)
def test_wrong_choices_cost_no_download(fetch, server, wrong, error, message):
    with pytest.raises(error, match=message):
        fetch(**wrong)
    assert server.log == []


def test_known_hashes_belong_to_files(fetch, expression):
    name = "TCGA-BRCA.star_tpm.tsv.gz"
    right = hashlib.sha256(packed(expression, "Ensembl_ID")).hexdigest()
    assert "Y" in fetch(modalities=["expression"], known_hashes={name: right})
    with pytest.raises(DataFormatError, match="not the expected file"):
        fetch(modalities=["expression"], known_hashes={name: "0" * 64})


def test_a_cohort_that_the_hub_lacks(fetch):
    with pytest.raises(FileNotFoundError, match=r"nothing at .*TCGA-UVM\.methylation450"):
        fetch("UVM")
