import pytest

from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.addressing import Addressing


def addressing(endpoint: str, region: str | None = None, style: str = "auto") -> Addressing:
    return Addressing(
        StoreSettings(
            endpoint=endpoint,
            access_key="key",
            secret_key="secret",
            session_token=None,
            region=region,
            certificates=None,
            retry_seconds=0.0,
            keys_from="the Secret 'object-store'",
            addressing=style,
        )
    )


@pytest.mark.parametrize(
    ("endpoint", "region", "style", "bucket", "expected"),
    [
        ("http://minio:9000", None, "auto", "media", ("us-east-1", "minio:9000/media/a%20b")),
        ("http://minio:80", None, "auto", "media", ("us-east-1", "minio/media/a%20b")),
        ("http://[::1]:9000", None, "auto", "media", ("us-east-1", "[::1]:9000/media/a%20b")),
        (
            "https://s3.eu-central-1.amazonaws.com", None, "auto", "media",
            ("eu-central-1", "media.s3.eu-central-1.amazonaws.com/a%20b"),
        ),
        (
            "https://s3.amazonaws.com", "eu-west-3", "auto", "media",
            ("eu-west-3", "media.s3.eu-west-3.amazonaws.com/a%20b"),
        ),
        (
            "https://s3.amazonaws.com", None, "auto", "my.media",
            ("us-east-1", "s3.amazonaws.com/my.media/a%20b"),
        ),
        (
            "https://s3.amazonaws.com", None, "path", "media",
            ("us-east-1", "s3.amazonaws.com/media/a%20b"),
        ),
        (
            "https://s3.cn-north-1.amazonaws.com.cn", None, "auto", "media",
            ("cn-north-1", "media.s3.cn-north-1.amazonaws.com.cn/a%20b"),
        ),
        (
            "https://bucket.vpce-1a2b.s3.us-west-2.vpce.amazonaws.com", None, "auto", "media",
            ("us-west-2", "bucket.vpce-1a2b.s3.us-west-2.vpce.amazonaws.com/media/a%20b"),
        ),
        (
            "https://acc.r2.cloudflarestorage.com", "auto", "auto", "media",
            ("auto", "acc.r2.cloudflarestorage.com/media/a%20b"),
        ),
        (
            "https://store.example", None, "virtual", "media",
            ("us-east-1", "media.store.example/a%20b"),
        ),
    ],
    ids=[
        "a port", "the usual port", "an IPv6 address", "AWS by region", "AWS with a stated region",
        "a bucket with dots", "by path on demand", "China", "a VPC endpoint", "R2",
        "by host name on demand",
    ],
)  # fmt: skip
def test_each_endpoint_is_addressed_in_its_way(
    endpoint: str, region: str | None, style: str, bucket: str, expected: tuple[str, str]
) -> None:
    made = addressing(endpoint, region, style)
    used = made.region(bucket)
    place = made.place(bucket, "a b", used)
    assert (used, place.netloc(made.scheme) + place.path) == expected


def test_a_bucket_in_another_region_is_asked_there() -> None:
    made = addressing("https://s3.eu-central-1.amazonaws.com", "eu-central-1")
    made.learn("media", "us-west-2")
    assert made.place("media", "a", made.region("media")).host == "media.s3.us-west-2.amazonaws.com"
    assert made.region("other") == "eu-central-1"
