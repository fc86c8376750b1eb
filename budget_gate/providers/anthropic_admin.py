"""Anthropic's usage and cost reports (the Admin API), read with the standard library; implements ``providers.billing.Bill``.

Shapes: https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages and .../cost_report/retrieve. Amounts are decimal
strings in cents. The key is sent to the one configured address only: a redirect is an error, not followed.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from budget_gate.core.errors import ProviderError
from budget_gate.core.money import EXACT, parse_decimal
from budget_gate.providers.billing import BilledTokens, ModelKind

DEFAULT_ADDRESS = "https://api.anthropic.com"
USAGE_PATH = "/v1/organizations/usage_report/messages"
COST_PATH = "/v1/organizations/cost_report"
API_VERSION = "2023-06-01"
TIMEOUT_SECONDS = 30
TRIES = 4
PAGES_MAX = 100
BYTES_MAX = 20_000_000

_WAITS_SECONDS = (1.0, 4.0, 10.0)
_WORTH_A_RETRY = (429, 500, 502, 503, 504, 529)

_USAGE_KINDS: Mapping[str, str] = {
    "uncached_input_tokens": "input",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "server_tool_use.web_search_requests": "web_search",
}
"""The report's counters, dots for nesting, and our kinds. The cost report's ``token_type`` uses the first five as they stand."""

_PRIORITY = "priority"
"""The service tier that is bought ahead. Its tokens are in the usage report, and its cost is not in the cost report:
https://platform.claude.com/docs/en/manage-claude/usage-cost-api"""

_REPAIRS = {
    401: "the ANTHROPIC_ADMIN_KEY is not valid; make one in the Console under Admin keys",
    403: "the key may not read reports; an Admin key (sk-ant-admin...) is needed, an ordinary API key is not enough",
    404: "there is no such report at this address; look at ANTHROPIC_BASE_URL",
}


class AnthropicBill:
    """The bill of the organization that an Admin key belongs to."""

    def __init__(self, admin_key: str, address: str = "", sleep: Callable[[float], None] = time.sleep) -> None:
        self._key = admin_key
        self._address = (address or DEFAULT_ADDRESS).rstrip("/")
        self._sleep = sleep

    def tokens(self, day: date) -> BilledTokens:
        """Return the tokens of a day by model and kind, and those of them in the Priority Tier."""
        found: dict[ModelKind, int] = {}
        priority: dict[ModelKind, int] = {}
        for result in self._results(USAGE_PATH, day, "model", "service_tier"):
            for path, kind in _USAGE_KINDS.items():
                count = _nested(result, path)
                if count:
                    key = (str(result.get("model") or ""), kind)
                    found[key] = found.get(key, 0) + count
                    if result.get("service_tier") == _PRIORITY:
                        priority[key] = priority.get(key, 0) + count
        return BilledTokens(found, priority)

    def dollars(self, day: date) -> dict[ModelKind, Decimal]:
        """Return the cost of a day by model and kind; what is not tokens has its ``cost_type`` for a kind."""
        found: dict[ModelKind, Decimal] = {}
        for result in self._results(COST_PATH, day, "description"):
            if result.get("currency") != "USD":
                currency = str(result.get("currency"))[:20]
                raise ProviderError(f"Anthropic's cost report is in {currency!r}, not in USD; it cannot be compared")
            kind = _USAGE_KINDS.get(str(result.get("token_type")), str(result.get("cost_type") or "other"))
            key = (str(result.get("model") or ""), kind)
            found[key] = EXACT.add(found.get(key, Decimal(0)), _dollars(result.get("amount")))
        return found

    def _results(self, path: str, day: date, *group_by: str) -> Iterator[dict[str, Any]]:
        """Yield every result of one day, page by page. A day on which nothing was used may be missing, and has no results."""
        query = [
            ("starting_at", f"{day}T00:00:00Z"),
            ("ending_at", f"{day + timedelta(days=1)}T00:00:00Z"),
            ("bucket_width", "1d"),
            *(("group_by[]", each) for each in group_by),
        ]
        page = ""
        for _ in range(PAGES_MAX):
            report = self._get(path, [*query, ("page", page)] if page else query)
            try:
                for bucket in report["data"]:
                    if str(bucket["starting_at"]).startswith(f"{day}T"):
                        yield from (dict(result) for result in bucket["results"])
                if not report["has_more"]:
                    return
                page = _page_name(report["next_page"])
            except (KeyError, TypeError, ValueError):
                raise ProviderError(f"Anthropic's answer to {path} is not a report as documented") from None
        raise ProviderError(f"Anthropic's report {path} has more than {PAGES_MAX} pages for one day")

    def _get(self, path: str, query: list[tuple[str, str]]) -> dict[str, Any]:
        """Return one answer; what may pass is tried again a few times. Raises ``ProviderError``, never showing the key."""
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.parse import urlencode
        from urllib.request import Request

        url = f"{self._address}{path}?{urlencode(query)}"
        if not url.startswith(("https://", "http://")):
            raise ProviderError("ANTHROPIC_BASE_URL is no http address; write https://HOST")
        request = Request(url, headers={"x-api-key": self._key, "anthropic-version": API_VERSION, "accept": "application/json"})  # noqa: S310 (checked above)
        problem = ""
        for number in range(TRIES):
            if number:
                self._sleep(_WAITS_SECONDS[number - 1])
            try:
                return _answer(request)
            except HTTPError as error:
                error.close()
                problem = _REPAIRS.get(error.code, f"status {error.code}")
                if error.code not in _WORTH_A_RETRY:
                    break
            except (OSError, HTTPException, ValueError) as error:
                problem = str(getattr(error, "reason", "") or error)[:200]
        raise ProviderError(f"Anthropic's report {path} cannot be read: {problem}") from None


def _answer(request: Any) -> dict[str, Any]:
    """Send one request, without following redirects, and return its JSON."""
    from urllib.request import HTTPRedirectHandler, build_opener

    class NoRedirects(HTTPRedirectHandler):
        """Turns a redirect into the error that it is here."""

        def redirect_request(self, *_: Any, **__: Any) -> None:
            """Refuse: the key is for one address."""

    with build_opener(NoRedirects).open(request, timeout=TIMEOUT_SECONDS) as response:
        answer = json.loads(response.read(BYTES_MAX))
    if not isinstance(answer, dict):
        raise ValueError("the answer is not a JSON object")  # noqa: TRY004 (one kind of failure for all that is no report)
    return answer


def _page_name(value: object) -> str:
    """Return the name of the next page. Raises ``ValueError`` where there is none: the rest of the bill would be left out."""
    if not isinstance(value, str) or not value:
        raise ValueError("there is more, but no page to ask for")
    return value


def _nested(result: Mapping[str, Any], path: str) -> int:
    """Return a counter; absent and null are zero. Raises ``ProviderError`` for anything that is no count."""
    value: Any = result
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise ProviderError(f"Anthropic's usage report has {str(value)[:40]!r} for {path}, which is no count")
    return value


def _dollars(amount: object) -> Decimal:
    """Return an amount in cents, a decimal string, as dollars."""
    try:
        return parse_decimal(str(amount)).scaleb(-2, context=EXACT)
    except ValueError:
        raise ProviderError(f"Anthropic's cost report has {str(amount)[:40]!r} for an amount, which is no decimal") from None
