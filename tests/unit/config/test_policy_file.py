"""The policy file as users meet it: what loads, and the one line that says what is wrong."""

import time
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.config import policy_yaml
from budget_gate.config.policy_file import find_policy, load_policy, parse_policy, policy_faults
from budget_gate.config.price_file import load_prices
from budget_gate.core.errors import PolicyError, UsageError
from budget_gate.core.policy import Bounds, Budget, Limit, Policy, Tiers
from budget_gate.core.scopes import ORG, Scope

ACME = Path("examples/acme/budget-gate.yml")
BROKEN = sorted((Path(__file__).parent / "broken_policies").glob("*.yml"))
HEAD = "version: 1\nmodels: {small: claude-haiku-4-5, medium: claude-sonnet-4-6}\n"
BUDGET = "budgets: [{scope: org, limits: [{usd: 800, per: month}]}]\n"
MINIMAL = HEAD + BUDGET


def fault_of(text: str) -> str:
    """Return the one line about ``text``, without the file's name."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, file_name="p.yml", prices=load_prices())
    return str(caught.value).removeprefix("p.yml:")


def test_acme_loads_unchanged() -> None:
    """The example policy means what its comments say, field by field."""
    policy = load_policy(ACME, prices=load_prices())
    assert (policy.organization, policy.timezone, policy.on_outage) == ("acme", "UTC", "block")
    assert policy.models == {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6", "large": "claude-opus-4-6"}
    assert policy.budgets[0] == Budget(
        ORG, (Limit("usd", 800_000_000_000, "month"),), keep_back=2_000, owner="vp-engineering@acme.test"
    )
    assert policy.budgets[1].limits[1] == Limit("tokens", 20_000_000, "month")
    assert policy.budgets[1].tiers == Tiers(8_000, 11_000, 15_000)
    assert policy.budgets[3].tiers == Tiers(8_500, 10_000, 10_000)
    assert policy.budgets[4].scope == Scope("user", "*")
    assert [budget.mode for budget in policy.budgets[2:6]] == ["advise", "enforce", "enforce", "observe"]
    review = policy.workflows["ci_cd_review"]
    assert review.task == Bounds(6_000, 12_000, 500_000_000, 5)
    assert review.output_tokens == {"small": 1024, "medium": 2048}
    assert review.escalate is not None
    assert review.escalate.when.paths == ("**/auth/**", "**/*secret*")
    assert policy.workflows["dev_assistant"].session.hard_tokens == 120_000
    assert policy.anomaly is not None
    assert policy.anomaly.check_after == "16:00"
    assert policy.exemptions is not None
    assert policy.exemptions.approvers == ("@acme/finops", "vp-engineering")
    assert policy.value[0].usd_per_hour == Decimal(90)
    assert policy.alerts[2].to == ("slack", "email", "pagerduty")


def test_rules_of_reviews() -> None:
    """What is reviewed and from which severity on: optional, with the defaults that a policy had before there were such keys."""
    plain = parse_policy(MINIMAL + "workflows: {ci: {agent: code_review, model: small}}\n").workflows["ci"]
    assert (plain.min_severity, plain.drafts, plain.bots) == ("info", "skip", "skip")
    rules = "min_severity: medium, drafts: review, bots: [dependabot, 'renovate[bot]']"
    ruled = parse_policy(MINIMAL + f"workflows: {{ci: {{agent: code_review, model: small, {rules}}}}}\n").workflows["ci"]
    assert (ruled.min_severity, ruled.drafts, ruled.bots) == ("medium", "review", ("dependabot", "renovate[bot]"))


def test_acme_loads_alike_without_the_fast_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libyaml is missing, the slow parser gives the very same policy."""
    fast = load_policy(ACME)
    monkeypatch.setattr(policy_yaml, "_FAST_PARSER", yaml.SafeLoader)
    assert load_policy(ACME) == fast


