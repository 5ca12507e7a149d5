"""An object on its way to a file: what is there already can be read while the rest arrives."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from whisper_transcriber.audio.background import BackgroundProducer


class StreamingDownload:
    """A download that runs in a thread of its own, and the file that it fills.

    Args:
        path: a file that ``download`` creates.
        size: the bytes that the store promises.
        download: fills the file from its beginning to its end; what it raises, every waiter gets.
    """

    def __init__(self, path: Path, size: int, download: Callable[[Path], None]) -> None:
        self.path = path
        self.size = size
        growing = BackgroundProducer(partial(download, path), partial(bytes_in, path), "download")
        self.wait = growing.wait
        # The promised size is no end: the download may still find that its object was replaced.
        self.wait_whole = growing.wait_end


def bytes_in(path: Path) -> int:
    """A file's size; 0 while there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
