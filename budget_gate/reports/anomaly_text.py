"""Anomalies as lines for a terminal, and as the document of ``anomalies --json``."""

from collections.abc import Sequence

from budget_gate.analytics.anomaly import Anomaly, AnomalyReport, Cause
from budget_gate.core.money import usd_short, usd_text
from budget_gate.core.policy import AnomalyRule
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.documents import Document, percent_number
from budget_gate.reports.words import percent_text

_WORDS = {"workflow": "workflow", "user": "user", "pr": "pull request", "model": "model"}


def anomalies_document(report: AnomalyReport) -> Document:
    """Return the document: the rule, and each anomaly with its causes. ``judged`` is false before ``check_after``."""
    day, rule = report.day, report.rule
    return {
        "day": day.isoformat(),
        "judged": report.is_judged,
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
                    for cause in report.causes.get(each.scope, ())
                ],
            }
            for each in report.anomalies
        ],
    }


def render_anomalies(report: AnomalyReport) -> str:
    """Return what was found in words: two lines for each anomaly, and a line when there is none."""
    if none := none_text(report):
        return f"{report.day}: {none}"
    lines = []
    for each in report.anomalies:
        scope = clean_for_terminal(each.scope, CELL_CHARACTERS)
        lines.append(f"{report.day}: {scope} spent {measured_text(each, report.rule)}")
        found = causes_text(report.causes.get(each.scope, ()))
        lines.append(f"  of the {usd_short(each.excess_nano_usd)} above the mean: {found}")
    return "\n".join(lines)


def measured_text(each: Anomaly, rule: AnomalyRule) -> str:
    """Return what was spent and what it was measured against, for each measure that tripped."""
    parts = []
    if "ratio" in each.measures:
        times = f"{each.ratio:g} times" if each.mean_nano_usd else "after"
        parts.append(f"{times} the {rule.window_days}-day mean of {usd_short(each.mean_nano_usd)}")
    if "score" in each.measures and each.usual_nano_usd is not None:
        usual = usd_short(each.usual_nano_usd)
        parts.append(f"{each.score:g} scatters above the {usual} that is usual on a {each.day:%A}")
    return f"{usd_short(each.today_nano_usd)}, {'; '.join(parts)}"


def causes_text(causes: Sequence[Cause]) -> str:
    """Return what an excess consists of: the largest of each label with its share, names cleaned."""
    return (
        ", ".join(f"{cause_name(each)} {percent_text(each.share_basis_points, 10_000)}" for each in causes) or "no single cause"
    )


def cause_name(cause: Cause) -> str:
    """Return what a cause is: ``pull request acme/shop#7``, its name cleaned."""
    return f"{_WORDS[cause.label]} {clean_for_terminal(cause.name, CELL_CHARACTERS)}"


def none_text(report: AnomalyReport) -> str:
    """Return why there is no anomaly to show; empty where there is one."""
    if not report.is_judged:
        return f"not judged before {report.rule.check_after} (anomaly.check_after in the policy)"
    return "" if report.anomalies else "nothing out of the ordinary"
