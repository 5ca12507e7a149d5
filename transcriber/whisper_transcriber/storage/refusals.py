"""What an object store's refusals mean: which pass, whose fault the others are, what to do."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from urllib3.exceptions import HTTPError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigurationInvalid,
    ObjectStoreUnavailable,
    SourceArchived,
    SourceDenied,
    SourceNameInvalid,
    SourceReplaced,
)
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.downloads import is_busy, is_untrusted, short
from whisper_transcriber.storage.s3_client import RefusalError
from whisper_transcriber.storage.store import ObjectMissingError

MISSING = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchVersion", "ResourceNotFound"})
# Clients of S3 try these again, whatever status carries them:
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_BUSY = frozenset({
    "BandwidthLimitExceeded", "ConditionalRequestConflict", "InternalError", "OperationAborted",
    "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled", "RequestTimeout",
    "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests",
})  # fmt: skip
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
# Of the keys themselves, not of what they may do. The last one is versitygw's, a 404.
_KEYS = frozenset({
    "AuthorizationHeaderMalformed", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch",
    "XAdminUserNotFound",
})  # fmt: skip
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled"})
_ARCHIVED = frozenset({"InvalidObjectState", "ObjectArchived"})
_DOTS = frozenset({".", ".."})


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    if not isinstance(error, RefusalError):
        return isinstance(error, HTTPError) and not is_untrusted(error)
    if error.code:
        return is_busy(error.status) or error.code in _EXPIRED | _CLOCK or _is_throttled(error.code)
    # Not of an S3 store at all: a proxy between us, mostly, unless it is a plain refusal.
    return is_busy(error.status) or error.is_foreign


def is_of_keys(error: BaseException) -> bool:
    """Whether other keys would have been needed."""
    return isinstance(error, RefusalError) and (error.code in _KEYS or error.status in (401, 403))


def meaning(
    settings: StoreSettings, uri: ObjectUri, error: BaseException, *, reading: bool
) -> BaseException:
    """What a failed request for ``uri`` means to a job; other errors stay what they are.

    ``reading``: one object was to be read, so that a refusal may be that object's own fault.
    """
    if isinstance(error, RefusalError):
        return _of_refusal(settings, uri, error, reading=reading)
    if is_passing(error):
        return _unavailable(settings, error)
    if is_untrusted(error):
        return ConfigurationInvalid(
            f"the certificate of the object store at {settings.endpoint} is not trusted; "
            f"add caCert to {settings.keys_from}: {short(error)}"
        )
    return error


def _of_refusal(
    settings: StoreSettings, uri: ObjectUri, error: RefusalError, *, reading: bool
) -> Exception:
    if told := _told(settings, uri, error):
        return told
    if error.code in _ARCHIVED:
        return SourceArchived(
            f"{uri} is archived ({error.code}): restore it from the archive (Glacier), wait until "
            "it can be read, and run the job again"
        )
    if reading and error.code not in _DENIED and _DOTS & set(uri.key.split("/")):
        return SourceNameInvalid(
            f"the object store does not serve {uri}, whose name has the segment '.' or '..' "
            f"({error.code or error.status}): copy it to another name"
        )
    if error.status == 412:
        return replaced(uri)
    if reading and _is_of_object(error):
        return SourceDenied(_denied_sentence(settings, uri, error))
    if is_of_keys(error) or error.code.startswith("KMS."):
        return AccessDenied(
            f"the object store refused access to {uri} ({error.code}): check the keys in "
            f"{settings.keys_from} and what they may read and write"
        )
    return ConfigurationInvalid(
        f"the object store refused a request for {uri}: {error.code}: {error.message}"
    )


def _told(settings: StoreSettings, uri: ObjectUri, error: RefusalError) -> Exception | None:
    """What does not depend on what was to be done."""
    makers: dict[str, Callable[[], Exception]] = {
        **dict.fromkeys(_CLOCK, lambda: _wrong_clock(settings, error)),
        **dict.fromkeys(_EXPIRED, lambda: _expired(settings, error)),
        **dict.fromkeys(MISSING, lambda: ObjectMissingError(str(uri))),
        "NoSuchBucket": lambda: _no_bucket(settings, uri),
    }
    if error.code in makers:
        return makers[error.code]()
    return _unavailable(settings, error) if is_passing(error) else None


def _is_of_object(error: RefusalError) -> bool:
    """Whether the store refuses this object, and not whoever asks."""
    denied = error.status in (401, 403) and error.code not in _KEYS
    return denied or error.code.startswith("KMS.")


def _denied_sentence(settings: StoreSettings, uri: ObjectUri, error: RefusalError) -> str:
    if error.code.startswith("KMS.") or "kms" in error.message.lower():
        return (
            f"{uri} cannot be decrypted ({error.code}: {error.message[:200]}): allow the keys in "
            f"{settings.keys_from} to use its KMS key"
        )
    return (
        f"the object store refused access to {uri} ({error.code}): check what the keys in "
        f"{settings.keys_from} may read"
    )


def _is_throttled(code: str) -> bool:
    return code in _BUSY or code.removeprefix("KMS.").removesuffix("Exception") in (
        "Throttling", "RequestLimitExceeded", "LimitExceeded", "KMSInternal", "DependencyTimeout",
    )  # fmt: skip


def _wrong_clock(settings: StoreSettings, error: RefusalError) -> Exception:
    return ObjectStoreUnavailable(
        f"the clock of the node that the worker runs on differs{_difference(error.moment)} from "
        f"the clock of the object store at {settings.endpoint} ({error.code}): correct the time "
        "of the node"
    )


def _difference(moment: str) -> str:
    try:
        seconds = abs((datetime.now(UTC) - parsedate_to_datetime(moment)).total_seconds())
    except (TypeError, ValueError):
        return ""
    return f" by {seconds / 60:.0f} minutes" if seconds >= 60 else ""


def _expired(settings: StoreSettings, error: RefusalError) -> Exception:
    return ObjectStoreUnavailable(
        f"the session token in {settings.keys_from} has expired ({error.code}): renew accessKey, "
        "secretKey and sessionToken there"
    )


def _no_bucket(settings: StoreSettings, uri: ObjectUri) -> Exception:
    return BucketNotFound(
        f"the bucket {uri.bucket!r} of {uri} does not exist in the object store at "
        f"{settings.endpoint}"
    )


def _unavailable(settings: StoreSettings, error: BaseException) -> Exception:
    return ObjectStoreUnavailable(
        f"the object store at {settings.endpoint} could not be reached "
        f"or did not answer properly: {short(error)}"
    )


def replaced(uri: ObjectUri) -> SourceReplaced:
    """The error for an object that changed while the job ran."""
    return SourceReplaced(f"{uri} was replaced by another object while the job was running")
