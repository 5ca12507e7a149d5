"""Every way in which a worker gives up on purpose: one tree, each class owns its exit code.

    TranscriberError
    ├── MediaInvalid (65)            the source itself is at fault
    │   ├── LimitExceeded              too many bytes or seconds
    │   ├── NoAudioStream              a video without sound, a picture
    │   ├── NotMedia                   no recording at all: skipped in a prefix
    │   ├── SourceReplaced             another recording took its place while the job ran
    │   ├── SourceArchived             it is in an archive (Glacier) and must be restored
    │   ├── SourceNameInvalid          the store does not serve an object of that name
    │   └── AllItemsFailed             of many recordings, none could be transcribed
    ├── SourceNotFound (66)
    ├── ObjectStoreUnavailable (69)
    ├── ModelSourceUnavailable (69)
    ├── Interrupted (143)            SIGTERM: uses up no retry
    ├── Stalled (75)                 no unit finished for too long
    ├── DecoderKilled (75)           ffmpeg ended by a signal, mostly for memory
    ├── OutOfMemory (75)             one window alone does not fit the GPU
    ├── VolumeFull (75)              no room for a download
    ├── PlanChanged (75)             another worker's plan won
    ├── AccessDenied (77)
    │   └── SourceDenied               of one recording: the others may well be read
    └── ConfigurationInvalid (78)
        ├── BucketNotFound
        ├── ModelNotFound
        ├── ModelInvalid               a wrong checksum, or no Whisper checkpoint
        ├── LanguageUnknown
        ├── PromptTooLong
        └── OutputTaken                manifest.json of another job lies there

Anything else that is raised is a bug: exit code 70, with a traceback in the log.

A message is one sentence for the person who wrote the TranscriptionJob: it names the object as the
job does (never a local path) and, where there is one, the field to look at.
"""

# ruff: noqa: N818  the classes' names are the reasons that users read in status.reason

from typing import ClassVar

from transcription_contract.exit_codes import ExitCode
from transcription_contract.termination import Failure


class TranscriberError(Exception):
    """The root. ``reason`` (PascalCase, for status.reason) is the class's own name."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL_ERROR

    @property
    def reason(self) -> str:
        """The word that status.reason shows."""
        return type(self).__name__

    @property
    def failure(self) -> Failure:
        """The same for the operator, the manifest and the workspace."""
        return Failure(reason=self.reason, message=str(self))


class MediaInvalid(TranscriberError):
    """The source cannot be decoded as audio."""

    exit_code = ExitCode.MEDIA_INVALID


class LimitExceeded(MediaInvalid):
    """The source has more bytes or seconds than the job allows."""


class NoAudioStream(MediaInvalid):
    """The source is readable, but nothing in it can be heard."""


class NotMedia(MediaInvalid):
    """The object is plainly no recording (a text, a picture, an archive).

    Below a prefix it is skipped; as a job's only source it is a failure.
    """


class SourceReplaced(MediaInvalid):
    """The source is no longer the object that this job began with."""


class SourceArchived(MediaInvalid):
    """The object is in an archive storage class, and must be restored before it can be read."""


class SourceNameInvalid(MediaInvalid):
    """The object store does not serve an object of that name."""


class AllItemsFailed(MediaInvalid):
    """The job had many recordings, and none of them could be transcribed."""


class SourceNotFound(TranscriberError):
    """There is no such object or bucket."""

    exit_code = ExitCode.SOURCE_NOT_FOUND


class ObjectStoreUnavailable(TranscriberError):
    """The object store could not be reached, or answered with errors, for minutes."""

    exit_code = ExitCode.UNAVAILABLE


class ModelSourceUnavailable(TranscriberError):
    """An official model could not be downloaded."""

    exit_code = ExitCode.UNAVAILABLE


class Interrupted(TranscriberError):
    """The worker was asked to stop, and did so between two units."""

    exit_code = ExitCode.INTERRUPTED


class Stalled(TranscriberError):
    """No unit was finished for so long that something hangs."""

    exit_code = ExitCode.TRY_AGAIN


class DecoderKilled(TranscriberError):
    """ffmpeg was ended by a signal (by the kernel for memory, most likely), or had no room."""

    exit_code = ExitCode.TRY_AGAIN


class OutOfMemory(TranscriberError):
    """The GPU has no room for even one window."""

    exit_code = ExitCode.TRY_AGAIN


class VolumeFull(TranscriberError):
    """The disk or volume that something is written to is full."""

    exit_code = ExitCode.TRY_AGAIN


class PlanChanged(TranscriberError):
    """The stored plan is not the one that this worker followed: the next pod follows it."""

    exit_code = ExitCode.TRY_AGAIN


class AccessDenied(TranscriberError):
    """The object store refused the credentials, or what they were used for."""

    exit_code = ExitCode.ACCESS_DENIED


class SourceDenied(AccessDenied):
    """The object store refused to let this one object be read: by an ACL, a policy or a KMS key."""


ITEM_FAULTS = (MediaInvalid, SourceNotFound, SourceDenied)
"""What is wrong with one recording, and says nothing about the others."""


class ConfigurationInvalid(TranscriberError):
    """The job asks for something that cannot be done as it is configured."""

    exit_code = ExitCode.CONFIGURATION_INVALID


class BucketNotFound(ConfigurationInvalid):
    """The output's or the model's bucket does not exist."""


class ModelNotFound(ConfigurationInvalid):
    """No official model has that name, or no object that URI."""


class ModelInvalid(ConfigurationInvalid):
    """The checkpoint is not the one that its checksum promises, or none at all."""


class LanguageUnknown(ConfigurationInvalid):
    """The model does not know that language."""


class PromptTooLong(ConfigurationInvalid):
    """The initial prompt does not fit into Whisper's context."""


class OutputTaken(ConfigurationInvalid):
    """The output belongs to another job already."""


def by_reason(reason: str) -> type[TranscriberError]:
    """The error with that reason; the root if there is none in this version."""
    known: list[type[TranscriberError]] = [TranscriberError]
    for each in known:
        known += each.__subclasses__()
    return next((each for each in known if each.__name__ == reason), TranscriberError)
