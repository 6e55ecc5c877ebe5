"""Tables of numbers: text, Parquet, and NumPy files, streamed."""

from omitrans.io.matrix._estimate_memory import MemoryEstimate, estimate_memory
from omitrans.io.matrix._read_matrix import read_matrix

__all__ = [
    "MemoryEstimate",
    "estimate_memory",
    "read_matrix",
]