@pytest.mark.parametrize("parser", [policy_yaml._FAST_PARSER, yaml.SafeLoader], ids=["fast", "slow"])
@pytest.mark.parametrize("path", BROKEN, ids=[path.stem for path in BROKEN])
def test_a_broken_policy_is_one_exact_line(path: Path, parser: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each broken policy names file, line, field, the fault and the remedy, exactly as its first line says, with any parser."""
    monkeypatch.setattr(policy_yaml, "_FAST_PARSER", parser)
    expected = path.read_bytes().split(b"\n")[0].decode().removeprefix("# expect: ")
    with pytest.raises(PolicyError) as caught:
        load_policy(path, prices=load_prices())
    assert str(caught.value) == f"{path}{expected}"
    assert str(caught.value).isprintable()


def test_every_budget_needs_little() -> None:
    """Version and budgets are all that a policy must have; everything else has its documented default."""
    policy = parse_policy("version: 1\n" + BUDGET)
    assert policy == Policy("", "UTC", {}, (Budget(ORG, (Limit("usd", 800_000_000_000, "month"),)),), {})


@pytest.mark.parametrize(
    ("written", "count"),
    [("6000", 6_000), ("10k", 10_000), ("10K", 10_000), ("20M", 20_000_000), ("1.5M", 1_500_000), ("0.001k", 1), ('"2k"', 2_000)],
)
def test_token_counts(written: str, count: int) -> None:
    """Token counts may be written short, as long as they come to whole tokens."""
    policy = parse_policy(f"{HEAD}budgets: [{{scope: org, limits: [{{tokens: {written}, per: day}}]}}]")
    assert policy.budgets[0].limits == (Limit("tokens", count, "day"),)


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ("{stop: 50%}", Tiers(5_000, 5_000, 5_000)),
        ("{stop: 150%}", Tiers(8_000, 10_000, 15_000)),
        ("{warn: 82.5%}", Tiers(8_250, 10_000, 10_000)),
        ("{warn: 120%, stop: 150%}", Tiers(12_000, 12_000, 15_000)),
        ("{alert: 0.01%}", Tiers(1, 1, 10_000)),
    ],
)
def test_default_tiers_give_way_to_written_ones(tiers: str, expected: Tiers) -> None:
    """A tier that was not written never contradicts one that was."""
    policy = parse_policy(f"{HEAD}budgets: [{{scope: org, tiers: {tiers}, limits: [{{usd: 8, per: day}}]}}]")
    assert policy.budgets[0].tiers == expected


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "y", "16:00", "2026-01-01", "0815", "1e3", "4711", "0x1F"])
def test_names_are_what_was_written(word: str) -> None:
    """None of YAML 1.1's surprises touches a name: it is the text in the file."""
    text = f"{MINIMAL}organization: {word}\nworkflows:\n  {word}: {{model: small}}\n"
    policy = parse_policy(text)
    assert policy.organization == word
    assert policy.workflows[word].name == word


def test_unquoted_times_are_times() -> None:
    """``check_after: 16:00`` without quotes is four o'clock, not 960."""
    policy = parse_policy(MINIMAL + "anomaly: {ratio: 2.5, check_after: 16:00}\n")
    assert policy.anomaly is not None
    assert (policy.anomaly.check_after, policy.anomaly.ratio, policy.anomaly.window_days) == ("16:00", Decimal("2.5"), 7)


def test_a_negotiated_price_is_a_price() -> None:
    """A model that only the policy prices is accepted, and its rates are exact."""
    rates = "{from: 2026-01-01, input: 0.80, output: 4.00, cache_read: 0.08, cache_write_5m: 1.00, cache_write_1h: 1.60}"
    text = f"version: 1\nmodels: {{own: our-own-model}}\n{BUDGET}prices: {{our-own-model: [{rates}]}}\n"
    policy = parse_policy(text, prices=load_prices())
    assert policy.prices["our-own-model"][0].input.base == Decimal("0.80")
    assert "has no price" in fault_of(text.replace("{our-own-model: [", "{another-model: ["))


def test_a_broken_price_does_not_make_its_model_unpriced() -> None:
    """One fault in a negotiated price is reported as that one fault."""
    rates = "{from: 2026-02-31, input: 1, output: 4, cache_read: 0.08, cache_write_5m: 1.00, cache_write_1h: 1.60}"
    text = f"version: 1\nmodels: {{own: our-own-model}}\n{BUDGET}prices: {{our-own-model: [{rates}]}}\n"
    faults = policy_faults(text, prices=load_prices())
    assert [fault.field for fault in faults] == ["prices.our-own-model[0].from"]


def test_all_faults_are_listed_in_the_order_of_the_file() -> None:
    """``policy_faults`` finds each fault of a file with many, and the first of them is the one that loading raises."""
    text = (
        'version: 1\nbudgets:\n  - scope: squad/x\n    limits: [{usd: -1, per: month}]\n    modus: x\nledger: {on_outage: "?"}\n'
    )
    faults = policy_faults(text, file_name="p.yml")
    found = [(fault.line, fault.field) for fault in faults]
    assert found == [(3, "budgets[0].scope"), (4, "budgets[0].limits[0].usd"), (5, "budgets[0].modus"), (6, "ledger.on_outage")]
    assert fault_of(text) == str(faults[0]).removeprefix("p.yml:")
    assert policy_faults(MINIMAL) == []


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a directory, and a file that is too large are each one line, without a traceback's worth of cause."""
    with pytest.raises(PolicyError, match=r"none\.yml: there is no such file; run `budget-gate init`"):
        load_policy(tmp_path / "none.yml")
    with pytest.raises(PolicyError, match=r"the file cannot be read \(Is a directory\)"):
        load_policy(tmp_path)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy("a\0b")
    (tmp_path / "large.yml").write_text(MINIMAL + "# é" * 200_000, encoding="utf-8")
    with pytest.raises(PolicyError, match="larger than 256 KiB"):
        load_policy(tmp_path / "large.yml")


def test_a_byte_order_mark_and_windows_line_ends_are_harmless(tmp_path: Path) -> None:
    """A policy saved by a Windows editor is the same policy."""
    path = tmp_path / "budget-gate.yml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load_policy(path) == parse_policy(MINIMAL)


def test_find_policy(tmp_path: Path) -> None:
    """``.github/budget-gate.yml`` comes before ``budget-gate.yml``; with neither, ``init`` is the way out."""
    with pytest.raises(UsageError, match="run `budget-gate init`"):
        find_policy(tmp_path)
    (tmp_path / "budget-gate.yml").write_text(MINIMAL)
    assert find_policy(tmp_path) == str(tmp_path / "budget-gate.yml")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "budget-gate.yml").write_text(MINIMAL)
    assert find_policy(str(tmp_path)) == str(tmp_path / ".github" / "budget-gate.yml")


def test_a_policy_that_links_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    """A pull request cannot make error messages quote a file of the runner through a link."""
    (tmp_path / "secret").write_text("token: hunter2\n")
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "budget-gate.yml").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="is a link to outside"):
        find_policy(repository)


@given(st.text(min_size=1))
def test_hostile_text_never_breaks_the_line(hostile: str) -> None:
    """Whatever a policy says, an error about it is one printable line of bounded length."""
    quoted = '"' + "".join(f"\\U{ord(character):08X}" for character in hostile) + '"'
    for text in (f"{MINIMAL}{quoted}: 1\n", f"{MINIMAL}ledger: {{on_outage: {quoted}}}\n", hostile):
        for fault in policy_faults(text):
            assert str(fault).isprintable()
            assert len(str(fault)) < 500


def test_loading_is_fast() -> None:
    """The example policy parses in well under the ten milliseconds that ``check`` allows for it."""
    load_policy(ACME)
    times = []
    for _ in range(10):
        start = time.process_time()
        load_policy(ACME)
        times.append(time.process_time() - start)
    assert min(times) < 0.010
