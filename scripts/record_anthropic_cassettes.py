"""Record tests/cassettes/anthropic: from the real API where a key is set, else from the fake one of the tests.

``ANTHROPIC_API_KEY`` (and ``ANTHROPIC_BASE_URL``) choose the real API; recording then costs less than a cent. Keys, cookies and
account headers never reach a cassette.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import vcr  # noqa: E402  # found through the path above
from fakes.anthropic_server import AnthropicServer  # noqa: E402
from fakes.recording_meter import RecordingMeter  # noqa: E402

from budget_gate.providers.anthropic import AnthropicProvider  # noqa: E402

FOLDER = ROOT / "tests" / "cassettes" / "anthropic"
RECORDED_URL = "https://api.anthropic.com"
"""What cassettes call the API, whichever answered."""

KEPT_RESPONSE_HEADERS = ("content-type", "request-id", "retry-after")
KEPT_REQUEST_HEADERS = ("content-type", "anthropic-version", "accept", "accept-encoding")
BODY: Mapping[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 64,
    "system": "Answer in one short sentence.",
    "messages": [{"role": "user", "content": "What does a budget gate do?"}],
}


def send(provider: AnthropicProvider, **fields: Any) -> None:
    """Make one call and leave what comes of it to the cassette."""
    result = provider.send({**BODY, **fields}, RecordingMeter(), deadline_seconds=60)
    print(type(result).__name__)


CALLS: Mapping[str, Callable[[AnthropicProvider], object]] = {
    "plain": send,
    "streamed": lambda provider: send(provider, stream=True),
    "count_tokens": lambda provider: provider.count_tokens(BODY),
}


def clean_request(request: Any) -> Any:
    """Keep of a request what a test may depend on, and no secret."""
    request.headers = {name: value for name, value in request.headers.items() if name.lower() in KEPT_REQUEST_HEADERS}
    request.uri = RECORDED_URL + request.path
    return request


def clean_response(response: dict[str, Any]) -> dict[str, Any]:
    """Keep of a response what a test may depend on, and no account."""
    headers = response["headers"]
    response["headers"] = {name: value for name, value in headers.items() if name.lower() in KEPT_RESPONSE_HEADERS}
    return response


def record(key: str, url: str, source: str) -> None:
    """Record every call into a file of its own."""
    for name, call in CALLS.items():
        path = FOLDER / f"{name}.yaml"
        path.unlink(missing_ok=True)
        provider = AnthropicProvider(key, url)
        recorder = vcr.VCR(before_record_request=clean_request, before_record_response=clean_response, record_mode="all")
        with recorder.use_cassette(str(path)):
            call(provider)
        provider.close()
        recorded = path.read_text(encoding="utf-8")
        if key in recorded:
            path.unlink()
            sys.exit(f"{path} held the key; it was deleted")
        origin = f"# Recorded from {source}. To record again: python scripts/record_anthropic_cassettes.py\n"
        path.write_text(origin + recorded, encoding="utf-8")


def main() -> None:
    """Record from whichever API is at hand."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    key = os.environ.get("ANTHROPIC_API_KEY")
    if key:
        url = os.environ.get("ANTHROPIC_BASE_URL", RECORDED_URL)
        record(key, url, f"the API at {url}")
        return
    with AnthropicServer() as server:
        record(server.key, server.url, "the fake server of this repository (tests/fakes/anthropic_server.py), not from Anthropic")


if __name__ == "__main__":
    main()
