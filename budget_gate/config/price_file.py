"""Reading prices: the packaged file of published ones, and the policy's own under ``prices:``.

The packaged file is generated (``scripts/generate_prices.py``) and plain JSON, so that reading it costs about a millisecond
on every start. What a price means is ``core.prices``; adding file and line to a fault in the policy is ``policy_file``.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from os.path import dirname, join
from typing import Any

from budget_gate.config.faults import FieldFault, FieldPath, pick, shown
from budget_gate.core.money import parse_decimal
from budget_gate.core.prices import MODEL_ID_MAX, TOKEN_KINDS, DatedPrice, ModelPrice, PriceBook, Rate, Variant

RATE_MAX = Decimal(100_000)
"""Dollars per million tokens that no model asks (the dearest asks 80): more than this is a slip of the decimal point."""

RATE_PLACES_MAX = 12
"""Decimal places a rate may have: a trillionth of a dollar per million tokens is below any price list."""

_CACHE_KINDS = TOKEN_KINDS[2:]
_FROM = "from"
_SEARCHES = "web_search"
_BATCH = "batch"
_RATE_EXAMPLE = 'write dollars per million tokens, such as "0.80"'


def load_prices(negotiated: Mapping[str, tuple[DatedPrice, ...]] | None = None) -> PriceBook:
    """Return every published price, with ``negotiated`` ones (from ``parse_negotiated``) before them."""
    return PriceBook(_published(), negotiated)


@lru_cache(maxsize=1)
def _published() -> tuple[ModelPrice, ...]:
    """Return the packaged price lists, read once per process."""
    # A path beside the module: importlib.resources would cost 4 ms of imports to find the same file.
    with open(join(dirname(__file__), "prices.json"), encoding="utf-8") as file:  # noqa: PTH118,PTH120,PTH123 - pathlib costs more
        return read_published(json.load(file))


def read_published(content: Mapping[str, Any]) -> tuple[ModelPrice, ...]:
    """Return the price lists of a price file's content.

    Raises ``ValueError`` when tiers do not rise: the worst case of a call is computed as that of its longest prompt.
    """
    return tuple(
        ModelPrice(
            each["id"],
            tuple(_entry(entry) for entry in each["entries"]),
            tuple(each.get("equals", ())),
            tuple(each.get("prefixes", ())),
            tuple(each.get("contains", ())),
            tuple(each.get("shapes", ())),
        )
        for each in content["models"]
    )


def _entry(fields: Mapping[str, Any]) -> DatedPrice:
    since, searches = fields["from"], fields.get("web_searches_kcount")
    read, write_5m, write_1h = (_rate(fields[kind]) if kind in fields else None for kind in _CACHE_KINDS)
    return DatedPrice(
        date.fromisoformat(since) if since else None,
        _rate(fields["input"]),
        _rate(fields["output"]),
        read,
        write_5m,
        write_1h,
        Decimal(searches) if searches else None,
        fields["variant"],
    )


def _rate(stated: str | list[Any]) -> Rate:
    """Return a rate: one text, or a list of the base and ``[threshold, rate]`` pairs, both rising."""
    if isinstance(stated, str):
        return Rate(Decimal(stated))
    base, *pairs = stated
    above = tuple((threshold, Decimal(dearer)) for threshold, dearer in pairs)
    before = (-1, Decimal(base))
    for tier in above:
        if tier[0] <= before[0] or tier[1] < before[1]:
            raise ValueError(f"the tiers of the rate {stated} do not rise")
        before = tier
    return Rate(Decimal(base), above)


def parse_negotiated(prices: object, path: FieldPath = ("prices",)) -> dict[str, tuple[DatedPrice, ...]]:
    """Return the policy's own prices, by model id, from plain mappings, lists and texts as they stand in the file.

    Per model a list of entries, dates rising: ``from``, a rate for each kind of token, ``web_search`` (dollars per thousand
    searches) and ``batch`` (the same rates for the Batches API) if wanted. Once a model has a ``batch``, an entry without one
    sets batch work back to that entry's ordinary rates. Raises ``FieldFault`` for the first thing wrong, with its path.
    """
    if not isinstance(prices, Mapping):
        raise FieldFault(path, "prices are not a mapping", "write a model id and its list of dated prices")
    return {_model_id(model, path): _model_entries(entries, (*path, model)) for model, entries in prices.items()}


def _model_id(model: object, path: FieldPath) -> str:
    if not isinstance(model, str) or not model.strip() or len(model) > MODEL_ID_MAX:
        raise FieldFault(path, f"{shown(str(model))} is not a model id", "write an id such as claude-haiku-4-5")
    return model


def _model_entries(entries: object, path: FieldPath) -> tuple[DatedPrice, ...]:
    if not isinstance(entries, list) or not entries:
        raise FieldFault(path, "there is no list of dated prices", "write one entry or more, each with `from` and its rates")
    parsed: list[DatedPrice] = []
    for index, fields in enumerate(entries):
        place = (*path, index)
        _check_keys(fields, (_FROM, *TOKEN_KINDS, _SEARCHES, _BATCH), place)
        since = _date(fields, place)
        if parsed and parsed[-1].effective_from is not None and since <= parsed[-1].effective_from:
            raise FieldFault((*place, _FROM), f"{since} does not come after the date before it", "sort the entries, one per date")
        standard = _negotiated_entry(fields, since, "standard", place)
        parsed.append(standard)
        if _BATCH in fields:
            _check_keys(fields[_BATCH], (*TOKEN_KINDS, _SEARCHES), (*place, _BATCH))
            # What `batch` does not say of searches is what the entry says: the published list has no batch rate for them either.
            stated = {_SEARCHES: fields[_SEARCHES], **fields[_BATCH]} if _SEARCHES in fields else fields[_BATCH]
            parsed.append(_negotiated_entry(stated, since, "batch", (*place, _BATCH)))
        elif any(entry.variant == "batch" for entry in parsed):
            parsed.append(standard._replace(variant="batch"))
    return tuple(parsed)


def _check_keys(fields: object, known: tuple[str, ...], path: FieldPath) -> None:
    if not isinstance(fields, Mapping):
        raise FieldFault(path, "this is not a mapping", f"write {', '.join(TOKEN_KINDS)}")
    for key in fields:
        if key not in known:
            raise FieldFault((*path, str(key)), "there is no such field", pick(str(key), list(known)))


def _date(fields: Mapping[str, Any], path: FieldPath) -> date:
    stated = fields.get(_FROM)
    if isinstance(stated, date) and not isinstance(stated, datetime):
        return stated
    problem = "the date from which the price holds is missing"
    if isinstance(stated, str):
        problem = f"{shown(stated)} is not a date"
        parts = stated.strip().split("-")
        if [len(part) for part in parts] == [4, 2, 2] and "".join(parts).isdecimal() and stated.isascii():
            with suppress(ValueError):
                return date(*map(int, parts))
    raise FieldFault((*path, _FROM), problem, "write a day such as 2026-01-31")


def _negotiated_entry(fields: Mapping[str, Any], since: date, variant: Variant, path: FieldPath) -> DatedPrice:
    plain, output, read, write_5m, write_1h = (Rate(_amount(fields, kind, path)) for kind in TOKEN_KINDS)
    searches = _amount(fields, _SEARCHES, path) if _SEARCHES in fields else None
    return DatedPrice(since, plain, output, read, write_5m, write_1h, searches, variant)


def _amount(fields: Mapping[str, Any], name: str, path: FieldPath) -> Decimal:
    """Return a rate from its text, exactly; a YAML float would already have been rounded, so none is taken."""
    place, stated = (*path, name), fields.get(name)
    if stated is None:
        raise FieldFault(place, "the rate is missing", _RATE_EXAMPLE)
    if not isinstance(stated, str):
        raise FieldFault(place, f"{shown(str(stated))} is not the text of a number", _RATE_EXAMPLE)
    try:
        amount = parse_decimal(stated)
    except ValueError:
        raise FieldFault(place, f"{shown(stated)} is not a plain decimal number", _RATE_EXAMPLE) from None
    if amount < 0 or amount > RATE_MAX:
        raise FieldFault(place, f"{shown(stated)} is not between 0 and {RATE_MAX:,}", _RATE_EXAMPLE)
    if len(stated.strip().partition(".")[2]) > RATE_PLACES_MAX:
        raise FieldFault(place, f"{shown(stated)} has more than {RATE_PLACES_MAX} decimal places", _RATE_EXAMPLE)
    return amount
