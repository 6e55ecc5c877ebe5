"""Arrays as a file in the safetensors format, written and read by the safetensors package."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from omitrans.exceptions import ModelFileError


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` to the file `path`.

    Parameters
    ----------
    path : Path
        Where to write.
    arrays : dict of str to ndarray
        Arrays of bool, integers or floats. Those that are not in C order are copied.

    Raises
    ------
    OSError
        If the disk does not take them.
    """
    # safetensors takes the memory of an array as it lies, whatever its strides
    in_c_order = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    try:
        save_file(in_c_order, path)
    except SafetensorError as error:
        raise OSError(f"Cannot write the arrays to {path.parent}: {error}") from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what :func:`write_arrays` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ndarray
        The arrays, in memory of their own.

    Raises
    ------
    ModelFileError
        If the header and the bytes do not agree, or a bool is neither 0 nor 1.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            # get_tensor would end in a Rust panic, which is no Exception, when memory is short
            arrays = {name: file.get_slice(name)[()] for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelFileError(f"its arrays are not in the safetensors format: {error}") from error
    for name, array in arrays.items():
        # NumPy counts the bytes of a bool array and would trip over others
        if array.dtype == bool and array.size and array.view(np.uint8).max() > 1:
            raise ModelFileError(f"the array {name!r} of bool holds other bytes than 0 and 1")
    return arrays
