"""AnnData and MuData files."""

from omitrans.io.anndata._anndata import read_h5ad, read_h5mu, write_h5ad, write_h5mu

__all__ = [
    "read_h5ad",
    "read_h5mu",
    "write_h5ad",
    "write_h5mu",
]
