import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.decoding import (  # type: ignore[import-untyped]
    ApplyTimestampRules,
    SuppressBlank,
    SuppressTokens,
)

from tests.unit.transcriber.engine import tiny
from whisper_transcriber.engine.rules import TimestampRules
from whisper_transcriber.engine.vocabulary import Vocabulary

VOCABULARY = Vocabulary(tiny.model(), "transcribe")
TOKENIZER = VOCABULARY.tokenizer("en")
RULES = TimestampRules(VOCABULARY, 1500, torch.device("cpu"))
ZERO, SIZE = VOCABULARY.first_timestamp, tiny.MULTILINGUAL

tokens = st.one_of(st.integers(0, 50256), st.integers(ZERO, SIZE - 1), st.just(VOCABULARY.end))


def histories(rows: int) -> st.SearchStrategy[list[list[int]]]:
    return st.integers(0, 5).flatmap(
        lambda length: st.lists(
            st.lists(tokens, min_size=length, max_size=length), min_size=rows, max_size=rows
        )
    )


def oracle(logits: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """What whisper's own filters make of logits after what was said."""
    logits = logits.clone()
    SuppressBlank(TOKENIZER, 0).apply(logits, said)
    SuppressTokens(VOCABULARY.suppressed).apply(logits, said)
    ApplyTimestampRules(TOKENIZER, 0, 50).apply(logits, said)
    return logits


@settings(deadline=None, max_examples=30)
@given(
    said=histories(rows=3),
    favour=st.sampled_from([-20.0, 0.0, 3.0, 20.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_may_come_next_is_what_whisper_lets_through(
    said: list[list[int]], favour: float, seed: int
) -> None:
    # A window's first token is always a timestamp.
    rows = torch.tensor([[ZERO, *row] for row in said] if said[0] else said, dtype=torch.long)
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(random.normal(size=(3, SIZE)).astype(np.float32))
    logits[:, ZERO:] += favour
    expected = oracle(logits, rows)
    if rows.shape[1] == 0:
        RULES.mask_first(logits)
    else:
        history = RULES.begin(3)
        for chosen in rows.T:
            history = RULES.follow(history, chosen)
        RULES.mask(logits, history)
    torch.testing.assert_close(logits, expected, rtol=0, atol=0)
