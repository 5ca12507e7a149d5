"""The object store, as this machine reaches it: the only module that knows minio."""

import shutil
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.providers import (
    AWSConfigProvider,
    ChainedProvider,
    EnvAWSProvider,
    Provider,
    StaticProvider,
)
from minio.error import MinioException, S3Error

from kubectl_transcribe.access import Access, by_environment, by_secret, how_to_make, missing
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.errors import (
    AccessDeniedError,
    BucketMissingError,
    ForbiddenError,
    KeysRefusedError,
    NotFoundError,
    StoreError,
    StoreUnreachableError,
    cause,
)
from transcription_api.object_store import ObjectStore
from transcription_contract.locations import ObjectUri

_Answer = TypeVar("_Answer")

_MISSING = frozenset({"NoSuchKey", "NoSuchObject", "ResourceNotFound"})
_REFUSED_KEYS = frozenset(
    # The last one is versitygw's.
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
     "XAdminUserNotFound"}
)  # fmt: skip
_SECONDS = urllib3.Timeout(connect=5.0, read=60.0)


class Store:
    """One S3-compatible server."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._client = _client(access)

    @classmethod
    def open(
        cls,
        cluster: Cluster,
        spec: ObjectStore,
        endpoint: str | None,
        environ: Mapping[str, str],
    ) -> "Store":
        """By the job's Secret where the user may read it, else by the usual AWS variables.

        Raises:
            StoreError: neither says where the store is, and what opens it.
        """
        try:
            access = _access(cluster, spec, endpoint, environ)
        except ValueError as error:
            raise StoreError(str(error)) from error
        return cls(access)

    def upload(self, file: BinaryIO, size: int, uri: ObjectUri) -> None:
        """Store ``size`` bytes of a file."""
        self._try(uri, lambda: self._client.put_object(uri.bucket, uri.key, file, size))

    def read(self, uri: ObjectUri) -> bytes:
        """An object's bytes.

        Raises:
            NotFoundError: there is none.
        """

        def fetch() -> bytes:
            response = self._client.get_object(uri.bucket, uri.key)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

        return self._try(uri, fetch)

    def download(self, uri: ObjectUri, path: Path) -> None:
        """An object into a file; its folder is made. What is there under that name is replaced."""

        def fetch() -> None:
            response = self._client.get_object(uri.bucket, uri.key)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(f"{path.name}.part")
                with part.open("wb") as file:
                    shutil.copyfileobj(response, file)
                part.replace(path)
            finally:
                response.close()
                response.release_conn()

        self._try(uri, fetch)

    def below(self, prefix: ObjectUri) -> Iterator[ObjectUri]:
        """The objects below a prefix, but for those that stand for folders.

        Raises:
            StoreError: they cannot be listed.
        """
        listing = iter(self._client.list_objects(prefix.bucket, prefix.key, recursive=True))
        while found := self._try(prefix, lambda: next(listing, None)):
            name = str(found.object_name)
            if not name.endswith("/"):
                yield ObjectUri(prefix.bucket, name)

    def look_into(self, bucket: str) -> None:
        """Ask for one name in a bucket, which says whether store, keys and bucket are right.

        Raises:
            StoreError: one of them is not.
        """
        listing = self._client.list_objects(bucket)
        self._try(ObjectUri(bucket, ""), lambda: next(listing, None))

    def knock(self) -> None:
        """Ask for the buckets; keys that may not list them are good keys nonetheless.

        Raises:
            StoreError: the store does not answer, or does not know the keys.
        """

        def ask() -> None:
            try:
                self._client.list_buckets()
            except S3Error as error:
                if error.code in _REFUSED_KEYS:
                    raise

        self._try(ObjectUri("", ""), ask)

    def _try(self, uri: ObjectUri, call: Callable[[], _Answer]) -> _Answer:
        try:
            return call()
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise self._meaning(uri, error) from error
        except ValueError:
            # Its words may have a key in them.
            raise StoreError(
                f"the object store at {self.access.endpoint} cannot be asked: the keys of "
                f"{self.access.keys_from}, or a name, have characters that cannot be sent"
            ) from None

    def _meaning(self, uri: ObjectUri, error: Exception) -> Exception:
        if isinstance(error, S3Error):
            return self._refusal(uri, error)
        if isinstance(error, urllib3.exceptions.HTTPError):
            return StoreUnreachableError(
                f"the object store at {self.access.endpoint} cannot be reached from this machine: "
                f"{cause(error)}; name the address that this machine reaches by --endpoint"
            )
        return StoreError(f"the object store at {self.access.endpoint}: {error}")

    def _refusal(self, uri: ObjectUri, error: S3Error) -> Exception:
        if error.code in _MISSING:
            return NotFoundError(f"{uri} is not in the object store")
        if error.code == "NoSuchBucket":
            return BucketMissingError(
                f"the bucket {uri.bucket} does not exist: make it, or name another one"
            )
        if error.code in _REFUSED_KEYS:
            return KeysRefusedError(
                f"the object store at {self.access.endpoint} does not accept the keys of "
                f"{self.access.keys_from} ({error.code})"
            )
        if error.response.status in (401, 403):
            return AccessDeniedError(
                f"the keys of {self.access.keys_from} may not do this with {uri} ({error.code})"
            )
        return StoreError(f"the object store refused {uri}: {error.code}: {error.message}")


def _access(
    cluster: Cluster, spec: ObjectStore, endpoint: str | None, environ: Mapping[str, str]
) -> Access:
    if not spec.secret:
        return by_environment(spec, endpoint, environ, "the job names no Secret")
    try:
        return by_secret(spec.secret, cluster.secret(spec.secret), endpoint)
    except ForbiddenError as error:
        why = f"the Secret {spec.secret} cannot be read ({error.message})"
    except NotFoundError:
        here = cluster.namespace
        why = f"{missing(spec.secret, here)} (make it by `{how_to_make(spec.secret, here)}`)"
    return by_environment(spec, endpoint, environ, why)


def _client(access: Access) -> Minio:
    endpoint = urlsplit(access.endpoint)
    if endpoint.scheme not in ("http", "https") or not endpoint.netloc or "@" in endpoint.netloc:
        # Its value stays unsaid: two keys of a Secret may have been swapped.
        raise StoreError(
            f"{access.endpoint_from} is not a URL such as https://s3.example.com or "
            "http://localhost:9000"
        )
    keys = access.keys or {}
    # AWS tells a bucket's region when asked; others rarely have more than the default one.
    ask_for_region = (endpoint.hostname or "").endswith(".amazonaws.com")
    return Minio(
        endpoint.netloc,
        credentials=_keys(access),
        secure=endpoint.scheme == "https",
        region=access.region or (None if ask_for_region else "us-east-1"),
        http_client=urllib3.PoolManager(
            timeout=_SECONDS,
            retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(502, 503, 504)),
            ssl_context=_trust(keys.get("caCert")),
        ),
    )


def _keys(access: Access) -> Provider:
    if access.keys is not None:
        keys = access.keys
        return StaticProvider(keys["accessKey"], keys["secretKey"], keys.get("sessionToken"))
    found = ChainedProvider([EnvAWSProvider(), AWSConfigProvider()])
    try:
        found.retrieve()
    except ValueError as error:
        raise StoreError(
            f"there are no keys for the object store: {access.no_secret}, and neither "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor a profile give any"
        ) from error
    return found


def _trust(certificates: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if certificates:
        try:
            context.load_verify_locations(cadata=certificates)
        except (ssl.SSLError, ValueError) as error:
            raise StoreError("the Secret's caCert is no certificate in PEM") from error
    return context
