"""The price file: generated, quick to read, and strict about what a policy negotiates."""

import importlib.util
import json
import subprocess
import sys
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from budget_gate.config.faults import FieldFault, dotted
from budget_gate.config.price_file import load_prices, parse_negotiated, read_published
from budget_gate.core.prices import DatedPrice, Rate

ROOT = Path(__file__).resolve().parents[3]
PRICES = ROOT / "budget_gate" / "config" / "prices.json"
GENERATOR = ROOT / "scripts" / "generate_prices.py"

ENTRY = {
    "from": "2026-01-01",
    "input": "0.80",
    "output": "4.00",
    "cache_read": "0.08",
    "cache_write_5m": "1.00",
    "cache_write_1h": "1.60",
}
MODEL = "claude-haiku-4-5"


def _entry(**changes: Any) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in ({**ENTRY, **changes}).items() if value is not None}


@pytest.fixture
def generator(tmp_path: Path) -> ModuleType:
    """The generator script as a module, set to write to a folder of its own."""
    spec = importlib.util.spec_from_file_location("generate_prices", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.PRICES_FILE = tmp_path / "prices.json"
    return module


def test_the_file_is_what_the_generator_writes() -> None:
    """The packaged file has not drifted from the installed genai-prices, nor been edited."""
    checked = subprocess.run([sys.executable, GENERATOR, "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_drift_is_found_and_repaired(generator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """``--check`` fails on a single changed rate and changes nothing; a plain run restores the file; a repeated run keeps it."""
    drifted = PRICES.read_text(encoding="utf-8").replace('"0.8"', '"0.08"')
    generator.PRICES_FILE.write_text(drifted, encoding="utf-8")
    assert generator.main(["--check"]) == 1
    assert generator.PRICES_FILE.read_text(encoding="utf-8") == drifted
    assert generator.main([]) == 0
    repaired = generator.PRICES_FILE.read_text(encoding="utf-8")
    assert json.loads(repaired)["models"] == json.loads(PRICES.read_text(encoding="utf-8"))["models"]
    assert generator.main(["--check"]) == 0
    assert generator.main([]) == 0
    assert generator.PRICES_FILE.read_text(encoding="utf-8") == repaired
    assert "does not match" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("regex", "shapes"),
    [
        (r"^a-5-\d{8}$", ["a-5-########"]),
        (r"^a-5[-@]\d{4}-\d{2}$", ["a-5-####-##", "a-5@####-##"]),
        (r"^a\.5$", ["a.5"]),
    ],
)
def test_a_regex_of_dates_becomes_shapes(generator: ModuleType, regex: str, shapes: list[str]) -> None:
    """Literals, runs of digits and a choice of characters are all that an id's regex needs."""
    assert generator.regex_shapes(regex) == shapes


@pytest.mark.parametrize("regex", ["a", "^a+$", "^(a|b)$", "^a.b$", "^[a-z]$", r"^\w$", r"^a\d*$"])
def test_a_regex_of_another_kind_stops_the_generator(generator: ModuleType, regex: str) -> None:
    """What shapes cannot say is not left out in silence."""
    with pytest.raises(generator.NotExpressible):
        generator.regex_shapes(regex)


def test_loading_prices_needs_no_library() -> None:
    """The path to a verdict loads neither pydantic, nor an HTTP client, nor the package that prices come from."""
    code = (
        "import sys; from datetime import datetime, UTC; from budget_gate.config.price_file import load_prices;"
        f"load_prices().price_of({MODEL!r}, datetime.now(UTC)); print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert "budget_gate" in loaded
    assert not loaded & {"pydantic", "pydantic_core", "genai_prices", "httpx", "httpx2", "requests", "urllib3", "http", "yaml"}


def test_the_file_is_read_once() -> None:
    """Asking twice gives the same price lists, not another reading of them."""
    assert load_prices().models is load_prices().models


@pytest.mark.parametrize("rate", [["2", [100, "1"]], ["1", [100, "2"], [100, "3"]], ["1", [200, "2"], [100, "3"]]])
def test_tiers_that_do_not_rise_are_refused(rate: list[Any]) -> None:
    """A tier that is cheaper, or starts no later, than the one before would make the longest prompt not the dearest."""
    content = json.loads(PRICES.read_text(encoding="utf-8"))
    read_published(content)
    broken = deepcopy(content)
    broken["models"][0]["entries"][0]["output"] = rate
    with pytest.raises(ValueError, match="do not rise"):
        read_published(broken)


def test_the_contract_example() -> None:
    """The example of the contract loads, every digit of it."""
    assert parse_negotiated({MODEL: [ENTRY]}) == {
        MODEL: (
            DatedPrice(
                date(2026, 1, 1),
                Rate(Decimal("0.80")),
                Rate(Decimal("4.00")),
                Rate(Decimal("0.08")),
                Rate(Decimal("1.00")),
                Rate(Decimal("1.60")),
            ),
        )
    }


def test_batch_and_searches() -> None:
    """``batch`` is a price of its own, which searches of the entry hold for too; a later entry without it ends it."""
    half = {kind: "0.5" for kind in ENTRY if kind != "from"}
    entries = [
        _entry(),
        _entry(**{"from": "2026-02-01"}, web_search="9", batch=half),
        _entry(**{"from": "2026-03-01"}, input="2"),
    ]
    book = load_prices(parse_negotiated({MODEL: entries}))

    def input_rate(month: int, variant: Any) -> Decimal:
        return book.price_of(MODEL, datetime(2026, month, 15, tzinfo=UTC), variant).input.base

    assert [input_rate(month, "standard") for month in (1, 2, 3)] == [Decimal("0.80"), Decimal("0.80"), Decimal(2)]
    assert [input_rate(month, "batch") for month in (1, 2, 3)] == [Decimal("0.80"), Decimal("0.5"), Decimal(2)]
    in_february = datetime(2026, 2, 15, tzinfo=UTC)
    assert book.price_of(MODEL, in_february, "batch").web_searches_kcount == 9
    assert book.price_of(MODEL, in_february).web_searches_kcount == 9
    own = parse_negotiated({MODEL: [_entry(web_search="9", batch={**half, "web_search": "4"})]})
    assert own[MODEL][1].web_searches_kcount == 4


FAULTS = [
    ([], "prices", "not a mapping"),
    ({5: [ENTRY]}, "prices", "not a model id"),
    ({" ": [ENTRY]}, "prices", "not a model id"),
    ({"m" * 201: [ENTRY]}, "prices", "not a model id"),
    ({MODEL: []}, f"prices.{MODEL}", "no list"),
    ({MODEL: ENTRY}, f"prices.{MODEL}", "no list"),
    ({MODEL: ["0.80"]}, f"prices.{MODEL}[0]", "not a mapping"),
    ({MODEL: [_entry(from_=None, **{"from": None})]}, f"prices.{MODEL}[0].from", "missing"),
    ({MODEL: [_entry(**{"from": "January"})]}, f"prices.{MODEL}[0].from", "'January' is not a date"),
    ({MODEL: [_entry(**{"from": "20260101"})]}, f"prices.{MODEL}[0].from", "not a date"),
    ({MODEL: [_entry(**{"from": "2026-02-30"})]}, f"prices.{MODEL}[0].from", "not a date"),
    ({MODEL: [ENTRY, ENTRY]}, f"prices.{MODEL}[1].from", "does not come after"),
    ({MODEL: [ENTRY, _entry(**{"from": "2025-12-31"})]}, f"prices.{MODEL}[1].from", "does not come after"),
    ({MODEL: [_entry(cache_reed="1")]}, f"prices.{MODEL}[0].cache_reed", "write cache_read"),
    ({MODEL: [_entry(batch={"form": "2026-01-01"})]}, f"prices.{MODEL}[0].batch.form", "no such field"),
    ({MODEL: [_entry(batch={"input": "1"})]}, f"prices.{MODEL}[0].batch.output", "missing"),
    ({MODEL: [_entry(batch="half")]}, f"prices.{MODEL}[0].batch", "not a mapping"),
    ({MODEL: [_entry(cache_write_1h=None)]}, f"prices.{MODEL}[0].cache_write_1h", "missing"),
    ({MODEL: [_entry(input="-0.80")]}, f"prices.{MODEL}[0].input", "not between"),
    ({MODEL: [_entry(input="100000.01")]}, f"prices.{MODEL}[0].input", "not between"),
    ({MODEL: [_entry(input="NaN")]}, f"prices.{MODEL}[0].input", "not a plain decimal"),
    ({MODEL: [_entry(input=".inf")]}, f"prices.{MODEL}[0].input", "not a plain decimal"),
    ({MODEL: [_entry(input="1e3")]}, f"prices.{MODEL}[0].input", "not a plain decimal"),
    ({MODEL: [_entry(input="$0.80")]}, f"prices.{MODEL}[0].input", "not a plain decimal"),
    ({MODEL: [_entry(input="0.1234567890123")]}, f"prices.{MODEL}[0].input", "decimal places"),
    ({MODEL: [_entry(input=0.8)]}, f"prices.{MODEL}[0].input", "not the text of a number"),
    ({MODEL: [_entry(web_search="free")]}, f"prices.{MODEL}[0].web_search", "not a plain decimal"),
]


@pytest.mark.parametrize(("prices", "field", "problem"), FAULTS)
def test_a_fault_names_its_field(prices: object, field: str, problem: str) -> None:
    """Whatever is wrong is refused by the path of its field, with what to write instead."""
    with pytest.raises(FieldFault) as fault:
        parse_negotiated(prices)
    assert dotted(fault.value.path) == field
    assert problem in str(fault.value)
    assert fault.value.instead
