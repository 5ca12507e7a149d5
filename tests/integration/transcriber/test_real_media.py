"""Every file of a collection from other projects' tests, decoded: without a model.

The collection lies in ../shared/real-media, which a clone of this repository does not have.
"""

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.transcriber.decoding import Sound, listen
from whisper_transcriber.errors import MediaInvalid

ROOT = Path(__file__).parents[3]
MEDIA = ROOT.parent / "shared/real-media"

pytestmark = pytest.mark.skipif(not MEDIA.exists(), reason="no ../shared/real-media")

REFUSED = {
    "ax_100kB-garbage-prefix.mp3": "plain ffmpeg takes it for AMR: 70 s of noise",
    "ax_200kB-garbage-prefix.mp3": "plain ffmpeg takes it for AMR: 133 s of noise",
    "lo_junk_between_id3_and_adts.aac": "0.05 s, which ffmpeg finds by the extension alone",
}
"""What plain ffmpeg decodes to sound and we refuse, and why. docs/formats.md has the same table."""

PRESENTATION = {
    "ax_sample_partially_fragmented.mp4": 1.16,
    "elephant.asf": 27.70,
    "Test_ADM_ProTools.wav": 1.00,
    "ax_long_edit_list_audioonly.mp4": None,
}
"""Where the presentation takes longer than the samples that plain ffmpeg gives: gaps and a late
start are filled, and 14 channels without a layout are mixed. None: cut by the list at 600 s."""


def origin() -> dict[str, float]:
    """Seconds that plain ffmpeg decodes, by file."""
    with (MEDIA / "ORIGIN.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    column = next(name for name in rows[0] if name.startswith("decoded_by_ffmpeg"))
    return {row["file"]: _number(row[column]) for row in rows}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def test_what_ffmpeg_decodes_is_decoded_to_its_length(tmp_path: Path) -> None:
    names = sorted(path.name for path in MEDIA.iterdir() if path.name != "ORIGIN.tsv")
    for name in names:
        (tmp_path / name).symlink_to(MEDIA / name)
    with ThreadPoolExecutor(2) as pool:
        ends = dict(zip(names, pool.map(attempt, (tmp_path / name for name in names)), strict=True))
    seconds = origin()
    refused = {name for name, end in ends.items() if end is None and seconds.get(name, 0.0) > 0}
    assert refused == REFUSED.keys()
    off = {
        name: (end.seconds, expected)
        for name, end in ends.items()
        if end is not None
        and (expected := PRESENTATION.get(name, seconds.get(name, 0.0))) is not None
        and expected < 599
        and abs(end.seconds - expected) > 0.1
    }
    assert off == {}


def attempt(path: Path) -> Sound | None:
    try:
        return listen(path)
    except MediaInvalid:
        return None
