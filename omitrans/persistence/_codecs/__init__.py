"""Codecs of the values that a model file can hold, one module per family."""

from omitrans.persistence._codecs import (
    _arrays,
    _containers,
    _estimators,
    _pandas,
    _random,
    _sparse,
)

CODECS = (
    *_containers.CODECS,
    *_estimators.CODECS,
    *_arrays.CODECS,
    *_sparse.CODECS,
    *_pandas.CODECS,
    *_random.CODECS,
)

__all__ = ["CODECS"]
