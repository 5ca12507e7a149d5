"""The command line's flags, and the Task that they describe: pure."""

import argparse
import hashlib
from pathlib import Path

from pydantic import ValidationError

from transcription_contract import __version__
from transcription_contract.base import mistakes
from transcription_contract.options import (
    DEFAULT_FORMATS,
    LANGUAGE_AUTO,
    AudioContext,
    Decoding,
    DecodingMode,
    ExistingOutput,
    ModelReference,
    OutputFormat,
    Subtitles,
)
from transcription_contract.task import Limits, Task
from whisper_transcriber.errors import ConfigurationInvalid

_EXAMPLES = """
examples:
  transcriber transcribe standup.mp3
  transcriber transcribe standup.mp3 --output transcripts/ --formats srt,txt --model small
  transcriber transcribe recordings/ --include '*.wav' --output transcripts/
  transcriber transcribe s3://recordings/standup.mp3 --output s3://transcripts/standup/
  transcriber transcribe --task job.json
  transcriber models
  transcriber models --preload large-v3,turbo

Object stores are reached with the usual variables: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_SESSION_TOKEN, AWS_CA_BUNDLE.

exit codes:
  0  done                                    70  a bug; the log has the traceback
  65 the media cannot be decoded             75  interrupted or out of GPU memory: try again
  66 the source does not exist               77  credentials refused
  69 a store cannot be reached               78  wrong option, model or configuration
A run that was cut goes on where it was when it is started again with the same options.
"""


def _formats(text: str) -> tuple[OutputFormat, ...]:
    try:
        return tuple(OutputFormat(name.strip()) for name in text.split(","))
    except ValueError as error:
        known = ", ".join(OutputFormat)
        raise argparse.ArgumentTypeError(f"{error}; choose from {known}") from None


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    made = argparse.ArgumentParser(
        prog="transcriber",
        description="Turn recordings into transcripts with Whisper, on this machine.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"transcriber {__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_transcribe(commands.add_parser("transcribe", help="transcribe a recording, or many"))
    _add_models(commands.add_parser("models", help="list the official models, or fetch some"))
    return made


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preload", metavar="NAMES", help="fetch these models, such as small,turbo"
    )
    parser.add_argument("--directory", type=Path, help="where models are kept")
    parser.add_argument("--mirror", metavar="URI", help="look here first, such as s3://models/")
    parser.add_argument("-v", "--verbose", action="store_true", help="log to standard error")


def _add_transcribe(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="?", help="a file, a folder, or a URI: s3://, https://, file://")
    add("--task", dest="task_file", type=Path, metavar="FILE", help="a worker's task, as JSON")
    add("-o", "--output", default=".", help="the folder or s3:// prefix for transcripts (here)")
    add("-f", "--formats", type=_formats, default=DEFAULT_FORMATS, help="json,srt,vtt,txt,tsv")
    add("-m", "--model", default="turbo", help="an official name, a .pt file, or an s3:// URI")
    add("--model-sha256", help="the checksum that a model's URI needs")
    add("-l", "--language", default=LANGUAGE_AUTO, help="a code such as en or de (auto)")
    add("--translate", action="store_true", help="write it in English")
    add("--include", action="append", default=[], metavar="GLOB", help="only these of a folder")
    add("--exclude", action="append", default=[], metavar="GLOB", help="none of these")
    add("--initial-prompt", default="", help="names and terms to expect")
    add("--word-timestamps", action="store_true", help="time each word, in the JSON")
    add("--max-line-width", type=int, help="characters in a line of subtitles")
    add("--max-line-count", type=int, help="lines of a subtitle")
    add("--highlight-words", action="store_true", help="underline words as they are spoken")
    add("--batch-size", type=int, default=8, help="windows decoded at once (8)")
    add("--beam-size", type=int, default=5, help="beam size; 1 is greedy decoding (5)")
    add("--mode", type=DecodingMode, choices=list(DecodingMode), default=DecodingMode.BATCHED)
    add("--audio-context", type=AudioContext, choices=list(AudioContext),
        default=AudioContext.FULL)  # fmt: skip
    add("--max-seconds", type=int, default=7 * 86400, help="refuse longer recordings")
    add("--allow-network", action="append", default=[], metavar="CIDR",
        help="a private network that an https source may lie in")  # fmt: skip
    add("-v", "--verbose", action="store_true", help="log instead of a progress bar")


def task_of(options: argparse.Namespace) -> tuple[Task, Path | None]:
    """The Task that the flags, or a file, describe, and the model's file where it is local.

    Raises:
        ConfigurationInvalid: they contradict each other, or a value is out of its range.
    """
    if options.task_file:
        return _task_from_file(options.task_file), None
    if options.source is None:
        raise ConfigurationInvalid("name a recording, a folder or a URI, or give --task FILE")
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
            existing=ExistingOutput.OVERWRITE,
            model=_model(options, model_file),
            language=options.language,
            task="translate" if options.translate else "transcribe",
            decoding=Decoding(
                mode=options.mode,
                beam_size=options.beam_size,
                initial_prompt=options.initial_prompt,
                word_timestamps=options.word_timestamps,
                audio_context=options.audio_context,
            ),
            batch_size=options.batch_size,
            limits=Limits(max_file_bytes=1 << 50, max_file_seconds=options.max_seconds),
            allowed_networks=tuple(options.allow_network),
        )
    except ValidationError as error:
        raise ConfigurationInvalid(mistakes(error)[0]) from None
    return _named(task, model_file), model_file


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
    """With a uid that the same command has again, so that it finds what a cut run has done."""
    facts = f"{task.model_dump_json()}{model_file}"
    return task.model_copy(update={"uid": hashlib.sha256(facts.encode()).hexdigest()[:16]})


def _task_from_file(path: Path) -> Task:
    try:
        return Task.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationInvalid(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise ConfigurationInvalid(f"{path} is no task: {mistakes(error)[0]}") from None
