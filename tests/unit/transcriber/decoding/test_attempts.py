import pytest

from tests.unit.transcriber.decoding.decoded import CLEAR, LOOP, decode, run, texts
from tests.unit.transcriber.decoding.spans import ITEM, SECOND, window
from tests.unit.transcriber.engines import FakeEngine, heard
from whisper_transcriber.decoding.transcript import Suspicion
from whisper_transcriber.engine.protocol import DecodingResult


def test_an_improbable_window_is_tried_at_higher_temperatures_seeded_by_its_offset() -> None:
    def better_when_warm(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, 8.0, " warm"), avg_logprob=-2.0 if temperature < 0.3 else -0.5)

    engine = FakeEngine(better_when_warm)
    (segment,) = decode(engine, window(7, 15))
    assert (segment.text, segment.suspect) == (" warm", ())
    assert [(call[1], call[2]) for call in engine.calls] == [
        (0.0, 0),
        (0.2, 7 * SECOND),
        (0.4, 7 * SECOND),
    ]


def test_temperatures_are_those_of_the_job() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 2.0, " x"), avg_logprob=-2.0))
    decode(engine, window(0, 2), temperature=["0.1", "0.7"])
    assert [temperature for _, temperature, _ in engine.calls] == [0.1, 0.7]


def test_one_temperature_means_one_attempt() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 2.0, " x"), avg_logprob=-2.0))
    (segment,) = decode(engine, window(0, 2), temperature=["0"])
    assert (segment.text, len(engine.calls)) == (" x", 1)


def test_higher_temperatures_end_after_two_that_are_worse() -> None:
    engine = FakeEngine(
        lambda _start, _stop, warm: heard((0.0, 8.0, f" at {warm}"), avg_logprob=-1.5 - warm)
    )
    (segment,) = decode(engine, window(0, 8))
    assert (segment.text, segment.suspect) == (" at 0.0", (Suspicion.LOW_PROBABILITY,))
    assert [temperature for _, temperature, _ in engine.calls] == [0.0, 0.2, 0.4]


def test_a_window_that_loops_at_every_temperature_costs_few_calls_and_keeps_its_best_text() -> None:
    def loops(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, (stop - start) / SECOND, LOOP), avg_logprob=-0.5 - temperature)

    engine = FakeEngine(loops)
    segments = decode(engine, window(0, 12))
    assert texts(segments) == [LOOP] * 4
    assert {segment.suspect for segment in segments} == {(Suspicion.LOOP,)}
    assert {segment.temperature for segment in segments} == {0.0}
    assert len(engine.calls) == 1 + 1 + 1 + 5


@pytest.mark.parametrize(
    ("attempts", "kept"),
    [
        pytest.param([(LOOP, -0.1), (CLEAR, -3.0)], CLEAR, id="no loop before probable"),
        pytest.param([(CLEAR, -1.5), (" other", -1.2)], " other", id="the more probable"),
        pytest.param([(CLEAR, -1.5), (" other", -1.5)], CLEAR, id="the first of equals"),
        pytest.param([(" so " * 80, -1.1), (CLEAR, -3.0)], CLEAR, id="what can be said"),
    ],
)
def test_the_best_attempt_is_kept(attempts: list[tuple[str, float]], kept: str) -> None:
    def answer(_start: int, _stop: int, temperature: float) -> DecodingResult:
        text, logprob = attempts[round(temperature)]
        return heard((0.0, 2.0, text), avg_logprob=logprob)

    (segment,) = decode(FakeEngine(answer), window(0, 2), temperature=["0", "1"])
    assert segment.text == kept
    assert segment.suspect


@pytest.mark.parametrize(
    ("result", "suspicions"),
    [
        pytest.param(heard((0.0, 2.0, " x"), avg_logprob=-1.1), ["lowProbability"], id="logprob"),
        pytest.param(heard((0.0, 2.0, LOOP)), ["loop"], id="loop"),
        pytest.param(heard((0.0, 2.0, " x" * 200)), ["loop", "rate"], id="loop and rate"),
        pytest.param(heard((0.0, 2.0, " x"), tokens=[1]), ["rate"], id="hardly any text"),
        pytest.param(heard((0.0, 2.0, " x"), compression_ratio=3.0), [], id="only bytes repeat"),
        pytest.param(heard((0.0, 2.0, " x"), no_speech_prob=0.9), [], id="sure of its text"),
    ],
)
def test_a_segment_says_why_it_is_suspect(result: DecodingResult, suspicions: list[str]) -> None:
    (segment,) = decode(FakeEngine(lambda *_: result), window(0, 2))
    assert [str(each) for each in segment.suspect] == suspicions


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        pytest.param({}, 1, id="openai-whisper's defaults"),
        pytest.param({"logprobThreshold": "-0.1"}, 3, id="logprobThreshold"),
        pytest.param({"compressionRatioThreshold": "0.5"}, 6, id="compressionRatioThreshold"),
    ],
)
def test_thresholds_are_those_of_the_job(options: dict[str, object], calls: int) -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 2.0, CLEAR), avg_logprob=-0.2))
    decode(engine, window(0, 2), **options)
    assert len(engine.calls) == calls


def silent_text(*_: object) -> DecodingResult:
    return heard((0.0, 2.0, " Thank you."), avg_logprob=-1.5, no_speech_prob=0.9)


def test_text_of_a_short_window_that_whisper_takes_for_silence_is_counted_and_dropped() -> None:
    engine = FakeEngine(silent_text)
    result = run(engine, window(0, 2))
    assert result.segments[ITEM] == []
    assert result.dropped_seconds == 2.0
    assert len(engine.calls) == 1


def test_where_somebody_speaks_for_long_whisper_s_silence_is_flagged_text() -> None:
    (segment,) = decode(FakeEngine(silent_text), window(0, 2.5), window(5, 15))
    assert segment.start == 5
    assert segment.suspect[:2] == (Suspicion.LOW_PROBABILITY, Suspicion.NO_SPEECH)


def test_without_a_detector_whisper_alone_says_what_is_silence() -> None:
    result = run(FakeEngine(silent_text), window(0, 15), vad={"enabled": False})
    assert result.segments[ITEM] == []
    assert result.dropped_seconds == 2.0


def test_the_silence_threshold_is_the_job_s() -> None:
    (segment,) = decode(FakeEngine(silent_text), window(0, 2), noSpeechThreshold="0.95")
    assert segment.text == " Thank you."


def test_suspect_text_is_left_out_and_counted_if_the_job_says_so() -> None:
    def second_is_bad(start: int, stop: int, temperature: float) -> DecodingResult:
        figures = {"avg_logprob": -2.0} if start else {}
        return heard((0.0, (stop - start) / SECOND, f" {start}"), **figures)

    engine = FakeEngine(second_is_bad)
    result = run(engine, window(0, 2), window(3, 6), suspectText="drop")
    assert texts(list(result.segments[ITEM])) == [" 0"]
    assert (result.suspect, result.dropped_seconds) == (0, 3.0)
