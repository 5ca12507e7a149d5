"""What is wrong with a job before anything is fetched, listed or loaded."""

from dataclasses import replace

from transcription_contract.languages import NAMES
from transcription_contract.options import LANGUAGE_AUTO
from whisper_transcriber import languages
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.errors import ConfigurationInvalid, LanguageUnknown

ENGLISH = "en"
_ONLY_TRANSCRIBES = ("turbo", "large-v3-turbo")
"""OpenAI trained it without translation data: it transcribes in the language that it hears."""


def checked(job: Job) -> Job:
    """The job with its language as Whisper's code.

    Raises:
        LanguageUnknown: Whisper, or the model by its name, does not know the language.
        ConfigurationInvalid: the model cannot translate.
    """
    task = job.task.model_copy(update={"language": languages.code_of(job.task.language)})
    name = task.model.name or ""
    is_english = name.endswith(".en")
    if is_english and task.language not in (LANGUAGE_AUTO, ENGLISH):
        raise LanguageUnknown(
            f"the model {name} knows English only, not {NAMES[task.language]}: use "
            f"{name.removesuffix('.en')}"
        )
    if task.task == "translate" and (is_english or name in _ONLY_TRANSCRIBES):
        raise cannot_translate(name)
    return replace(job, settings=replace(job.settings, task=task))


def cannot_translate(model: str) -> ConfigurationInvalid:
    """The error for a model that only transcribes."""
    return ConfigurationInvalid(
        f"the model {model} cannot translate into English: use another one, such as large-v3 or "
        "small, or leave the task at transcribe"
    )
