"""Codecs of the random number generators of NumPy, by their state."""

from typing import Any

import numpy as np

from omitrans.exceptions import ModelFileError
from omitrans.persistence._encode import Codec, Decoder

_BIT_GENERATORS = {
    kind.__name__: kind
    for kind in (
        np.random.MT19937,
        np.random.PCG64,
        np.random.PCG64DXSM,
        np.random.Philox,
        np.random.SFC64,
    )
}


def _read_state(payload: Any, decoder: Decoder) -> dict[str, Any]:
    state = decoder.decode_as(dict, payload)
    # NumPy does not check these, and would read outside its buffers
    _check_position(state["state"].get("pos", 0), 624)
    _check_position(state.get("buffer_pos", 0), 4)
    return state


def _check_position(position: Any, last: int) -> None:
    if type(position) is not int or not 0 <= position <= last:
        raise ModelFileError(f"a random state stands at position {position!r} of {last}")


def _decode_random_state(payload: Any, decoder: Decoder) -> np.random.RandomState:
    state = _read_state(payload, decoder)
    random_state = np.random.RandomState(_BIT_GENERATORS[state["bit_generator"]](0))
    random_state.set_state(state)
    return random_state


def _decode_generator(payload: Any, decoder: Decoder) -> np.random.Generator:
    state = _read_state(payload, decoder)
    bit_generator: Any = _BIT_GENERATORS[state["bit_generator"]](0)
    bit_generator.state = state
    return np.random.Generator(bit_generator)


CODECS = (
    Codec(
        "random_state",
        lambda value: type(value) is np.random.RandomState,
        lambda value, encoder: encoder.encode(value.get_state(legacy=False), ".state"),
        _decode_random_state,
        shared=True,
    ),
    Codec(
        "generator",
        lambda value: (
            type(value) is np.random.Generator
            and type(value.bit_generator) in _BIT_GENERATORS.values()
        ),
        lambda value, encoder: encoder.encode(value.bit_generator.state, ".state"),
        _decode_generator,
        shared=True,
    ),
)
