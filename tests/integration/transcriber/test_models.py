import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.integration.transcriber.conftest import Store
from tests.integration.transcriber.web_server import Exchange, File, Web, serve
from tests.integration.transcriber.worker import ACCESS_KEY, ROOT, SECRET_KEY
from transcription_contract.options import ModelReference
from whisper_transcriber.errors import ModelSourceUnavailable
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import catalogue
from whisper_transcriber.models.store import ModelStore
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.s3 import S3Store
from whisper_transcriber.storage.web import WebSource

CONTENT = os.urandom(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "web").mkdir()
    with serve(tmp_path / "web") as server:
        yield server


def store(s3: Store) -> S3Store:
    return S3Store(
        StoreSettings(
            endpoint=s3.endpoint,
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            session_token=None,
            region=None,
            certificates=None,
            retry_seconds=2.0,
            keys_from="the Secret 'object-store'",
        ),
        Interruption(),
    )


def internet(web: Web) -> WebSource:
    return WebSource(
        Interruption(),
        retry_seconds=1.0,
        allowed_networks=("127.0.0.0/8",),
        certificates=web.certificate,
    )


@pytest.fixture
def official(web: Web, monkeypatch: pytest.MonkeyPatch) -> ModelReference:
    """An official model of a few bytes, which the server in ``web`` publishes."""
    monkeypatch.setattr(catalogue, "_BASE", web.url(""))
    monkeypatch.setitem(
        catalogue.OFFICIAL, "large", replace(catalogue.find("large"), sha256=SHA256)
    )
    return ModelReference(name="large")


def test_an_official_model_is_downloaded_through_cuts(
    official: ModelReference, web: Web, s3: Store, tmp_path: Path
) -> None:
    file = File(CONTENT, cut_after=1_400_000)
    web.answers[f"/{SHA256}/large-v3.pt"] = file
    models = ModelStore(tmp_path / "m", store(s3), Interruption(), internet=internet(web))
    assert models.resolve(official).path.read_bytes() == CONTENT
    asked = [headers.get("Range") for _, headers in web.requests]
    assert asked == ["bytes=0-0", None, "bytes=1400000-", "bytes=2800000-"]
    assert sorted(os.listdir(tmp_path / "m")) == [
        f"{SHA256}.lock", f"{SHA256}.ok", f"{SHA256}.pt"
    ]  # fmt: skip


def test_a_mirror_in_the_object_store_makes_the_internet_needless(
    official: ModelReference, web: Web, s3: Store, tmp_path: Path
) -> None:
    (tmp_path / "large-v3.pt").write_bytes(CONTENT)
    mirror = s3.put("models", "mirror/large-v3.pt", tmp_path / "large-v3.pt").rpartition("/")[0]
    models = ModelStore(
        tmp_path / "m", store(s3), Interruption(), mirror_uri=f"{mirror}/", internet=internet(web)
    )
    assert models.resolve(official).path.read_bytes() == CONTENT
    assert not web.requests


def test_a_mirror_without_the_model_and_no_internet_says_both(
    official: ModelReference, web: Web, s3: Store, tmp_path: Path
) -> None:
    web.answers[f"/{SHA256}/large-v3.pt"] = lambda exchange: exchange.answer(503)
    models = ModelStore(
        tmp_path / "m", store(s3), Interruption(), mirror_uri="s3://models/no/",
        internet=internet(web),
    )  # fmt: skip
    with pytest.raises(ModelSourceUnavailable) as refused:
        models.resolve(official)
    for words in (
        "s3://models/no/large.pt does not exist",
        "status 503",
        "to s3://models/no/large",
    ):
        assert words in str(refused.value)


FETCH = """
import logging, sys
from pathlib import Path
from tests.integration.transcriber import test_models as tests
from tests.integration.transcriber.web_server import Web
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models.cache import ModelCache
from transcription_contract.locations import ObjectUri

folder, certificate, url, sha256 = sys.argv[1:]
logging.basicConfig(level=logging.INFO)
web = tests.internet(Web(0, Path(certificate)))

def fetch(path):
    uri = ObjectUri.parse(url)
    web.download(web.stat(uri), path, resume=True)

print(ModelCache(Path(folder), Interruption()).add("large", sha256, fetch))
"""


def test_a_worker_that_is_killed_while_it_downloads_is_continued_by_the_next_one(
    web: Web, tmp_path: Path
) -> None:
    models, gate, once = tmp_path / "m", threading.Event(), threading.Event()

    def hang_in_the_middle(exchange: Exchange) -> None:
        if exchange.headers.get("Range") == "bytes=0-0" or once.is_set():
            File(CONTENT)(exchange)
            return
        once.set()
        exchange.send_response(200)
        exchange.send_header("Content-Length", str(len(CONTENT)))
        exchange.send_header("ETag", '"first"')
        exchange.end_headers()
        exchange.wfile.write(CONTENT[:2_000_000])
        gate.wait(60)

    web.answers["/large.pt"] = hang_in_the_middle
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "transcriber")]),
    }

    def start(log: Path) -> "subprocess.Popen[bytes]":
        with log.open("wb") as stream:
            return subprocess.Popen(
                [sys.executable, "-c", FETCH, str(models), str(web.certificate),
                 web.url("/large.pt"), SHA256],
                env=variables, stdout=stream, stderr=stream,
            )  # fmt: skip

    first = start(tmp_path / "first.log")
    wait_until(
        "a part is there",
        lambda: any(path.stat().st_size > 1_000_000 for path in models.glob(".*.part")),
        timeout=60,
        hint=(tmp_path / "first.log").read_text(),
    )
    second = start(tmp_path / "second.log")
    wait_until(
        "the second waits",
        lambda: "another worker is fetching" in (tmp_path / "second.log").read_text(),
        timeout=60,
    )
    first.kill()
    first.wait()
    assert second.wait(60) == 0, (tmp_path / "second.log").read_text()
    gate.set()
    assert (models / f"{SHA256}.pt").read_bytes() == CONTENT
    offset = web.requests[-1][1]["Range"].removeprefix("bytes=").removesuffix("-")
    assert 1_000_000 < int(offset) <= 2_000_000
    assert sorted(path.suffix for path in models.iterdir()) == [".lock", ".ok", ".pt"]
