"""What a TranscriptionJob cannot have."""


class SpecError(Exception):
    """The resource asks for what cannot be done: the job fails with this text.

    ``reason`` is status.reason.
    """

    reason = "ConfigurationInvalid"
