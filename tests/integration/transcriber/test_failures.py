"""Every failure ends with the right code and a sentence that helps."""

import subprocess
from pathlib import Path

import pytest

from tests.integration.transcriber.conftest import free_port
from tests.integration.transcriber.gate import Gate
from tests.integration.transcriber.worker import Cluster, wait_until
from transcription_contract.options import ModelReference
from transcription_contract.task import Limits


def put(cluster: Cluster, directory: Path, name: str, content: bytes) -> str:
    path = directory / name
    path.write_bytes(content)
    return cluster.store.put("media", f"broken/{name}", path)


def test_a_missing_object_is_named(cluster: Cluster) -> None:
    task = cluster.task("s3://media/no/such.mp3")
    worker = cluster.run(task)
    assert worker.process.returncode == 66, worker.log
    assert worker.error.reason == "SourceNotFound"
    assert worker.error.message == "s3://media/no/such.mp3 does not exist: check spec.source.uri"


def test_a_missing_source_bucket_is_named(cluster: Cluster) -> None:
    worker = cluster.run(cluster.task("s3://nowhere/such.mp3"))
    assert worker.process.returncode == 78, worker.log
    assert worker.error.reason == "BucketNotFound"
    assert "'nowhere' of s3://nowhere/such.mp3" in worker.error.message


def test_a_missing_output_bucket_is_a_configuration_error(cluster: Cluster, talk: str) -> None:
    worker = cluster.run(cluster.task(talk, output_uri="s3://nowhere/talks/"))
    assert worker.process.returncode == 78, worker.log
    assert worker.error.reason == "BucketNotFound"
    assert "'nowhere'" in worker.error.message


@pytest.mark.parametrize(
    ("variable", "code"),
    [
        ("AWS_ACCESS_KEY_ID", "XAdminUserNotFound"),  # versitygw's word for InvalidAccessKeyId
        ("AWS_SECRET_ACCESS_KEY", "SignatureDoesNotMatch"),
    ],
)
def test_wrong_keys_are_refused_at_once_with_the_store_s_code_and_the_secret(
    cluster: Cluster, talk: str, variable: str, code: str
) -> None:
    task = cluster.task(talk)
    worker = cluster.run(task, environment={variable: "wrong"})
    assert worker.process.returncode == 77, worker.log
    assert worker.error.reason == "AccessDenied"
    assert code in worker.error.message
    assert "'object-store'" in worker.error.message
    assert f"{task.output_uri}manifest.json" in worker.error.message


