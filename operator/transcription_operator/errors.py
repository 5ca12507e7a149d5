"""The operator's exceptions.

OperatorError
├── SpecError            the resource asks for what cannot be done: the job fails, with this text
├── ApiError             the API server answered with an error: tried again with backoff
│   ├── ConflictError         somebody else was quicker (409)
│   └── NotFoundError         it is gone (404)
"""


class OperatorError(Exception):
    """Anything that the operator raises on purpose."""


class SpecError(OperatorError):
    """The resource asks for what cannot be done; ``reason`` is status.reason."""

    reason = "ConfigurationInvalid"


class ApiError(OperatorError):
    """The API server refused a request; ``status`` is the HTTP status code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class ConflictError(ApiError):
    """The object changed since it was read, or exists already."""


class NotFoundError(ApiError):
    """There is no such object."""
