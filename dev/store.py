"""The S3 server in the cluster, and how to reach it from this machine."""

import json

from dev.images import Image
from dev.kubectl import Kubectl
from dev.network import Place
from dev.paths import STATE
from dev.s3 import S3, Credentials

NODE_PORT = 30900
INSIDE = "http://store.store.svc:9000"
"""Its address for pods."""

OUTSIDE = f"http://{Place(1).address}:{NODE_PORT}"
"""Its address for this machine."""

REGION = "us-east-1"
CREDENTIALS = Credentials(access_key="demo", secret_key="demo-secret", region=REGION)
"""Of a store that only this machine reaches, and that lives as long as the cluster."""


def install(kubectl: Kubectl, image: Image) -> None:
    """Run the S3 server; its data are in the cluster's state folder, whatever pod serves them."""
    apply(
        kubectl,
        image=str(image),
        node_selector={"transcription.dev/node-pool": "cpu"},
        volume={"hostPath": {"path": str(STATE / "store"), "type": "DirectoryOrCreate"}},
    )


def apply(
    kubectl: Kubectl,
    image: str,
    node_selector: dict[str, str],
    volume: dict[str, object],
    node_port: int = NODE_PORT,
) -> None:
    """Apply the manifest to any cluster and wait until the server answers; port 0 is any port."""
    values = {
        "IMAGE": image,
        "ACCESS_KEY": CREDENTIALS.access_key,
        "SECRET_KEY": CREDENTIALS.secret_key,
        "NODE_PORT": str(node_port),
        "NODE_SELECTOR": json.dumps(node_selector),
        "DATA_VOLUME": json.dumps({"name": "data", **volume}),
    }
    kubectl.apply("store.yaml", values)
    kubectl.rollout("store", "store")


def client() -> S3:
    """The store as this machine sees it."""
    return S3(OUTSIDE, CREDENTIALS)


def environment() -> dict[str, str]:
    """What `make s3-env` prints."""
    return {
        "AWS_ENDPOINT_URL": OUTSIDE,
        "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key,
        "AWS_REGION": REGION,
    }
