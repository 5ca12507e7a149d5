"""The command line's arguments: names, defaults and help."""

import argparse
import re
from pathlib import Path

from transcription_contract import __version__
from transcription_contract.decoding import (
    NUMBER_PATTERN,
    AudioContext,
    Decoding,
    DecodingMode,
    LanguagePer,
    SuspectText,
    Timestamps,
)
from transcription_contract.options import (
    DEFAULT_FORMATS,
    LANGUAGE_AUTO,
    ChannelMode,
    ExistingOutput,
    OutputFormat,
)

_Group = argparse._ArgumentGroup  # argparse gives its class no public name
_EXAMPLES = """
examples:
  transcriber transcribe standup.mp3
  transcriber transcribe standup.mp3 --output transcripts/ --formats srt,txt --model small
  transcriber transcribe recordings/ --include '*.wav' --output transcripts/
  transcriber transcribe s3://recordings/standup.mp3 --output s3://transcripts/standup/
  transcriber transcribe --task job.json
  transcriber models
  transcriber models --preload large-v3,turbo

Object stores are configured by the usual variables: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_SESSION_TOKEN, AWS_CA_BUNDLE.

exit codes:
  0  finished                                70  bug: the log has the traceback
  65 the media cannot be decoded             75  interrupted or out of GPU memory: try again
  66 the source does not exist               77  credentials refused
  69 a store cannot be reached               78  wrong option, model or configuration
An interrupted run resumes when you start it again with the same options. A run on a folder that has
grown transcribes only what is new.
"""


_DEFAULTS = Decoding()


