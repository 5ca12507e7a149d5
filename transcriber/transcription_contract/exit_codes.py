"""The worker's exit codes: one table, read by three.

The transcriber's exceptions own a code each, the Job's podFailurePolicy decides from it whether
another pod may help and whether that uses up a retry, and the operator's status names the reason.
Codes are sysexits.h's, and the shell's for a process that SIGTERM ended.
"""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Every status that a worker ends with on purpose."""

    DONE = 0
    MEDIA_INVALID = 65
    SOURCE_NOT_FOUND = 66
    UNAVAILABLE = 69
    INTERNAL_ERROR = 70
    TRY_AGAIN = 75
    ACCESS_DENIED = 77
    CONFIGURATION_INVALID = 78
    INTERRUPTED = 143


@dataclass(frozen=True)
class Ending:
    """What one exit code means.

    ``retried``: another pod may succeed where this one failed.
    ``counted``: the failure uses up one of the retries (spec.backoffLimit).
    ``reason``: the word for status.reason when the worker left no message of its own.
    ``sentence``: likewise for status.message.
    """

    code: ExitCode
    retried: bool
    reason: str
    sentence: str
    counted: bool = True


ENDINGS: dict[int, Ending] = {
    ending.code: ending
    for ending in (
        Ending(
            ExitCode.MEDIA_INVALID,
            False,
            "MediaInvalid",
            "the source cannot be decoded as audio, or it breaks a limit",
        ),
        Ending(ExitCode.SOURCE_NOT_FOUND, False, "SourceNotFound", "the source does not exist"),
        Ending(
            ExitCode.UNAVAILABLE,
            True,
            "ObjectStoreUnavailable",
            "the object store or the model's source could not be reached",
        ),
        Ending(
            ExitCode.INTERNAL_ERROR,
            True,
            "InternalError",
            "the transcriber failed unexpectedly; its log has the traceback",
        ),
        Ending(
            ExitCode.TRY_AGAIN,
            True,
            "Stalled",
            "the worker stalled or ran out of GPU memory",
        ),
        Ending(
            ExitCode.ACCESS_DENIED,
            False,
            "AccessDenied",
            "the object store refused the credentials",
        ),
        Ending(
            ExitCode.CONFIGURATION_INVALID,
            False,
            "ConfigurationInvalid",
            "the job asks for something that cannot be done as configured",
        ),
        Ending(
            ExitCode.INTERRUPTED,
            True,
            "Interrupted",
            "the worker was asked to stop (SIGTERM)",
            counted=False,
        ),
    )
}

FINAL_CODES: tuple[int, ...] = tuple(sorted(int(e.code) for e in ENDINGS.values() if not e.retried))
"""The codes after which no other pod can help: the Job fails at once."""

UNCOUNTED_CODES: tuple[int, ...] = tuple(int(e.code) for e in ENDINGS.values() if not e.counted)
"""The codes of a worker that was stopped from outside: another pod uses up no retry."""
