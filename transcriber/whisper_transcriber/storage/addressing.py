"""Where requests to an S3 endpoint go: the host of a region, buckets by path or by host name."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.settings import StoreSettings

_DEFAULT_REGION = "us-east-1"
_AWS = re.compile(
    r"s3[.-](?:dualstack\.)?(?:(?P<region>[a-z]+(?:-[a-z0-9]+)+)\.)?amazonaws\.com(?P<china>\.cn)?"
)
_AWS_REGION = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:vpce\.)?amazonaws\.com")
# Buckets by host name: AWS asks for it, and Alibaba accepts nothing else.
_VIRTUAL = (".amazonaws.com", ".amazonaws.com.cn", ".aliyuncs.com")


@dataclass(frozen=True)
class Place:
    """Where a request goes. ``path``: quoted."""

    host: str
    port: int | None
    path: str

    def netloc(self, scheme: str) -> str:
        """What the Host header says."""
        usual = self.port in (None, {"http": 80, "https": 443}[scheme])
        return self.host if usual else f"{self.host}:{self.port}"


class Addressing:
    """Places of objects at one endpoint. ``scheme``: http or https. ``netloc``: of the endpoint."""

    def __init__(self, settings: StoreSettings) -> None:
        self._endpoint = _endpoint(settings)
        self._style = settings.addressing
        self._stated_region = settings.region
        self._regions: dict[str, str] = {}
        self.scheme = self._endpoint.scheme
        self.netloc = self._endpoint.netloc

    def learn(self, bucket: str, region: str) -> None:
        """The store says that a bucket is in another region."""
        self._regions[bucket] = region

    def region(self, bucket: str) -> str:
        """Of a bucket: as learnt, stated, named by the endpoint, or the default."""
        known = self._regions.get(bucket) or self._stated_region
        if known:
            return known
        told = _AWS_REGION.search(f".{self._endpoint.hostname}")
        return told[1] if told else _DEFAULT_REGION

    def place(self, bucket: str, key: str, region: str) -> Place:
        """Where a request for an object goes; with an empty key, one for the bucket."""
        host = self._host(region)
        port = self._endpoint.port
        path = quote(key, safe="/~")
        if self._by_host_name(host, bucket):
            return Place(f"{bucket}.{host}", port, f"/{path}")
        return Place(host, port, f"/{bucket}/{path}" if key else f"/{bucket}")

    def _host(self, region: str) -> str:
        """AWS's own name for a region, since a bucket may lie in another one than the endpoint."""
        host = self._endpoint.hostname or ""
        host = f"[{host}]" if ":" in host else host
        found = _AWS.fullmatch(host)
        if not found or region == (found["region"] or _DEFAULT_REGION):
            return host
        dual = "dualstack." if ".dualstack." in host else ""
        return f"s3.{dual}{region}.amazonaws.com{found['china'] or ''}"

    def _by_host_name(self, host: str, bucket: str) -> bool:
        if self._style != "auto":
            return self._style == "virtual"
        # A certificate for *.host does not cover a.b.host.
        dotted = "." in bucket and self._endpoint.scheme == "https"
        return host.endswith(_VIRTUAL) and ".vpce." not in host and not dotted


def _endpoint(settings: StoreSettings) -> SplitResult:
    """The parts of the endpoint's URL.

    Raises:
        ConfigurationInvalid: it is no URL of a server alone. What it is stays unsaid where it may
            be a key: two values may have been swapped.
    """
    try:
        url = urlsplit(settings.endpoint)
        usable = url.scheme in ("http", "https") and url.hostname and "@" not in url.netloc
        _ = url.port
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationInvalid(
            f"the endpoint in {settings.keys_from} is not a URL such as https://s3.example.com"
        )
    if url.path.strip("/") or url.query or url.fragment:
        raise ConfigurationInvalid(
            f"the endpoint in {settings.keys_from} must not have a path "
            f"(…/{url.path.strip('/')}): remove it, and name the bucket in the URIs"
        )
    return url
