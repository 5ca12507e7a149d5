"""The words in status.reason that metrics know, and those that workers say."""

from transcription_operator.metrics import KNOWN_REASONS
from whisper_transcriber.errors import TranscriberError


def all_kinds(kind: type[TranscriberError]) -> set[str]:
    return {kind.__name__}.union(*(all_kinds(each) for each in kind.__subclasses__()))


def test_every_reason_of_a_worker_is_counted_under_its_name():
    assert all_kinds(TranscriberError) - {TranscriberError.__name__} <= KNOWN_REASONS
