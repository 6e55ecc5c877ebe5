import numpy as np
import pytest
import torch

from omitrans.engine._data import PairedRows, RowBatches, as_tensor, paired_rows

CPU = torch.device("cpu")


@pytest.fixture
def tables(rng):
    return rng.random((11, 5), dtype=np.float32), rng.random((11, 3), dtype=np.float32)


def rows_of(batches):
    """Return the source rows that the batches hold, in order."""
    return np.concatenate([X.numpy() for X, _ in batches])


def test_ordered_pass_returns_every_row_once(tables):
    X, Y = tables
    batches = RowBatches(paired_rows(X, Y, device=CPU, location="auto", other_bytes=0), 4)
    assert len(batches) == 3
    assert [len(x) for x, _ in batches] == [4, 4, 3]
    np.testing.assert_array_equal(rows_of(batches), X)
    np.testing.assert_array_equal(np.concatenate([y.numpy() for _, y in batches]), Y)


def test_shuffled_pass_keeps_pairs_and_changes_every_time():
    dataset = PairedRows(torch.arange(11.0)[:, None], 10 * torch.arange(11.0)[:, None])
    batches = RowBatches(dataset, 4, shuffle=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = list(batches), list(batches)
    for x, y in first:
        assert torch.equal(10 * x, y)
    one, two = rows_of(first).ravel(), rows_of(second).ravel()
    assert sorted(one) == list(range(11))
    assert list(one) != list(two)


def test_subset_of_subset_addresses_the_same_matrix(tables):
    dataset = PairedRows(*map(torch.from_numpy, tables))
    view = dataset.subset(torch.tensor([9, 3, 5])).subset(torch.tensor([2, 0]))
    assert view.rows.tolist() == [5, 9]
    assert view.X is dataset.X
    assert torch.equal(view[0][0], dataset.X[5])


def test_c_ordered_float32_is_shared_not_copied(tables):
    X, _ = tables
    assert np.shares_memory(as_tensor(X, CPU).numpy(), X)


@pytest.mark.parametrize(
    "make", [np.asfortranarray, lambda X: X.astype(np.float64), lambda X: X[::-1]]
)
def test_other_layouts_are_converted(tables, make):
    X = make(tables[0])
    tensor = as_tensor(X, CPU)
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    np.testing.assert_array_equal(tensor.numpy(), X)


def test_read_only_memory_map_is_not_loaded(tmp_path, tables):
    X, Y = tables
    path = tmp_path / "X.npy"
    np.save(path, X.astype(np.float64))
    mapped = np.load(path, mmap_mode="r")
    dataset = paired_rows(mapped, Y, device=CPU, location="auto", other_bytes=0)
    assert dataset.X.dtype == torch.float64  # left on disk, cast batch by batch
    assert np.shares_memory(dataset.X.numpy(), mapped)
    (x, _), *_ = RowBatches(dataset, 4)
    assert x.dtype == torch.float32
    np.testing.assert_array_equal(x.numpy(), X[:4])


def test_streaming_gives_the_batches_of_a_resident_pass(tables):
    dataset = PairedRows(*map(torch.from_numpy, tables))
    streamed = RowBatches(dataset, 4)
    parts = list(streamed._streamed(dataset.rows.split(4)))
    for (x, y), (x0, y0) in zip(parts, streamed, strict=True):
        assert torch.equal(x, x0)
        assert torch.equal(y, y0)


def test_streaming_passes_on_an_error_of_its_thread(tables):
    dataset = PairedRows(*map(torch.from_numpy, tables))
    with pytest.raises(IndexError):
        list(RowBatches(dataset, 4)._streamed((torch.tensor([99]),)))


@pytest.mark.parametrize("location", ["device", "host"])
@pytest.mark.parametrize(("given", "trained"), [("float64", "float32"), ("int64", "int64")])
def test_targets_keep_their_kind(rng, location, given, trained):
    """Codes of classes stay whole numbers, for a loss that wants such."""
    X = rng.random((6, 3))
    Y = np.arange(6).reshape(-1, 1).astype(given)
    rows = paired_rows(X, Y, device=torch.device("cpu"), location=location, other_bytes=0)
    batches = list(RowBatches(rows, 4))
    assert {str(y.dtype) for _, y in batches} == {f"torch.{trained}"}
    assert {x.dtype for x, _ in batches} == {torch.float32}
    np.testing.assert_array_equal(torch.cat([y for _, y in batches]).numpy(), Y)
