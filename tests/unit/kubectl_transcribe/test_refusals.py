import json

import pytest

from kubectl_transcribe.errors import (
    ForbiddenError,
    NoResourceError,
    NotFoundError,
    QuotaError,
    RefusedError,
    UnreachableError,
)
from kubectl_transcribe.refusals import refusal


def said(message: str, **more: object) -> bytes:
    return json.dumps({"kind": "Status", "message": message, **more}).encode()


TAKEN = said('"standup" already exists', reason="AlreadyExists")
ANSWERS = [
    ("a stale login", 401, said("Unauthorized"), ForbiddenError, "log in again"),
    ("no right", 403, said("cannot list"), ForbiddenError, "administrator for that right"),
    ("no quota", 403, said("exceeded quota: jobs"), QuotaError, "a larger quota"),
    ("no such object", 404, said("not found"), NotFoundError, "not found"),
    ("no such resource", 404, b"404 page not found", NoResourceError, "helm install"),
    ("a mistake", 422, said("spec.x is wrong"), RefusedError, "spec.x is wrong"),
    ("a name that is taken", 409, TAKEN, RefusedError,
     '"standup" already exists: choose another --name, or cancel that one first'),
    ("a conflict", 409, said("modified", reason="Conflict"), RefusedError, "modified"),
    ("trouble", 503, b"etcd", UnreachableError, "answers 503 (etcd): try again later"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "content", "kind", "sentence"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS]
)
def test_an_answer_is_the_error_that_says_what_to_do(status, content, kind, sentence):
    error = refusal(status, content)
    assert type(error) is kind
    assert sentence in str(error)
