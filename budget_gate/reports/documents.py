"""The JSON documents of ``--json``: the shapes that scripts rely on (contract, section 4).

Dollars are decimal strings, tokens and requests integers, percentages numbers, times RFC 3339 with the offset of the policy's zone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from budget_gate.core.amounts import Amount, Unit
from budget_gate.core.money import usd_text
from budget_gate.core.periods import zone_named
from budget_gate.core.pull_requests import Finding, NotReviewed
from budget_gate.core.reservations import Admitted, BudgetState, Crossing, Refusal, Refused, Reservation, Resolution
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.ledger.verify import Verification

Document = dict[str, Any]


def count_value(unit: Unit, count: int) -> str | int:
    """Return a count as JSON carries it: dollars as a decimal string, anything else as an integer."""
    return usd_text(count) if unit == "usd" else count


def time_text(instant: datetime, zone: str) -> str:
    """Return an instant as RFC 3339 with the offset that ``zone`` has then."""
    return instant.astimezone(zone_named(zone)).isoformat(timespec="seconds")


def percent_number(basis_points: int) -> float | int:
    """Return basis points as a percentage; whole percentages without a fraction."""
    return basis_points // 100 if basis_points % 100 == 0 else basis_points / 100


def budget_documents(budgets: Sequence[BudgetState], zone: str) -> list[Document]:
    """Return budgets as the contract writes them."""
    return [
        {
            "scope": state.scope.text,
            "per": state.per,
            "unit": state.unit,
            "mode": state.mode,
            "limit": count_value(state.unit, state.limit),
            "stop": count_value(state.unit, state.stop),
            "posted": count_value(state.unit, state.posted),
            "pending": count_value(state.unit, state.pending),
            "held": count_value(state.unit, state.held),
            "used_percent": percent_number(state.used_basis_points),
            "tier": state.tier or None,
            "resets_at": time_text(state.resets_at, zone) if state.per != "lifetime" else None,
            "owner": state.owner or None,
        }
        for state in budgets
    ]


def refusal_documents(refusals: Sequence[Refusal], zone: str) -> list[Document]:
    """Return what refused, as the contract writes it."""
    return [
        {
            "scope": refusal.scope.text,
            "per": refusal.per,
            "unit": refusal.unit,
            "reason": refusal.reason,
            "needed": count_value(refusal.unit, refusal.needed),
            "left": count_value(refusal.unit, refusal.left),
            "resets_at": time_text(refusal.resets_at, zone) if refusal.per != "lifetime" else None,
            "owner": refusal.owner or None,
        }
        for refusal in refusals
    ]


def decision_document(decision: Admitted | Refused, zone: str, max_output_tokens: int | None = None) -> Document:
    """Return the answer of ``ledger reserve``. ``max_output_tokens`` is what the caller may let the model answer with."""
    budgets = budget_documents(decision.budgets, zone)
    if isinstance(decision, Refused):
        refused_by = refusal_documents(decision.refused_by, zone)
        return {"decision": "refused", "refused_by": refused_by, "budgets": budgets, "replayed": decision.replayed}
    return {
        "decision": "admitted",
        "reservation": decision.reservation,
        "reserved_usd": usd_text(decision.granted.nano_usd),
        "reserved_tokens": decision.granted.tokens,
        "max_output_tokens": max_output_tokens,
        "expires_at": time_text(decision.expires_at, zone),
        "budgets": budgets,
        "refused_by": [],
        "replayed": decision.replayed,
    }


def resolution_document(resolution: Resolution, zone: str) -> Document:
    """Return the answer of ``ledger settle``, ``void`` and ``hold``."""
    return {
        "state": resolution.state,
        "reservation": resolution.reservation,
        "cost_usd": usd_text(resolution.cost.nano_usd),
        "overrun_usd": usd_text(resolution.overrun.nano_usd),
        "crossed": crossing_documents(resolution.crossed),
        "budgets": budget_documents(resolution.budgets, zone),
        "replayed": resolution.replayed,
    }


def crossing_documents(crossings: Sequence[Crossing]) -> list[Document]:
    """Return tiers that were crossed."""
    return [{"scope": c.scope.text, "per": c.per, "unit": c.unit, "tier": c.tier} for c in crossings]


def reservation_document(reservation: Reservation, zone: str) -> Document:
    """Return the answer of ``ledger show``."""
    resolved = reservation.resolved_at
    return {
        "reservation": reservation.reservation,
        "key": reservation.key,
        "state": reservation.state,
        "reserved": amount_document(reservation.granted),
        "cost": amount_document(reservation.cost),
        "labels": dict(reservation.labels),
        "created_at": time_text(reservation.created_at, zone),
        "expires_at": time_text(reservation.expires_at, zone),
        "resolved_at": time_text(resolved, zone) if resolved else None,
    }


def amount_document(amount: Amount) -> Document:
    """Return an amount in its three units."""
    return {"usd": usd_text(amount.nano_usd), "tokens": amount.tokens, "requests": amount.requests}


def finding_document(finding: Finding) -> Document:
    """Return one finding; ``suggestion`` is null when there is none."""
    return {**finding._asdict(), "suggestion": finding.suggestion or None}


def not_reviewed_document(part: NotReviewed) -> Document:
    """Return what was set aside; ``estimated_usd`` is null where there was nothing to review."""
    estimate = part.estimated_nano_usd
    return {"path": part.path, "reason": part.reason, "estimated_usd": None if estimate is None else usd_text(estimate)}


def outcome_document(outcome: ReviewOutcome, zone: str) -> Document:
    """Return the document of ``check`` and ``review``."""
    remaining, used = tightest_usd(outcome.budgets)
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "cost_usd": usd_text(outcome.cost_nano_usd),
        "remaining_usd": None if remaining is None else usd_text(remaining),
        "used_percent": None if used is None else percent_number(used),
        "model": outcome.model,
        "provider": outcome.provider,
        "findings": [finding_document(finding) for finding in outcome.findings],
        "reviewed": {"files": outcome.reviewed_files, "hunks": outcome.reviewed_hunks},
        "not_reviewed": [not_reviewed_document(part) for part in outcome.not_reviewed],
        "dropped_findings": outcome.dropped_findings,
        "reused_hunks": outcome.reused_hunks,
        "avoided_usd": usd_text(outcome.avoided_nano_usd),
        "masked_secrets": outcome.masked_secrets,
        "failure": outcome.failure or None,
        "refused_by": refusal_documents(outcome.refused.refused_by, zone) if outcome.refused else [],
        "budgets": budget_documents(outcome.budgets, zone),
    }


def tightest_usd(budgets: Sequence[BudgetState]) -> tuple[int | None, int | None]:
    """Return what is left (nano-dollars, pending counted as used) under the tightest enforced dollar budget, and its used share.

    The share is in basis points. Both are None where no dollar budget is enforced. Task and session bounds are nobody's budget.
    """
    enforced = [
        state
        for state in budgets
        if state.unit == "usd" and state.left is not None and state.scope.kind not in {"task", "session"}
    ]
    if not enforced:
        return None, None
    remaining = min(state.left for state in enforced if state.left is not None)
    return remaining, max(state.used_basis_points for state in enforced)


def verification_document(found: Verification) -> Document:
    """Return the answer of ``ledger verify``; ``first_bad`` names the first wrong entry, or the counter whose sum is off."""
    first_bad = None
    if found.first_bad is not None:
        counter = found.first_bad.counter
        named = dict(zip(("scope", "per", "label"), counter, strict=True)) if counter else None
        first_bad = {"seq": found.first_bad.seq or None, "counter": named, "problem": found.problem}
    return {
        "ok": found.ok,
        "entries": found.entries,
        "first_bad": first_bad,
        "difference_usd": usd_text(found.difference_nano_usd),
        "problem": found.problem or None,
    }
