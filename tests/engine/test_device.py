import pytest
import torch

from omitrans.engine import Sizes, device_memory_errors, resolve_device, resolve_precision
from omitrans.exceptions import DeviceMemoryError, DeviceWarning

CPU = torch.device("cpu")


def test_auto_takes_what_the_machine_has(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"


def test_absent_gpu_is_refused_or_replaced(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match=r"device='cuda:3' was asked for, but torch sees 1 CUDA"):
        resolve_device("cuda:3")
    with pytest.warns(DeviceWarning, match="using the CPU"):
        assert resolve_device("cuda:3", fall_back=True) == CPU


def test_meaningless_device_is_named():
    with pytest.raises(ValueError, match=r"'device' parameter .* Got 'gpu0' instead"):
        resolve_device("gpu0")


def test_precision_on_the_cpu():
    assert resolve_precision("auto", CPU) is torch.float32
    assert resolve_precision("bf16", CPU) is torch.bfloat16


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float32"), ((9, 0), "bfloat16")])
def test_auto_precision_depends_on_the_gpu(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert resolve_precision("auto", torch.device("cuda")) is getattr(torch, expected)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_out_of_memory_gives_sizes_and_remedy(error):
    message = r"on cpu. The tables take 3.00 GiB .* 1,000 weights .*data_location='host'"
    with (
        pytest.raises(DeviceMemoryError, match=message),
        device_memory_errors(Sizes(3 * 2**30, 1000), CPU),
    ):
        raise error


def test_other_errors_pass():
    with (
        pytest.raises(RuntimeError, match="shapes cannot be multiplied"),
        device_memory_errors(Sizes(1, 1), CPU),
    ):
        raise RuntimeError("shapes cannot be multiplied")
