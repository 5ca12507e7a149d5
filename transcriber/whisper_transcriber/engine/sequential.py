"""openai-whisper's own transcribe(), for those who want its exact output."""

from collections.abc import Callable
from typing import Any

import torch
import whisper  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]

from transcription_contract.decoding import Decoding
from transcription_contract.options import WhisperTask
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine.protocol import RecordingResult
from whisper_transcriber.engine.vocabulary import unique


def transcribe(
    model: Whisper,
    recording: Waveform,
    language: str | None,
    at_each_window: Callable[[], None],
    *,
    task: WhisperTask,
    decoding: Decoding,
    word_timestamps: bool,
) -> RecordingResult:
    """See Engine.transcribe. Its temperatures draw the same words each time."""
    options: dict[str, Any] = {
        "temperature": tuple(map(float, decoding.temperature)),
        "compression_ratio_threshold": float(decoding.compression_ratio_threshold),
        "logprob_threshold": float(decoding.logprob_threshold),
        "no_speech_threshold": float(decoding.no_speech_threshold),
    }
    if prompt := plain_prompt(decoding):
        options["initial_prompt"] = prompt
        if decoding.hotwords:
            options["carry_initial_prompt"] = True
    if decoding.beam_size > 1:
        options["beam_size"] = decoding.beam_size

    def before_encoding(*_: object) -> None:
        at_each_window()

    torch.manual_seed(0)
    hook = model.encoder.register_forward_pre_hook(before_encoding)
    try:
        result = whisper.transcribe(
            model,
            recording,
            language=language,
            task=task,
            word_timestamps=word_timestamps,
            fp16=model.device.type == "cuda",
            **options,
        )
    finally:
        hook.remove()
    return RecordingResult(result["language"], tuple(result["segments"]))


def plain_prompt(decoding: Decoding) -> str:
    """Hotwords and initial prompt as one text. What looks like a signal is taken apart: whisper's
    transcribe() raises ValueError for <|endoftext|> in a prompt.
    """
    hotwords = ", ".join(unique(decoding.hotwords))
    return f"{hotwords} {decoding.initial_prompt.strip()}".strip().replace("<|", "< |")
