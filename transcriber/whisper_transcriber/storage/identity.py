"""Keys for the object store when the Secret has none."""

import urllib3
from minio.credentials.credentials import Credentials
from minio.credentials.providers import IamAwsProvider, Provider

from whisper_transcriber.errors import AccessDenied
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.downloads import CONNECT_SECONDS, short


class PodIdentity(Provider):
    """The keys that AWS gives to the pod itself: IRSA, EKS Pod Identity, or its node's role.

    minio reads the variables that EKS injects (AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE,
    AWS_CONTAINER_CREDENTIALS_FULL_URI and their kin), and asks again before the keys expire.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._keys_from = settings.keys_from
        # Not the store's connections: these servers are AWS's own, whatever caCert says.
        self._provider = IamAwsProvider(
            region=settings.region,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=CONNECT_SECONDS),
                retries=urllib3.Retry(
                    3, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504),
                    allowed_methods=None,
                ),
            ),
        )  # fmt: skip

    def retrieve(self) -> Credentials:
        """Keys that are good for now.

        Raises:
            AccessDenied: there are none.
        """
        try:
            return self._provider.retrieve()
        except (ValueError, KeyError, OSError) as error:
            raise AccessDenied(
                f"{self._keys_from} has no access key, and AWS gives this machine none: "
                f"{short(error)}"
            ) from error
