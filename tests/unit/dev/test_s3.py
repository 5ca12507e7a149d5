"""The examples are those of Amazon's documentation of Signature Version 4."""

import datetime

from dev.s3 import Credentials, sign

WHEN = datetime.datetime(2013, 5, 24, tzinfo=datetime.UTC)
WHO = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
ENDPOINT = "https://examplebucket.s3.amazonaws.com"


def signature(path: str, query: str) -> str:
    headers = sign("GET", ENDPOINT, path, query, b"", WHO, WHEN)
    return headers["authorization"].rpartition("Signature=")[2]


def test_a_request_is_signed_as_amazon_documents_it():
    listing = "max-keys=2&prefix=J"
    assert signature("/", listing) == (
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )


def test_the_signature_covers_path_and_query():
    assert len({signature("/", ""), signature("/a", ""), signature("/", "prefix=a")}) == 3


def test_a_key_may_hold_any_character():
    assert signature("/recordings/a b/ü.mp3", "")
