"""Anomalies as lines for a terminal, and as the document of ``anomalies --json``."""

from collections.abc import Mapping, Sequence
from datetime import date

from budget_gate.analytics.anomaly import Anomaly, Cause
from budget_gate.core.money import usd_short, usd_text
from budget_gate.core.policy import AnomalyRule
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.documents import Document, percent_number
from budget_gate.reports.words import percent_text

_WORDS = {"workflow": "workflow", "user": "user", "pr": "pull request", "model": "model"}


def anomalies_document(
    day: date, rule: AnomalyRule, anomalies: Sequence[Anomaly], causes: Mapping[str, Sequence[Cause]], *, is_judged: bool
) -> Document:
    """Return the document: the rule, and each anomaly with its causes. ``judged`` is false before ``check_after``."""
    return {
        "day": day.isoformat(),
        "judged": is_judged,
        "rule": {
            "ratio": str(rule.ratio),
            "window_days": rule.window_days,
            "check_after": rule.check_after,
            "min_usd": usd_text(rule.min_nano_usd),
        },
        "anomalies": [
            {
                "scope": each.scope,
                "today_usd": usd_text(each.today_nano_usd),
                "mean_usd": usd_text(each.mean_nano_usd),
                "usual_usd": None if each.usual_nano_usd is None else usd_text(each.usual_nano_usd),
                "ratio": each.ratio,
                "score": each.score,
                "measures": list(each.measures),
                "causes": [
                    {
                        "label": cause.label,
                        "name": cause.name,
                        "excess_usd": usd_text(cause.excess_nano_usd),
                        "share_percent": percent_number(cause.share_basis_points),
                    }
                    for cause in causes.get(each.scope, ())
                ],
            }
            for each in anomalies
        ],
    }


def render_anomalies(
    day: date, rule: AnomalyRule, anomalies: Sequence[Anomaly], causes: Mapping[str, Sequence[Cause]], *, is_judged: bool
) -> str:
    """Return what was found in words: two lines for each anomaly, and a line when there is none."""
    if not is_judged:
        return f"{day}: not judged before {rule.check_after} (anomaly.check_after in the policy)"
    if not anomalies:
        return f"{day}: nothing out of the ordinary"
    lines = []
    for each in anomalies:
        lines.append(f"{day}: {clean_for_terminal(each.scope, CELL_CHARACTERS)} spent {_measured(each, rule)}")
        found = [_cause_text(cause) for cause in causes.get(each.scope, ())]
        lines.append(f"  of the {usd_short(each.excess_nano_usd)} above the mean: {', '.join(found) or 'no single cause'}")
    return "\n".join(lines)


def _measured(each: Anomaly, rule: AnomalyRule) -> str:
    parts = []
    if "ratio" in each.measures:
        times = f"{each.ratio:g} times" if each.mean_nano_usd else "after"
        parts.append(f"{times} the {rule.window_days}-day mean of {usd_short(each.mean_nano_usd)}")
    if "score" in each.measures and each.usual_nano_usd is not None:
        usual = usd_short(each.usual_nano_usd)
        parts.append(f"{each.score:g} scatters above the {usual} that is usual on a {each.day:%A}")
    return f"{usd_short(each.today_nano_usd)}, {'; '.join(parts)}"


def _cause_text(cause: Cause) -> str:
    name = clean_for_terminal(cause.name, CELL_CHARACTERS)
    return f"{_WORDS[cause.label]} {name} {percent_text(cause.share_basis_points, 10_000)}"
