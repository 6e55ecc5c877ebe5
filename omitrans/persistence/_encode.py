"""Convert a tree of objects to nodes that JSON can hold and a table of arrays, and back.

A node is None, a bool, an int, a finite float, a str, a list of nodes, or an object with one
key: the tag of the codec that wrote it, as in ``{"tuple": [1, 2]}``.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from omitrans.exceptions import ModelFileError
from omitrans.persistence._limits import Limits

_PLAIN = (str, int, bool, type(None))
_SHARED = "shared"
_CURES = dict.fromkeys(("BallTree", "KDTree"), "Fit with algorithm='brute'")


class Codec(NamedTuple):
    """Codec of one kind of value: how to recognise, encode and decode it."""

    tag: str
    accepts: Callable[[Any], bool]
    encode: Callable[[Any, "Encoder"], Any]
    decode: Callable[[Any, "Decoder"], Any]
    shared: bool = False  # an object met twice is written once and is one object again when read


class Encoder:
    """Encoder that writes nodes and collects arrays under the path of their attribute.

    Parameters
    ----------
    codecs : iterable of Codec
        Codecs of the values that can be written; the first codec that accepts a value is used.
    """

    def __init__(self, codecs: Iterable[Codec]) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._codecs = tuple(codecs)
        self._path: list[str] = []
        self._seen: dict[int, tuple[int, Any]] = {}  # the object is kept, so its id stays its own

    @property
    def path(self) -> str:
        """Path of the value that is being written, such as ``Pipeline.steps[1][1].coef_``."""
        return "".join(self._path)

    def add_array(self, array: np.ndarray) -> str:
        """Add an array of numbers to the table; return its key, which is the current path."""
        # a path may occur twice, where a dict has keys that look alike
        key = f"{self.path}#{len(self.arrays)}" if self.path in self.arrays else self.path
        self.arrays[key] = array
        return key

    def encode(self, value: Any, step: str) -> Any:
        """Return the node of `value`, whose path is `step` below the current path."""
        if type(value) in _PLAIN or (type(value) is float and math.isfinite(value)):
            return value
        self._path.append(step)
        if type(value) is list:
            node: Any = self.encode_items(value)
        elif id(value) in self._seen:
            node = {_SHARED: self._seen[id(value)][0]}
        else:
            node = self._encode_tagged(value)
        self._path.pop()
        return node

    def encode_items(self, values: Iterable[Any]) -> list[Any]:
        """Return the nodes of `values`, the items of the current value."""
        return [self.encode(value, f"[{i}]") for i, value in enumerate(values)]

    def _encode_tagged(self, value: Any) -> dict[str, Any]:
        for codec in self._codecs:
            if codec.accepts(value):
                node = {codec.tag: codec.encode(value, self)}
                if codec.shared:
                    self._seen[id(value)] = (len(self._seen), value)
                return node
        raise ModelFileError(_refusal(self.path, value))


class Decoder:
    """Decoder of the nodes that an :class:`Encoder` with the same codecs wrote.

    Parameters
    ----------
    codecs : iterable of Codec
        Codecs of the values that may be read.
    arrays : dict of str to ndarray
        Table of arrays; each array is removed when its node is read.
    limits : Limits
        Limits of the file.
    """

    def __init__(
        self, codecs: Iterable[Codec], arrays: dict[str, np.ndarray], limits: Limits
    ) -> None:
        self.arrays = dict(arrays)
        self.limits = limits
        self._codecs = {codec.tag: codec for codec in codecs}
        self._seen: list[tuple[Any, int]] = []  # objects, and the number of estimators in each

    def decode(self, node: Any) -> Any:
        """Return the value that `node` describes."""
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) != 1:
            raise ModelFileError(f"a value has the keys {sorted(node)} where one tag belongs")
        [(tag, payload)] = node.items()
        if tag == _SHARED:
            if type(payload) is not int or not 0 <= payload < len(self._seen):
                raise ModelFileError(f"a value refers to object {payload!r}, which is not there")
            value, n_estimators = self._seen[payload]
            self.limits.count_shown(n_estimators)
            return value
        if tag not in self._codecs:
            raise ModelFileError(f"the tag {tag!r} is unknown")
        codec = self._codecs[tag]
        shown = self.limits.shown
        value = codec.decode(payload, self)
        if codec.shared:
            self._seen.append((value, self.limits.shown - shown))
        return value

    def decode_as(self, kinds: type | tuple[type, ...], node: Any) -> Any:
        """Return the value that `node` describes, if it is of one of the types `kinds`.

        What would be built from a value is as long as the value says: a range is refused where an
        array belongs, before it is unrolled.
        """
        value = self.decode(node)
        if not isinstance(value, kinds):
            raise ModelFileError(f"it holds a {type(value).__name__} where another type belongs")
        return value

    def decode_items(self, nodes: Any) -> list[Any]:
        """Return the values that a list of nodes describes."""
        if not isinstance(nodes, list):
            raise ModelFileError(f"it holds {nodes!r:.50} where a list belongs")
        return [self.decode(node) for node in nodes]


def _refusal(path: str, value: Any) -> str:
    """Return a message that says why `value` cannot be saved, and what to do."""
    if isinstance(value, type):
        what = f"the class {value.__qualname__}"
        cure = "Give a name that is registered for it (see omitrans.networks), not the class"
    elif callable(value) and hasattr(value, "__qualname__"):
        what = f"the function {value.__qualname__}"
        cure = "Use a transformer of omitrans or scikit-learn in its place"
    elif isinstance(value, np.ndarray):
        what = f"an array ({type(value).__name__}) of the dtype {value.dtype}"
        cure = "Turn it into plain arrays"
    else:
        kind = type(value)
        what = f"an object of {kind.__module__}.{kind.__qualname__}"
        cure = _CURES.get(kind.__name__, "Set it to None if the fitted model can do without it")
    return (
        f"{path} is {what}. omitrans.save stores data only: numbers, text, arrays, tables and "
        f"the public estimators of omitrans and scikit-learn. {cure}, or save this model with "
        "joblib.dump."
    )
