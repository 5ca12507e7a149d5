"""OpenAI's official Whisper models: what whisper._MODELS lists, without importing torch for it.

A test compares the two. Parameters: https://github.com/openai/whisper#available-models-and-languages
"""

from dataclasses import dataclass

from transcription_contract.decoding import Timestamps
from transcription_contract.options import ModelReference
from transcription_contract.task import Task
from whisper_transcriber.errors import ModelNotFound

_BASE = "https://openaipublic.azureedge.net/main/whisper/models"


@dataclass(frozen=True)
class OfficialModel:
    """A checkpoint that OpenAI published. ``parameters``: as the README counts them."""

    name: str
    file: str
    sha256: str
    parameters: str

    @property
    def url(self) -> str:
        """Where OpenAI keeps it."""
        return f"{_BASE}/{self.sha256}/{self.file}"

    @property
    def languages(self) -> str:
        """Which languages it was trained on."""
        return "English" if self.name.endswith(".en") else "many"

    @property
    def files(self) -> tuple[str, ...]:
        """What its file may be called in a mirror: as people call it, or as OpenAI does."""
        return tuple(dict.fromkeys((f"{self.name}.pt", self.file)))


OFFICIAL: dict[str, OfficialModel] = {
    name: OfficialModel(name, file, sha256, parameters)
    for name, file, parameters, sha256 in (
        ("tiny.en", "tiny.en.pt", "39 M",
         "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03"),
        ("tiny", "tiny.pt", "39 M",
         "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9"),
        ("base.en", "base.en.pt", "74 M",
         "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead"),
        ("base", "base.pt", "74 M",
         "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e"),
        ("small.en", "small.en.pt", "244 M",
         "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872"),
        ("small", "small.pt", "244 M",
         "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794"),
        ("medium.en", "medium.en.pt", "769 M",
         "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f"),
        ("medium", "medium.pt", "769 M",
         "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1"),
        ("large-v1", "large-v1.pt", "1550 M",
         "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a"),
        ("large-v2", "large-v2.pt", "1550 M",
         "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524"),
        ("large-v3", "large-v3.pt", "1550 M",
         "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb"),
        ("large", "large-v3.pt", "1550 M",
         "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb"),
        ("large-v3-turbo", "large-v3-turbo.pt", "809 M",
         "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a"),
        ("turbo", "large-v3-turbo.pt", "809 M",
         "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a"),
    )
}  # fmt: skip


def official_name(reference: ModelReference) -> str | None:
    """What OpenAI calls the weights that a reference means, by name or by checksum; None if they
    are not OpenAI's.
    """
    if reference.name in OFFICIAL:
        return reference.name
    names = {model.sha256: model.name for model in OFFICIAL.values()}
    return names.get(reference.sha256 or "")


def is_official(reference: ModelReference) -> bool:
    """Whether a reference means weights that OpenAI published."""
    return official_name(reference) is not None


def is_aligned(task: Task) -> bool:
    """Whether a job's model writes no timestamps, so that attention times its words.

    Measured on the official weights (docs/transcription.md). A translation's words are not those
    that are spoken, and weights of one's own may know no other way.
    """
    wanted = task.decoding.timestamps
    if wanted is Timestamps.AUTO:
        return task.task == "transcribe" and is_official(task.model)
    return wanted is Timestamps.ALIGNMENT


def find(name: str) -> OfficialModel:
    """The official model called ``name``.

    Raises:
        ModelNotFound: there is none.
    """
    if name not in OFFICIAL:
        raise ModelNotFound(
            f"there is no official Whisper model {name!r}, only {', '.join(OFFICIAL)}"
        )
    return OFFICIAL[name]
