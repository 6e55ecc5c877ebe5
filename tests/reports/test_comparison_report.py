"""The HTML page of a comparison."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import make_regression
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge

from omitrans.comparison import compare_models
from omitrans.metrics import RECONSTRUCTION_SCORERS
from omitrans.reports import comparison_report

pytest.importorskip("matplotlib")


class Failing(BaseEstimator):
    def fit(self, X, y):
        raise ArithmeticError("values < 0 & more")

    def predict(self, X):
        raise AssertionError


class Reader(HTMLParser):
    """Checks that tags are closed, and collects what a test asks for."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.images, self.scopes, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


@pytest.fixture(scope="module")
def tables():
    X, Y = make_regression(60, 6, n_targets=5, noise=10.0, random_state=0)
    ids = [f"sample{i}" for i in range(60)]
    return pd.DataFrame(X, ids).add_prefix("cg"), pd.DataFrame(Y, ids).add_prefix("gene")


@pytest.fixture(scope="module")
def comparison(tables):
    models = {"mean": DummyRegressor(), "ridge": Ridge(), "<script>": Failing()}
    with pytest.warns(FitFailedWarning):
        return compare_models(models, *tables, cv=4, return_predictions=True)


@pytest.fixture(scope="module")
def page(comparison, tables, tmp_path_factory):
    path = comparison.to_html(
        tmp_path_factory.mktemp("report") / "report.html", Y=tables[1], title="A <b> & c"
    )
    return path.read_text(encoding="utf-8")


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_page_is_whole_and_needs_nothing_else(page):
    read(page)
    assert page.startswith("<!DOCTYPE html>")
    assert "$" not in re.sub(r"base64,[^\"]*", "", page)
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "<script" not in page
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)


def test_names_are_escaped(page):
    assert "&lt;script&gt;" in page
    assert "values &lt; 0 &amp; more" in page
    assert "<title>A &lt;b&gt; &amp; c</title>" in page


def test_sections_and_figures(page):
    reader = read(page)
    assert reader.headings == [
        "Accuracy",
        "What failed",
        "Figures",
        "Are the differences more than chance?",
        "Time and memory",
    ]
    assert len(reader.images) == 4
    assert all(image["alt"] for image in reader.images)
    assert set(reader.scopes) == {"row", "col"}


def test_numbers_are_those_of_the_summary(comparison, page):
    text = " ".join(read(page).text)
    summary = comparison.summary()
    for metric in RECONSTRUCTION_SCORERS:
        if not metric.startswith("n_"):
            assert f"{summary.loc['ridge', metric]:,.4f}" in text
    assert re.search(r"★ 0\.\d+|★ \d", text)
    assert "nan" not in text
    p_value = comparison.tests("median_r2_per_feature")["p_value"].iloc[0]
    assert (f"{p_value:.4f}" if p_value >= 1e-4 else "< 0.0001") in text


def test_without_predictions_there_are_two_figures(tables, tmp_path):
    comparison = compare_models({"mean": DummyRegressor()}, *tables, cv=3)
    path = comparison_report(comparison, tmp_path / "report.html", Y=tables[1])
    reader = read(path.read_text(encoding="utf-8"))
    assert len(reader.images) == 2
    assert "No test: " in " ".join(reader.text)


def test_arrays_do_too(tables, tmp_path):
    X, Y = (table.to_numpy() for table in tables)
    comparison = compare_models({"ridge": Ridge()}, X, Y, cv=3, return_predictions=True)
    path = comparison.to_html(tmp_path / "report.html", Y=Y)
    assert len(read(path.read_text(encoding="utf-8")).images) == 4


def test_no_figure_stays_open(comparison, tables, tmp_path):
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    comparison.to_html(tmp_path / "report.html", Y=tables[1])
    assert plt.get_fignums() == before


def test_folder_must_exist(comparison, tmp_path):
    with pytest.raises(FileNotFoundError):
        comparison.to_html(tmp_path / "absent" / "report.html")
    assert np.size(list(tmp_path.iterdir())) == 0
