"""The Task that the command line describes: pure."""

import argparse
import hashlib
from pathlib import Path

from pydantic import ValidationError

from transcription_contract.base import mistakes
from transcription_contract.decoding import Decoding, VoiceActivity
from transcription_contract.options import ModelReference, SourceAudio, Subtitles
from transcription_contract.task import Limits, Task
from whisper_transcriber.arguments import parser
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.languages import code_of

__all__ = ["parser", "task_of", "uri_of"]


def task_of(options: argparse.Namespace) -> tuple[Task, Path | None]:
    """The Task that the flags or a file describe, and the model's file if it is local.

    Raises:
        ConfigurationInvalid: flags contradict each other, or a value is out of its range.
        LanguageUnknown: Whisper does not know the language.
    """
    if options.task_file:
        return _task_from_file(options.task_file), None
    if options.source is None:
        raise ConfigurationInvalid("no source: name a recording, a folder or a URI, or --task FILE")
    is_file = options.model.endswith(".pt") and "://" not in options.model
    model_file = Path(options.model) if is_file else None
    try:
        task = Task(
            uid="cli",
            owner="transcriber",
            source_uri=uri_of(options.source),
            include=tuple(options.include),
            exclude=tuple(options.exclude),
            output_uri=_prefix(uri_of(options.output)),
            formats=options.formats,
            subtitles=Subtitles(
                max_line_width=options.max_line_width,
                max_line_count=options.max_line_count,
                highlight_words=options.highlight_words,
            ),
            existing=options.existing,
            audio=SourceAudio(track=options.track, channels=options.channels),
            model=_model(options, model_file),
            language=code_of(options.language),
            task="translate" if options.translate else "transcribe",
            decoding=_decoding(options),
            batch_size=options.batch_size,
            limits=Limits(max_file_bytes=1 << 50, max_file_seconds=options.max_seconds),
            allowed_networks=tuple(options.allow_network),
        )
    except ValidationError as error:
        raise ConfigurationInvalid(mistakes(error)[0]) from None
    return _named(task, model_file), model_file


def _decoding(options: argparse.Namespace) -> Decoding:
    return Decoding(
        mode=options.mode,
        beam_size=options.beam_size,
        initial_prompt=options.initial_prompt,
        hotwords=tuple(options.hotwords),
        suspect_text=options.suspect_text,
        language_per=options.language_per,
        temperature=options.temperature,
        compression_ratio_threshold=options.compression_ratio_threshold,
        logprob_threshold=options.logprob_threshold,
        no_speech_threshold=options.no_speech_threshold,
        vad=VoiceActivity(
            enabled=options.vad,
            threshold=options.vad_threshold,
            min_speech_milliseconds=options.vad_min_speech,
            min_silence_milliseconds=options.vad_min_silence,
            padding_milliseconds=options.vad_padding,
        ),
        window_seconds=options.window_seconds,
        timestamps=options.timestamps,
        word_timestamps=options.word_timestamps,
        audio_context=options.audio_context,
    )


def uri_of(place: str) -> str:
    """A path as a file URI; a folder ends in a slash. URIs stay what they are."""
    if "://" in place:
        return place
    path = Path(place).absolute()
    return f"file://{path}" + ("/" if place.endswith("/") or path.is_dir() else "")


def _prefix(uri: str) -> str:
    return uri if uri.endswith("/") else f"{uri}/"


def _model(options: argparse.Namespace, model_file: Path | None) -> ModelReference:
    if model_file:
        return ModelReference(name=model_file.stem[:64])
    if "://" in options.model:
        return ModelReference(uri=options.model, sha256=options.model_sha256)
    return ModelReference(name=options.model)


def _named(task: Task, model_file: Path | None) -> Task:
    """With a uid that the same command has again, so that it resumes an interrupted run."""
    facts = f"{task.model_dump_json()}{model_file}"
    return task.model_copy(update={"uid": hashlib.sha256(facts.encode()).hexdigest()[:16]})


def _task_from_file(path: Path) -> Task:
    try:
        return Task.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationInvalid(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise ConfigurationInvalid(f"{path} is not a task: {mistakes(error)[0]}") from None
