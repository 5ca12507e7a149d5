"""What goes wrong between us and the API server.

KubeError
├── ApiError             the API server answered with an error: tried again with backoff
│   ├── ConflictError         somebody else was quicker (409)
│   ├── GoneError             the resourceVersion to watch from is too old (410)
│   └── NotFoundError         it is gone (404)
├── TooLargeError        the answer is larger than the caller takes
├── UnreachableError     the API server cannot be reached, or the connection broke; an OSError too
└── LeadershipLostError  the lease could not be renewed: another operator may take over
"""


class KubeError(Exception):
    """Anything that this package raises on purpose."""


class ApiError(KubeError):
    """The API server refused a request.

    ``status`` is the HTTP status code, ``message`` the server's sentence, ``retry_after`` the
    seconds it asks to wait, if it does.
    """

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """Whether the server was only busy or in trouble, and said nothing about the request."""
        return self.status == 429 or self.status >= 500

    @property
    def is_forbidden(self) -> bool:
        """Whether our role does not allow the request."""
        return self.status == 403

    @property
    def is_refusal(self) -> bool:
        """Whether the same request would be refused again, such as for a missing role."""
        return not self.is_transient and not isinstance(self, GoneError)


class ConflictError(ApiError):
    """The object changed since it was read, or exists already."""


class NotFoundError(ApiError):
    """There is no such object."""


class GoneError(ApiError):
    """What was asked for is no longer kept: list again."""


_BY_STATUS: dict[int, type[ApiError]] = {404: NotFoundError, 409: ConflictError, 410: GoneError}


def api_error(status: int, message: str, retry_after: float | None = None) -> ApiError:
    """The error of an HTTP status."""
    return _BY_STATUS.get(status, ApiError)(status, message, retry_after)


class TooLargeError(KubeError):
    """An answer of more bytes than the caller takes; the rest of it was not read."""


class UnreachableError(KubeError, ConnectionError):
    """No answer; whether the request was carried out is unknown."""


class LeadershipLostError(KubeError):
    """Another operator may take over; this one has stopped its work."""


def words(error: Exception) -> str:
    """What an error says, for a log line or a message: many of Python's own say nothing."""
    if isinstance(error, TimeoutError):
        return str(error) or "no answer in time"
    return str(error) or type(error).__name__
