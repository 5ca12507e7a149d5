from whisper_transcriber.audio.windows import Span, Window
from whisper_transcriber.coordination.language import VOTERS, vote, voters


def window(start: int, spoken: int) -> Window:
    return Window(item=0, start=start, stop=start + 1000, speech=(Span(start, start + spoken),))


def test_the_mean_over_all_windows_decides_not_their_majority() -> None:
    ballots = [{"de": 0.95, "nl": 0.05}, {"de": 0.45, "nl": 0.55}, {"de": 0.45, "nl": 0.55}]
    winner = vote(ballots)
    assert winner.language == "de"
    assert winner.probability == round((0.95 + 0.45 + 0.45) / 3, 4)


def test_of_equal_languages_the_first_in_the_alphabet_wins_whatever_the_order() -> None:
    assert vote([{"fr": 0.5, "es": 0.5}]) == vote([{"es": 0.5, "fr": 0.5}])
    assert vote([{"fr": 0.5, "es": 0.5}]).language == "es"


def test_the_windows_with_the_most_speech_vote_in_order_of_time() -> None:
    planned = [window(number * 1000, spoken) for number, spoken in enumerate([1, 9, 3, 9, 5, 7, 2])]
    assert [each.start for each in voters(planned)] == [1000, 3000, 4000, 5000]
    assert len(voters(planned)) == VOTERS


def test_a_short_recording_votes_with_what_it_has() -> None:
    assert voters([window(0, 5)]) == [window(0, 5)]
