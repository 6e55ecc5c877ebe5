#!/usr/bin/env bash
# On a full disk torch.save raises a RuntimeError that speaks of positions in an archive. It names neither
# the file nor the disk, and code that catches OSError to go on without a checkpoint does not catch it.
#
# Version: torch 2.13.0. The full disk is a limit of 100 kB on the size of files; numpy.save beside it
# raises the OSError that one expects.
# Seen: numpy: OSError. torch: RuntimeError "... unexpected pos ... vs ...", for a path
# without a cause; for an open file the OSError is its context, and hidden behind it.
# This script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import resource
import signal

import numpy as np
import torch

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
weights = torch.zeros(1_000_000)


def error_of(write):
    try:
        write()
    except Exception as error:
        print(f"{write.__name__}: {type(error).__name__}: {str(error)[:90]}; "
              f"context {error.__context__!r}")
        return error
    raise AssertionError(f"{write.__name__} raised nothing")


def numpy_file():
    with open("weights.npy", "wb") as file:
        np.save(file, weights.numpy())


def torch_path():
    torch.save({"weights": weights}, "path.pt")


def torch_file():
    with open("file.pt", "wb") as file:
        torch.save({"weights": weights}, file)


print(f"torch {torch.__version__}")
assert isinstance(error_of(numpy_file), OSError)
for write in (torch_path, torch_file):
    error = error_of(write)
    assert type(error) is RuntimeError and "unexpected pos" in str(error)
    assert isinstance(error.__context__, OSError) == (write is torch_file)
PYTHON
