"""Alerts for tests: one payload of a ledger, and a message of every kind, with friendly and with hostile names."""

import json
from datetime import UTC, datetime
from pathlib import Path

from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.audit import compact_json, microseconds
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import ORG, Scope
from budget_gate.notify.interface import Message
from budget_gate.reports.alert_events import (
    AlsoUnusual,
    AnomalyAlert,
    ForecastAlert,
    LedgerDown,
    anomaly_message,
    forecast_message,
    ledger_down_message,
)
from budget_gate.reports.alerts import crossed_message, parse_payload, resolved_message
from budget_gate.reports.notices_over import Notice, notice_over_message, notice_payload, parse_notice

ROOT = Path(__file__).resolve().parents[2]
USD = 1_000_000_000
AT = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
RESETS_AT = datetime(2026, 12, 1, tzinfo=UTC)
DAY_ENDS_AT = datetime(2026, 11, 25, tzinfo=UTC)
_MARKUP = "<!channel> <@U1|you> *b* _i_ ~s~ `c` [x](http://evil.test) <b>&amp;</b> @here #x"
HOSTILE = f"{_MARKUP}\r\nBcc: all@evil.test\n.\r\nQUIT\u202etxt.exe\u2066 \x1b[31m"


def acme() -> Policy:
    """Return Acme's policy."""
    return load_policy(str(ROOT / "examples/acme/budget-gate.yml"), prices=load_prices())


def payload(tier: str = "stop", **changes: object) -> str:
    """Return what a ledger writes when the payments team reaches a tier of its 350 dollars a month."""
    used = {"warn": 280, "alert": 385, "stop": 525}.get(tier, 0)
    fields = {
        "scope": "team/payments",
        "per": "month",
        "label": "2026-11",
        "unit": "usd",
        "tier": tier,
        "limit": 350 * USD,
        "used": used * USD,
        "owner": "payments-lead@acme.test",
        "mode": "enforce",
        "resets_at": microseconds(RESETS_AT),
        "at": microseconds(AT),
        "workflow": "ci_cd_review",
    }
    return compact_json({**fields, **changes})


def messages() -> dict[str, Message]:
    """Return one message of every kind, by name."""
    policy = acme()
    stop = parse_payload(payload())
    forecast = ForecastAlert(
        ORG,
        "month",
        "2026-11",
        "usd",
        800 * USD,
        540 * USD,
        910 * USD,
        850 * USD,
        980 * USD,
        "vp-engineering@acme.test",
        RESETS_AT,
    )
    causes = (
        ("workflow ci_cd_review", 18 * USD, 10_000),
        ("user release-bot", 16 * USD, 8_888),
        ("pull request acme/shop#7", 15 * USD, 8_333),
        ("model small", USD, 555),
    )
    anomaly = AnomalyAlert(
        Scope("team", "payments"), "2026-11-24", 24 * USD, 6 * USD, causes, "payments-lead@acme.test", DAY_ENDS_AT
    )
    loop = anomaly._replace(
        scope=Scope("user", "release-bot"),
        spent_nano_usd=17 * USD,
        mean_nano_usd=USD,
        causes=(("workflow ci_cd_review", 16 * USD, 10_000), ("pull request acme/shop#7", 15 * USD, 9_375)),
        also=(
            AlsoUnusual(Scope("team", "payments"), 24 * USD, 8_888, is_wider=True, is_same=True),
            AlsoUnusual(Scope("workflow", "ci_cd_review"), 30 * USD, 7_200, is_wider=True, is_same=True),
            AlsoUnusual(Scope("model", "small"), 61 * USD, 3_100, is_wider=True, is_same=False),
        ),
    )
    down = LedgerDown("redis://ledger.acme.test:6379 cannot be reached: connection refused", AT)
    tiers = {tier: crossed_message(parse_payload(payload(tier)), policy) for tier in ("warn", "alert", "stop")}
    return {
        **tiers,
        "stop_advise": crossed_message(parse_payload(payload(mode="advise")), policy),
        "forecast": forecast_message(forecast, policy),
        "anomaly": anomaly_message(anomaly, policy),
        "anomaly_folded": anomaly_message(loop, policy),
        "ledger_down": ledger_down_message(down, policy),
        "resolved": resolved_message(stop, policy, "its period ended"),
        "anomaly_over": notice_over_message(_told(anomaly_message(loop, policy))),
    }


def _told(message: Message) -> Notice:
    notice = parse_notice(notice_payload(message))
    assert notice is not None
    return notice


def hostile_messages() -> list[Message]:
    """Return messages whose every name tries to be something else."""
    policy = acme()._replace(organization=HOSTILE)
    crossed = parse_payload(payload(scope=f"team/{HOSTILE}", owner=f"{HOSTILE}@acme.test", workflow=HOSTILE))
    scope = Scope("user", HOSTILE * 20)
    also = (AlsoUnusual(Scope("team", HOSTILE * 30), 5, 9_999, is_wider=True, is_same=True),) * 9
    return [
        crossed_message(crossed, policy),
        resolved_message(crossed, policy, HOSTILE),
        forecast_message(ForecastAlert(scope, "day", "2026-11-24", "tokens", 10, 9, 12, 11, 13, HOSTILE, RESETS_AT), policy),
        anomaly_message(
            AnomalyAlert(scope, "2026-11-24", 5, 1, ((HOSTILE * 30, 4, 10_000),) * 5, HOSTILE, RESETS_AT, also), policy
        ),
        ledger_down_message(LedgerDown(HOSTILE * 9, AT), policy),
        notice_over_message(_told(Message("anomaly", HOSTILE * 9, (), (), "info", HOSTILE, "", over_at=RESETS_AT))),
    ]


def pretty(value: object) -> str:
    """Return JSON as a golden file holds it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
