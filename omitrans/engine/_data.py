"""Paired tables and their mini-batches: moved to the device once, or streamed from the host."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from omitrans.utils._draws import generator_on

BLOCK_BYTES = 64 * 2**20


def as_tensor(values: np.ndarray, device: torch.device) -> Tensor:
    """Return `values` as a tensor on `device`; they are copied only if that is needed.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        An array or memory map of any numeric dtype and memory layout. Floats become float32;
        integers, such as the codes of classes, keep their dtype.
    device : torch.device
        The device of the tensor. On the CPU, a C-ordered array of the tensor's dtype shares its
        memory with the tensor.

    Returns
    -------
    torch.Tensor
        C-ordered tensor of shape (n_samples, n_features).
    """
    dtype = _tensor_dtype(values)
    if device.type == "cpu" and values.dtype == dtype and values.flags.c_contiguous:
        return share_memory(values)
    kind = share_memory(np.empty(0, dtype)).dtype
    result = torch.empty(values.shape, dtype=kind, device=device)
    step = max(1, BLOCK_BYTES // max(1, values.shape[1] * values.itemsize))
    for start in range(0, len(values), step):
        block = np.ascontiguousarray(values[start : start + step], dtype=dtype)
        result[start : start + step].copy_(share_memory(block))
    return result


def _tensor_dtype(values: np.ndarray) -> np.dtype:
    """Return the dtype that a table has in training."""
    return np.dtype(np.float32) if values.dtype.kind == "f" else values.dtype.newbyteorder("=")


def share_memory(values: np.ndarray) -> Tensor:
    """Return a tensor that shares the memory of `values`, which may be read-only.

    The engine never writes to such a tensor.
    """
    return torch.from_numpy(values if values.flags.writeable else np.asarray(_Writeable(values)))


class _Writeable:
    """The memory of a read-only array, which torch would warn of, as that of a writeable one."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values  # keeps the memory
        interface = values.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def shuffled(n: int) -> Tensor:
    """Return the numbers below `n` in random order."""
    return torch.randperm(n, generator=generator_on(torch.device("cpu")))


class PairedRows(Dataset):
    """Rows of a source and a target table; all views share the memory of the tables.

    Parameters
    ----------
    X, Y : torch.Tensor
        Source table (n_samples, n_source) and target table (n_samples, n_target) on one device.
    rows : torch.Tensor of int64 or None, default=None
        Positions of the rows that belong to the view; None takes all rows.
    """

    def __init__(self, X: Tensor, Y: Tensor, rows: Tensor | None = None) -> None:
        self.X, self.Y = X, Y
        self.rows = torch.arange(len(X)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        row = self.rows[index]
        return self.X[row], self.Y[row]

    def subset(self, positions: Tensor) -> "PairedRows":
        """Return a view of the rows at `positions` of this view."""
        return PairedRows(self.X, self.Y, self.rows[positions])


class RowBatches:
    """Mini-batches of :class:`PairedRows`; the rows of a batch are gathered in one operation.

    Parameters
    ----------
    dataset : PairedRows
        The rows to split into batches.
    batch_size : int
        Number of rows per batch; the last batch may be smaller.
    shuffle : bool, default=False
        Whether to draw a new order of the rows for every pass.
    device : torch.device or str, default="cpu"
        The device of the batches. If the tables are on another device, a thread gathers and sends
        the next batch while the current one is computed.
    """

    def __init__(
        self,
        dataset: PairedRows,
        batch_size: int,
        *,
        shuffle: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.device = torch.device(device)

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rows = self.dataset.rows
        if self.shuffle:
            rows = rows[shuffled(len(rows))]
        if self.dataset.X.device == self.device:
            for batch in rows.to(self.device).split(self.batch_size):
                yield self._gather(batch)
        else:
            yield from self._streamed(rows.split(self.batch_size))

    def _gather(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        X, Y = (table.index_select(0, rows) for table in (self.dataset.X, self.dataset.Y))
        return X.float(), Y.float() if Y.is_floating_point() else Y

    def _streamed(self, batches: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, Tensor]]:
        with ThreadPoolExecutor(max_workers=1) as worker:
            pending = [worker.submit(self._send, batch) for batch in batches[:1]]
            for following in [*batches[1:], None]:
                ready = pending.pop().result()
                if following is not None:
                    pending.append(worker.submit(self._send, following))
                yield ready

    def _send(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        X, Y = self._gather(rows)
        if self.device.type == "cuda":
            X, Y = X.pin_memory(), Y.pin_memory()
        return X.to(self.device, non_blocking=True), Y.to(self.device, non_blocking=True)


def paired_rows(
    X: np.ndarray, Y: np.ndarray, *, device: torch.device, location: str, other_bytes: int
) -> PairedRows:
    """Put the training tables on the device, or leave them on the host to stream batches.

    Parameters
    ----------
    X, Y : ndarray
        Source and target tables.
    device : torch.device
        The device that training runs on.
    location : {"auto", "device", "host"}
        "device" moves both tables once. "host" leaves them where they are (in memory or in a
        memory map) and streams batches. "auto" streams if the tables do not fit on the device
        beside `other_bytes`, or if a memory map would have to be converted.
    other_bytes : int
        Device memory, in bytes, that weights, gradients and optimizer states take.

    Returns
    -------
    PairedRows
        All rows of both tables.
    """
    if location == "auto":
        location = "device" if _fits(X, Y, device, other_bytes) else "host"
    if location == "host":
        return PairedRows(*(share_memory(_plain(values)) for values in (X, Y)))
    return PairedRows(as_tensor(X, device), as_tensor(Y, device))


def _fits(X: np.ndarray, Y: np.ndarray, device: torch.device, other_bytes: int) -> bool:
    """Return whether the training tables fit on the device."""
    if device.type != "cuda":
        needs_copy = any(v.dtype != _tensor_dtype(v) or not v.flags.c_contiguous for v in (X, Y))
        return not (needs_copy and (_memory_mapped(X) or _memory_mapped(Y)))
    free, _ = torch.cuda.mem_get_info(device)
    return 4 * (X.size + Y.size) + other_bytes < 0.9 * free


def _memory_mapped(values: np.ndarray) -> bool:
    base: np.ndarray | None = values
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def _plain(values: np.ndarray) -> np.ndarray:
    """Return an array whose memory torch can share: native byte order, no negative strides."""
    native = values.dtype == np.float64 or values.dtype == _tensor_dtype(values)
    if not native or any(s < 0 for s in values.strides):
        return np.ascontiguousarray(values, dtype=_tensor_dtype(values))
    return values
