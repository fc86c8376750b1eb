"""``budget-gate prices``: what models cost, as the gate sees it."""

from datetime import UTC, datetime

import click

from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.config.price_file import load_prices
from budget_gate.core.errors import PolicyError, UnknownModel, UsageError
from budget_gate.core.prices import TOKEN_KINDS, DatedPrice, PriceBook, Rate


@click.group()
def prices() -> None:
    """What models cost, in dollars per million tokens."""


def _book(policy: str | None, ledger: str | None) -> PriceBook:
    """Return the prices, negotiated ones included where a policy is at hand; a broken policy is still a fault."""
    workspace = open_workspace(policy, ledger)
    try:
        return workspace.prices
    except PolicyError:
        raise
    except UsageError:
        return load_prices()


def _rate_text(rate: Rate | None) -> str | None:
    if rate is None:
        return None
    return " ".join([str(rate.base), *(f"({dearer} over {threshold:,} tokens)" for threshold, dearer in rate.above)])


def _price_document(price: DatedPrice) -> dict[str, str | None]:
    rates = {kind: _rate_text(getattr(price, kind)) for kind in TOKEN_KINDS}
    searches = price.web_searches_kcount
    since = price.effective_from.isoformat() if price.effective_from else None
    return {"variant": price.variant, "from": since, **rates, "web_searches_per_thousand": str(searches) if searches else None}


@prices.command("list", epilog="Example: budget-gate prices list")
@common_options
def list_prices(policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """List every priced model and its price today."""
    book, now = _book(policy, ledger), datetime.now(UTC)
    rows = {model.model: book.price_of(model.model, now) for model in book.models}
    if as_json:
        print_document({"models": [{"model": name, **_price_document(price)} for name, price in rows.items()]})
        return
    click.echo(f"{'model':28} {'input':>8} {'output':>8} {'cache read':>11}   dollars per million tokens")
    for name, price in rows.items():
        cache_read = price.cache_read.base if price.cache_read else "-"
        tiers = f"   dearer over {price.input.above[0][0]:,} prompt tokens" if price.input.above else ""
        click.echo(f"{name:28} {price.input.base!s:>8} {price.output.base!s:>8} {cache_read!s:>11}{tiers}")


@prices.command("show", epilog="Example: budget-gate prices show claude-haiku-4-5")
@click.argument("model")
@common_options
def show_price(model: str, policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Show every rate of one model: today's, and its batch and fast variants where it has them."""
    book, now = _book(policy, ledger), datetime.now(UTC)
    found = [book.price_of(model, now)]
    published = book.resolve(model)
    if published is not None:
        found += [price for variant in ("batch", "fast") if (price := published.at(now, variant)) is not None]
    documents = [_price_document(price) for price in found]
    if as_json:
        print_document({"model": model, "prices": documents})
        return
    for document in documents:
        click.echo(f"{model} ({document['variant']}), dollars per million tokens")
        for name, value in document.items():
            if name != "variant" and value is not None:
                click.echo(f"  {name:26} {value}")


@prices.command("check", epilog="Example: budget-gate prices check --policy budget-gate.yml")
@common_options
def check_prices(policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Say whether every model of the policy has a price today."""
    workspace = open_workspace(policy, ledger)
    now, missing = datetime.now(UTC), []
    for tier, model in workspace.policy.models.items():
        try:
            workspace.prices.price_of(model, now)
        except UnknownModel as error:
            missing.append({"tier": tier, "model": model, "nearest": list(error.nearest)})
    if as_json:
        print_document({"ok": not missing, "missing": missing})
    elif not missing:
        click.echo(f"every model of {workspace.policy_path} has a price")
    if missing:
        first = missing[0]
        raise UnknownModel(str(first["model"]), tuple(first["nearest"]))
