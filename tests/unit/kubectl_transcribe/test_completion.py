from kubectl_transcribe.__main__ import main
from kubectl_transcribe.verbs.completion import suggestions


def test_kubectl_is_told_the_verbs_with_their_help():
    lines = suggestions(main, [], "su").splitlines()
    assert [each.split("\t")[0] for each in lines] == ["submit", "suspend", ":4"]
    assert lines[0].split("\t")[1].startswith("Transcribe recordings")


def test_kubectl_is_told_the_flags_and_their_values():
    assert "--node-pool" in suggestions(main, ["submit"], "--node")
    assert suggestions(main, ["submit", "--format"], "t").splitlines() == ["txt", "tsv", ":4"]


def test_where_a_file_is_wanted_the_shell_completes_it():
    assert suggestions(main, ["submit"], "stand").splitlines() == [":0"]
