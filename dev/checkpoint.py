"""Checkpoints that torch.load reads, written with the standard library.

The same tensors give the same bytes on every machine and with every version of PyTorch, so that
a checkpoint's SHA-256 can be written down in an example.
"""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

ALIGNMENT = 64
"""PyTorch aligns each tensor's bytes so, for files that are mapped into memory."""

PADDING = b"FB"
"""The kind of an extra field in a zip header that PyTorch pads with."""

ROOT = "archive"


@dataclass(frozen=True)
class Tensor:
    """A float16 tensor: its shape, and its values in C order, little endian."""

    shape: tuple[int, ...]
    data: bytes


def write(path: Path, dims: Mapping[str, int], state: Mapping[str, Tensor]) -> None:
    """Write what `torch.save({"dims": dims, "model_state_dict": state}, path)` would."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "data.pkl", _pickled(dims, state))
        _add(archive, "byteorder", b"little")
        for number, tensor in enumerate(state.values()):
            _add(archive, f"data/{number}", tensor.data)
        _add(archive, "version", b"3\n")


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(f"{ROOT}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
    assert archive.fp is not None
    # The local header is 30 bytes and the name; an extra field is four bytes and its content.
    begins = archive.fp.tell() + 30 + len(entry.filename) + len(PADDING) + 2
    filling = -begins % ALIGNMENT
    entry.extra = PADDING + struct.pack("<H", filling) + b"Z" * filling
    archive.writestr(entry, content)


def _pickled(dims: Mapping[str, int], state: Mapping[str, Tensor]) -> bytes:
    tensors = {name: _tensor(number, tensor) for number, (name, tensor) in enumerate(state.items())}
    sizes = {name: _number(size) for name, size in dims.items()}
    whole = {"dims": _dictionary(sizes), "model_state_dict": _dictionary(tensors)}
    return pickle.PROTO + bytes([2]) + _dictionary(whole) + pickle.STOP


# Each of these returns the pickle opcodes that leave one object on the unpickler's stack.
# pickle.dumps does not serve: it pickles a reference to a class only if it can import the class.


def _tensor(number: int, tensor: Tensor) -> bytes:
    items = len(tensor.data) // 2
    storage = _tuple(
        *(_text("storage"), _global("torch", "HalfStorage")),
        *(_text(str(number)), _text("cpu"), _number(items)),
    )
    strides = list(accumulate((1, *tensor.shape[:0:-1]), lambda one, other: one * other))[::-1]
    hooks = _global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    arguments = _tuple(
        *(storage + pickle.BINPERSID, _number(0)),
        *(_tuple(*map(_number, tensor.shape)), _tuple(*map(_number, strides))),
        *(pickle.NEWFALSE, hooks),
    )
    return _global("torch._utils", "_rebuild_tensor_v2") + arguments + pickle.REDUCE


def _dictionary(items: Mapping[str, bytes]) -> bytes:
    pairs = b"".join(_text(key) + value for key, value in items.items())
    return pickle.EMPTY_DICT + pickle.MARK + pairs + pickle.SETITEMS


def _tuple(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


def _text(value: str) -> bytes:
    data = value.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _number(value: int) -> bytes:
    return pickle.BININT + struct.pack("<i", value)


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()
