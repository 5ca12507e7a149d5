"""Official sizes without their weights: what they cost, and nothing of what they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STEPS = 60
WINDOW_SECONDS = 15
END_OF_TEXT = 50257
SPREAD = 0.02
"""Standard deviation of the weights, as small as trained ones."""

MULTILINGUAL = 51865


@dataclass(frozen=True)
class Size:
    """The dimensions of an official model (whisper.model.ModelDimensions)."""

    name: str
    state: int
    heads: int
    audio_layers: int
    text_layers: int
    mels: int = 80
    vocabulary: int = MULTILINGUAL

    @property
    def dims(self) -> dict[str, int]:
        """As a checkpoint has them, with room for STEPS tokens."""
        return {
            "n_mels": self.mels,
            "n_audio_ctx": 1500,
            "n_audio_state": self.state,
            "n_audio_head": self.heads,
            "n_audio_layer": self.audio_layers,
            "n_vocab": self.vocabulary,
            "n_text_ctx": 2 * STEPS,
            "n_text_state": self.state,
            "n_text_head": self.heads,
            "n_text_layer": self.text_layers,
        }


TINY = Size("tiny", 384, 6, 4, 4)
SMALL = Size("small", 768, 12, 12, 12)
LARGE_V3 = Size("large-v3", 1280, 20, 32, 32, mels=128, vocabulary=51866)
TURBO = Size("turbo", 1280, 20, 32, 4, mels=128, vocabulary=51866)


def silence_end(state: Mapping[str, Any], spread: float) -> None:
    """Fill a model's weights in place, so that the end of the text is the least likely token."""
    for name, values in state.items():
        if name.endswith(".bias") or values.dim() < 2:
            values.fill_(1.0 if "ln" in name and name.endswith("weight") else 0.0)
        elif name != "encoder.positional_embedding":
            values.normal_(0, spread)
    # One channel of the decoder's output is a constant that speaks against the end alone.
    state["decoder.token_embedding.weight"][:, 0] = 0.0
    state["decoder.token_embedding.weight"][END_OF_TEXT, 0] = -1.0
    state["decoder.ln.weight"][0], state["decoder.ln.bias"][0] = 0.0, 100.0
