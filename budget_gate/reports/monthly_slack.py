"""A month's report for Slack: Block Kit within Slack's limits. Every text is ``plain_text``, in which nothing has a meaning.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks; a header 150 characters; a section's text 3 000, its fields
ten of 2 000 each).
"""

from collections.abc import Sequence
from typing import Any

from budget_gate.analytics.forecast import INTERVAL_PERCENT
from budget_gate.analytics.month_report import MonthReport
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.monthly_view import View, view_of

HEADER_CHARACTERS_MAX = 150
SECTION_CHARACTERS_MAX = 3_000
FIELDS_MAX = 10
BLOCKS_MAX = 50
ROWS_SHOWN = 10
_NAME_CHARACTERS = 60

Block = dict[str, Any]


def render_month_slack(report: MonthReport) -> dict[str, Any]:
    """Return the message: ``text`` for notifications, and ``blocks``."""
    view = view_of(report)
    facts = [f"{each['name']}: {each['value']}\n{each['remark']}" for each in view["facts"]]
    blocks = [_header(view["title"])]
    blocks += [_section([view["empty_text"]])] if view["is_empty"] else []
    blocks += [_fields(facts[at : at + FIELDS_MAX]) for at in range(0, len(facts), FIELDS_MAX)]
    for heading, lines in _parts(view):
        if lines:
            blocks += [_header(heading), _section(lines)]
    assert len(blocks) <= BLOCKS_MAX, "a header, the facts, and two blocks for each part"
    spent = view["facts"][0]
    text = _cleaned(f"{view['title']}: {spent['value']} ({spent['remark']})", SECTION_CHARACTERS_MAX)
    return {"text": text, "blocks": blocks}


def _parts(view: View) -> list[tuple[str, list[str]]]:
    """Return each list of the report: its heading, and a line per row."""
    value = view["value"]
    worth = [f"{_name(each)}: {each['hours']} h at {each['rate']} = {each['worth']}" for each in value["lines"]] if value else []
    teams = [
        f"{_name(each)}: {each['spend']} ({each['spend_change']}), {each['merged']} merged ({each['merged_change']}), "
        f"{each['cost_per_merged']} per merged pull request, {each['waste']} waste"
        for each in view["teams"]
    ]
    unusual = view["anomalies"]
    return [
        ("Teams", teams),
        ("Budgets", [f"{_name(each)}: {each['used']} ({each['percent']}, tier {each['tier']})" for each in view["budgets"]]),
        (
            "Budgets of other periods",
            [
                f"{_name(each)}: {each['used']} in {each['period']} ({each['percent']}, tier {each['tier']}), stop line reached in "
                f"{each['stopped']}"
                for each in view["other_budgets"]
            ],
        ),
        ("Expected at the month's end", [_expected(each) for each in view["forecasts"]]),
        (f"Out of the ordinary on {unusual['day']}", _unusual(unusual)) if unusual else ("", []),
        (
            "Models by use",
            [
                f"{_name(each, 'team')}, {_name(each, 'workflow')}: {_name(each, 'model')} {each['spend']} ({each['share']})"
                for each in view["mix"]
            ],
        ),
        (
            "Exemptions",
            [
                f"{_name(each)}: {each['used']} of {each['raised']} used, until {each['until']}, approved by {_name(each, 'approver')}"
                for each in view["exemptions"]
            ],
        ),
        ("Top spenders", [f"{_name(each)}: {each['spend']} ({each['share']})" for each in view["spenders"]]),
        ("Waste", [f"{_name(each)}: {each['cost']}, {each['why']}" for each in view["waste"]]),
        (
            "Assumed to be worth",
            [f"In all {value['worth']}, net {value['net']}; assumed by the policy, measured by nothing.", *worth]
            if value
            else [],
        ),
    ]


def _expected(row: View) -> str:
    between = "" if row["between"] == "-" else f" ({INTERVAL_PERCENT} % between {row['between']})"
    return f"{_name(row)}: {row['expected']}{between}, stop line {row['stop']}: {row['outlook']}"


def _unusual(found: View) -> list[str]:
    rows = [
        f"{_name(each)}: {each['spent']}; of the {each['above']} above the mean: {_name(each, 'causes')}"
        for each in found["rows"]
    ]
    return rows or [found["none"]]


def _name(row: View, field: str = "name") -> str:
    return clean_for_terminal(row[field], _NAME_CHARACTERS)


def _header(text: str) -> Block:
    for limit in (HEADER_CHARACTERS_MAX, HEADER_CHARACTERS_MAX // 5):  # an escaped ampersand is five characters
        cleaned = _cleaned(text, limit)
        if len(cleaned) <= HEADER_CHARACTERS_MAX:
            break
    return {"type": "header", "text": _plain(cleaned)}


def _section(lines: Sequence[str]) -> Block:
    shown = list(lines[:ROWS_SHOWN])
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown):,} more")
    escaped = [_escaped(line) for line in shown]
    while len("\n".join(escaped)) > SECTION_CHARACTERS_MAX:  # only names of nothing but ampersands get here
        escaped.pop(-2)
    return {"type": "section", "text": _plain("\n".join(escaped))}


def _fields(texts: Sequence[str]) -> Block:
    return {"type": "section", "fields": [_plain(_escaped(text)) for text in texts]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _cleaned(text: str, limit: int) -> str:
    return _escaped(clean_for_terminal(text, limit))


def _escaped(text: str) -> str:
    """Return text with the three characters escaped that Slack asks for; without them nothing can be a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
