"""The HTML page of a prediction."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from omitrans.datasets import make_paired_omics
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.inference import describe_model, predict_frame
from omitrans.reports import prediction_report
from omitrans.trust import TrustedRegressor

pytest.importorskip("matplotlib")

HOSTILE = "<script>alert('x')</script>"


class Card:
    """What a TrustCard offers, of given numbers."""

    def __init__(self, r2):
        self.genes = pd.DataFrame(
            {
                "r2": r2,
                "n_samples": 120,
                "calibration_slope": 0.9,
                "half_width": 1.25,
                "predictable": r2 > 0.3,
            }
        )
        shares = np.array([1.0, 0.8, 0.5])
        self.coverage_curve = pd.DataFrame(
            np.outer(shares, r2.fillna(0)), index=shares, columns=r2.index
        )

    def half_width(self, level):
        return self.genes["half_width"]

    def expected_r2(self, coverage):
        return coverage * self.genes["r2"]

    def summary(self):
        return {"n_predictable": int(self.genes["predictable"].sum()), "target_unit": "FPKM"}


class Page(HTMLParser):
    """Checks that tags are closed; keeps headings, items, images, and tables as lists of rows."""

    VOID = frozenset({"meta", "img", "br", "input"})

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open, self.headings, self.items, self.images, self.tables = [], [], [], [], []
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attrs)["alt"])
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"th", "td"}:
            self.tables[-1][-1].append("")
        elif tag == "li":
            self.items.append("")
        elif tag == "h2":
            self.headings.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"th", "td"} & set(self.open):
            self.tables[-1][-1][-1] += data
        elif "li" in self.open:
            self.items[-1] += data
        elif "h2" in self.open:
            self.headings[-1] += data

    def table(self, corner):
        (found,) = [rows for rows in self.tables if rows[0][0] == corner]
        return pd.DataFrame(found[1:], columns=found[0]).set_index(corner)

    def item(self, words):
        (found,) = [item for item in self.items if words in item]
        return " ".join(found.split())


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    genes = [HOSTILE, "geneB", "geneC", "geneD", "geneE", "$x"]
    samples = [f"s{i}" for i in range(7)] + ["<b>"]
    return pd.DataFrame(rng.normal(5.0, 1.0, size=(8, 6)), samples, genes)


@pytest.fixture
def card(predictions):
    return Card(pd.Series([0.6, 0.5, 0.4, 0.1, -0.2, np.nan], predictions.columns))


@pytest.fixture
def coverage(predictions):
    share = np.array([0.99, 0.98, 0.97, 0.85, 0.6, 0.96, 0.95, 0.94])
    status = np.where(share < 0.7, "refused", np.where(share < 0.9, "low", "ok"))
    columns = {"platform": "EPICv2", "n_probes": 100, "coverage": share, "status": status}
    return pd.DataFrame(columns, predictions.index)


@pytest.fixture
def shift(predictions):
    flagged = predictions.index == "<b>"
    columns = {"distance": 1.0 + 9 * flagged, "p_value": np.where(flagged, 1e-6, 0.5)}
    return pd.DataFrame(columns | {"shifted": flagged}, predictions.index)


@pytest.fixture
def write(tmp_path):
    return lambda *args, **options: Page(prediction_report(tmp_path / "r.html", *args, **options))


def with_intervals(predictions, half=0.75):
    low, high = predictions - half, predictions + half
    return pd.concat([predictions, low.add_suffix("_lower"), high.add_suffix("_upper")], axis=1)


def test_page_is_whole_and_needs_nothing_else(write, predictions, card, coverage, shift):
    page = write(
        with_intervals(predictions),
        trust_card=card,
        coverage=coverage,
        shift=shift,
        model={"class": "<i>", "target_unit": "log2(FPKM + 1)"},
        title="A <b> & c",
    )
    outside = re.sub(r"base64,[^\"]*", "", page.source)
    assert page.source.startswith("<!DOCTYPE html>")
    assert "<title>A &lt;b&gt; &amp; c</title>" in page.source
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", outside)
    assert "http" not in outside
    assert outside.count("<script") == 1
    assert "<script>alert" not in outside
    assert "nan" not in re.sub(r"<style>.*?</style>", "", outside, flags=re.S).lower()
    assert page.headings == [
        "Summary",
        "Samples",
        "Probes present",
        "Likeness to the training cohort",
        "Genes",
        "Width of the intervals",
        "The model",
        "How to read this page",
        "What is not claimed",
    ]
    assert len(page.images) == 5
    assert all(page.images)


def test_summary_speaks_of_genes_and_samples(write, predictions, card, coverage, shift):
    page = write(predictions, trust_card=card, coverage=coverage, shift=shift)
    assert "3 of 6 genes (50%) can be believed" in page.item("3 of 6")
    assert "R² to be 0.50 in the median" in page.item("3 of 6")
    expected = 0.5 * coverage["coverage"].median()
    assert f"R² of {expected:.2f} is to be expected" in page.item("With the probes")
    assert page.item("should not be used").endswith(": s4.")
    assert page.item("1 sample is unlike").endswith(": <b>.")
    assert page.item("1 sample lacks").endswith(": s3.")
    assert "<dt>samples to distrust</dt><dd>2</dd>" in page.source


def test_worst_samples_come_first(write, predictions, coverage, shift):
    table = write(predictions, coverage=coverage, shift=shift).table("Sample")
    assert list(table.index[:3]) == ["s4", "<b>", "s3"]
    assert list(table["Verdict"][:4]) == [
        "far too few probes",
        "unlike the training cohort",
        "few probes",
        "no objection",
    ]
    assert table.loc["<b>", "p"] == "< 0.0001"
    assert table.loc["s3", "Probes present"] == "85.0%"
    assert table.loc["s4", "Status"] == "refused"
    assert set(table["Platform"]) == {"EPICv2"}


def test_many_samples_are_cut_and_many_names_counted(write, predictions):
    many = pd.concat([predictions] * 20, ignore_index=True)
    share = np.linspace(0.5, 1.0, len(many))
    coverage = pd.DataFrame({"platform": "450K", "coverage": share, "status": "low"}, many.index)
    page = write(many, coverage=coverage)
    assert len(page.table("Sample")) == 100
    assert "60 more samples are left out" in page.source
    assert page.item("lack many of").endswith(": 0, 1, 2, 3, 4 and 155 more.")


def test_genes_are_sorted_and_nan_is_a_dash(write, predictions, card, coverage):
    page = write(predictions, trust_card=card, coverage=coverage)
    best, everything = [rows for rows in page.tables if rows[0][0] == "Gene"]
    assert [row[0] for row in best[1:]] == [HOSTILE, "geneB", "geneC"]
    table = pd.DataFrame(everything[1:], columns=everything[0]).set_index("Gene")
    assert list(table["R²"]) == ["0.60", "0.50", "0.40", "0.10", "−0.20", "–"]
    assert list(table["Believed"]) == ["yes"] * 3 + ["no"] * 3
    assert table.loc["$x", "R² expected here"] == "–"
    assert table.loc["geneB", "Mean here"] == f"{predictions['geneB'].mean():.2f}"
    assert table.loc["geneB", "Highest here"] == f"{predictions['geneB'].max():.2f}"


def test_many_genes_are_cut(write):
    genes = [f"g{i}" for i in range(2100)]
    predictions = pd.DataFrame(np.zeros((2, 2100)), columns=genes)
    page = write(predictions, trust_card=Card(pd.Series(np.linspace(0.9, -0.1, 2100), genes)))
    assert max(len(rows) for rows in page.tables) == 2001
    assert "2,000 best of 2,100 genes" in page.source
    assert "2,100 genes" in page.source


def test_without_anything_it_says_what_is_not_known(write, predictions):
    page = write(predictions)
    assert page.images == []
    assert "has no trust card" in page.item("Which genes")
    assert page.item("probes the samples hold was not checked")
    assert page.item("training cohort was not checked")
    assert set(page.table("Sample")["Verdict"]) == {"not checked"}
    assert "can be believed</dt>" not in page.source
    assert "<script" not in page.source


def test_no_gene_is_predictable(write, predictions):
    card = Card(pd.Series(0.1, predictions.columns))
    page = write(predictions, trust_card=card)
    assert page.item("No gene can be believed")
    assert "R² of the genes as probes go missing" in " ".join(page.images)
    assert "Best predicted genes" not in page.source


def test_cohort_of_another_tissue(write, predictions, shift):
    page = write(predictions, shift=shift.assign(shifted=True, p_value=0.001))
    assert "another tissue" in page.item("Most samples are unlike")
    assert "0.0010" in set(page.table("Sample")["p"])


def test_interval_columns_are_no_genes(write, predictions):
    bounded = with_intervals(predictions, half=0.75)
    bounded["other_lower"] = 1.0  # a gene, for there is no "other"
    page = write(bounded, model={"target_unit": "counts"})
    assert "8 samples, 7 genes." in page.source
    assert "below 0.75 counts" in page.images[0]


def test_infinite_intervals_are_passed_over(write, predictions, card):
    bounded = with_intervals(predictions, half=0.75)
    bounded[["geneB_lower", "geneB_upper"]] = [-np.inf, np.inf]
    card.genes.loc["geneB", "half_width"] = np.inf
    page = write(bounded, trust_card=card)
    assert "below 0.75 FPKM" in page.images[-1]
    assert page.tables[-2][2][:1] == ["geneB"]
    assert "∞" in page.tables[-2][2]
    everything = with_intervals(predictions, half=np.inf)
    assert "No gene has samples enough for an interval" in write(everything).source


def test_sample_without_prediction(write, predictions, coverage):
    kept = predictions.drop(index="s4")
    kept.loc["s0"] = np.nan
    page = write(kept, coverage=coverage)
    assert page.item("have no prediction").endswith(": s4, s0.")
    assert len(page.table("Sample")) == len(predictions)


def test_same_samples_in_another_order_are_joined_by_name(write, predictions, coverage):
    table = write(predictions, coverage=coverage[::-1]).table("Sample")
    assert table.loc["s3", "Verdict"] == "few probes"


def test_repeated_sample_names_are_joined_by_place(write, predictions, coverage, shift):
    names = ["same"] * len(predictions)
    tables = [table.set_axis(names) for table in (predictions, coverage, shift)]
    assert len(write(tables[0], coverage=tables[1], shift=tables[2]).table("Sample")) == 8
    with pytest.raises(SampleMismatchError, match="'same' occurs twice"):
        write(tables[0], coverage=tables[1][:-1])


def test_facts_of_the_model(write, predictions, card):
    facts = {
        "n_features": 20000,
        "versions": {"numpy": "2.1", "none": None},
        "probes": [f"cg{i}" for i in range(12)],
        "score": 0.123456,
        "<key>": True,
    }
    table = write(predictions, trust_card=card, model=facts).table("Fact")["Value"]
    assert table["Number of features"] == "20,000"
    assert table["Versions: numpy"] == "2.1"
    assert table["Versions: none"] == "–"
    assert table["Probes"].endswith("cg7 and 4 more")
    assert table["Score"] == "0.1235"
    assert table["<key>"] == "yes"
    assert table["Trust: number of predictable"] == "3"


def test_one_sample_and_one_gene(write):
    one = pd.DataFrame({"g": [1.0]}, ["s"])
    coverage = pd.DataFrame({"platform": ["MSA"], "coverage": [1.0], "status": ["ok"]}, ["s"])
    shift = pd.DataFrame({"distance": [1.0], "p_value": [0.4], "shifted": [False]}, ["s"])
    card = Card(pd.Series([0.5], ["g"]))
    page = write(one, trust_card=card, coverage=coverage, shift=shift)
    assert "1 sample, 1 gene." in page.source
    assert page.item("No objection was found")


def test_names_that_utf8_cannot_hold(write, predictions):
    names = predictions.index.astype(object)  # Arrow's text holds UTF-8 only
    page = write(predictions.set_axis(names.where(names != "s0", "\ud800")))
    assert "&#55296;" in page.source


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda frame: frame.to_numpy(), TypeError, "must be a DataFrame; found ndarray"),
        (lambda frame: frame[:0], ValueError, "0 samples and 6 columns"),
        (lambda frame: pd.concat([frame, frame], axis=1), FeatureMismatchError, "twice"),
        (lambda frame: frame.add_prefix("other"), FeatureMismatchError, "holds no gene of"),
    ],
)
def test_unfit_predictions(tmp_path, predictions, card, change, error, message):
    with pytest.raises(error, match=message):
        prediction_report(tmp_path / "r.html", change(predictions), trust_card=card)
    assert list(tmp_path.iterdir()) == []


def test_other_samples(write, predictions, coverage):
    with pytest.raises(SampleMismatchError, match="no sample of predictions"):
        write(predictions, coverage=coverage.rename(index="other{}".format))


def test_model_must_be_facts(write, predictions):
    with pytest.raises(TypeError, match="describe_model"):
        write(predictions, model=object())


def test_no_figure_stays_open(write, predictions, card):
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    write(predictions, trust_card=card)
    assert plt.get_fignums() == before


def test_folder_must_exist(tmp_path, predictions):
    with pytest.raises(FileNotFoundError):
        prediction_report(tmp_path / "absent" / "r.html", predictions)


def test_a_model_that_is_trusted(write):
    data = make_paired_omics(80, 60, 6, random_state=0)
    X = data.X.fillna(data.X.mean())
    model = TrustedRegressor(min_r2=0.0, target_unit="FPKM", random_state=0).fit(
        X[:60], data.Y[:60], groups=data.samples["patient"][:60]
    )
    page = write(
        predict_frame(model, X[60:], intervals=0.8),
        trust_card=model.trust_card_,
        shift=model.shift_report(X[60:]),
        model=describe_model(model),
    )
    n_good = int(model.trust_card_.genes["predictable"].sum())
    assert f"{n_good} of 6 genes" in page.item("can be believed: ")
    assert "R² to be above 0," in page.item("can be believed: ")
    half = model.trust_card_.half_width(0.8).median()
    assert f"below {half:.2f} FPKM" in page.images[-1]
    assert page.table("Fact").loc["Number of samples", "Value"] == "60"
    assert "Trust: number of samples" not in page.table("Fact").index
    assert page.table("Fact").loc["Trust: median R² by coverage", "Value"].startswith("1: ")
