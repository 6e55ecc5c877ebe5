"""Patients, their samples, clinical covariates and survival of a simulated cohort."""

import numpy as np
import pandas as pd
import pytest

from omitrans.datasets import make_paired_omics
from omitrans.datasets.simulate._samples import correlate_within_donor, draw_survival


@pytest.fixture(scope="module")
def repeats():
    """Many patients with two samples."""
    return make_paired_omics(
        300, 400, 100, normal_fraction=0.2, repeat_fraction=0.2, missing_rate=0, random_state=1
    )


def test_barcodes(cohort):
    barcodes = cohort.samples.index
    assert barcodes.is_unique
    assert barcodes.str.fullmatch(r"TCGA-[0-9A-Z]{2}-[0-9A-Z]{4}-(01|02|11)A").all()
    assert (barcodes.str[:12] == cohort.samples["patient"]).all()
    normal = barcodes.str[13:15] == "11"
    assert (normal == (cohort.samples["sample_type"] == "normal")).all()


def test_patients_have_several_samples(repeats):
    patients = repeats.samples["patient"]
    counts = patients.value_counts()
    assert counts.max() in (2, 3)
    assert len(counts) == 180
    # each of them has a primary tumour
    assert set(patients) == set(patients[repeats.samples.index.str[13:15] == "01"])


def test_what_belongs_to_a_patient_is_the_same_in_all_samples(repeats):
    columns = ["cancer_type", "batch", "age", "sex", "survival_time", "event"]
    clinical = repeats.samples[["patient", *columns]]
    assert len(clinical.drop_duplicates()) == clinical["patient"].nunique()


def test_samples_are_in_no_order(repeats):
    codes = repeats.samples.index.str[13:15].to_numpy()
    assert len(set(codes[:50])) == len(set(codes[-50:])) == 3


def test_normal_tissue_holds_no_tumour(cohort):
    normal = cohort.samples["sample_type"] == "normal"
    assert (cohort.samples["purity"][normal] == 0).all()
    assert cohort.samples["purity"][~normal].between(0.2, 1).all()
    assert normal.sum() == 30


def test_clinical_columns(cohort):
    samples = cohort.samples
    assert set(samples["sex"]) == {"female", "male"}
    assert samples["age"].between(14, 90).all()
    assert samples["event"].dtype == bool
    assert (samples["survival_time"] >= 1).all()
    assert samples["batch"].nunique() == 4
    # the two most frequent types of the TCGA lead, one of them being women's
    assert set(samples["cancer_type"]) == {"BRCA", "LGG", "THCA", "HNSC"}
    assert (samples.query("cancer_type == 'BRCA'")["sex"] == "female").mean() > 0.9


@pytest.mark.parametrize("omics", ["X", "Y"])
def test_samples_of_a_patient_are_alike(repeats, omics):
    values = repeats[omics].to_numpy(float)
    values = values[:, values.std(axis=0) > 0]
    correlation = np.corrcoef((values - values.mean(axis=0)) / values.std(axis=0))
    samples = repeats.samples
    patient, group = samples["patient"].to_numpy(), samples["cancer_type"].to_numpy()
    tumour = (samples["sample_type"] == "tumour").to_numpy()
    pairs = np.triu(np.outer(tumour, tumour), 1) & (group[:, None] == group)
    same = pairs & (patient[:, None] == patient)
    assert same.sum() > 20
    assert correlation[same].mean() > correlation[pairs & ~same].mean() + 0.3


def test_correlate_within_donor_keeps_the_variance():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((20_000, 3))
    alone = values[:, 1].copy()
    correlate_within_donor(values, np.array([0, 1, 0]), 0.8)
    np.testing.assert_array_equal(values[:, 1], alone)
    assert np.corrcoef(values[:, 0], values[:, 2])[0, 1] == pytest.approx(0.8, abs=0.02)
    assert values[:, 2].std() == pytest.approx(1, abs=0.02)


