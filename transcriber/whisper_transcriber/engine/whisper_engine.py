"""openai-whisper as the engine: the only module that runs a model."""

import logging
import pickle
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import whisper  # type: ignore[import-untyped]
from whisper.audio import N_FRAMES  # type: ignore[import-untyped]
from whisper.decoding import DecodingOptions, DecodingResult  # type: ignore[import-untyped]
from whisper.tokenizer import LANGUAGES, Tokenizer, get_tokenizer  # type: ignore[import-untyped]

from transcription_contract.options import WhisperTask
from whisper_transcriber.engine.phrases import phrases
from whisper_transcriber.engine.protocol import Decoded
from whisper_transcriber.errors import (
    LanguageUnknown,
    ModelInvalid,
    OutOfMemory,
    PromptTooLong,
)
from whisper_transcriber.samples import Waveform

log = logging.getLogger(__name__)

_ENGLISH = "en"
_NEARLY_FULL = 4
"""A result within so many tokens of the limit was looping (measured)."""


class WhisperEngine:
    """One model on one device; float16 on a GPU, float32 elsewhere."""

    def __init__(self, model: Any, task: WhisperTask, initial_prompt: str = "") -> None:
        self._model = model.eval()
        self._task = task
        self._on_gpu = model.device.type == "cuda"
        self._prompt = self._checked_prompt(initial_prompt)

    @classmethod
    def load(
        cls,
        checkpoint: Path,
        *,
        label: str,
        task: WhisperTask,
        initial_prompt: str,
        threads: int,
    ) -> "WhisperEngine":
        """Load a checkpoint in openai-whisper's format, weights only: no code in it ever runs.

        Args:
            label: what the user calls the model, for messages.
            threads: of torch, for the rest of the process.

        Raises:
            ModelInvalid: it is not such a checkpoint.
            PromptTooLong: the prompt does not fit.
        """
        torch.set_num_threads(threads)
        try:
            model = whisper.load_model(str(checkpoint))
        except (pickle.UnpicklingError, KeyError, TypeError, RuntimeError, EOFError) as error:
            log.warning("loading %r failed", label, exc_info=True)
            raise ModelInvalid(
                f"the model {label!r} is not a checkpoint in openai-whisper's format "
                f"({type(error).__name__})"
            ) from error
        return cls(model, task, initial_prompt)

    @property
    def description(self) -> str:
        """Versions, device and precision."""
        device = torch.cuda.get_device_name() if self._on_gpu else "cpu"
        precision = "float16" if self._on_gpu else "float32"
        libraries = f"openai-whisper {version('openai-whisper')}, torch {torch.__version__}"
        return f"{libraries}, {device}, {precision}"

    @property
    def only_language(self) -> str | None:
        """English, for a model without a multilingual vocabulary."""
        return None if self._model.is_multilingual else _ENGLISH

    def check_language(self, language: str) -> None:
        """Raises LanguageUnknown unless the model knows the language code."""
        if self.only_language:
            known = [self.only_language]
        else:
            known = list(LANGUAGES)[: self._model.num_languages]
        if language not in known:
            raise LanguageUnknown(
                f"the model does not know the language {language!r}, only {', '.join(known)}"
            )

    @torch.inference_mode()
    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """For each window, the probability of each language code."""
        _, probabilities = whisper.detect_language(self._model, self._mel(windows))
        return list(probabilities)

    @torch.inference_mode()
    def decode(
        self,
        windows: Sequence[Waveform],
        language: str,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Decoded]:
        """See Engine.decode. Out of memory, a batch is halved before it is given up."""
        options = DecodingOptions(
            task=self._task,
            language=language,
            temperature=temperature,
            prompt=self._prompt,
            fp16=self._on_gpu,
        )
        tokenizer = self._tokenizer(language)
        torch.manual_seed(seed)
        try:
            results = whisper.decode(self._model, self._mel(windows), options)
        except torch.cuda.OutOfMemoryError:
            results = None  # left to the code below: the traceback holds the batch in memory
        if results is not None:
            return [self._decoded(result, tokenizer) for result in results]
        torch.cuda.empty_cache()
        if len(windows) == 1:
            raise OutOfMemory("the GPU's memory does not suffice for one window of this model")
        half = len(windows) // 2
        log.warning("out of GPU memory with %d windows: halving", len(windows))
        return [
            decoded
            for smaller in (windows[:half], windows[half:])
            for decoded in self.decode(smaller, language, temperature, seed)
        ]

    def _mel(self, windows: Sequence[Waveform]) -> torch.Tensor:
        """Shape (windows, mels, 3000).

        Padded with zeros after the logarithm: padding the samples with silence invites loops
        (measured: word error rate .105 against .088).
        """
        mels = [
            whisper.pad_or_trim(
                whisper.log_mel_spectrogram(torch.from_numpy(window), self._model.dims.n_mels),
                N_FRAMES,
            )
            for window in windows
        ]
        return torch.stack(mels).to(self._model.device)

    def _decoded(self, result: DecodingResult, tokenizer: Tokenizer) -> Decoded:
        room = self._model.dims.n_text_ctx // 2
        return Decoded(
            phrases=phrases(
                result.tokens,
                end_of_text=tokenizer.eot,
                first_timestamp=tokenizer.timestamp_begin,
                to_text=tokenizer.decode,
            ),
            exhausted=len(result.tokens) >= room - _NEARLY_FULL,
            temperature=result.temperature,
            avg_logprob=result.avg_logprob,
            compression_ratio=result.compression_ratio,
            no_speech_prob=result.no_speech_prob,
        )

    def _tokenizer(self, language: str) -> Tokenizer:
        return get_tokenizer(
            self._model.is_multilingual,
            num_languages=self._model.num_languages,
            language=language,
            task=self._task,
        )

    def _checked_prompt(self, prompt: str) -> list[int] | None:
        if not prompt.strip():
            return None
        tokens: list[int] = self._tokenizer(_ENGLISH).encode(" " + prompt.strip())
        limit = self._model.dims.n_text_ctx // 2 - 1
        if len(tokens) > limit:
            raise PromptTooLong(
                f"decoding.initialPrompt has {len(tokens)} Whisper tokens; at most {limit} fit"
            )
        return tokens
