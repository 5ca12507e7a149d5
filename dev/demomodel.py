"""The checkpoint of the demo: kept packed in the checkout, unpacked into the cache."""

import lzma
import shutil
from pathlib import Path

from dev import files
from dev.errors import DevError
from dev.paths import CACHE, DEV

PACKED = DEV / "demo-model" / "demo.pt.xz"
SHA256 = "3ddf22ba254f5d90fea80ad892f7ba49058f06feeef8f532d57c88f6a4ac37d5"


def unpack() -> Path:
    """Return the path of demo.pt, unpacked and checked."""
    path = CACHE / "demo-model" / SHA256[:16] / "demo.pt"
    if not path.exists():
        with files.made_whole(path) as scratch:
            with lzma.open(PACKED) as packed, scratch.open("wb") as file:
                shutil.copyfileobj(packed, file)
            if files.sha256(scratch) != SHA256:
                raise DevError(f"{PACKED} is damaged: its content has another SHA-256.")
    return path
