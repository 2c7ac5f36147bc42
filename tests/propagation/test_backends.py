"""A backend that is not there is named with what installs it; one that cannot be is wrong usage."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.propagation.backends import Backend, backend
from vanishgrad.questions.compare import CompareRequest, compare


@pytest.mark.parametrize(("name", "device", "expected"), [
    ("numpy", None, "cpu"), ("torch", None, "cpu"), ("torch", "cuda", "cuda"), ("cupy", None, "cuda"),
])  # fmt: skip
def test_each_has_its_own_default_device(name: str, device: str | None, expected: str) -> None:
    assert backend(name, device) == Backend(name, expected)


@pytest.mark.parametrize(("name", "device", "sentence"), [
    ("jax", None, "expected --backend numpy, torch, cupy, got 'jax'"),
    ("numpy", "cuda", "expected --device cpu for --backend numpy, got 'cuda'; backends with it: torch, cupy"),
    ("cupy", "cpu", "expected --device cuda for --backend cupy, got 'cpu'; backends with it: numpy, torch"),
    ("torch", "tpu", "expected --device cpu or cuda for --backend torch, got 'tpu'; backends with it: none"),
])  # fmt: skip
def test_what_cannot_be(name: str, device: str | None, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        CompareRequest(("rnn",), backend=name, device=device)


@pytest.mark.parametrize("name", ["torch", "cupy"])
def test_a_missing_library_is_one_sentence(monkeypatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    sentence = (
        rf"expected {name} and array-api-compat for --backend {name}, got none; try pip install 'vanishgrad\[{name}\]'"
    )
    with pytest.raises(VanishgradError, match=sentence):
        compare(CompareRequest(("rnn",), hidden=3, steps=3, backend=name))


def test_a_missing_device_is_one_sentence(monkeypatch) -> None:
    class NoRuntime:
        CUDARuntimeError = OSError

        def getDeviceCount(self) -> int:
            raise OSError("no driver")

    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=NoRuntime()))
    for name, library in {"torch": torch, "cupy": cupy, "array_api_compat": SimpleNamespace()}.items():
        monkeypatch.setitem(sys.modules, name, library)
    with pytest.raises(VanishgradError, match="expected a CUDA device for --backend torch, got none; try --device cpu"):
        Backend("torch", "cuda").demand()
    with pytest.raises(
        VanishgradError, match="expected a CUDA device for --backend cupy, got none; try --backend numpy"
    ):
        Backend("cupy", "cuda").demand()
