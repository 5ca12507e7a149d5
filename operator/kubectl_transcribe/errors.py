"""Every way in which a command ends without success. Each class owns its exit code:

    PluginError
    ├── JobFailedError               1    the job failed, or doctor found something
    ├── RefusedError                 2    as click's own UsageError: the command line is wrong
    ├── ClusterError                 3    the API server
    │   ├── UnreachableError              does not answer, or no kubeconfig names one
    │   ├── ForbiddenError                does not let this user
    │   ├── QuotaError                    does not let anybody put more into the namespace
    │   └── NoResourceError               has no TranscriptionJobs
    ├── NotFoundError                4    no such job, transcript, Secret or namespace
    ├── StoreError                   5    the object store
    │   ├── StoreUnreachableError         does not answer
    │   ├── KeysRefusedError              refuses the keys
    │   │   └── AccessDeniedError         knows them, and not what they were used for
    │   └── BucketMissingError            has no such bucket
    └── TimedOutError                124  as timeout(1) says it

A message is one sentence for the person at the terminal, and names what to do next.
"""

from enum import IntEnum

import click

from kubectl_transcribe.terminal import plain


class ExitCode(IntEnum):
    """What a script can rely on."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CLUSTER = 3
    NOT_FOUND = 4
    STORE = 5
    TIMED_OUT = 124
    INTERRUPTED = 130


def cause(error: Exception) -> str:
    """What is at the bottom of a library's error, without the objects that it lists before."""
    deepest = getattr(error, "reason", None) or error
    return str(deepest).rpartition(": ")[2] or type(error).__name__


class PluginError(click.ClickException):
    """The root; ``show`` prints it as kubectl prints its errors."""

    exit_code = ExitCode.FAILED

    def show(self, file: object = None) -> None:
        """One line on stderr."""
        del file
        click.echo(f"error: {plain(self.message)}", err=True)


class JobFailedError(PluginError):
    """The TranscriptionJob is Failed, or something is wrong with the installation."""


class RefusedError(PluginError):
    """The API server did not take what it was given, with its own words."""

    exit_code = ExitCode.USAGE


class ClusterError(PluginError):
    """The API server."""

    exit_code = ExitCode.CLUSTER


class UnreachableError(ClusterError):
    """No answer, or nobody to ask."""


class ForbiddenError(ClusterError):
    """Not with these credentials."""


class QuotaError(ClusterError):
    """The namespace's quota is used up."""


class NoResourceError(ClusterError):
    """The cluster does not know TranscriptionJobs."""


class NotFoundError(PluginError):
    """No such thing in the cluster or the store."""

    exit_code = ExitCode.NOT_FOUND


class StoreError(PluginError):
    """The object store."""

    exit_code = ExitCode.STORE


class StoreUnreachableError(StoreError):
    """No answer."""


class KeysRefusedError(StoreError):
    """Not with these keys."""


class AccessDeniedError(KeysRefusedError):
    """These keys may not do this."""


class BucketMissingError(StoreError):
    """No such bucket."""


class TimedOutError(PluginError):
    """The user's patience is over; the job goes on."""

    exit_code = ExitCode.TIMED_OUT
