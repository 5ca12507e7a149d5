"""Where things lie in the object store, computable from the spec and the uid alone.

The operator names the results without asking a worker, so they are known even when a pod and its
last words are gone.
"""

import re
from dataclasses import dataclass
from posixpath import basename, splitext

from transcription_contract.options import OutputFormat

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_S3_URI = re.compile(r"^s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.*)$", re.DOTALL)


@dataclass(frozen=True)
class S3Uri:
    """A bucket and a key (or a prefix, which is empty or ends in a slash)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Uri":
        """``s3://bucket/key`` to its parts.

        Raises:
            ValueError: it is not of that form.
        """
        found = _S3_URI.match(uri)
        if not found:
            raise ValueError(f"{uri!r} is not an S3 URI of the form s3://bucket/key")
        return cls(found["bucket"], found["key"])

    def child(self, name: str) -> "S3Uri":
        """The object ``name`` below this prefix."""
        return S3Uri(self.bucket, self.key + name)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def result_name(source_uri: str) -> str:
    """A recording's results are called as it is, without its extension: standup.mp3 -> standup."""
    stem = splitext(basename(source_uri))[0]
    # manifest.json is taken.
    return "manifest.transcript" if stem == "manifest" else stem


def result_uri(source_uri: str, output_uri: str, output_format: OutputFormat) -> S3Uri:
    """Where the transcript of one recording in one format is delivered."""
    name = f"{result_name(source_uri)}.{output_format.value}"
    return S3Uri.parse(output_uri).child(name)


def manifest_uri(output_uri: str) -> S3Uri:
    """The list of what was delivered; written last, so it stands for a finished job."""
    return S3Uri.parse(output_uri).child("manifest.json")


def workspace_uri(output_uri: str, uid: str) -> S3Uri:
    """The prefix of a job's plans and parts, removed when the job is done."""
    return S3Uri.parse(output_uri).child(f".transcription/{uid}/")
