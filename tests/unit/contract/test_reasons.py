import pytest

from transcription_contract.reason import Fault, plain_text
from transcription_contract.reasons import canonical, fault_of, is_problem, of_phase


@pytest.mark.parametrize(
    ("word", "problem", "fault"),
    [
        ("ImagePullBackOff", True, Fault.INSTALLATION),
        ("ErrImagePull", True, Fault.INSTALLATION),
        ("WorkersStarting", False, Fault.NONE),
        ("Retrying", False, Fault.NONE),
        ("MediaInvalid", True, Fault.USER),
        ("MadeUpByAPlugin", True, Fault.CLUSTER),
    ],
)
def test_a_word_says_whether_to_look_and_whose_fault_it_is(word, problem, fault):
    assert (is_problem(word), fault_of(word)) == (problem, fault)


@pytest.mark.parametrize(
    ("word", "stands_for_it"),
    [("ErrImagePull", "ImagePullBackOff"), ("Evicted", "Evicted"), ("Unheard", "Unheard")],
)
def test_words_of_kubernetes_that_alternate_are_one(word, stands_for_it):
    assert canonical(word) == stands_for_it


def test_an_alias_is_no_reason_of_a_phase():
    words = {reason.word for reason in of_phase("Pending")}
    assert "ImagePullBackOff" in words
    assert "ErrImagePull" not in words


def test_a_link_is_spelled_out_for_a_terminal():
    assert plain_text("Check [the names](models.md#names), or [AWS](https://a.example).") == (
        "Check the names (docs/models.md#names), or AWS (https://a.example)."
    )
