from tests.unit.operator.builders import pod
from transcription_contract.termination import (
    ItemFailure,
    Result,
    ResultFile,
    Termination,
    encode,
)

LAST_WORDS = encode(
    Termination(
        result=Result(
            language="en",
            audio_seconds=1261,
            model_sha256="ab",
            files=(ResultFile(format="txt", uri="s3://transcripts/standup/standup.txt", bytes=5),),
        )
    )
)
DONE = pod("Succeeded", exit_code=0, last_words=LAST_WORDS)
BROKEN = pod("Failed", exit_code=69)
NO_SECRET = pod("Pending", waiting=("CreateContainerConfigError", 'secret "x" not found'))


def many(items: int, failed: int, counts: dict[str, int] | None = None, **failure: str) -> str:
    bad = {"item": "s3://recordings/calls/a.mp3", "reason": "MediaInvalid", "message": "no audio"}
    return encode(
        Termination(
            result=Result(
                language="en",
                audio_seconds=3 * 3600 + 12 * 60 + 5,
                model_sha256="ab",
                items=items,
                items_failed=failed,
                **(counts or {}),
                failures=(ItemFailure(**bad | failure),) * min(failed, 10),
            )
        )
    )
