"""What submit makes of a store that does not show what lies in it."""

from collections.abc import Iterator

from kubectl_transcribe.errors import AccessDeniedError
from kubectl_transcribe.manifest import Wishes, submissions
from kubectl_transcribe.verbs import submit
from transcription_contract.locations import ObjectUri


class Closed:
    """A Store whose keys may only put."""

    @classmethod
    def open(cls, *arguments: object) -> "Closed":
        return cls()

    def below(self, prefix: ObjectUri) -> Iterator[ObjectUri]:
        raise AccessDeniedError(f"the keys may not do this with {prefix}")


class Here:
    """A Cluster that nobody asks."""

    namespace = "media"


def test_keys_that_may_not_list_are_a_warning_and_the_upload_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(submit, "Store", Closed)
    wishes = Wishes(name="calls", bucket="acme")
    (several,) = submissions(["a.mp3", "b.mp3"], wishes, "media")
    submit._require_own_prefix(Here(), several, None)
    assert capsys.readouterr().err == (
        "warning: the keys may not do this with s3://acme/recordings/calls/: what lies there "
        "already is transcribed, too\n"
    )


def test_of_a_single_file_nothing_is_asked(monkeypatch, capsys):
    monkeypatch.setattr(submit, "Store", Closed)
    (one,) = submissions(["a.mp3"], Wishes(name="calls", bucket="acme"), "media")
    submit._require_own_prefix(Here(), one, None)
    assert capsys.readouterr().err == ""
