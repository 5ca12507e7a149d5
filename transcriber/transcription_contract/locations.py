"""Where things lie in the object store, computable from the spec and the uid alone.

The operator names the results without asking a worker, so they are known even when a pod and its
last words are gone.
"""

import hashlib
import re
from dataclasses import dataclass
from posixpath import basename, splitext
from urllib.parse import unquote, urlsplit

from transcription_contract.options import OutputFormat

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_FORMS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"^(?P<scheme>s3)://(?P<bucket>{_BUCKET})/(?P<key>.*)$",
        r"^(?P<scheme>file)://(?P<bucket>)/(?P<key>.*)$",
        r"^(?P<scheme>https)://(?P<bucket>[^/?#\s@]+)/(?P<key>[^#\s]*)$",
    )
)

_KEY_BYTES = 1024
"""The longest key that S3 allows."""

_KEPT_BYTES = 900
_COMPONENT_BYTES = 255
"""The longest name of a file or folder on a disk."""

_DIGEST_BYTES = 25
_DOTS = frozenset({".", ".."})
_DOT = re.compile(r"dot\.[0-9a-f]{24}")
_DIGESTED = re.compile(r"\.[0-9a-f]{24}\Z")
_SHOWN_CHARACTERS = 300
_MANIFEST = "manifest"


@dataclass(frozen=True)
class ObjectUri:
    """Where an object lies, or a prefix of objects (empty, or ending in a slash).

    s3: ``bucket`` and ``key``. file (the command line's): no bucket, and the absolute path without
    its first slash as key. https: host and port as bucket, path and query as key.
    """

    bucket: str
    key: str
    scheme: str = "s3"

    @classmethod
    def parse(cls, uri: str) -> "ObjectUri":
        """``s3://bucket/key``, ``file:///path`` or ``https://host/path`` to its parts.

        Raises:
            ValueError: it is none of these.
        """
        for form in _FORMS:
            if found := form.match(uri):
                return cls(found["bucket"], found["key"], found["scheme"])
        raise ValueError(
            f"{uri!r} is not an S3 URI of the form s3://bucket/key, nor an https or file URI"
        )

    @property
    def is_prefix(self) -> bool:
        """Whether it stands for all objects whose keys begin with it."""
        return self.scheme != "https" and (not self.key or self.key.endswith("/"))

    @property
    def shown(self) -> str:
        """The URI for logs, messages and results; see ``shown``."""
        return shown(str(self))

    def child(self, name: str) -> "ObjectUri":
        """The object ``name`` below this prefix."""
        return ObjectUri(self.bucket, self.key + name, self.scheme)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"


def shown(uri: str) -> str:
    """A URL without query, fragment and user, cut to 300 characters; S3 and file URIs unchanged.

    The query of a signed link is a key to the object: it belongs in the request and nowhere else.
    """
    if uri.startswith(("s3:", "file:")):
        return uri
    plain = re.sub(r"[?#].*", "", uri, flags=re.DOTALL)
    return re.sub(r"//[^/]*@", "//", plain)[:_SHOWN_CHARACTERS]


def result_name(source_uri: str) -> str:
    """A recording's results are called as it is, without its extension: standup.mp3 -> standup."""
    path = unquote(urlsplit(source_uri).path) if source_uri.startswith("https:") else source_uri
    stem = splitext(basename(path))[0] or "transcript"
    # manifest.json is taken.
    return "manifest.transcript" if stem == _MANIFEST else stem


def item_name(prefix_uri: str, item_uri: str) -> str:
    """What the results of one of many recordings are called, below the output's prefix.

    Its own path below the source's prefix, extension included (a/x.mp3 -> a/x.mp3.json), so that
    no two recordings share a name, whatever else lies beside them.
    """
    name = item_uri.removeprefix(prefix_uri)
    if re.fullmatch(rf"{_MANIFEST}\.*", name):
        return f"{name}."  # manifest.json is taken; a dot more keeps all of them apart
    return name


def result_uri(name: str, output_uri: str, output_format: OutputFormat) -> ObjectUri:
    """Where the transcript of the recording called ``name`` is delivered in one format."""
    prefix, suffix = ObjectUri.parse(output_uri), f".{output_format.value}"
    local = prefix.scheme == "file"
    *folders, last = name.split("/")
    usable = "/".join([*(_component(each, 0, local) for each in folders),
                       _component(last, len(suffix), local)])  # fmt: skip
    uri = prefix.child(usable + suffix)
    # A name that looks like a shortened one is shortened, too, so that it cannot be taken for one.
    if (local or len(uri.key.encode()) <= _KEY_BYTES) and not _DIGESTED.search(name):
        return uri
    kept = usable if local else _cut(usable, max(0, _KEPT_BYTES - len(prefix.key.encode())))
    return prefix.child(f"{kept}.{_digest(name)}{suffix}")


def _component(name: str, more: int, local: bool) -> str:
    """One part of a path as stores and disks accept it; unchanged where they do.

    Neither accept "." and "..", and disks (``local``) no part that is empty or longer than 255
    bytes, of which ``more`` and perhaps a digest are added later.
    """
    if name in _DOTS or _DOT.fullmatch(name):
        return f"dot.{_digest(name)}"
    if not local:
        return name
    too_long = len(name.encode()) + more > _COMPONENT_BYTES - (_DIGEST_BYTES if more else 0)
    if not name or too_long or _DIGESTED.search(name):
        return f"{_cut(name, _COMPONENT_BYTES - 3 * _DIGEST_BYTES)}.{_digest(name)}"
    return name


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _cut(name: str, most: int) -> str:
    """As many whole characters as fit into so many bytes."""
    return name.encode()[:most].decode(errors="ignore")


def manifest_uri(output_uri: str) -> ObjectUri:
    """The list of what was delivered; written last, so it stands for a finished job."""
    return ObjectUri.parse(output_uri).child(f"{_MANIFEST}.json")


WORKSPACES = ".transcription/"
"""Below the output's prefix; nothing in it is ever taken for a recording."""


def workspace_uri(output_uri: str, uid: str) -> ObjectUri:
    """The prefix of a job's plans and parts, removed when the job is done."""
    return ObjectUri.parse(output_uri).child(f"{WORKSPACES}{uid}/")
