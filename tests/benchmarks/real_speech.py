"""real_speech: recordings of people, by language and kind, ours beside both peers."""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from dev import files, realmodels
from dev.paths import CACHE
from dev.say import say
from tests.benchmarks import peers, speech
from tests.benchmarks.bench import Bench
from tests.benchmarks.report import Figure, shown
from tests.benchmarks.speech import COMPOSED, Errors, Recording
from tests.benchmarks.watch import Watched

Texts = Mapping[str, str]
"""Transcripts by the recordings' names; one that is missing was not delivered."""

TRANSCRIBE = "transcribe()"
FASTER = "faster-whisper batched"
MODELS = ("base", "tiny.en")


@dataclass(frozen=True)
class Results:
    """The transcripts of one model by program: ours, and each peer's."""

    model: str
    recordings: Sequence[Recording]
    ours: Texts
    peers: Mapping[str, Texts]


def run(bench: Bench) -> Iterable[Figure]:
    """Every model; one that knows only English on the English recordings."""
    everything = speech.recordings()
    for model in MODELS:
        wanted = [each for each in everything if "." not in model or each.language == "en"]
        yield from summarise(_measure(bench, model, wanted))


def summarise(results: Results) -> Iterator[Figure]:
    """Languages, then kinds, then how many recordings have no text."""
    for name, group in _groups(results.recordings).items():
        yield _figure(results, name, group)
    yield Figure(
        f"real_speech.{results.model} empty transcripts",
        _errors(results.recordings, results.ours).empty,
        "recordings",
        peer="; ".join(
            f"{peer}: {_errors(results.recordings, texts).empty}"
            for peer, texts in results.peers.items()
        ),
        note=f"{len(results.recordings)} recordings",
    )


def _groups(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    """Recordings by what is said about them, the largest groups first."""
    groups: dict[str, list[Recording]] = defaultdict(list)
    for each in recordings:
        if each.reference is None:
            continue
        if each.folder != COMPOSED:
            groups["all"].append(each)
            groups[each.language].append(each)
        if each.folder != each.language:
            groups[each.folder].append(each)
    return dict(groups)


def _figure(results: Results, name: str, group: Sequence[Recording]) -> Figure:
    mine = _errors(group, results.ours).rate
    theirs = {peer: _errors(group, texts).rate for peer, texts in results.peers.items()}
    best = min(theirs.values())
    unit = "character" if group[0].language in speech.BY_CHARACTERS else "word"
    minutes = sum(each.seconds for each in group) / 60
    return Figure(
        f"real_speech.{results.model} {name} {unit} error rate",
        mine,
        "",
        ratio=mine / best if best else None,
        peer="; ".join(f"{peer}: {shown(rate)}" for peer, rate in theirs.items()),
        note=f"{len(group)} recordings, {minutes:.1f} min, {mine - best:+.3f}",
    )


def _errors(group: Iterable[Recording], texts: Texts) -> Errors:
    return speech.total(speech.errors(each, texts.get(each.name, "")) for each in group)


def _measure(bench: Bench, model: str, recordings: Sequence[Recording]) -> Results:
    checkpoint, converted = realmodels.ensure(model), realmodels.ctranslate2(model)
    threads = bench.threads
    mine = transcripts(checkpoint, recordings, threads)

    def transcribe(files: Sequence[Path], languages: Sequence[str]) -> peers.Run:
        return peers.openai_whisper(checkpoint, files, threads, languages=languages)

    def faster(files: Sequence[Path], languages: Sequence[str]) -> peers.Run:
        return peers.faster_whisper(converted, files, threads, languages=languages, batched=True)

    return Results(
        model,
        recordings,
        mine,
        {
            TRANSCRIBE: _once("openai-whisper", checkpoint, recordings, transcribe),
            FASTER: _once("faster-whisper", converted, recordings, faster),
        },
    )


def transcripts(
    checkpoint: Path, recordings: Sequence[Recording], threads: int, *options: str
) -> Texts:
    """What the command line makes of each language's recordings, one job a language."""
    texts: dict[str, str] = {}
    by_language: dict[str, list[Recording]] = defaultdict(list)
    for each in recordings:
        by_language[each.language].append(each)
    for language, group in by_language.items():
        with TemporaryDirectory() as folder:
            watched = _job(Path(folder), checkpoint, language, group, threads, options)
            texts |= _delivered(Path(folder) / "out", group)
        say(f"  {checkpoint.stem}, {language}: {watched.seconds:.0f} s")
    return texts


def _job(
    folder: Path,
    checkpoint: Path,
    language: str,
    recordings: Sequence[Recording],
    threads: int,
    options: Sequence[str],
) -> Watched:
    for each in recordings:
        copy = folder / "in" / each.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(each.path, copy)
    arguments = ["transcribe", f"{folder / 'in'}/", "--output", f"{folder / 'out'}/"]
    arguments += ["--formats", "json", "--model", str(checkpoint), "--language", language]
    return peers.call("whisper_transcriber", [*arguments, *options], threads)


def _delivered(out: Path, recordings: Sequence[Recording]) -> dict[str, str]:
    delivered = {
        path.relative_to(out).as_posix().removesuffix(".json"): path
        for path in out.rglob("*.json")
        if path.name != "manifest.json"
    }
    found = {}
    for each in recordings:
        path = delivered.get(each.name)
        if path is not None:
            segments = peers.segments(json.loads(path.read_text(encoding="utf-8")))
            found[each.name] = joined(segment.text for segment in segments)
    return found


def joined(texts: Iterable[str]) -> str:
    """Segments as one text."""
    return " ".join(text.strip() for text in texts)


def _once(
    package: str,
    weights: Path,
    recordings: Sequence[Recording],
    transcribe: Callable[[Sequence[Path], Sequence[str]], peers.Run],
) -> Texts:
    """A peer's transcripts; made once for each version, weights and list of recordings."""
    stored = stored_at(package, weights, recordings)
    if not stored.exists():
        run = transcribe([each.path for each in recordings], [each.language for each in recordings])
        say(f"  {weights.stem}, {package}: {run.seconds:.0f} s")
        texts = {
            each.name: joined(segment.text for segment in heard)
            for each, heard in zip(recordings, run.heard, strict=True)
        }
        files.write(stored, json.dumps(texts, ensure_ascii=False, indent=1))
    found: dict[str, str] = json.loads(stored.read_text(encoding="utf-8"))
    return found


def stored_at(package: str, weights: Path, recordings: Sequence[Recording]) -> Path:
    """Where a peer's transcripts are kept."""
    names = "\n".join(each.name for each in recordings)
    identity = f"{package} {version(package)} {weights} {names}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return CACHE / "benchmarks" / f"{package}-{weights.stem}-{digest}.json"