def test_a_store_that_is_down_is_tried_again_and_then_named(cluster: Cluster, talk: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    worker = cluster.run(cluster.task(talk), environment={"AWS_ENDPOINT_URL": endpoint})
    assert worker.process.returncode == 69, worker.log
    assert worker.error.reason == "ObjectStoreUnavailable"
    assert endpoint in worker.error.message
    assert worker.log.count("trying again") >= 2


def test_an_endpoint_that_is_no_url_is_a_configuration_error(cluster: Cluster, talk: str) -> None:
    worker = cluster.run(cluster.task(talk), environment={"AWS_ENDPOINT_URL": "minio:9000"})
    assert worker.process.returncode == 78, worker.log
    assert "is not a URL" in worker.error.message


def test_a_text_file_is_no_recording(cluster: Cluster, tmp_path: Path) -> None:
    uri = put(cluster, tmp_path, "notes.mp3", b"These are no sounds.\n" * 100)
    worker = cluster.run(cluster.task(uri))
    assert worker.process.returncode == 65, worker.log
    assert worker.error.reason == "MediaInvalid"
    assert worker.error.message == f"{uri} is a text file, not a recording"


def test_an_empty_object_is_no_recording(cluster: Cluster, tmp_path: Path) -> None:
    uri = put(cluster, tmp_path, "empty.mp3", b"")
    worker = cluster.run(cluster.task(uri))
    assert worker.process.returncode == 65, worker.log
    assert worker.error.message == f"{uri} is empty (0 bytes)"


def test_too_many_bytes_are_not_even_downloaded(cluster: Cluster, talk: str) -> None:
    worker = cluster.run(cluster.task(talk, limits=Limits(max_file_bytes=1000)))
    assert worker.process.returncode == 65, worker.log
    assert worker.error.reason == "LimitExceeded"
    assert "more than the 1000 that limits.maxFileBytes" in worker.error.message


def test_a_model_with_another_checksum_is_refused_with_both(cluster: Cluster, talk: str) -> None:
    promised = "a" * 64
    model = ModelReference(uri=cluster.model.uri, sha256=promised)
    worker = cluster.run(cluster.task(talk, model=model))
    assert worker.process.returncode == 78, worker.log
    assert worker.error.reason == "ModelInvalid"
    assert promised in worker.error.message
    assert str(cluster.model.sha256) in worker.error.message


def test_a_missing_model_is_named(cluster: Cluster, talk: str) -> None:
    model = ModelReference(uri="s3://models/none.pt", sha256="a" * 64)
    worker = cluster.run(cluster.task(talk, model=model))
    assert worker.process.returncode == 78, worker.log
    assert "s3://models/none.pt does not exist" in worker.error.message


def test_a_language_that_the_model_does_not_know_is_refused(cluster: Cluster, talk: str) -> None:
    worker = cluster.run(cluster.task(talk, language="tlh"))
    assert worker.process.returncode == 78, worker.log
    assert worker.error.reason == "LanguageUnknown"


def test_a_broken_task_is_a_configuration_error(cluster: Cluster, talk: str) -> None:
    worker = cluster.run(cluster.task(talk), environment={"TASK": '{"uid": 1}'})
    assert worker.process.returncode == 78, worker.log
    assert "sourceUri" in worker.error.message


def test_no_message_shows_a_local_path(cluster: Cluster, tmp_path: Path) -> None:
    uri = put(cluster, tmp_path, "junk.wav", b"RIFF\x00\x00\x00\x00WAVEjunk" * 50)
    worker = cluster.run(cluster.task(uri))
    assert worker.process.returncode == 65, worker.log
    assert str(cluster.directory) not in worker.error.message


def test_a_store_behind_an_unknown_authority_is_trusted_through_the_secret_s_certificate(
    cluster: Cluster, talk: str, tmp_path: Path
) -> None:
    from tests.integration.transcriber.conftest import serve

    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
         str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    port = free_port()
    server = serve(tmp_path, "--cert", str(certificate), "--key", str(key), port=port)
    try:
        endpoint = f"https://127.0.0.1:{port}"
        distrusted = cluster.run(cluster.task(talk), environment={"AWS_ENDPOINT_URL": endpoint})
        trusted = cluster.run(
            cluster.task(talk),
            environment={"AWS_ENDPOINT_URL": endpoint, "CA_CERTIFICATE_PATH": str(certificate)},
        )
    finally:
        server.kill()
        server.wait()
    assert distrusted.process.returncode == 78, distrusted.log
    assert "add caCert to the Secret 'object-store'" in distrusted.error.message
    assert trusted.process.returncode == 66, trusted.log


def test_the_source_s_replacement_is_noticed_when_a_new_pod_goes_on(
    cluster: Cluster, gate: Gate, tmp_path: Path, talk: str
) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(cluster.store.get(talk))
    uri = cluster.store.put("media", "replaced.mp3", path)
    task = cluster.task(uri)
    first = cluster.start(task, environment=gate.environment)
    gate.let(1)
    wait_until(lambda: gate.held > 0 and len(cluster.parts(task)) == 1, first)
    first.process.kill()
    first.wait()

    path.write_bytes(path.read_bytes() + b"more")
    cluster.store.put("media", "replaced.mp3", path)
    second = cluster.run(task)

    assert second.process.returncode == 65, second.log
    assert second.error.reason == "SourceReplaced"
    assert uri in second.error.message
