from collections.abc import Mapping
from itertools import count

import pytest

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.listing import pages

PREFIX = ObjectUri("media", "talks/")
ENOUGH = 20


def page(token: str, *keys: str) -> bytes:
    entries = "".join(f"<Contents><Key>talks/{key}</Key></Contents>" for key in keys)
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    truncated = "true" if token else "false"
    return (
        f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{entries}"
        "</ListBucketResult>"
    ).encode()


def test_a_listing_that_repeats_itself_under_new_tokens_is_an_error() -> None:
    tokens = count()

    def fetch(query: Mapping[str, str]) -> bytes:
        number = next(tokens)
        assert number < ENOUGH
        return page(f"token-{number}", "a", "b")

    with pytest.raises(ConfigurationInvalid, match="repeats itself"):
        list(pages(PREFIX, None, fetch))


def test_a_page_without_objects_is_no_repetition() -> None:
    answers = iter([page("1", "a"), page("2"), page("3"), page("", "b")])
    found = list(pages(PREFIX, None, lambda _: next(answers)))
    assert [each.uri.key for part in found for each in part.objects] == ["talks/a", "talks/b"]
