"""Sound parts of a model file, and files with right checksums around any content."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import omitrans


@pytest.fixture
def parts(tmp_path):
    """The parsed document and the arrays of a sound file."""
    path = tmp_path / "sound.omitrans"
    ridge = Ridge().fit([[0.0, 1.0], [1.0, 0.5], [2.0, 0.0]], [1.0, 2.0, 3.0])
    omitrans.save(make_pipeline(FunctionTransformer(np.log1p), ridge), path)
    with zipfile.ZipFile(path) as archive:
        document = json.loads(archive.read("model.json"))
        arrays = safetensors.numpy.load(archive.read("arrays.safetensors"))
    return document, arrays


@pytest.fixture
def forge(tmp_path):
    """Write a file with right checksums around any document and arrays."""

    def write(document, arrays):
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        arrays = arrays if isinstance(arrays, bytes) else safetensors.numpy.save(arrays)
        members = {"model.json": text, "arrays.safetensors": arrays}
        sums = "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in members.items()
        )
        path = tmp_path / "forged.omitrans"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**members, "SHA256SUMS": sums.encode()}.items():
                archive.writestr(name, content)
        return path

    return write
