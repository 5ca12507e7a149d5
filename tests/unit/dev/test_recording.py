import array
import json

from dev.recording import Sentence, _as_text, read, without_trailing_silence


def test_a_sentence_has_a_capital_and_a_full_stop():
    assert _as_text(("every", "Monday")) == "Every Monday."


def test_trailing_silence_is_cut_but_no_speech_is():
    sound = array.array("h", [0, 3000, -4000, 5, -9, 0]).tobytes()
    assert without_trailing_silence(sound) == array.array("h", [0, 3000, -4000]).tobytes()
    assert without_trailing_silence(bytes(8)) == b""


def test_half_a_sample_at_the_end_is_dropped():
    assert without_trailing_silence(array.array("h", [4000]).tobytes() + b"\1") == b"\xa0\x0f"


def test_the_reference_is_read_back(tmp_path):
    file = tmp_path / "standup.json"
    file.write_text(json.dumps([{"start": 0.5, "end": 1.25, "words": ["red", "house"]}]))
    assert read(file) == [Sentence(0.5, 1.25, ("red", "house"))]
