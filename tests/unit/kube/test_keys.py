from transcription_kube.keys import key_of, namespace_of


def test_a_key_is_the_namespace_and_the_name():
    assert key_of({"metadata": {"namespace": "media", "name": "standup"}}) == "media/standup"
    assert namespace_of("media/standup") == "media"


def test_an_object_without_a_namespace_has_a_key_too():
    assert key_of({"metadata": {"name": "media"}}) == "/media"
