import pytest

from whisper_transcriber.engine.segments import phrases

END, ZERO = 100, 200
"""Text tokens are below END, timestamps from ZERO on, 20 ms apart."""


def at(seconds: float) -> int:
    return ZERO + round(seconds / 0.02)


def cut(tokens: list[int]) -> list[tuple[float, float | None, str]]:
    """Start, end and text of each phrase, to the nearest 10 ms."""
    found = phrases(
        tokens,
        end_of_text=END,
        first_timestamp=ZERO,
        to_text=lambda numbers: "".join(f" {number}" for number in numbers),
    )
    return [
        (round(each.start, 2), each.end if each.end is None else round(each.end, 2), each.text)
        for each in found
    ]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        pytest.param([], [], id="nothing said"),
        pytest.param([at(0), 1, 2, at(1)], [(0.0, 1.0, " 1 2")], id="one phrase"),
        pytest.param(
            [at(0), 1, at(1), at(1), 2, at(2)],
            [(0.0, 1.0, " 1"), (1.0, 2.0, " 2")],
            id="two phrases",
        ),
        pytest.param([at(0.5), 1, 2], [(0.5, None, " 1 2")], id="never closed"),
        pytest.param([1, 2], [(0.0, None, " 1 2")], id="no timestamps at all"),
        pytest.param([at(0), at(1), at(1), 1, at(2)], [(1.0, 2.0, " 1")], id="an empty phrase"),
        pytest.param([at(0), 1, 150, at(1)], [(0.0, 1.0, " 1")], id="special tokens are no text"),
    ],
)
def test_tokens_are_cut_at_their_timestamps(
    tokens: list[int], expected: list[tuple[float, float | None, str]]
) -> None:
    assert cut(tokens) == expected


def test_a_phrase_keeps_its_tokens_with_their_timestamps() -> None:
    (phrase,) = phrases(
        [at(0), 1, at(1)],
        end_of_text=END,
        first_timestamp=ZERO,
        to_text=lambda numbers: " x" * len(numbers),
    )
    assert phrase.tokens == (at(0), 1, at(1))
