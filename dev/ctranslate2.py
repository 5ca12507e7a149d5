"""Whisper models in CTranslate2's format: float16 variables by name, from a model.bin.

dev/ has only the standard library, so a variable is its shape and its bytes, never an array.
"""

import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

from dev.errors import DevError

VERSION = 6
SPECIFICATION = "WhisperSpec"

FLOAT16 = 4
"""CTranslate2's number for the type; the others are 0 to 3 (float32, int8, int16, int32)."""

ITEM_BYTES = {0: 4, 1: 1, 2: 2, 3: 4, FLOAT16: 2}


@dataclass(frozen=True)
class Variable:
    """One array of a model: its type, its shape, and its values in C order, little endian."""

    kind: int
    shape: tuple[int, ...]
    data: bytes

    def split(self, count: int) -> list["Variable"]:
        """Equal parts along the first axis."""
        first, *rest = self.shape
        size = len(self.data) // count
        shape = (first // count, *rest)
        parts = [self.data[number * size : (number + 1) * size] for number in range(count)]
        return [Variable(self.kind, shape, part) for part in parts]


def read(path: Path) -> dict[str, Variable]:
    """All variables of a model.bin by name, aliases included.

    Raises DevError if the file is not a Whisper model of the one version that is known here.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        reader = _Reader(content)
        try:
            return _variables(reader, path)
        except struct.error:
            raise DevError(f"{path} ends in the middle of a variable.") from None


def _variables(reader: "_Reader", path: Path) -> dict[str, Variable]:
    version, specification, _revision = reader.number("I"), reader.text(), reader.number("I")
    if (version, specification) != (VERSION, SPECIFICATION):
        raise DevError(
            f"{path} is version {version} of {specification}; "
            f"the converter reads version {VERSION} of {SPECIFICATION}."
        )
    found = {}
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = tuple(reader.number("I") for _ in range(reader.number("B")))
        kind = reader.number("B")
        data = reader.take(reader.number("I"))
        if len(data) != prod(shape) * ITEM_BYTES.get(kind, 0):
            raise DevError(f"{path}: {name} has {len(data)} bytes, which do not fit its shape.")
        found[name] = Variable(kind, shape, data)
    for _ in range(reader.number("I")):
        alias, name = reader.text(), reader.text()
        found[alias] = found[name]
    return found


class _Reader:
    """The fields of the format, one after another."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content

    def take(self, size: int) -> bytes:
        data = self._content.read(size)
        if len(data) < size:
            raise struct.error
        return data

    def number(self, kind: str) -> int:
        form = f"<{kind}"
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def text(self) -> str:
        return self.take(self.number("H"))[:-1].decode()