def test_sex_chromosomes_tell_the_sexes_apart():
    data = make_paired_omics(200, 4000, 400, missing_rate=0, random_state=0)
    female = (data.samples["sex"] == "female").to_numpy()
    at = dict(zip(data.probes["probe_id"], data.probes["chromosome"], strict=True))
    chromosome = data.X.columns.map(at)
    difference = data.X[female].mean() - data.X[~female].mean()
    island = (data.probes["island_relation"] == "island").to_numpy()
    assert difference[(chromosome == "X") & island].median() > 0.25
    assert abs(difference[(chromosome == "1") & island].median()) < 0.05
    assert data.X.loc[female, chromosome == "Y"].mean().median() == pytest.approx(0.45, abs=0.1)
    male_genes = data.Y.loc[:, (data.genes["chromosome"] == "Y").to_numpy()]
    assert (male_genes[female] == 0).all(axis=None)
    assert (male_genes[~female] > 0).any(axis=None)


def test_clock_probes_follow_age():
    data = make_paired_omics(400, 1000, 20, missing_rate=0, random_state=0)
    clock = data.truth.clock.set_index("probe_id")["logit_per_decade"]
    assert len(clock) >= 10
    logits = np.log(data.X / (1 - data.X))
    centred = logits - logits.groupby(data.samples["cancer_type"]).transform("mean")
    age = data.samples["age"] - data.samples["age"].groupby(data.samples["cancer_type"]).transform(
        "mean"
    )
    correlation = centred.corrwith(age)
    assert np.corrcoef(correlation[clock.index], clock)[0, 1] > 0.7
    assert correlation.drop(clock.index).abs().mean() < 0.08


def test_batches_shift_probes():
    options = {"n_samples": 200, "n_probes": 500, "n_genes": 20, "random_state": 0}
    quiet = make_paired_omics(**options, batch_effect=0, missing_rate=0)
    shifted = make_paired_omics(**options, batch_effect=1, missing_rate=0)
    assert shifted.Y.equals(quiet.Y)
    m_values = [np.log2(data.X / (1 - data.X)) for data in (quiet, shifted)]
    shift = (m_values[1] - m_values[0]).groupby(quiet.samples["batch"])
    # one shift a probe and batch, up to the background
    assert shift.mean().std().median() == pytest.approx(1, abs=0.3)
    assert shift.std().median(axis=None) < 0.2


def test_snp_probes_show_genotypes(cohort):
    rs = cohort.X.loc[:, cohort.X.columns.str.startswith("rs")]
    calls = np.abs(rs.to_numpy()[:, :, None] - np.array([0.06, 0.5, 0.92])).argmin(axis=2)
    assert (pd.DataFrame(calls).nunique() == 3).all()
    loadings = cohort.truth.probe_loadings.loc[rs.columns]
    assert (loadings == 0).all(axis=None)


def harrell(risk, days, died):
    """Concordance by brute force."""
    before = died[:, None] & (days[:, None] < days)
    return (risk[:, None] > risk)[before].mean()


def test_prognostic_genes_drive_survival():
    data = make_paired_omics(1500, 10, 60, normal_fraction=0, repeat_fraction=0, random_state=0)
    prognostic = data.truth.prognostic
    assert len(prognostic) == 10
    values = data.Y[prognostic["gene_id"]]
    risk = ((values - values.mean()) / values.std()).to_numpy() @ prognostic["log_hazard"]
    samples = data.samples
    concordance = harrell(risk, samples["survival_time"].to_numpy(), samples["event"].to_numpy())
    assert 0.6 < concordance < 0.85
    assert 0.2 < samples["event"].mean() < 0.45


def test_survival_is_exponential_with_the_stated_hazards():
    days, died = draw_survival(np.repeat([0.0, 1.0], 40_000), np.random.default_rng(0))
    rates = [died[half].sum() / days[half].sum() for half in (slice(40_000), slice(40_000, None))]
    assert rates[0] == pytest.approx(2.6e-4, rel=0.03)
    assert rates[1] / rates[0] == pytest.approx(np.e, rel=0.04)
    assert died[:40_000].mean() == pytest.approx(0.28, abs=0.01)
