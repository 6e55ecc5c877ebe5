import itertools
from types import SimpleNamespace

import pytest
import torch
from skorch.history import History

from omitrans.engine import BestWeights, LinearDecay, StopWhenStale
from omitrans.engine._net import StopTraining


def make_net():
    with torch.random.fork_rng():
        module = torch.nn.Linear(1, 1, bias=False)
    optimizer = torch.optim.Adam(module.parameters(), lr=1.0)
    return SimpleNamespace(
        history=History(),
        optimizer_=optimizer,
        _optimizers=["optimizer"],
        module_=module,
        result_network=lambda: module,
        monitor="valid_reconstruction",
    )


def begin_epoch(net):
    net.history.new_epoch()
    net.history.record("epoch", len(net.history))


def test_rate_is_constant_then_falls_linearly_to_a_hundred_and_first():
    """The authors' schedule: 700 constant epochs, then 100 of decay."""
    net, schedule = make_net(), LinearDecay(800, 100)
    rates = []
    for _ in range(800):
        begin_epoch(net)
        schedule.on_epoch_begin(net)
        rates.append(net.optimizer_.param_groups[0]["lr"])
    assert rates[:700] == [1.0] * 700
    assert rates[700] == pytest.approx(100 / 101)
    assert rates[799] == pytest.approx(1 / 101)
    steps = [a - b for a, b in itertools.pairwise(rates[699:])]
    assert steps == pytest.approx([1 / 101] * 100)
    assert net.history[:, "lr"] == rates


def test_no_decay_keeps_the_rate():
    net, schedule = make_net(), LinearDecay(5, 0)
    for _ in range(5):
        begin_epoch(net)
        schedule.on_epoch_begin(net)
    assert net.optimizer_.param_groups[0]["lr"] == 1.0


def run(losses, n_iter_no_change=2, tol=0.0):
    """Train a weight that counts epochs, under the given validation losses; None is a gap."""
    net, best = make_net(), BestWeights(tol).initialize()
    stop = StopWhenStale(best, n_iter_no_change)
    try:
        for epoch, loss in enumerate(losses, 1):
            begin_epoch(net)
            torch.nn.init.constant_(net.module_.weight, epoch)
            if loss is not None:
                net.history.record("valid_reconstruction", loss)
            best.on_epoch_end(net)
            stop.on_epoch_end(net)
    except StopTraining:
        pass
    best.on_train_end(net)
    return len(net.history), best.epoch_, net.module_.weight.item()


def test_best_weights_come_back_and_training_ends():
    assert run([5, 4, 3, 6, 7, 1, 1]) == (5, 3, 3.0)


def test_training_without_a_worse_epoch_runs_to_its_end():
    assert run([5, 4, 3]) == (3, 3, 3.0)


def test_epochs_without_validation_neither_win_nor_end_the_training():
    losses = [None, None, 5, None, None, 4, None, None, None, 6, 1]
    assert run(losses, n_iter_no_change=3) == (10, 6, 6.0)
    assert run([None] * 9, n_iter_no_change=3)[:2] == (9, 0)


def test_tol_is_a_share_of_the_best_loss():
    assert run([1.0, 0.995, 0.994, 0.993], tol=0.01)[1] == 1
    assert run([1.0, 0.98, 0.96], tol=0.01)[1] == 3


def test_the_net_says_which_loss_is_watched():
    net = make_net()
    net.monitor = "valid_other"
    best = BestWeights(tol=0.0).initialize()
    for other, reconstruction in ((1.0, 9.0), (2.0, 1.0)):
        begin_epoch(net)
        net.history.record("valid_other", other)
        net.history.record("valid_reconstruction", reconstruction)
        best.on_epoch_end(net)
    assert (best.epoch_, best.loss_) == (1, 1.0)
