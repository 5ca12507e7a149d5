"""Whether speech is found, at any level and in any channel, by the real detector."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.integration.transcriber.odd_media import Studio
from transcription_contract.decoding import VoiceActivity
from transcription_contract.locations import ObjectUri
from transcription_contract.options import ChannelMode, SourceAudio
from transcription_contract.task import Limits
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.speech import SpeechFinder
from whisper_transcriber.audio.stretches import SPEECH_DEFAULTS
from whisper_transcriber.audio.tracks import AUTO
from whisper_transcriber.audio.windows import SAMPLE_RATE, Span, Window
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.files import FileStore
from whisper_transcriber.storage.store import nothing

SPEECH = Path(__file__).parents[4] / "shared" / "real-speech"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def speech(
    path: Path,
    scratch: Path,
    audio: SourceAudio = AUTO,
    activity: VoiceActivity = SPEECH_DEFAULTS,
) -> list[Window]:
    """The windows of a file."""
    store = FileStore(Interruption())
    recordings = AudioCache(
        [store.stat(ObjectUri.parse(f"file://{path}"))], scratch,
        store=store, limits=Limits(), interruption=Interruption(), sign_of_life=nothing,
        audio=audio,
    )  # fmt: skip
    finder = SpeechFinder(recordings, activity)
    return finder.windows(0, Span(0, recordings.samples(0).count))


@pytest.mark.parametrize("codec", ["pcm_s24le", "pcm_s16le"])
@pytest.mark.parametrize("level", [0, -20, -45, -55])
def test_replay_12_speech_is_found_however_quiet(
    studio: Studio, tmp_path: Path, level: int, codec: str
) -> None:
    path = tmp_path / "quiet.wav"
    studio.encode(str(path), "-i", "{a48.wav}", "-af", f"volume={level}dB", "-c:a", codec)
    (tmp_path / "scratch").mkdir()
    (window,) = speech(path, tmp_path / "scratch")
    assert window.start / SAMPLE_RATE < 0.3
    assert window.stop / SAMPLE_RATE == pytest.approx(2.4, abs=0.4)


@pytest.mark.parametrize(
    "source",
    ["anoisesrc=a=0.003:d=20", "anoisesrc=a=0.0003:d=20", "sine=440:d=20,volume=0.003",
     "anullsrc=d=5"],
    ids=["hiss", "faint hiss", "faint hum", "silence"],
)  # fmt: skip
def test_replay_37_nothing_is_found_where_nobody_speaks(
    studio: Studio, tmp_path: Path, source: str
) -> None:
    path = tmp_path / "noise.wav"
    studio.encode(str(path), "-f", "lavfi", "-i", source, "-c:a", "pcm_s16le")
    (tmp_path / "scratch").mkdir()
    assert speech(path, tmp_path / "scratch") == []


def test_each_channel_has_windows_of_its_own(studio: Studio, tmp_path: Path) -> None:
    separate = SourceAudio(channels=ChannelMode.SEPARATE)
    found = speech(studio.path("call.wav"), tmp_path, separate)
    assert [each.lane for each in found] == [0, 1]
    assert found[1].start / SAMPLE_RATE == pytest.approx(3.5, abs=0.4)


def test_without_the_detector_everything_is_speech(studio: Studio, tmp_path: Path) -> None:
    found = speech(studio.path("hold0.wav"), tmp_path, activity=VoiceActivity(enabled=False))
    assert (found[0].start, found[-1].stop) == (0, pytest.approx(77.7 * SAMPLE_RATE, rel=0.01))
    assert all(left.stop == right.start for left, right in pairwise(found))


def test_soft_words_between_the_pauses_of_a_loud_voice_are_found(tmp_path: Path) -> None:
    path = SPEECH / "en" / "cold_corpus.flac"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    heard = [span for window in speech(path, tmp_path) for span in window.speech]
    for soft in (19.8, 22.4, 23.2):
        assert any(start <= soft * SAMPLE_RATE < stop for start, stop in heard), soft
