"""openai-whisper as the engine: its model and tokenizer, and a decoding loop of our own."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from whisper.model import Whisper  # type: ignore[import-untyped]

from transcription_contract.decoding import AudioContext, Decoding
from transcription_contract.options import WhisperTask
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine import checkpoint, sequential, spectrogram
from whisper_transcriber.engine.batch_decoder import AudioWindow, BatchDecoder
from whisper_transcriber.engine.halving import Halving
from whisper_transcriber.engine.loop import VERSION
from whisper_transcriber.engine.protocol import DecodingResult, RecordingResult
from whisper_transcriber.engine.vocabulary import ENGLISH, Vocabulary, check_prompt

__all__ = ["WhisperEngine", "check_prompt"]


class WhisperEngine:
    """One model on one device; float16 on a GPU, float32 elsewhere."""

    def __init__(
        self,
        model: Whisper,
        *,
        task: WhisperTask,
        decoding: Decoding,
        aligned: bool,
        word_timestamps: bool,
        graphs: bool | None = None,
    ) -> None:
        on_gpu = model.device.type == "cuda"
        self._model = model.eval()
        self._decoding = decoding
        self._word_timestamps = word_timestamps
        self._dtype = torch.float16 if on_gpu else torch.float32
        self._vocabulary = Vocabulary(model, task, decoding.initial_prompt, decoding.hotwords)
        self._recogniser = BatchDecoder(
            self._model,
            self._vocabulary,
            self._dtype,
            beams=decoding.beam_size,
            aligned=aligned,
            word_timestamps=word_timestamps,
            graphs=on_gpu if graphs is None else graphs,
        )
        release = self._recogniser.release
        self._detecting, self._decoding_batches = Halving(release), Halving(release)

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        label: str,
        task: WhisperTask,
        decoding: Decoding,
        aligned: bool = False,
        word_timestamps: bool,
        threads: int,
    ) -> "WhisperEngine":
        """Load a checkpoint in openai-whisper's format.

        Args:
            path: the checkpoint.
            label: what the user calls the model, for messages; an official name also says which
                of its heads tell the times of words.
            task: transcribe, or translate into English.
            decoding: the job's options.
            aligned: whether batches are decoded without timestamps, and timed by their words.
            word_timestamps: whether each word's time is wanted, for whatever reason.
            threads: of torch, for the rest of the process.

        Raises:
            ModelInvalid: it is not such a checkpoint.
            OutOfMemory: the GPU has no room for the weights.
            PromptTooLong: the prompt does not fit.
        """
        torch.set_num_threads(threads)
        model = checkpoint.load(path, label)
        return cls(
            model,
            task=task,
            decoding=decoding,
            aligned=aligned,
            word_timestamps=word_timestamps,
        )

    @property
    def identity(self) -> str:
        """The decoding loop's version and the precision."""
        return f"{VERSION}, {str(self._dtype).removeprefix('torch.')}"

    @property
    def description(self) -> str:
        """Versions, device and precision."""
        on_gpu = self._model.device.type == "cuda"
        device = torch.cuda.get_device_name() if on_gpu else "cpu"
        libraries = f"openai-whisper {version('openai-whisper')}, torch {torch.__version__}"
        return f"{libraries}, {self.identity}, {device}"

    @property
    def only_language(self) -> str | None:
        """English, for a model without a multilingual vocabulary."""
        return None if self._vocabulary.multilingual else ENGLISH

    @property
    def aligned(self) -> bool:
        """Whether the times of batches are those of their words."""
        return self._recogniser.aligned

    def check_language(self, language: str) -> None:
        """Raises LanguageUnknown unless the model knows the language code."""
        self._vocabulary.check_language(language)

    @torch.inference_mode()
    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """For each window, the probability of each language code."""
        frames = spectrogram.context_frames(windows, AudioContext.FULL, self._model)
        return self._detecting.run(partial(self._recogniser.languages, frames=frames), windows)

    @torch.inference_mode()
    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        """See Engine.decode. Out of memory, a batch is halved before it is given up."""
        # Of the whole batch: what is encoded must not depend on how much fits into memory.
        frames = spectrogram.context_frames(windows, self._decoding.audio_context, self._model)
        work = partial(self._recogniser.decode, frames=frames, temperature=temperature, seed=seed)
        batch = [AudioWindow(*each) for each in zip(windows, languages, strict=True)]
        return self._decoding_batches.run(work, batch)

    def transcribe(
        self, recording: Waveform, language: str | None, at_each_window: Callable[[], None]
    ) -> RecordingResult:
        """See Engine.transcribe."""
        return sequential.transcribe(
            self._model,
            recording,
            language,
            at_each_window,
            task=self._vocabulary.task,
            decoding=self._decoding,
            word_timestamps=self._word_timestamps,
        )
