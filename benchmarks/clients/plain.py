"""What a script does: ``requests`` and ``json.loads``, unsigned, without a model."""

import json
from typing import Any

from benchmarks.clients import Job, asking, each_scope

id_of = asking.id_of


def load(job: Job) -> None:
    """Import requests."""
    import requests

    del job, requests


def _scope(job: Job, cloud: str, region: str) -> list[Any]:
    import requests

    with requests.Session() as session:
        session.headers.update(asking.headers_of(cloud, region))
        style = job.style.get(cloud, "")

        def fetch(place: object) -> Any:
            path, body = asking.request_of(cloud, region, place, style)
            method = "POST" if body else "GET"
            answer = session.request(
                method,
                job.endpoint + path,
                data=body or None,
                verify=job.bundle or True,
                timeout=30,
            )
            answer.raise_for_status()
            return json.loads(answer.content)

        return [row for page in asking.pages(cloud, fetch, style) for row in page]


def listed(job: Job) -> list[Any]:
    """Return all rows of all scopes."""
    return each_scope(job, _scope)
