"""The code in README and user guide runs as it stands."""

import doctest
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import omitrans

ROOT = Path(__file__).parents[1]
GUIDES = [
    path
    for path in sorted((ROOT / "docs" / "user_guide").glob("*.rst"))
    if ">>> " in path.read_text(encoding="utf-8")
]


# The simulated ids name patients, as those of real cohorts do; the guides say what fit then says.
pytestmark = pytest.mark.filterwarnings("ignore::omitrans.exceptions.PatientGroupsWarning")


@pytest.fixture(autouse=True)
def work_elsewhere(tmp_path, monkeypatch):
    """What the examples write is not left in the checkout."""
    monkeypatch.chdir(tmp_path)


def test_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 1
    names = {}
    exec(compile(blocks[0], "README.md", "exec"), names)
    assert names["expression"].shape == names["data"].Y.shape
    assert Path("expression.omitrans").exists()


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_user_guide(path, capsys):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(path), module_relative=False, optionflags=flags)
    assert result.attempted > 0
    assert result.failed == 0, capsys.readouterr().out


def test_guides_are_found():
    assert {"getting_started", "comparing", "saving"} <= {path.stem for path in GUIDES}


def test_network_of_the_developers_page_can_be_trained():
    runpy.run_path(str(ROOT / "docs/developers/shortcut_generator.py"))
    assert "shortcut" in omitrans.networks.list_generators()
    rng = np.random.default_rng(0)
    X, Y = rng.random((20, 8)), rng.random((20, 3))
    model = omitrans.OmiTransRegressor(
        generator="shortcut", latent_dim=4, max_epochs=2, random_state=0
    ).fit(X, Y)
    assert model.net_.module_.hidden[0].out_features == 4
    np.testing.assert_array_equal(model.predict(X[:1]), model.predict(X)[:1])
