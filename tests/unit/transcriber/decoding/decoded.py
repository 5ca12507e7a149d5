from tests.unit.transcriber.decoding.spans import ITEM, SECOND
from tests.unit.transcriber.engines import FakeEngine, heard, item_of, ramp, silence
from transcription_contract.decoding import Decoding
from whisper_transcriber.audio.windows import Window
from whisper_transcriber.decoding.fallback import BatchText, FallbackDecoder
from whisper_transcriber.decoding.transcript import Segment
from whisper_transcriber.engine.protocol import DecodingResult

LOOP = " la la la la la la la la la la la la la la la la"
CLEAR = " what was spoken"


def run(engine: FakeEngine, *windows: Window, language: str = "en", **options: object) -> BatchText:
    decoder = FallbackDecoder(
        engine, 8, item_of(ramp), item_of(silence), Decoding.model_validate(options)
    )
    return decoder.decode(windows, {ITEM: language})


def decode(engine: FakeEngine, *windows: Window, **options: object) -> list[Segment]:
    return list(run(engine, *windows, **options).segments[ITEM])


def everything(start: int, stop: int, _: float) -> DecodingResult:
    return heard((0.0, (stop - start) / SECOND, f" {start / SECOND:g}-{stop / SECOND:g}"))


def texts(segments: list[Segment]) -> list[str]:
    return [segment.text for segment in segments]
