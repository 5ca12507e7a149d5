import re
from pathlib import Path

import pytest

from tests.unit.transcriber.stage import TASK, job
from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.options import ModelReference
from whisper_transcriber.coordination import preflight
from whisper_transcriber.errors import ConfigurationInvalid, LanguageUnknown


def test_the_language_becomes_whisper_s_code(tmp_path: Path) -> None:
    given = job(tmp_path, MemoryStore(), TASK.model_copy(update={"language": "pt-BR"}))
    assert preflight.checked(given).task.language == "pt"


@pytest.mark.parametrize(
    ("model", "changes", "error", "sentence"),
    [
        ("turbo", {"task": "translate"}, ConfigurationInvalid, "turbo cannot translate"),
        ("small.en", {"task": "translate"}, ConfigurationInvalid, "small.en cannot translate"),
        ("small.en", {"language": "de"}, LanguageUnknown, "knows English only, not german"),
        ("small", {"language": "klingon"}, LanguageUnknown, "does not know the language"),
    ],
    ids=["turbo", "english", "german by an English model", "no language"],
)
def test_what_a_model_cannot_do_is_refused_before_it_is_loaded(
    tmp_path: Path,
    model: str,
    changes: dict[str, str],
    error: type[Exception],
    sentence: str,
) -> None:
    task = TASK.model_copy(update={"model": ModelReference(name=model), **changes})
    with pytest.raises(error, match=re.escape(sentence)):
        preflight.checked(job(tmp_path, MemoryStore(), task))
