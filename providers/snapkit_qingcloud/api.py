"""How one call to QingCloud is signed and its answer read."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import attrs

from snapkit.answers import read_json, unknown_answer
from snapkit.credentials import Credentials
from snapkit.errors import (
    SnapkitError,
)
from snapkit.http import HttpRequest, HttpResponse
from snapkit.transport import Call, Moment
from snapkit_qingcloud import signing
from snapkit_qingcloud.failures import classify

__all__ = ["ENDPOINT", "METHODS", "QingCloudApi", "endpoint_url"]

ENDPOINT = "https://api.qingcloud.com"
LONGEST_URL = 4096
METHODS = {"hmac-sha256": "HmacSHA256", "hmac-sha1": "HmacSHA1"}


def endpoint_url(endpoint: str | None) -> str:
    """Return the URL to call: *endpoint* with its own path, else with the public cloud's."""
    url = endpoint or ENDPOINT
    return f"{url}/" if urlsplit(url).path.strip("/") else f"{url}/iaas/"


@attrs.define
class QingCloudApi:
    """Signs and reads one call; made anew for each, because it remembers the request id."""

    signature_method: str = "HmacSHA256"
    post: bool = False
    request_id: str | None = None

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request to send.

        A role's token is a secret, and goes into the body instead of the URL.
        """
        self.request_id = moment.nonce
        token = credentials.token.reveal() if credentials.token else None
        params = {"action": call.operation} | dict(call.params)
        params |= signing.common(
            key_id=credentials.key_id,
            method=self.signature_method,
            seconds=moment.time,
            request_id=moment.nonce,
            token=token,
        )
        query = signing.canonical(params)
        url = _role_url(call.url) if token else call.url
        post = self.post or token is not None or len(url) + len(query) > LONGEST_URL
        signed = signing.with_signature(
            query,
            signing.signature(
                credentials.secret.reveal(),
                "POST" if post else "GET",
                urlsplit(url).path,
                query,
                method=self.signature_method,
            ),
        )
        if not post:
            return HttpRequest(method="GET", url=f"{url}?{signed}")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return HttpRequest(method="POST", url=url, headers=form, body=signed.encode())

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload; HTTP 200 with another ``ret_code`` than 0 is an error."""
        del call
        payload = read_json(response)
        if "ret_code" not in payload:
            raise _foreign(response)
        error = classify(payload, request_id=self.request_id)
        if error is not None:
            raise error
        if response.status != 200:
            raise _foreign(response)
        return payload


def _role_url(url: str) -> str:
    """Return where the keys of an instance's role are taken: ``/iam/`` beside ``/iaas/``."""
    parts = urlsplit(url)
    path = parts.path.removesuffix("/iaas/") + "/iam/" if parts.path.endswith("/iaas/") else None
    return urlunsplit(parts._replace(path=path)) if path else url


def _foreign(response: HttpResponse) -> SnapkitError:
    """Return what an answer in JSON is that is not the API's."""
    said = f"HTTP {response.status} without the API's own answer"
    hint = "check the endpoint and its path"
    return unknown_answer(response.status, said, otherwise=said, hint=hint)
