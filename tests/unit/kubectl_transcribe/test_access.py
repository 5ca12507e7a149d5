import pytest

from kubectl_transcribe.access import by_environment, by_secret, how_to_make
from transcription_api.object_store import ObjectStore

SECRET = {"endpoint": "http://store.svc:9000", "accessKey": "a", "secretKey": "s", "region": "eu"}
BY_SECRET = ObjectStore(secret_name="store")


def test_a_secret_says_where_the_store_is_and_what_opens_it():
    access = by_secret("store", SECRET, None)
    assert (access.endpoint, access.region) == ("http://store.svc:9000", "eu")
    assert access.keys is not None
    assert access.keys["accessKey"] == "a"


def test_an_endpoint_of_this_machine_comes_before_the_secrets():
    assert by_secret("store", SECRET, "http://127.0.0.1:9").endpoint == "http://127.0.0.1:9"
    assert by_secret("store", {**SECRET, "endpoint": ""}, "http://127.0.0.1:9")


def test_a_secret_that_lacks_a_key_is_named_with_the_command_that_adds_it():
    with pytest.raises(
        ValueError, match=r"has no secretKey: kubectl patch secret store .*secretKey"
    ):
        by_secret("store", {**SECRET, "secretKey": ""}, None)


@pytest.mark.parametrize("key", ["endpoint", "accessKey", "secretKey", "sessionToken", "region"])
def test_a_value_with_a_line_end_is_refused_and_not_shown(key):
    with pytest.raises(ValueError, match=f"around the value of {key}: kubectl patch") as refused:
        by_secret("store", {**SECRET, key: "hunter2\n"}, None)
    assert "hunter2" not in str(refused.value)


def test_an_endpoint_of_this_machine_mends_the_secrets():
    assert by_secret("store", {**SECRET, "endpoint": "x\n"}, "http://s3 ").endpoint == "http://s3"


def test_a_variable_with_a_line_end_is_refused_and_not_shown():
    environ = {"AWS_SECRET_ACCESS_KEY": "hunter2\n"}
    with pytest.raises(ValueError, match="AWS_SECRET_ACCESS_KEY has blanks") as refused:
        by_environment(BY_SECRET, "http://s3", environ, "forbidden")
    assert "hunter2" not in str(refused.value)


def test_without_a_secret_the_environment_says_it():
    access = by_environment(BY_SECRET, "http://s3", {"AWS_REGION": "eu"}, "forbidden")
    assert (access.endpoint, access.keys, access.region) == ("http://s3", None, "eu")


def test_a_job_by_identity_has_its_own_endpoint():
    spec = ObjectStore(endpoint="https://s3.eu.amazonaws.com", region="eu")
    access = by_environment(spec, None, {}, "no Secret")
    assert (access.endpoint, access.region) == ("https://s3.eu.amazonaws.com", "eu")


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (by_secret("store", SECRET, None), "the endpoint of Secret store"),
        (by_secret("store", SECRET, "s3:9000"), "the address given by --endpoint or AWS_ENDPOINT"),
        (by_environment(BY_SECRET, "s3:9000", {}, "x"), "the address given by --endpoint or AWS_"),
        (by_environment(ObjectStore(endpoint="http://s3"), None, {}, "x"), "spec.objectStore"),
    ],
    ids=["a Secret's", "a flag's beside a Secret", "a flag's", "the job's"],
)
def test_an_address_is_blamed_on_who_gave_it(access, said):
    assert said in access.endpoint_from


def test_a_secret_that_is_not_there_is_made_by_a_command():
    assert how_to_make("store", "media") == (
        "kubectl create secret generic store -n media --from-literal=endpoint=... "
        "--from-literal=accessKey=... --from-literal=secretKey=..."
    )


def test_nowhere_to_look_says_why_and_which_flags_help():
    with pytest.raises(ValueError, match="forbidden: name the object store by --endpoint"):
        by_environment(BY_SECRET, None, {}, "forbidden")
