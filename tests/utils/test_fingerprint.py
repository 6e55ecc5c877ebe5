"""Fingerprints: the same for the same values, another for any change."""

import copy
import functools
import operator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from omitrans.utils import _fingerprint
from omitrans.utils._fingerprint import FingerprintError, fingerprint

TABLE = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
FRAME = pd.DataFrame(
    TABLE, [f"s{i}" for i in range(12)], pd.Index([f"g{i}" for i in range(5)], name="gene")
)


def swapped_values():
    """A table with two values exchanged, so that no row sum and no column sum of a pair differs."""
    values = TABLE.copy()
    values[3, [1, 2]] = values[3, [2, 1]]
    return values


DIFFERENT = {
    "a value": swapped_values(),
    "order of rows": TABLE[::-1],
    "order of columns": TABLE[:, ::-1],
    "shape": TABLE.reshape(5, 12),
    "transpose": TABLE.T,
    "dtype": TABLE.astype(np.float64),
    "one value": TABLE + np.eye(12, 5, dtype=np.float32) * 1e-6,
    "empty": TABLE[:0],
    "frame": FRAME,
    "names of columns": FRAME.rename(columns={"g1": "g2", "g2": "g1"}),
    "names of rows": FRAME.rename(index={"s1": "s2", "s2": "s1"}),
    "order of named columns": FRAME[FRAME.columns[::-1]],
    "name of the index": FRAME.rename_axis("sample"),
    "dtype of one column": FRAME.astype({"g1": np.float64}),
    "series": FRAME["g1"],
    "other series": FRAME["g1"].rename("g2"),
    "categories": pd.Series(["a", "b"], dtype="category"),
    "order of categories": pd.Series(pd.Categorical(["a", "b"], list("ba"))),
    "ordered categories": pd.Series(pd.Categorical(["a", "b"], ordered=True)),
    "tensor": torch.arange(3.0),
    "other tensor": torch.arange(1.0, 4.0),
    "long text": "n" * 300,
    "text of a lone surrogate": "\ud800",
    "text with a null": "a\0b",
    "text": pd.Series(["a", "b"]),
    "missing": pd.Series(["a", None]),
    "two levels": FRAME.set_axis(pd.MultiIndex.from_product([list("ab"), range(6)])),
    "sparse": sparse.csr_array(TABLE),
    "other sparse": sparse.csr_array(TABLE * 2),
    "number": 1,
    "other kind of number": 1.0,
    "truth": True,
    "text of a number": "1",
    "none": None,
    "text of none": "None",
    "list": [1, 2],
    "tuple": (1, 2),
    "nested": [[1], 2],
    "nested otherwise": [1, [2]],
    "dict": {"a": 1, "b": 2},
    "other dict": {"a": 2, "b": 1},
    "set": {1, 2},
    "bytes": b"1",
    "range": range(3),
    "long array": np.arange(5000),
    "long array with another middle": np.r_[np.arange(2500), 0, np.arange(2501, 5000)],
    "function": operator.add,
    "class": Ridge,
    "partial": functools.partial(np.add, 1),
    "other partial": functools.partial(np.add, 2),
    "model": Ridge(),
    "parameter": Ridge(2.0),
    "fitted": FrozenEstimator(Ridge().fit(TABLE, TABLE[:, 0])),
    "fitted otherwise": FrozenEstimator(Ridge().fit(TABLE, TABLE[:, 1])),
    "pipeline": make_pipeline(FunctionTransformer(np.log1p), Ridge()),
    "function in a pipeline": make_pipeline(FunctionTransformer(np.log), Ridge()),
    "folds": KFold(3),
    "other folds": KFold(4),
    "generator": np.random.RandomState(0),
    "other generator": np.random.RandomState(1),
}


def test_any_change_gives_another_name():
    found = {name: fingerprint(value) for name, value in {"table": TABLE, **DIFFERENT}.items()}
    by_digest = {}
    for name, digest in found.items():
        by_digest.setdefault(digest, []).append(name)
    assert [names for names in by_digest.values() if len(names) > 1] == []


@pytest.mark.parametrize("name", DIFFERENT)
def test_equal_values_give_the_same_name(name):
    value = DIFFERENT[name]
    assert fingerprint(copy.deepcopy(value)) == fingerprint(value)


def test_values_are_not_run_together():
    assert fingerprint("a", "b") != fingerprint("ab", "")
    assert fingerprint([1], [2, 3]) != fingerprint([1, 2], [3])


def test_memory_layout_and_order_of_keys_do_not_count():
    wide = np.zeros((12, 10), np.float32)
    wide[:, ::2] = TABLE
    for same in (np.asfortranarray(TABLE), wide[:, ::2], np.ascontiguousarray(TABLE)):
        assert fingerprint(same) == fingerprint(TABLE)
    assert fingerprint(FRAME.copy()) == fingerprint(FRAME)
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(np.float64(0.5)) == fingerprint(0.5)


def test_blocks_in_threads_give_one_name(monkeypatch):
    monkeypatch.setattr(_fingerprint, "row_blocks", lambda n, m: [slice(0, 5), slice(5, n)])
    several = fingerprint(TABLE)
    assert several == fingerprint(np.asfortranarray(TABLE))
    assert several != fingerprint(TABLE[::-1])
    assert several != fingerprint(swapped_values())


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_content_of_a_named_file_counts(tmp_path, kind):
    path = kind(tmp_path / "model.omitrans")
    absent = fingerprint(path)
    (tmp_path / "model.omitrans").write_bytes(b"one")
    one = fingerprint(path)
    (tmp_path / "model.omitrans").write_bytes(b"two")
    assert len({absent, one, fingerprint(path)}) == 3
    assert fingerprint(Ridge(path)) != fingerprint(Ridge(None))


def test_what_is_defined_anew_under_its_name_counts_anew():
    """As in a cell of a notebook that is edited and run again."""
    cells = {
        "function": "def loss(y, p): return {}",
        "default": "def loss(y, p={}): return 0",
        "class": "class loss:\n    def fit(self): return {}",
        "base": "class base:\n    def fit(self): return {}\nclass loss(base): pass",
    }
    for name, cell in cells.items():
        found = []
        for number in (1.0, 2.0, 1.0):
            space = {"__name__": "notebook"}
            exec(cell.format(number), space)
            found.append(fingerprint(space["loss"]))
        assert found[0] == found[2] != found[1], name


def test_values_that_cannot_be_stored_are_refused():
    with Path(__file__).open() as file, pytest.raises(FingerprintError, match="cannot be pickled"):
        fingerprint(file)


@pytest.mark.parametrize("value", [lambda x: x, FunctionTransformer(lambda x: x)])
def test_values_without_a_name_are_refused(value):
    with pytest.raises(FingerprintError, match="has no name by which it could be recognised"):
        fingerprint(value)
