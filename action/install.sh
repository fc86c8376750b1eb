#!/usr/bin/env bash
# Installs what one command needs, from the lock and by hash, into a virtual environment of this action's own.
# Writes the interpreter's path to the step's output `python`. Reads BUDGET_GATE_INPUT_COMMAND, BUDGET_GATE_INPUT_LEDGER
# and BUDGET_GATE_HAS_SLACK.
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME

action_path=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work="${RUNNER_TEMP:-$(mktemp -d)}/budget-gate"
venv="$work/venv"
mkdir -p "$work"

find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  echo "::error title=budget-gate::no Python 3.11 to 3.14 on this runner; add a step with actions/setup-python before this one" >&2
  exit 2
}

python=$(find_python)

# uv is taken from the runner where it is at hand, else installed by hash. Either way the lock decides what is installed.
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  "$python" "$action_path/action/get_uv.py" "$action_path/requirements/uv.txt" "${RUNNER_TOOL_CACHE:-$work}/budget-gate" "$work"
  uv="$work/uv"
fi

extras=(--extra github)
case "$BUDGET_GATE_INPUT_COMMAND" in
  check | merged | alerts | dashboard) ;;
  report) extras+=(--extra slack) ;;
  *) extras+=(--extra anthropic) ;;
esac
case "$BUDGET_GATE_INPUT_LEDGER" in redis* | rediss*) extras+=(--extra redis) ;; esac
if [ "${BUDGET_GATE_HAS_SLACK:-}" = true ]; then extras+=(--extra slack); fi

"$python" -m venv --without-pip "$venv"
UV_PROJECT_ENVIRONMENT="$venv" UV_PYTHON="$venv/bin/python" UV_PYTHON_DOWNLOADS=never \
  "$uv" sync --project "$action_path" --frozen --quiet --no-dev --no-install-project "${extras[@]}"

# Compiling the SDK takes seconds after a fresh install. Half of it is done here, beside whatever comes next; nobody waits for it.
if [[ " ${extras[*]} " == *" anthropic "* ]]; then
  nohup "$venv/bin/python" -P "$action_path/action/compile_ahead.py" >/dev/null 2>&1 &
fi

echo "python=$venv/bin/python" >>"$GITHUB_OUTPUT"
