"""What the assistants' users read beside the answers: the budget line of a turn, costs, notes, the end of a session, a transcript.

Plain text for a terminal; whatever a model or a policy wrote is cleaned.
"""

from collections.abc import Sequence
from typing import Any

from budget_gate.core.chat import Turn
from budget_gate.core.money import usd_short, usd_text
from budget_gate.core.reservations import BudgetState
from budget_gate.core.scopes import BOUND_KINDS
from budget_gate.core.sessions import Session
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal, visible
from budget_gate.reports.documents import budget_documents, refusal_documents
from budget_gate.reports.tables import render_refusal
from budget_gate.reports.words import amount_text, budget_name, counted, left_of, tokens_short

HELP = """\
/cost          what this session has cost
/budget        how every budget stands
/save FILE     write the conversation into a new file
/help          this
/exit          leave, as Ctrl-D does; --session NAME takes it up again
A line that ends in \\ goes on in the next one; Ctrl-C breaks off an answer."""


IS_OVER = "this session has reached its hard bound and is at its end; /save FILE keeps it, and --session NAME starts another"


def streamed(piece: str) -> str:
    """Return a piece of an answer as it may be shown on a terminal. No control character passes, so no sequence can form."""
    return visible(piece, len(piece) + 1, keep="\n\t")


def budget_line(turn: Turn, session: Session, width: int = 0) -> str:
    """Return the line below every answer: what it cost, what the session cost, the tightest budget, and the session's bound.

    ``width`` (columns) breaks it between its parts where it is longer; 0 never does.
    """
    model = f"{clean_for_terminal(turn.model, CELL_CHARACTERS)} ({turn.tier}: {clean_for_terminal(turn.route_reason)})"
    return _bracketed([f"{usd_short(turn.cost_nano_usd)} this turn, {_cost(session)}", *_standing(turn.budgets), model], width)


def standing_line(budgets: Sequence[BudgetState], session: Session, width: int = 0) -> str:
    """Return the line for a turn that was broken off, whose cost nobody knows: how the session and its budgets stand."""
    return _bracketed([_cost(session), *_standing(budgets)], width)


def _cost(session: Session) -> str:
    return f"{usd_short(session.cost_nano_usd)} this session"


def _standing(budgets: Sequence[BudgetState]) -> list[str]:
    parts = []
    if tight := tightest(budgets):
        name = clean_for_terminal(budget_name(tight.scope, tight.per), CELL_CHARACTERS)
        parts.append(f"{name}: {amount_text(tight.unit, left_of(tight))} left of {amount_text(tight.unit, tight.limit)}")
    for state in budgets:
        if state.scope.kind == "session" and state.unit == "tokens":
            held = f" ({tokens_short(state.held)} of them held: perhaps billed)" if state.held else ""
            parts.append(f"session: {tokens_short(state.used)} of {tokens_short(state.limit)} tokens{held}")
    return parts


def _bracketed(parts: Sequence[str], width: int) -> str:
    """Return parts in brackets, on one line where they fit, else with as many on each line as do."""
    lines = [f"[{parts[0]}"]
    for part in parts[1:]:
        if width and len(lines[-1]) + len(part) + 5 > width:
            lines.append(f" {part}")
        else:
            lines[-1] += f" | {part}"
    return "\n".join(lines) + "]"


def tightest(budgets: Sequence[BudgetState]) -> BudgetState | None:
    """Return the enforced budget with the fewest dollars left; where none is in dollars, the one of which most is used.

    Task and session bounds are nobody's budget.
    """
    enforced = [state for state in budgets if state.left is not None and state.scope.kind not in BOUND_KINDS]
    in_usd = [state for state in enforced if state.unit == "usd"]
    return min(in_usd, key=left_of) if in_usd else max(enforced, key=lambda state: state.used_basis_points, default=None)


def turn_notes(turn: Turn, zone: str) -> list[str]:
    """Return lines for whatever is to be said beside the answer: notes, a refusal and what to do about it, a failure."""
    lines = [f"note: {clean_for_terminal(note)}" for note in turn.notes]
    if turn.failure:
        lines.append(f"failed: {clean_for_terminal(turn.failure)}; ask again when the service is back")
    if turn.refused is None:
        return lines
    lines.append(render_refusal(turn.refused, zone=zone))
    kinds = {refusal.scope.kind for refusal in turn.refused.refused_by}
    if turn.is_over:
        lines.append(IS_OVER)
    elif "task" in kinds:
        lines.append("the question is too large for one turn; shorten it, or give less material")
    return lines


def cost_text(session: Session) -> str:
    """Return what a session has used and cost."""
    usage = session.usage
    tokens = f"{usage.prompt_tokens:,} tokens in, {usage.output_tokens:,} out"
    return f"session {session.name}: {counted(session.turns, 'turn')}, {tokens}, {usd_short(session.cost_nano_usd)}"


def transcript(session: Session) -> str:
    """Return the whole conversation as Markdown, as it was said: a file of the user's own."""
    parts = [f"# {session.name}", cost_text(session)]
    for message in session.said:
        who = "You" if message.role == "user" else "Assistant"
        parts.append(f"## {who}\n\n{visible(message.text, len(message.text) + 1, keep=chr(10) + chr(9)).strip()}")
    return "\n\n".join(parts) + "\n"


def expected_text(model: str, tier: str, reason: str, tokens: tuple[int, int], nano_usd: int) -> str:
    """Return what a dry run says of a turn. ``tokens`` are the most it could read and write."""
    named = f"{clean_for_terminal(model, CELL_CHARACTERS)} ({tier}: {clean_for_terminal(reason)})"
    return f"dry run: nothing was sent; at most {tokens[0]:,} tokens in, {tokens[1]:,} out, {usd_short(nano_usd)}; {named}"


def turn_document(turn: Turn, session: Session, zone: str) -> dict[str, Any]:
    """Return one turn as ``chat --json`` prints it."""
    return {
        "answer": turn.text,
        "notes": list(turn.notes),
        "cost_usd": usd_text(turn.cost_nano_usd),
        "usage": dict(turn.usage._asdict()),
        "model": turn.model,
        "tier": turn.tier,
        "route_reason": turn.route_reason,
        "provider": turn.provider,
        "session": {
            "name": session.name,
            "turns": session.turns,
            "cost_usd": usd_text(session.cost_nano_usd),
            "is_over": session.is_over,
        },
        "failure": turn.failure or None,
        "refused_by": refusal_documents(turn.refused.refused_by, zone) if turn.refused else [],
        "budgets": budget_documents(turn.budgets, zone),
    }
