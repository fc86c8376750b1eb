"""A month's report as Markdown, as one self-contained page of HTML, and as the contract's document."""

from budget_gate.analytics.daily import spent_of
from budget_gate.analytics.month_budgets import PeriodUse
from budget_gate.analytics.month_report import MonthReport, TeamMonth, value_nano_usd
from budget_gate.analytics.monthly import MixLine, NotPaidAgain, change_percent
from budget_gate.core.money import usd_text
from budget_gate.reports.anomaly_text import anomalies_document
from budget_gate.reports.documents import Document, budget_documents, time_text
from budget_gate.reports.exemptions import exemption_use_document
from budget_gate.reports.forecast_table import forecast_document
from budget_gate.reports.monthly_view import used_ones, view_of
from budget_gate.reports.templating import ROOMS, Room, fitted, render_template

MARKDOWN_BYTES_MAX = 900_000
"""The report is also a job summary, which may be a mebibyte."""

HTML_BYTES_MAX = 8_000_000
_SPACIOUS = (Room(1_000, 200), Room(300, 200), *ROOMS)


def render_month_markdown(report: MonthReport) -> str:
    """Return the report as Markdown that GitHub shows; names are cleaned, long lists end in a count."""
    view = view_of(report)
    return fitted(lambda room: render_template("monthly.md.j2", room, view=view), MARKDOWN_BYTES_MAX, _SPACIOUS)


def render_month_html(report: MonthReport) -> str:
    """Return the report as one page without scripts, fonts or addresses to load; everything in it is escaped."""
    view = view_of(report)
    return fitted(lambda room: render_template("monthly.html.j2", room, view=view), HTML_BYTES_MAX, _SPACIOUS)


def month_document(report: MonthReport) -> Document:
    """Return the document of ``report`` (contract, section 4).

    ``merged_prs``, ``cost_per_merged_pr_usd``, ``waste_usd`` and ``model_mix`` are null where no entries were read; ``forecast`` and
    ``anomalies`` are null for a month that is over.
    """
    breakdown, whole = report.breakdown, report.whole
    return {
        "month": report.month,
        "organization": report.organization,
        "user": report.user or None,
        "is_over": report.is_over,
        "is_empty": report.is_empty,
        "total_usd": usd_text(spent_of(report.total).nano_usd),
        "held_usd": usd_text(report.total.held.nano_usd),
        "pending_usd": usd_text(report.total.pending.nano_usd),
        "total_tokens": spent_of(report.total).tokens,
        "previous_usd": usd_text(whole.spend_before.nano_usd),
        "spend_trend_percent": change_percent(whole.spend.nano_usd, whole.spend_before.nano_usd),
        "output_trend_percent": _output_trend(whole),
        "merged_prs": whole.merged,
        "cost_per_merged_pr_usd": _usd_or_none(whole.cost_per_merged_nano_usd),
        "waste_usd": _usd_or_none(whole.waste.nano_usd if whole.waste else None),
        "refused": None
        if breakdown is None
        else {"calls": breakdown.refusals.calls, "asked_usd": usd_text(breakdown.refusals.asked.nano_usd)},
        "not_paid_again": None if breakdown is None else _not_paid_again_document(breakdown.not_paid_again),
        "exemptions_used": None if breakdown is None else len(used_ones(report)),
        "exemptions": None if breakdown is None else [exemption_use_document(each, report.zone) for each in report.exemptions],
        "budgets": budget_documents(report.budgets, report.zone),
        "days": [{"day": day, "spend_usd": usd_text(amount.nano_usd)} for day, amount in report.days],
        "other_budgets": [_other_budget_document(each, report.zone) for each in report.other_budgets],
        "teams": [_team_document(each) for each in report.teams],
        "top_spenders": [{"user": name, "spend_usd": usd_text(amount.nano_usd)} for name, amount in report.spenders],
        "pulls": None if breakdown is None else _pull_documents(report),
        "forecast": None if report.is_over else [forecast_document(each, report.zone) for each in report.forecasts],
        "anomalies": anomalies_document(report.anomalies) if report.anomalies else None,
        "value": _value_document(report),
    }


def _output_trend(team: TeamMonth) -> int | None:
    return None if team.merged is None or team.merged_before is None else change_percent(team.merged, team.merged_before)


def _usd_or_none(nano_usd: int | None) -> str | None:
    return None if nano_usd is None else usd_text(nano_usd)


def _team_document(team: TeamMonth) -> Document:
    return {
        "name": team.name or None,
        "cost_center": team.cost_center or None,
        "spend_usd": usd_text(team.spend.nano_usd),
        "previous_usd": usd_text(team.spend_before.nano_usd),
        "spend_trend_percent": change_percent(team.spend.nano_usd, team.spend_before.nano_usd),
        "output_trend_percent": _output_trend(team),
        "merged_prs": team.merged,
        "cost_per_merged_pr_usd": _usd_or_none(team.cost_per_merged_nano_usd),
        "waste_usd": _usd_or_none(None if team.waste is None else team.waste.nano_usd),
        "model_mix": None if team.merged is None else [_mix_document(team, line) for line in team.mix],
    }


def _mix_document(team: TeamMonth, line: MixLine) -> Document:
    whole = sum(each.amount.nano_usd for each in team.mix)
    share = line.amount.nano_usd * 100 // whole if whole else 0
    spend = usd_text(line.amount.nano_usd)
    return {
        "workflow": line.workflow,
        "model": line.model,
        "spend_usd": spend,
        "tokens": line.amount.tokens,
        "share_percent": share,
    }


def _other_budget_document(use: PeriodUse, zone: str) -> Document:
    """Return a limit of another period: its fullest period as the contract writes budgets, and how often the stop line was reached."""
    (document,) = budget_documents([use.fullest], zone)
    window = {"period": use.window.label, "starts_at": time_text(use.window.starts_at, zone)}
    return document | window | {"periods": use.periods, "periods_stopped": use.stopped}


def _pull_documents(report: MonthReport) -> list[Document]:
    assert report.breakdown is not None, "asked for only where entries were read"
    return [
        {
            "project": each.pull.project,
            "pr": each.pull.pr,
            "outcome": each.standing.ending,
            "cost_usd": usd_text(each.cost.nano_usd),
        }
        for each in report.breakdown.pulls
    ]


def _not_paid_again_document(found: NotPaidAgain) -> Document:
    return {"runs": found.runs, "hunks": found.hunks, "usd": usd_text(found.nano_usd)}


def _value_document(report: MonthReport) -> Document | None:
    """Return the policy's assumptions, named as such, and what they come to; null where the policy has none."""
    if not report.value:
        return None
    worth, cost = sum(map(value_nano_usd, report.value)), spent_of(report.total).nano_usd
    return {
        "assumptions": [
            {
                "name": line.name,
                "hours_saved_per_month": f"{line.hours_saved_per_month:f}",
                "usd_per_hour": f"{line.usd_per_hour:f}",
                "value_usd": usd_text(value_nano_usd(line)),
            }
            for line in report.value
        ],
        "value_usd": usd_text(worth),
        "cost_usd": usd_text(cost),
        "net_usd": usd_text(worth - cost),
    }
