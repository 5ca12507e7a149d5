"""The API server as a test's administrator sees it: JSON in, JSON out."""

import json
from pathlib import Path
from typing import Any

from kubernetes import config

GROUP = "/apis/transcription.dev/v1alpha1"
Json = dict[str, Any]


class ApiRefusal(Exception):
    """An answer that is not 2xx; ``str()`` is the API server's sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """One cluster, by a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = config.new_client_from_config(str(kubeconfig))

    def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Json:
        address, _, query = path.partition("?")
        request = self._client.param_serialize(
            method=method,
            resource_path=address,
            query_params=[tuple(pair.split("=", 1)) for pair in query.split("&") if pair],
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request)
        content = response.read()
        answer: Json = json.loads(content)
        if not 200 <= response.status <= 299:
            raise ApiRefusal(response.status, answer["message"])
        return answer

    def get(self, path: str) -> Json | None:
        try:
            return self.request("GET", path)
        except ApiRefusal as refusal:
            if refusal.status == 404:
                return None
            raise

    def items(self, path: str) -> list[Json]:
        items: list[Json] = self.request("GET", path)["items"]
        return items

    def create(self, path: str, body: Json) -> Json:
        return self.request("POST", path, body)

    def merge(self, path: str, body: Json) -> Json:
        return self.request("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path: str, propagation: str = "Background") -> None:
        """None there, or no longer, is as good."""
        try:
            self.request("DELETE", path, {"propagationPolicy": propagation})
        except ApiRefusal as refusal:
            if refusal.status != 404:
                raise


def jobs(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


def core(namespace: str, plural: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{plural}"


def transcription_jobs(namespace: str) -> str:
    return f"{GROUP}/namespaces/{namespace}/transcriptionjobs"
