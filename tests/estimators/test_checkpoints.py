"""Interrupted trainings: a usable model, and an exact continuation."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from omitrans import save
from omitrans.engine import checkpoint_file
from omitrans.exceptions import CheckpointWarning, ModelFileError, TrainingInterrupted
from omitrans.networks._blocks import Linear


class Interruptible(nn.Module):
    """A generator that behaves like Ctrl-C at its n-th training batch."""

    batches_left = 10**9

    def __init__(self, n_source, n_target):
        super().__init__()
        self.linear = Linear(n_source, n_target)
        self.dropout = nn.Dropout(0.3)  # draws random numbers in every step

    def forward(self, X):
        if self.training:
            type(self).batches_left -= 1
            if type(self).batches_left < 0:
                raise KeyboardInterrupt
        return self.linear(self.dropout(X))


@pytest.fixture
def trained(frames, quick, tmp_path):
    """Return a function that trains for 30 epochs of 4 batches, interrupted after so many."""

    def train(*, after=10**9, **params):
        Interruptible.batches_left = after
        params = {"max_epochs": 30, "n_iter_no_change": 30, "decay_epochs": 10, **params}
        params = {"checkpoint_dir": tmp_path, "checkpoint_every": 4, **params}
        return quick(generator=Interruptible, **{"lr": 1e-2, **params}).fit(*frames)

    return train


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("adversarial_loss", ["vanilla", None])
def test_resumed_training_equals_an_uninterrupted_one(
    frames, trained, early_stopping, adversarial_loss
):
    X, _ = frames
    params = {"early_stopping": early_stopping, "adversarial_loss": adversarial_loss}
    whole = trained(checkpoint_dir=None, **params)
    with pytest.warns(TrainingInterrupted, match="interrupted in epoch 1[0-9] of 30"):
        trained(after=55, **params)
    resumed = trained(resume=True, **params)
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))
    columns = [name for name in whole.history_ if name != "seconds"]
    assert resumed.history_[columns].equals(whole.history_[columns])


def test_resuming_a_training_that_had_stopped_early_changes_nothing(frames, trained):
    params = {"n_iter_no_change": 1, "checkpoint_every": 1, "lr": 1.0}
    first = trained(**params)
    assert first.n_iter_ < 30
    again = trained(resume=True, **params)
    assert again.n_iter_ == first.n_iter_
    np.testing.assert_array_equal(again.predict(frames[0]), first.predict(frames[0]))


def test_interrupted_model_is_usable(frames, trained):
    X, _ = frames
    with pytest.warns(TrainingInterrupted, match="holds the best weights until then"):
        model = trained(after=60)
    assert 1 < model.n_iter_ < 30
    assert np.isfinite(model.predict(X)).all()
    assert model.best_epoch_ <= model.n_iter_


def test_interruption_before_anything_was_learned_is_passed_on(trained):
    with pytest.raises(KeyboardInterrupt):
        trained(after=2)


def test_other_parameters_do_not_pick_up_the_checkpoint(trained):
    trained()
    with pytest.warns(UserWarning, match="of other parameters or data: training starts anew"):
        model = trained(resume=True, dropout=0.1)
    assert model.n_iter_ == 30


def test_resume_without_any_checkpoint_starts_from_the_beginning(trained):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert trained(resume=True).n_iter_ == 30


@pytest.mark.parametrize("damage", [lambda data: data[:-200], lambda data: b"not a checkpoint"])
def test_damaged_checkpoint_is_named(trained, tmp_path, damage):
    trained()
    (path,) = tmp_path.glob("*.checkpoint")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        ModelFileError, match=r"(?s)is damaged .*Delete it, or fit with\s+resume=False"
    ):
        trained(resume=True)


def test_checkpoint_of_a_newer_format_is_refused(trained, tmp_path):
    trained()
    (path,) = tmp_path.glob("*.checkpoint")
    state = torch.load(path, weights_only=True)
    torch.save({**state, "format": 99}, path)
    with pytest.raises(ModelFileError, match="has format 99; this version reads 1"):
        trained(resume=True)


def fills_up(state, file):
    """Fail as torch does when the disk is full."""
    file.write(b"half")
    try:
        raise OSError(28, "No space left on device")
    except OSError:
        raise RuntimeError("unexpected pos 576 vs 534")  # noqa: B904 (torch does not say it)


def test_full_disk_keeps_the_last_checkpoint_and_the_training(frames, trained, tmp_path):
    expected = trained(max_epochs=8, decay_epochs=0, checkpoint_dir=None).predict(frames[0])
    save_checkpoint, written = torch.save, []

    def fills_up_later(state, file):
        (fills_up if written else save_checkpoint)(state, file)
        written.append(Path(file.name).read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "save", fills_up_later)
        with pytest.warns(
            CheckpointWarning, match=r"of epoch 8 could not .*No space left.*the last one is kept"
        ):
            model = trained(max_epochs=8, decay_epochs=0)
    np.testing.assert_array_equal(model.predict(frames[0]), expected)
    (path,) = tmp_path.iterdir()
    assert len(torch.load(path, weights_only=True)["history"]) == 4
    resumed = trained(max_epochs=8, decay_epochs=0, resume=True)
    np.testing.assert_array_equal(resumed.predict(frames[0]), expected)


def test_a_folder_that_cannot_be_made_is_told_before_training(trained, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        trained(after=0, checkpoint_dir=tmp_path / "file" / "checkpoints")


@pytest.mark.parametrize(
    "change",
    [
        lambda X, Y: (X, Y[Y.columns[::-1]]),
        lambda X, Y: (X[X.columns[::-1]], Y),
        lambda X, Y: (X[::-1], Y[::-1]),
        lambda X, Y: (X, Y.rename(columns={Y.columns[0]: "another"})),
        lambda X, Y: (X, Y + 1e-5),
    ],
    ids=["order of genes", "order of probes", "order of samples", "name of a gene", "values"],
)
def test_other_data_do_not_pick_up_the_checkpoint(frames, quick, tmp_path, change):
    """Even where each row has the same sum."""
    params = {"max_epochs": 4, "decay_epochs": 0, "checkpoint_dir": tmp_path, "checkpoint_every": 2}
    quick(**params).fit(*frames)
    X, Y = change(*frames)
    with pytest.warns(UserWarning, match="of other parameters or data: training starts anew"):
        model = quick(resume=True, **params).fit(X, Y)
    alone = quick(**params | {"checkpoint_dir": None}).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))


def test_other_groups_do_not_pick_up_the_checkpoint(frames, quick, tmp_path):
    params = {"max_epochs": 2, "decay_epochs": 0, "checkpoint_dir": tmp_path, "checkpoint_every": 1}
    quick(**params).fit(*frames, groups=np.arange(len(frames[0])) // 2)
    with pytest.warns(UserWarning, match="of other parameters or data: training starts anew"):
        quick(resume=True, **params).fit(*frames, groups=np.arange(len(frames[0])) // 3)


def test_large_parameters_count_in_full(frames, quick, tmp_path):
    """The text of a long array is shortened, so that a change in its middle does not show."""
    X, Y = frames
    groups = np.zeros(5000, dtype=int)
    other = groups.copy()
    other[2500] = 1
    assert repr(groups) == repr(other)
    params = {"max_epochs": 2, "decay_epochs": 0, "checkpoint_dir": tmp_path, "checkpoint_every": 1}
    names = [
        checkpoint_file(
            "OmiTransRegressor", quick(**params, generator_params={"a": array}).get_params(), [X, Y]
        )
        for array in (groups, other)
    ]
    assert names[0] != names[1]


def test_an_overwritten_pretrained_file_starts_anew(frames, quick, tmp_path):
    path = tmp_path / "pretrained.omitrans"
    params = {"max_epochs": 2, "decay_epochs": 0, "checkpoint_dir": tmp_path, "checkpoint_every": 1}
    save(quick(max_epochs=2, decay_epochs=0, random_state=1).fit(*frames), path)
    first = quick(pretrained=path, **params).fit(*frames)
    save(quick(max_epochs=2, decay_epochs=0, random_state=2).fit(*frames), path)
    with pytest.warns(UserWarning, match="of other parameters or data: training starts anew"):
        second = quick(pretrained=path, resume=True, **params).fit(*frames)
    assert not np.array_equal(first.predict(frames[0]), second.predict(frames[0]))


def test_a_parameter_without_a_name_is_refused(frames, quick, tmp_path):
    class Local(Interruptible):
        pass

    with pytest.raises(ValueError, match=r"generator=.*Local.* cannot be recognised .*module, or"):
        quick(generator=Local, checkpoint_dir=tmp_path).fit(*frames)
