import numpy as np
import pytest
import torch
import whisper  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from transcription_contract.decoding import Decoding
from whisper_transcriber.engine.sequential import plain_prompt


class Stop(Exception):
    pass


def test_the_segments_are_those_of_openai_whisper() -> None:
    model = tiny.model()
    (recording,) = tiny.noise(4.0)
    passage = tiny.engine(model).transcribe(recording, "en", lambda: None)
    torch.manual_seed(0)
    expected = whisper.transcribe(model, recording, language="en", fp16=False)
    assert passage.language == "en"
    assert str(list(passage.segments)) == str(expected["segments"])


def test_what_is_raised_before_a_window_ends_the_call_and_leaves_no_hook() -> None:
    model = tiny.model()
    calls = []

    def stop_at_the_second() -> None:
        calls.append(len(calls))
        if len(calls) == 2:
            raise Stop

    with pytest.raises(Stop):
        tiny.engine(model).transcribe(np.concatenate(tiny.noise(31.0)), None, stop_at_the_second)
    assert calls == [0, 1]
    assert not model.encoder._forward_pre_hooks


def test_the_job_s_options_reach_whisper(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def transcribe(*_: object, **options: object) -> dict[str, object]:
        given.update(options)
        return {"language": "de", "segments": []}

    monkeypatch.setattr(whisper, "transcribe", transcribe)
    engine = tiny.engine(
        task="translate", word_timestamps=True, beam_size=3, initial_prompt="kopf",
        temperature=["0", "0.5"], logprob_threshold="-1.5",
    )  # fmt: skip
    assert engine.transcribe(tiny.noise(1.0)[0], None, lambda: None).language == "de"
    assert given == {
        "language": None,
        "task": "translate",
        "word_timestamps": True,
        "fp16": False,
        "temperature": (0.0, 0.5),
        "compression_ratio_threshold": 2.4,
        "logprob_threshold": -1.5,
        "no_speech_threshold": 0.6,
        "initial_prompt": "kopf",
        "beam_size": 3,
    }


@pytest.mark.parametrize(
    ("decoding", "prompt"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"initial_prompt": " kopf "}, "kopf", id="prompt"),
        pytest.param({"hotwords": ["b", "a", "B"]}, "b, a", id="hotwords"),
        pytest.param({"hotwords": ["a"], "initial_prompt": "kopf"}, "a kopf", id="both"),
        pytest.param({"initial_prompt": "x <|endoftext|>"}, "x < |endoftext|>", id="signals"),
    ],
)
def test_the_prompt_holds_hotwords_and_no_signals(decoding: dict[str, object], prompt: str) -> None:
    assert plain_prompt(Decoding.model_validate(decoding)) == prompt
