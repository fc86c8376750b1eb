"""A month's report as the words that every form of it shows: Markdown, HTML and Slack differ in layout, never in figures.

Names are handed on as they are; each form cleans them in its own way.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from budget_gate.analytics.anomaly import AnomalyReport
from budget_gate.analytics.daily import spent_of
from budget_gate.analytics.forecast import INTERVAL_PERCENT
from budget_gate.analytics.month_budgets import PeriodUse
from budget_gate.analytics.month_exemptions import ExemptionUse
from budget_gate.analytics.month_periods import month_before
from budget_gate.analytics.month_report import MonthReport, TeamMonth, value_nano_usd
from budget_gate.analytics.monthly import NO_TEAM, MixLine, PullShare, change_percent
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.amounts import Amount
from budget_gate.core.money import usd_short
from budget_gate.core.periods import zone_named
from budget_gate.core.reservations import BudgetState
from budget_gate.reports.anomaly_text import causes_text, measured_text, none_text
from budget_gate.reports.charts import days_chart, shares_chart
from budget_gate.reports.forecast_table import interval_text, outlook_text
from budget_gate.reports.words import amount_text, budget_name, count_text, counted, percent_text, period_text, tokens_short

UNKNOWN = "n/a"
"""Shown where something cannot be said: no entries were read, or there is nothing to divide by."""

_NO_TEAM_TEXT = "(no team)"
_ENDINGS = {"closed": "closed unmerged", "reverted": "reverted", "merged": "merged"}

View = Mapping[str, Any]


def view_of(report: MonthReport) -> dict[str, Any]:
    """Return every word and figure of a report, by name."""
    return {
        "title": _title(report),
        "month": report.month,
        "before": month_before(report.month),
        "is_over": report.is_over,
        "is_empty": report.is_empty,
        "user": report.user,
        "totals_only": report.breakdown is None,
        "facts": _facts(report),
        "teams": [_team(each) for each in report.teams],
        "mix": [row for team in report.teams for row in _mix(team)],
        "budgets": [_budget(each) for each in report.budgets],
        "interval_percent": INTERVAL_PERCENT,
        "days": _days(report),
        "mix_chart": _mix_chart(report),
        "forecasts": [_forecast(each) for each in report.forecasts],
        "anomalies": _anomalies(report.anomalies) if report.anomalies else None,
        "other_budgets": [_other_budget(each, report.zone) for each in report.other_budgets],
        "exemptions": [_exemption(each, report.zone) for each in report.exemptions],
        "spenders": [_spender(name, amount, spent_of(report.total)) for name, amount in report.spenders],
        "waste": [_wasted(each) for each in report.breakdown.pulls if each.standing.ending != "merged"]
        if report.breakdown
        else [],
        "dearest": [_pull(each) for each in report.breakdown.merged()] if report.breakdown else [],
        "value": _value(report),
        "empty_text": f"The ledger holds nothing of {report.month}: no call was reserved, and no pull request ended.",
    }


def _title(report: MonthReport) -> str:
    whose = f"{report.user} at {report.organization}" if report.user else report.organization
    return f"AI spending of {whose} in {report.month}" + ("" if report.is_over else " so far")


def _facts(report: MonthReport) -> list[dict[str, str]]:
    """Return the headline figures, each with its name and what it is compared with."""
    whole, total = report.whole, report.total
    spent, before = spent_of(total), whole.spend_before
    facts = [_fact("Spent", usd_short(spent.nano_usd), _trend(spent.nano_usd, before.nano_usd, usd_short(before.nano_usd)))]
    if total.held.nano_usd:
        facts.append(_fact("Held of it", usd_short(total.held.nano_usd), "may have been billed; counted until somebody knows"))
    if total.pending.nano_usd:
        facts.append(_fact("Promised besides", usd_short(total.pending.nano_usd), "to calls that are running; not counted"))
    facts.append(_fact("Tokens", tokens_short(spent.tokens), _trend(spent.tokens, before.tokens, tokens_short(before.tokens))))
    if whole.merged is not None and whole.merged_before is not None:
        facts.append(
            _fact(
                "Merged pull requests", f"{whole.merged:,}", _trend(whole.merged, whole.merged_before, f"{whole.merged_before:,}")
            )
        )
        facts.append(_fact("AI cost per merged pull request", _cost_per_merged(whole), "all of its runs, whenever they were"))
    if whole.waste is not None:
        facts.append(_fact("Waste", usd_short(whole.waste.nano_usd), "on pull requests closed unmerged or reverted in the month"))
    return facts + _entry_facts(report)


def _entry_facts(report: MonthReport) -> list[dict[str, str]]:
    if report.breakdown is None:
        return []
    facts, refusals = [], report.breakdown.refusals
    if refusals.calls:
        asked = usd_short(refusals.asked.nano_usd)
        facts.append(
            _fact("Avoided", f"at most {asked}", f"worst case of {counted(refusals.calls, 'call')} that budgets refused")
        )
    again = report.breakdown.not_paid_again
    if again.runs:
        remark = f"{counted(again.hunks, 'hunk')} that earlier runs had read"
        facts.append(_fact("Not paid again", usd_short(again.nano_usd), remark))
    if report.exemptions:
        facts.append(
            _fact("Exemptions used", f"{len(used_ones(report)):,}", f"of {len(report.exemptions):,} in force in the month")
        )
    return facts


def used_ones(report: MonthReport) -> list[ExemptionUse]:
    """Return the exemptions of which something was spent."""
    return [each for each in report.exemptions if each.used_nano_usd]


def _fact(name: str, value: str, remark: str) -> dict[str, str]:
    return {"name": name, "value": value, "remark": remark}


def _trend(now: int, before: int, shown: str) -> str:
    change = change_percent(now, before)
    return "nothing the month before" if change is None else f"{change:+d} % against {shown} the month before"


def _change(now: int | None, before: int | None) -> str:
    change = None if now is None or before is None else change_percent(now, before)
    return UNKNOWN if change is None else f"{change:+d} %"


def _cost_per_merged(team: TeamMonth) -> str:
    cost = team.cost_per_merged_nano_usd
    return UNKNOWN if cost is None else usd_short(cost)


def _team(team: TeamMonth) -> dict[str, str]:
    return {
        "name": team.name if team.name != NO_TEAM else _NO_TEAM_TEXT,
        "cost_center": team.cost_center,
        "spend": usd_short(team.spend.nano_usd),
        "spend_change": _change(team.spend.nano_usd, team.spend_before.nano_usd),
        "merged": UNKNOWN if team.merged is None else f"{team.merged:,}",
        "merged_change": _change(team.merged, team.merged_before),
        "cost_per_merged": _cost_per_merged(team),
        "waste": UNKNOWN if team.waste is None else usd_short(team.waste.nano_usd),
    }


def _mix(team: TeamMonth) -> list[dict[str, str]]:
    whole = sum(line.amount.nano_usd for line in team.mix)
    return [_mix_line(team, line, whole) for line in team.mix]


def _mix_line(team: TeamMonth, line: MixLine, whole: int) -> dict[str, str]:
    return {
        "team": team.name if team.name != NO_TEAM else _NO_TEAM_TEXT,
        "workflow": line.workflow,
        "model": line.model,
        "spend": usd_short(line.amount.nano_usd),
        "share": percent_text(line.amount.nano_usd, whole),
    }


def _mix_chart(report: MonthReport) -> str:
    shares: dict[str, int] = {}
    for line in report.whole.mix:
        shares[line.model] = shares.get(line.model, 0) + line.amount.nano_usd
    return shares_chart(
        shares, "Dollars by model", f"What each model cost in {report.month}; the table has it by team and workflow"
    )


def _days(report: MonthReport) -> dict[str, Any]:
    """Return the days as rows, as a chart, and as the sentence that says what the chart shows."""
    days = [(day, amount.nano_usd) for day, amount in report.days]
    total, spent_on = sum(nano_usd for _, nano_usd in days), sum(nano_usd > 0 for _, nano_usd in days)
    if not total:
        return {"chart": "", "text": "", "rows": []}
    worst, most = max(days, key=lambda each: each[1])
    mean = (total + len(days) // 2) // len(days)
    text = (
        f"Something was spent on {spent_on} of {counted(len(days), 'day')}, most on {worst} ({usd_short(most)}); "
        f"the mean of all is {usd_short(mean)}"
    )
    rows = [{"day": day, "spend": usd_short(nano_usd)} for day, nano_usd in days if nano_usd]
    return {"chart": days_chart(days, "Dollars per day", text), "text": f"{text}.", "rows": rows}


def _budget(state: BudgetState) -> dict[str, Any]:
    return {
        "name": budget_name(state.scope, state.per),
        "used": f"{count_text(state.unit, state.used)} of {amount_text(state.unit, state.limit)}",
        "percent": percent_text(state.used, state.limit) if state.limit else UNKNOWN,
        "width": min(state.used_basis_points // 100, 100),
        "tier": state.tier or "-",
        "mode": state.mode,
        "owner": state.owner,
    }


def _forecast(each: BudgetForecast) -> dict[str, str]:
    unit, forecast = each.limit.unit, each.forecast
    return {
        "name": budget_name(each.scope, each.per),
        "spent": count_text(unit, forecast.spent),
        "expected": count_text(unit, forecast.expected),
        "between": interval_text(each),
        "stop": amount_text(unit, each.limit.stop_line),
        "outlook": outlook_text(each),
    }


def _anomalies(found: AnomalyReport) -> dict[str, Any]:
    return {
        "day": f"{found.day}",
        "none": none_text(found),
        "rows": [
            {
                "name": each.scope,
                "spent": measured_text(each, found.rule),
                "above": usd_short(each.excess_nano_usd),
                "causes": causes_text(found.causes.get(each.scope, ())),
            }
            for each in found.anomalies
        ],
    }


def _other_budget(use: PeriodUse, zone: str) -> dict[str, Any]:
    return _budget(use.fullest) | {
        "period": period_text(use.window, zone),
        "stopped": f"{use.stopped:,} of {counted(use.periods, use.window.per)}",
    }


def _exemption(use: ExemptionUse, zone: str) -> dict[str, str]:
    exemption, request = use.exemption, use.exemption.request
    return {
        "name": budget_name(request.scope, request.per),
        "raised": usd_short(request.nano_usd),
        "used": usd_short(use.used_nano_usd),
        "approver": exemption.approver,
        "until": f"{exemption.until.astimezone(zone_named(zone)):%Y-%m-%d %H:%M}",
        "reason": request.reason,
    }


def _spender(name: str, amount: Amount, whole: Amount) -> dict[str, str]:
    return {
        "name": name,
        "spend": usd_short(amount.nano_usd),
        "tokens": tokens_short(amount.tokens),
        "share": percent_text(amount.nano_usd, whole.nano_usd),
    }


def _pull(share: PullShare) -> dict[str, str]:
    return {"name": f"{share.pull.project}#{share.pull.pr}", "cost": usd_short(share.cost.nano_usd)}


def _wasted(share: PullShare) -> dict[str, str]:
    return _pull(share) | {"why": _ENDINGS[share.standing.ending]}


def _value(report: MonthReport) -> dict[str, Any] | None:
    """Return what the policy assumes the work is worth, beside what it cost; None without assumptions, and for an empty month."""
    if not report.value or report.is_empty:
        return None
    worth, cost = sum(map(value_nano_usd, report.value)), spent_of(report.total).nano_usd
    return {
        "lines": _value_lines(report),
        "worth": usd_short(worth),
        "net": usd_short(worth - cost),
        "ratio": f"{worth // cost:,} dollars of assumed value per dollar spent" if cost else "nothing was spent",
    }


def _value_lines(report: MonthReport) -> Sequence[dict[str, str]]:
    return [
        {
            "name": line.name,
            "hours": f"{line.hours_saved_per_month:f}",
            "rate": f"${line.usd_per_hour:f}",
            "worth": usd_short(value_nano_usd(line)),
        }
        for line in report.value
    ]
