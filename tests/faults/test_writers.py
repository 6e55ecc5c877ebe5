"""Every writer of the package, killed at every step, with a full disk, and beside others.

Whatever happens, the file is the old one or the new one, whole and with the permissions of the old
one; the next write leaves nothing else behind; a full disk is explained with path and free space.
Tables are also read with too little memory.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits of processes are those of POSIX")
HERE = Path(__file__).parent
SAMPLED = ["model.omitrans", "table.csv", "out.npy"]


def run(program, *options):
    """Return what a program of this folder prints, and what it says on its error stream."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, HERE / program, *options],
        env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout), done.stderr[-3000:]


def inject(*options):
    """Return how many faults were tried; fail if any did damage."""
    found, said = run("fault_injector.py", *options)
    assert not found["failed"], "\n".join(found["failed"]) + said
    return found["tried"]


@pytest.mark.slow
def test_some_faults_do_no_damage():
    tried = inject("--places", "3", "--only", *SAMPLED)
    assert sum(tried.values()) >= 9 * len(SAMPLED)


@pytest.mark.slow
def test_no_fault_does_damage():
    for package in ("anndata", "mudata", "pyarrow", "matplotlib", "pooch"):
        pytest.importorskip(package)
    tried = inject("--places", "6")
    assert len(tried) == 14 * 4  # writers x faults
    assert sum(tried.values()) > 14 * 14


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_too_little_memory_is_explained():
    """Without an abort of the process: the message names the file and what it needs."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("anndata")
    found, _ = run("fault_memory.py", ".csv", ".parquet", ".h5ad")
    assert all(code == 0 and right for code, right, _ in found.values()), found
    said = [text for _, _, text in found.values()]
    assert any("values 30.5 MiB" in text for text in said)
    assert said[-1] == "read"  # enough is enough
