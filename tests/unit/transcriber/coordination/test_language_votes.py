from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.coordination.libraries import MANY, library, manifest
from tests.unit.transcriber.stage import TASK, MortalStore, job, run
from transcription_contract.decoding import Decoding, LanguagePer
from transcription_contract.locations import ObjectUri
from whisper_transcriber import pipeline
from whisper_transcriber.audio.facts import WarningKind
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.coordination.manifest import Manifest


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


def test_languages_are_voted_on_for_each_recording(tmp_path: Path) -> None:
    held = library()
    run(job(tmp_path, MortalStore(held), MANY.model_copy(update={"language": "auto"})))
    assert {each.language for each in manifest(held).items} == {"de"}


class Bilingual(stage.DigestEngine):
    """Hears German in the first quarter of a minute and Dutch later, or is not sure."""

    def __init__(self, *ballots: dict[str, float]) -> None:
        super().__init__()
        self.votes = list(ballots)

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """One ballot a call, as long as they last."""
        ballot = self.votes.pop(0) if len(self.votes) > 1 else self.votes[0]
        return [ballot for _ in windows]


def test_a_language_found_with_little_certainty_is_a_warning(tmp_path: Path) -> None:
    held = stage.objects(**{"talk.mp3": stage.recording(60)})
    given = job(tmp_path, MortalStore(held), TASK)
    pipeline.run(given, lambda *_: Bilingual({"pl": 0.19, "fr": 0.1}))
    [item] = Manifest.model_validate_json(held[ObjectUri("out", "talk/manifest.json")]).items
    assert item.language == "pl"
    assert [each.kind for each in item.warnings] == [WarningKind.UNCERTAIN_LANGUAGE]
    assert "19%" in item.warnings[0].message


def test_a_language_that_is_stated_or_certain_is_no_warning(tmp_path: Path) -> None:
    for language in ("de", "auto"):
        held = stage.objects(**{"talk.mp3": stage.recording(60)})
        run(job(tmp_path, MortalStore(held), TASK.model_copy(update={"language": language})))
        [item] = Manifest.model_validate_json(held[ObjectUri("out", "talk/manifest.json")]).items
        assert item.warnings == ()


def test_each_slice_may_have_its_own_language(tmp_path: Path) -> None:
    held = stage.objects(**{"talk.mp3": stage.recording(100)})
    decoding = Decoding(language_per=LanguagePer.SLICE)
    given = job(tmp_path, MortalStore(held), TASK.model_copy(update={"decoding": decoding}))
    seen: list[tuple[int, str]] = []

    class Noting(Bilingual):
        def decode(self, windows, languages, *more, **others):  # type: ignore[no-untyped-def]
            seen.extend(
                (len(window), code) for window, code in zip(windows, languages, strict=True)
            )
            return super().decode(windows, languages, *more, **others)

    pipeline.run(given, lambda *_: Noting({"de": 0.9}, {"nl": 0.9}))
    assert {code for _, code in seen} == {"de", "nl"}
    [item] = Manifest.model_validate_json(held[ObjectUri("out", "talk/manifest.json")]).items
    assert item.language == "nl", "the first slice is the shortest"
