"""Permissions that bind the tests, also when root runs them."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def without_privileges(folder: Path) -> Iterator[None]:
    """As a user whom permissions bind, and who may enter ``folder``."""
    if os.geteuid():
        yield
        return
    with ExitStack() as undo:
        for each in (folder, *folder.parents):
            mode = stat.S_IMODE(each.stat().st_mode)
            if mode & 0o005 != 0o005:
                each.chmod(mode | 0o055)
                undo.callback(each.chmod, mode)
        os.seteuid(_NOBODY)
        undo.callback(os.seteuid, 0)
        yield
