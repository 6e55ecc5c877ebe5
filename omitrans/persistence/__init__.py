"""Models on disk: one file of data, from which nothing is ever executed.

A model file is a zip of three members, stored without compression, that any tool can open:
``model.json`` (versions, a summary and the tree of estimators with their attributes),
``arrays.safetensors`` (weights and fitted arrays, each under its path in the tree) and
``SHA256SUMS`` (for ``sha256sum -c``). Classes are looked up by public name among the estimators
of omitrans and scikit-learn. The three members stay in every future format; a change of what
``model.json`` means raises its format number.
"""

from omitrans.persistence._model_file import load, read_summary, save

__all__ = ["load", "read_summary", "save"]
