"""How each API of the vendor signs a call and reads its answer."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from snapkit.credentials import Credentials
from snapkit.http import HttpRequest, HttpResponse
from snapkit.transport import Call, Moment

from . import legacy, signing, wire
from .endpoints import CBS, VERSIONS

__all__ = ["FormApi", "Tc3Api"]


@attrs.frozen
class Tc3Api:
    """Signs and reads calls of API 3.0."""

    region: str

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return a POST of JSON; key, token and signature are in the headers."""
        host, path = _address(call.url)
        body = json.dumps(call.params, separators=(",", ":")).encode()
        scope = signing.Scope(int(moment.time), call.service)
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "X-TC-Action": call.operation,
            "X-TC-Version": VERSIONS[call.service],
            "X-TC-Timestamp": str(scope.timestamp),
            "X-TC-Language": "en-US",
            "X-TC-RequestClient": "snapkit",
        }
        if call.service == CBS:
            headers["X-TC-Region"] = self.region
        if credentials.token is not None:
            headers["X-TC-Token"] = credentials.token.reveal()
        headers["Authorization"] = signing.authorization(
            key_id=credentials.key_id,
            secret=credentials.secret.reveal(),
            scope=scope,
            host=host,
            path=path,
            content_type=headers["Content-Type"],
            body=body,
        )
        return HttpRequest(method="POST", url=call.url, headers=headers, body=body)

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, or raise the error in it."""
        return wire.payload_of(response, call.operation)


@attrs.frozen
class FormApi:
    """Signs and reads calls of API 2.0."""

    region: str
    method: str

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return a POST of a form, so that key and token stay out of the URL.

        Only a value that starts with ``@`` makes it a GET.
        """
        host, path = _address(call.url)
        fields = legacy.flat(call.params) | {
            "Action": call.operation,
            "Region": self.region,
            "Timestamp": str(int(moment.time)),
            "Nonce": str(moment.number),
            "SecretId": credentials.key_id,
            "SignatureMethod": self.method,
        }
        if credentials.token is not None:
            fields["Token"] = credentials.token.reveal()
        verb = "GET" if signing.has_upload_mark(fields) else "POST"
        signed = signing.form_text(verb, host, path, fields)
        fields["Signature"] = signing.form_signature(
            credentials.secret.reveal(), signed, self.method
        )
        form = signing.encoded(fields)
        if verb == "GET":
            return HttpRequest(method=verb, url=f"{call.url}?{form}", headers={"Host": host})
        headers = {"Host": host, "Content-Type": "application/x-www-form-urlencoded"}
        return HttpRequest(method=verb, url=call.url, headers=headers, body=form.encode())

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, or raise the error that its code means."""
        return legacy.payload_of(response, call.operation)


def _address(url: str) -> tuple[str, str]:
    """Return the host as it stands in the Host header, and the path."""
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.removesuffix(default), parts.path or "/"
