"""doctor: the Secret, the object store and its buckets."""

import json

import pytest

from tests.integration.kubectl_transcribe.doctor import is_wrong, look, only
from tests.integration.kubectl_transcribe.plugin import SECRET, Plugin, UserStage
from tests.integration.transcriber.conftest import free_port
from tests.integration.transcriber.worker import ACCESS_KEY, SECRET_KEY


def test_a_secret_that_is_not_there(bare_stage: UserStage, plugin: Plugin):
    is_wrong(plugin, "Secret", f"there is no Secret {SECRET}", "kubectl create secret generic")


@pytest.mark.parametrize("key", ["endpoint", "accessKey", "secretKey"])
def test_a_secret_that_lacks_a_key(bare_stage: UserStage, plugin: Plugin, key: str):
    bare_stage.write_secret(**{key: None})
    is_wrong(plugin, "Secret", f"lacks {key}", f"kubectl patch secret {SECRET}")


def test_a_key_with_a_line_end_is_not_shown(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(secretKey="hunter2\n")
    is_wrong(plugin, "Secret", "around the value of secretKey", f"kubectl patch secret {SECRET}")
    assert "hunter2" not in plugin("doctor").out


def test_a_key_that_cannot_be_sent_is_not_shown(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(sessionToken="hunter\n2")
    is_wrong(plugin, "object store", "characters that cannot be sent", "kubectl edit secret")
    assert "hunter" not in plugin("doctor").out


def test_a_secret_that_the_latest_jobs_do_without_is_a_note(bare_stage: UserStage, plugin: Plugin):
    bare_stage.apply(objectStore={"endpoint": bare_stage.store.endpoint})
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    found = json.loads(plugin("doctor", "-o", "json", **keys).out)
    assert only(found, "Secret")["level"] == "note"
    assert only(found, "object store")["level"] == "ok"
    is_wrong(plugin, "Secret", "there is no Secret", "kubectl create", "--secret", SECRET)


def test_an_endpoint_that_is_no_url(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(endpoint="s3.example.com")
    is_wrong(plugin, "Secret", "is not a URL", f"kubectl patch secret {SECRET}")


def test_a_store_that_does_not_answer(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(endpoint=f"http://127.0.0.1:{free_port()}")
    again = f"doctor -n {bare_stage.namespace} --bucket=media --endpoint URL"
    is_wrong(plugin, "object store", "cannot be reached from this machine", again,
             "--bucket", "media")  # fmt: skip


def test_a_store_that_only_pods_reach_is_a_note(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(endpoint="http://store.store.svc:9000")
    _, found = look(plugin)
    assert only(found, "object store")["level"] == "note"
    assert "svc/store 9000:9000" in only(found, "object store")["mend"]
    _, found = look(plugin, "--endpoint", bare_stage.store.endpoint)
    assert only(found, "object store")["level"] == "ok"


@pytest.mark.parametrize("keys", [{"secretKey": "wrong"}, {"accessKey": "nobody"}])
def test_keys_that_are_refused(bare_stage: UserStage, plugin: Plugin, keys):
    bare_stage.write_secret(**keys)
    is_wrong(plugin, "object store", "does not accept the keys", f"kubectl edit secret {SECRET}")


def test_a_bucket_that_is_not_there(stage: UserStage, plugin: Plugin):
    is_wrong(plugin, "bucket", "the bucket nobodys does not exist", "s3 mb s3://nobodys",
             "--bucket", "nobodys")  # fmt: skip


def test_a_bucket_is_named_without_its_scheme(stage: UserStage, plugin: Plugin):
    ended = plugin("doctor", "--bucket", "s3://media")
    assert ended.code == 2
    assert (
        "--bucket (or TRANSCRIBE_BUCKET) takes a name, without s3:// and slashes, such as media"
        in ended.err
    )


def test_a_certificate_that_is_none(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(caCert="not PEM")
    is_wrong(plugin, "object store", "caCert is no certificate", "kubectl edit secret")
