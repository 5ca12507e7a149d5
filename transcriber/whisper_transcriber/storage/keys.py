"""Keys for the object store: from a mounted Secret, from the settings, or from AWS for the pod."""

import os
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import urllib3
from minio.credentials.credentials import Credentials
from minio.credentials.providers import IamAwsProvider, Provider, StaticProvider
from urllib3.exceptions import HTTPError, ProtocolError

from whisper_transcriber.errors import AccessDenied
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.downloads import CONNECT_SECONDS, short
from whisper_transcriber.storage.proxies import pool_manager


def provider(settings: StoreSettings) -> Provider:
    """Where a store's keys come from."""
    if settings.keys_directory and settings.access_key and settings.secret_key:
        return MountedKeys(settings)
    if settings.access_key:
        return StaticProvider(settings.access_key, settings.secret_key, settings.session_token)
    return PodIdentity(settings)


class MountedKeys(Provider):
    """The keys in the files of a mounted Secret, read again when the kubelet has changed them."""

    def __init__(self, settings: StoreSettings) -> None:
        self._directory = settings.keys_directory or Path()
        # What the container began with, for as long as the files cannot be read.
        self._keys = Credentials(
            settings.access_key, settings.secret_key, settings.session_token or None
        )
        self._version: tuple[Path, int] | None = None

    def retrieve(self) -> Credentials:
        """The keys as the Secret has them now."""
        version = self._current_version()
        if version is not None and version != self._version:
            self._keys = self._read(version[0]) or self._keys
            self._version = version
        return self._keys

    def _current_version(self) -> tuple[Path, int] | None:
        """The directory with the files of one version of the Secret, and its time of change.

        The kubelet replaces the link ``..data`` when it has written all files of a new version;
        reading below its target never mixes two versions.
        """
        try:
            path = (self._directory / "..data").resolve(strict=True)
        except OSError:
            path = self._directory
        try:
            return path, max(
                (each.stat().st_mtime_ns for each in path.iterdir()),
                default=path.stat().st_mtime_ns,
            )
        except OSError:
            return None

    def _read(self, path: Path) -> Credentials | None:
        """None where a key is missing."""

        def value(name: str) -> str:
            try:
                return (path / name).read_text().strip()
            except (OSError, UnicodeDecodeError):
                return ""

        if not (value("accessKey") and value("secretKey")):
            return None
        return Credentials(value("accessKey"), value("secretKey"), value("sessionToken") or None)


class PodIdentity(Provider):
    """The keys that AWS gives to the pod itself: IRSA, EKS Pod Identity, or its node's role.

    minio reads the variables that EKS injects (AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE,
    AWS_CONTAINER_CREDENTIALS_FULL_URI and their kin), and asks again before the keys expire.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._keys_from = settings.keys_from
        # Not the store's connections: these servers are AWS's own, whatever caCert says.
        region = os.environ.get("AWS_REGION") or settings.region
        self._provider = IamAwsProvider(region=region, http_client=_aws_connections(region))

    def retrieve(self) -> Credentials:
        """Keys that are good for now.

        The causes are left out: they show the URL, whose query has the pod's token.

        Raises:
            AccessDenied: there are none.
            ProtocolError: AWS does not answer.
        """
        try:
            return self._provider.retrieve()
        except HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise ProtocolError(f"AWS gives this machine no keys: {_plain(cause)}") from None
        except (ValueError, KeyError, AttributeError, ParseError, OSError) as error:
            raise AccessDenied(
                f"{self._keys_from} has no access key, and AWS gives this machine none: "
                f"{_plain(error)}"
            ) from None


def _plain(error: BaseException) -> str:
    """A message without the queries of its URLs."""
    return short(ValueError(re.sub(r"\?\S*", "", str(error))))


def _aws_connections(region: str | None) -> urllib3.PoolManager:
    options: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=CONNECT_SECONDS),
        # Of other failures urllib3 logs the whole URL when it tries again; callers do that.
        "retries": urllib3.Retry(
            3, connect=0, read=0, redirect=0, other=0,
            backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None,
        ),
    }  # fmt: skip
    # The node's own metadata service is never behind a proxy.
    if "AWS_WEB_IDENTITY_TOKEN_FILE" in os.environ:
        return pool_manager("https", _sts(region), **options)
    return urllib3.PoolManager(**options)


def _sts(region: str | None) -> str:
    """The host that minio asks; NO_PROXY may name it, as that of a VPC's own endpoint."""
    if not region:
        return "sts.amazonaws.com"
    return f"sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
