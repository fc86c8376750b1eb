#!/usr/bin/env bash
# Runs one command with the interpreter that install.sh made. Every value arrives through the environment; none is pasted here.
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE PYTHONHOME
action_path=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHONPATH="$action_path" exec "$BUDGET_GATE_PYTHON" -P -m budget_gate action
