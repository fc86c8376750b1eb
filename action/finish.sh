#!/usr/bin/env bash
# Settles the leases that a killed or cancelled run of this job left open. Where there are none, as usual, no program is started.
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE PYTHONHOME
if [ -z "${BUDGET_GATE_PYTHON:-}" ] || ! compgen -G "${RUNNER_TEMP:-.budget-gate}/budget-gate-leases/*.jsonl" >/dev/null; then exit 0; fi
action_path=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHONPATH="$action_path" exec "$BUDGET_GATE_PYTHON" -P -m budget_gate settle-left-open
