import click
import pytest

from kubectl_transcribe import flags

OPTION = click.Option(["--timeout"])
CONTEXT = click.Context(click.Command("follow"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("90", 90), ("15m", 900), ("1h30m", 5400), ("1h1m1s", 3661), (None, None)],
)
def test_durations_are_taken_as_kubectl_takes_them(text, seconds):
    assert flags.seconds(CONTEXT, OPTION, text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5d", "30m1h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(click.BadParameter, match="90s, 15m or 1h30m"):
        flags.seconds(CONTEXT, OPTION, text)
