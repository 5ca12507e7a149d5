from dev.recording import Sentence
from tests.benchmarks.scores import Said, Score, score, total

TALK = (
    Sentence(1.0, 3.0, ("the", "server", "starts")),
    Sentence(5.0, 7.0, ("Monday", "is", "cold")),
)


def test_a_perfect_transcript_has_no_errors():
    heard = [Said(1.1, 3.0, " The server starts."), Said(4.8, 7.0, " monday is cold")]
    found = score(TALK, heard)
    assert (found.spoken, found.errors, found.stray_words) == (6, 0, 0)
    assert [round(error, 3) for error in found.start_errors] == [0.1, 0.2]


def test_a_segment_over_two_sentences_is_early_for_the_second():
    found = score(TALK, [Said(1.0, 7.0, "the server starts monday is cold")])
    assert found.start_errors == (0.0, 4.0)


def test_a_sentence_whose_first_word_was_not_heard_has_no_start():
    found = score(TALK, [Said(1.0, 3.0, "the server starts"), Said(5.0, 7.0, "is cold")])
    assert found.errors == 1
    assert found.start_errors == (0.0,)


def test_text_far_from_every_sentence_is_stray_and_an_error():
    heard = [Said(1.0, 3.0, "the server starts"), Said(20.0, 22.0, "thank you")]
    found = score(TALK, heard)
    assert found.stray_words == 2
    assert found.errors == 3


def test_where_nobody_speaks_every_word_is_stray():
    assert score((), [Said(0.0, 2.0, "thank you")]) == Score(0, 2, (), 2)


def test_silence_instead_of_speech_loses_every_word():
    assert score(TALK, []).word_error_rate == 1.0


def test_clips_count_by_their_words():
    both = total([Score(10, 1, (0.1,), 0), Score(90, 0, (0.3, 0.5), 2)])
    assert both.word_error_rate == 0.01
    assert both.start_error == 0.3
    assert both.stray_words == 2
