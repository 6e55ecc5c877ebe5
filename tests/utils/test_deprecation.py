"""Arguments that were renamed."""

import inspect
import warnings

import pytest

from omitrans.utils._deprecation import renamed_argument


class Model:
    @renamed_argument("Y", "y", since="0.1", until="0.3")
    def fit(self, X, y=None, *, groups=None):
        return X, y, groups


def test_the_old_name_works_with_a_warning_that_names_both_versions():
    with pytest.warns(FutureWarning, match=r"Model.fit: .*'Y' was renamed to 'y' in .*0\.1 .*0\.3"):
        assert Model().fit(1, Y=2, groups=3) == (1, 2, 3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Model().fit(1, Y=2)
    assert caught[0].filename == __file__  # it points at the call


def test_the_new_name_says_nothing():
    for found in (Model().fit(1, 2), Model().fit(1, y=2), Model().fit(X=1, y=2)):
        assert found == (1, 2, None)


@pytest.mark.parametrize(("args", "options"), [((1, 2), {}), ((1,), {"y": 2}), ((), {"y": 2})])
def test_both_names_are_refused(args, options):
    with pytest.raises(TypeError, match=r"'y' twice.*Leave Y= out"):
        Model().fit(*args, Y=3, **options)


def test_the_signature_shows_the_new_name_only():
    assert list(inspect.signature(Model.fit).parameters) == ["self", "X", "y", "groups"]


def test_other_unknown_names_are_refused_as_ever():
    with pytest.raises(TypeError, match="unexpected keyword argument 'Z'"):
        Model().fit(1, Z=2)
