import pytest

from transcription_operator.policies.wording import shortened, skeleton

PAIRS = [
    ("counts", "0/3 nodes are available: 3 Insufficient cpu.",
     "0/4 nodes are available: 4 Insufficient cpu.", True),
    ("their order", "0/3 nodes: 1 Insufficient memory, 2 Insufficient cpu.",
     "0/3 nodes: 1 Insufficient cpu, 2 Insufficient memory.", True),
    ("a pod's name", "pod a-0-x7k2p: no image", "pod a-1-qqqqq: no image", True),
    ("a pod's name in quotes", 'pods "a-0-x7k2p" is forbidden', 'pods "a-0-zzzzz" is forbidden',
     True),
    ("a container's id", "container 0123456789abcdef is gone", "container fedcba9876543210 is gone",
     True),
    ("one cause more", "0/3 nodes: 3 Insufficient cpu.",
     "0/3 nodes: 1 Insufficient memory, 2 Insufficient cpu.", False),
    ("another object", 'secret "a" not found', 'secret "b" not found', False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS]
)
def test_two_messages_are_the_same_but_for_what_varies(one, other, same):
    assert (skeleton(one) == skeleton(other)) == same


@pytest.mark.parametrize("text", ["", "short", "é" * 5, "é" * 6, "a" + "é" * 6, "日本語の文字列"])
def test_a_text_is_cut_between_characters(text):
    cut = shortened(text, 10)
    assert len(cut.encode()) <= 10
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
