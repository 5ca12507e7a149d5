"""A GPU's own ceilings, and how work on it is timed."""

import contextlib
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch.nn import functional

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PAST = torch.arange(64, device=DEVICE)[None, None, None] <= 40

Json = dict[str, Any]


def machine() -> Json:
    """The card's own ceilings: bytes copied and half-precision products."""
    source = torch.empty(2**30 if DEVICE == "cuda" else 2**24, dtype=torch.int32, device=DEVICE)
    target = torch.empty_like(source)
    a, b = (torch.randn(8192 if DEVICE == "cuda" else 64, 8192, device=DEVICE) for _ in "ab")
    a, b = (a.half(), b.half()) if DEVICE == "cuda" else (a, b)
    copied, product = timed(lambda: target.copy_(source)), timed(lambda: a @ b.T)
    return {
        "device": torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu",
        "torch": torch.__version__,
        "copy_tb_per_s": 8 * source.numel() / copied / 1e12,
        "product_tflops": 2 * len(a) * len(b) * a.shape[1] / product / 1e12,
    }


def attention() -> Json:
    """One layer of cross-attention at one step, large-v3: microseconds by the way to do it."""
    found: Json = {}
    for rows in (8, 32, 128):
        q = torch.randn(rows, 20, 1, 64, device=DEVICE).half()
        k, v = (torch.randn(rows, 20, 1500, 64, device=DEVICE).half() for _ in "kv")
        long_k, long_v = (torch.randn(rows, 20, 448, 64, device=DEVICE).half() for _ in "kv")
        ways: dict[str, Callable[[], object]] = {
            "sdpa": lambda q=q, k=k, v=v: functional.scaled_dot_product_attention(q, k, v),
            "product": lambda q=q, k=k, v=v: ((q @ k.mT) * 0.125).softmax(-1) @ v,
            "self": lambda q=q, k=long_k, v=long_v: functional.scaled_dot_product_attention(
                q, k[:, :, :64], v[:, :, :64], attn_mask=PAST
            ),
        }
        for name in ("FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION"):
            ways[name] = _backend(name, q, k, v)
        for name, way in ways.items():
            with contextlib.suppress(RuntimeError):
                found[f"{name}.{rows}"] = timed(way) * 1e6
        found[f"floor.{rows}"] = 2 * k.numel() * 2 / 3.35e12 * 1e6
    return found


def _backend(name: str, q: Any, k: Any, v: Any) -> Callable[[], object]:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def run() -> object:
        with sdpa_kernel(getattr(SDPBackend, name)):
            return functional.scaled_dot_product_attention(q, k, v)

    return run


def timed(work: Callable[[], object], rounds: int = 7) -> float:
    """Median seconds of a run, after one to warm up."""
    seconds = []
    for _ in range(rounds + 1):
        _wait()
        began = time.perf_counter()
        work()
        _wait()
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:])


def _wait() -> None:
    if DEVICE == "cuda":
        torch.cuda.synchronize()
