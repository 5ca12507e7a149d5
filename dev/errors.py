"""What dev/ says when it cannot go on."""


class DevError(Exception):
    """Printed as a sentence, without a traceback: it is for the person at the terminal."""


class CommandError(DevError):
    """A program that we called said no. Carries what it printed, for those who look for a cause."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output
