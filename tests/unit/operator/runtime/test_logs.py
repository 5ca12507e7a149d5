import asyncio
import io
import json
import logging

import pytest

from transcription_operator.runtime.logs import _OURS, about, configure

HOSTILE = "calls/a\n2026-11-22 ERROR root: all is lost\x1b[31m"


@pytest.fixture
def log():
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield logging.getLogger("transcription_operator.test")
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def stream():
    return io.StringIO()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_is_one_object(log, stream):
    configure("json", stream=stream)
    log.info("created Job %s", "standup-1")
    (line,) = lines(stream)
    assert line["time"].endswith("Z")
    assert len(line.pop("time")) == len("2026-11-22T12:00:00.000Z")
    assert line == {
        "level": "info",
        "logger": "transcription_operator.test",
        "message": "created Job standup-1",
    }


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        ("debug", ["ours at debug", "ours at info", "theirs at info"]),
        ("info", ["ours at info", "theirs at info"]),
        ("warning", []),
    ],
)
def test_the_level_is_that_of_the_settings_and_debug_is_for_our_own_lines(
    log, stream, level, logged
):
    configure("json", level, stream)
    theirs = logging.getLogger("kubernetes.test")
    for logger, name in ((log, "ours"), (theirs, "theirs")):
        logger.debug("%s at debug", name)
        logger.info("%s at info", name)
    assert [line["message"] for line in lines(stream)] == logged


def test_a_traceback_stays_within_its_line(log, stream):
    configure("json", stream=stream)
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("failed")
    (line,) = lines(stream)
    assert line["level"] == "error"
    assert line["exception"].endswith("ValueError: broken")


async def test_a_line_names_the_job_of_its_own_task(log, stream):
    configure("json", stream=stream)
    both = asyncio.Barrier(2)

    async def visit(job):
        with about(job):
            await both.wait()
            log.info("visiting")

    await asyncio.gather(visit("media/a"), visit("media/b"))
    log.info("done")
    assert sorted(line["job"] for line in lines(stream)[:2]) == ["media/a", "media/b"]
    assert "job" not in lines(stream)[2]


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_name_cannot_forge_a_line(log, stream, form):
    configure(form, stream=stream)
    with about(HOSTILE):
        log.info("reading %s", HOSTILE)
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_text_is_for_people(log, stream):
    configure("text", stream=stream)
    with about("media/a"):
        log.warning("looking again")
    assert stream.getvalue().endswith(
        "WARNING transcription_operator.test: looking again [media/a]\n"
    )


def test_what_is_said_of_each_probe_is_not_logged(log, stream):
    configure("json", stream=stream)
    logging.getLogger("aiohttp.access").info("again")
    assert stream.getvalue() == ""
