"""Save models to one file that holds only data, and load them without executing any code.

A model file is a zip of three members, stored without compression, which any zip tool can open:
``model.json`` (versions, a summary and the tree of estimators with their attributes),
``arrays.safetensors`` (weights and fitted arrays, each under its path in the tree) and
``SHA256SUMS`` (for ``sha256sum -c``). Classes are looked up by public name among the estimators of
omitrans and scikit-learn. Every future format will keep the three members; a change in the meaning
of ``model.json`` raises its format number.
"""

from omitrans.persistence._model_file import load, read_summary, save

__all__ = ["load", "read_summary", "save"]