def _formats(text: str) -> tuple[OutputFormat, ...]:
    try:
        return tuple(OutputFormat(name) for name in _words(text))
    except ValueError as error:
        known = ", ".join(OutputFormat)
        raise argparse.ArgumentTypeError(f"{error}; choose from {known}") from None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _number(text: str) -> str:
    if not re.fullmatch(NUMBER_PATTERN, text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 0.6")
    return text.strip()


def _numbers(text: str) -> tuple[str, ...]:
    return tuple(map(_number, _words(text)))


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    made = argparse.ArgumentParser(
        prog="transcriber",
        description="Transcribe recordings with Whisper on this machine.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"transcriber {__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_transcribe(commands.add_parser("transcribe", help="Transcribe recordings."))
    _add_models(commands.add_parser("models", help="List the official models, or download some."))
    return made


def _add_models(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--preload", metavar="NAMES", help="Models to download, such as small,turbo.")
    add("--directory", type=Path, help="Directory of the model cache.")
    add("--mirror", metavar="URI",
        help="Prefix that is tried before the internet, such as s3://models/.")  # fmt: skip
    add("-v", "--verbose", action="store_true", help="Log to standard error.")


def _add_transcribe(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", nargs="?", help="A file, a folder, or a URI: s3://, https://, file://.")
    add("--task", dest="task_file", type=Path, metavar="FILE", help="A worker's task, as JSON.")
    add("-m", "--model", default="turbo",
        help="Official name, .pt file, or s3:// URI. Defaults to turbo.")  # fmt: skip
    add("--model-sha256", metavar="HEX", help="SHA-256 of the model. Required with an s3:// URI.")
    add("-l", "--language", default=LANGUAGE_AUTO,
        help="Language of the recordings, such as en, German or pt-BR. Defaults to auto, which "
        "detects it.")  # fmt: skip
    add("--translate", action="store_true", help="Translate into English.")
    add("--max-seconds", type=int, default=7 * 86400,
        help="Refuse recordings longer than this. Defaults to 7 days.")  # fmt: skip
    add("--allow-network", action="append", default=[], metavar="CIDR",
        help="Private network that an https source may be in. Can be repeated.")  # fmt: skip
    add("-v", "--verbose", action="store_true", help="Log instead of showing a progress bar.")
    _add_source(parser.add_argument_group("recordings"))
    _add_output(parser.add_argument_group("transcripts"))
    _add_decoding(parser.add_argument_group("decoding"))
    _add_thresholds(parser.add_argument_group("thresholds, as in openai-whisper"))
    _add_detector(parser.add_argument_group("voice activity detection"))


def _add_source(group: _Group) -> None:
    add = group.add_argument
    add("--include", action="append", default=[], metavar="GLOB",
        help="Transcribe only the files of a folder that match. Can be repeated.")  # fmt: skip
    add("--exclude", action="append", default=[], metavar="GLOB",
        help="Leave out the files of a folder that match. Can be repeated.")  # fmt: skip
    add("--track", default="auto", metavar="auto|all|N",
        help="Audio track. auto: the default track, or the next one that can be decoded and is not "
        "silent. all: each track as a speaker. N: that track, counted from 1. "
        "Defaults to auto.")  # fmt: skip
    add("--channels", type=ChannelMode, choices=list(ChannelMode), default=ChannelMode.MIX,
        help="separate: transcribe each channel as a speaker. Defaults to mix.")  # fmt: skip


def _add_output(group: _Group) -> None:
    add = group.add_argument
    add("-o", "--output", default=".",
        help="Folder or s3:// prefix for the transcripts. Defaults to this folder.")  # fmt: skip
    add("-f", "--formats", type=_formats, default=DEFAULT_FORMATS,
        help="Any of json,srt,vtt,txt,tsv. Defaults to json,vtt,txt.")  # fmt: skip
    add("--existing", type=ExistingOutput, choices=list(ExistingOutput),
        default=ExistingOutput.SKIP,
        help="Transcripts that an earlier run delivered to the same place. skip: keep those of the "
        "same recording and options, and transcribe the others. overwrite: replace them. fail: "
        "stop. Defaults to skip.")  # fmt: skip
    add("--overwrite", dest="existing", action="store_const", const=ExistingOutput.OVERWRITE,
        help="Short for --existing overwrite.")  # fmt: skip
    add("--max-line-width", type=int, metavar="COLUMNS",
        help="Columns of a line of subtitles. East Asian wide characters count as 2.")  # fmt: skip
    add("--max-line-count", type=int, metavar="LINES", help="Lines of subtitles shown at once.")
    add("--highlight-words", action="store_true", help="Underline words as they are spoken.")
    add("--word-timestamps", action="store_true", help="Add the time of each word to the JSON.")


def _add_decoding(group: _Group) -> None:
    add = group.add_argument
    add("--mode", type=DecodingMode, choices=list(DecodingMode), default=_DEFAULTS.mode,
        help="sequential: openai-whisper's own transcribe(). Defaults to batched.")  # fmt: skip
    add("--batch-size", type=int, default=8, help="Windows decoded at once. Defaults to 8.")
    add("--beam-size", type=int, default=_DEFAULTS.beam_size,
        help="Beam size. 1 is greedy decoding. Defaults to %(default)s.")  # fmt: skip
    add("--initial-prompt", default="", help="Text that precedes every window.")
    add("--hotwords", type=_words, action="extend", default=[], metavar="WORDS",
        help="Names and terms to expect, separated by commas. Can be repeated.")  # fmt: skip
    add("--suspect-text", type=SuspectText, choices=list(SuspectText),
        default=_DEFAULTS.suspect_text,
        help="Text that fails the thresholds after every retry. keep: flag it in the JSON. drop: "
        "leave it out. Defaults to keep.")  # fmt: skip
    add("--language-per", type=LanguagePer, choices=list(LanguagePer),
        default=_DEFAULTS.language_per,
        help="Detect the language once for each recording, or for each slice of 30 minutes. "
        "Defaults to recording.")  # fmt: skip
    add("--window-seconds", type=int, metavar="SECONDS",
        help="Longest window of speech, from 5 to 30. Defaults to a value measured for the model's "
        "size.")  # fmt: skip
    add("--timestamps", type=Timestamps, choices=list(Timestamps), default=_DEFAULTS.timestamps,
        help="Source of the segments' times. model: Whisper writes timestamps between the words. "
        "alignment: from its attention to the words. Defaults to auto.")  # fmt: skip
    add("--audio-context", type=AudioContext, choices=list(AudioContext),
        default=_DEFAULTS.audio_context,
        help="window: encode the window and 5 s more instead of 30 s. Defaults to "
        "full.")  # fmt: skip


def _add_thresholds(group: _Group) -> None:
    add = group.add_argument
    add("--temperature", type=_numbers, default=_DEFAULTS.temperature, metavar="LIST",
        help="Temperatures that are tried in order while a window fails the thresholds. Defaults "
        f"to {','.join(_DEFAULTS.temperature)}.")  # fmt: skip
    add("--compression-ratio-threshold", type=_number, metavar="RATIO",
        default=_DEFAULTS.compression_ratio_threshold,
        help="Retry text that repeats more. Defaults to %(default)s.")  # fmt: skip
    add("--logprob-threshold", type=_number, default=_DEFAULTS.logprob_threshold, metavar="LOGPROB",
        help="Retry text with a lower mean log-probability. Defaults to %(default)s.")  # fmt: skip
    add("--no-speech-threshold", type=_number, metavar="PROBABILITY",
        default=_DEFAULTS.no_speech_threshold,
        help="Probability of silence from which improbable text is taken for silence. Defaults to "
        "%(default)s.")  # fmt: skip


def _add_detector(group: _Group) -> None:
    add = group.add_argument
    vad = _DEFAULTS.vad
    add("--no-vad", dest="vad", action="store_false",
        help="Transcribe everything, not only what the detector takes for speech.")  # fmt: skip
    add("--vad-threshold", type=_number, default=vad.threshold, metavar="PROBABILITY",
        help="Probability from which sound counts as speech. Defaults to %(default)s.")  # fmt: skip
    add("--vad-min-speech", type=int, default=vad.min_speech_milliseconds, metavar="MS",
        help="Ignore shorter speech. In milliseconds; defaults to %(default)s.")  # fmt: skip
    add("--vad-min-silence", type=int, default=vad.min_silence_milliseconds, metavar="MS",
        help="Shorter silence does not end speech. In milliseconds; defaults to "
        "%(default)s.")  # fmt: skip
    add("--vad-padding", type=int, default=vad.padding_milliseconds, metavar="MS",
        help="Sound kept before and after speech. In milliseconds; defaults to "
        "%(default)s.")  # fmt: skip
