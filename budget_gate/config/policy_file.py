"""The policy file: where it is, what it says, and what is wrong with it, in one line with file, line and field.

The steps are modules of their own: ``policy_yaml`` (text to nodes), ``policy_reader`` (nodes to values, by ``policy_fields``),
``policy_rules`` (what values mean together) and ``policy_build`` (values to ``core.policy.Policy``).
"""

import os
from collections.abc import Mapping

from budget_gate.config.faults import FieldFault, dotted, printable
from budget_gate.config.policy_build import Values, build_policy
from budget_gate.config.policy_fields import POLICY
from budget_gate.config.policy_reader import read_values
from budget_gate.config.policy_rules import rule_faults
from budget_gate.config.policy_yaml import BYTES_MAX, line_of, read_tree
from budget_gate.config.price_file import parse_negotiated
from budget_gate.core.errors import PolicyError, UsageError
from budget_gate.core.policy import Policy
from budget_gate.core.prices import DatedPrice, PriceBook

POLICY_PLACES = (".github/budget-gate.yml", "budget-gate.yml")
"""Where a policy is looked for, in this order."""

_FILE_NAME_SHOWN = 300
"""How many characters of the file's name an error repeats."""

_Negotiated = Mapping[str, tuple[DatedPrice, ...]]


def find_policy(start_dir: str | os.PathLike[str] = ".") -> str:
    """Return the path of a directory's policy file. Raises ``UsageError`` when there is none, or when it links out of there."""
    # Texts and os.path: importing pathlib would take 3 ms of the time that `check` has.
    start = os.fspath(start_dir)
    home = os.path.realpath(start)
    for place in POLICY_PLACES:
        path = os.path.normpath(os.path.join(start, place))  # noqa: PTH118 - see above
        if os.path.isfile(path):  # noqa: PTH113 - see above
            # A pull request may add a link; its target's text must not turn up in error messages.
            if os.path.commonpath((home, os.path.realpath(path))) != home:
                raise UsageError(f"{printable(path)} is a link to outside of this directory; write the policy into the file")
            return path
    raise UsageError(f"there is no policy: neither {' nor '.join(POLICY_PLACES)} exists; run `budget-gate init` for a starter")


def load_policy(path: str | os.PathLike[str], *, prices: PriceBook | None = None) -> Policy:
    """Return the policy in the file at ``path``.

    ``prices`` are the published ones: with them, a model that has no price, published or negotiated, is a fault.
    Raises ``PolicyError`` for the first fault.
    """
    file_name = os.fspath(path)
    return parse_policy(_read_file(file_name), file_name=file_name, prices=prices)


def parse_policy(text: str, *, file_name: str = POLICY_PLACES[0], prices: PriceBook | None = None) -> Policy:
    """Return the policy that ``text`` describes; ``file_name`` is what errors call it. Raises ``PolicyError``."""
    policy, errors = _parse(text, file_name, prices)
    if policy is None:
        raise errors[0]
    return policy


def policy_faults(text: str, *, file_name: str = POLICY_PLACES[0], prices: PriceBook | None = None) -> list[PolicyError]:
    """Return every fault in ``text``, in the order of its lines; none if it is a policy.

    What fields mean together is only looked at once each of them is right by itself.
    """
    return _parse(text, file_name, prices)[1]


def _parse(text: str, file_name: str, prices: PriceBook | None) -> tuple[Policy | None, list[PolicyError]]:
    try:
        root = read_tree(text)
    except FieldFault as fault:
        return None, [_error(file_name, fault, fault.line)]
    values, faults = read_values(root, POLICY)
    negotiated: _Negotiated = {}
    if not faults:
        negotiated, faults = _check_meaning(values, prices)
    if not faults:
        return build_policy(values, negotiated), []
    located = sorted(((line_of(root, fault.path), fault) for fault in faults), key=lambda pair: pair[0])
    return None, [_error(file_name, fault, line) for line, fault in located]


def _check_meaning(values: Values, prices: PriceBook | None) -> tuple[_Negotiated, list[FieldFault]]:
    """Return the negotiated prices, and what is wrong with values that are right one by one."""
    negotiated: _Negotiated = {}
    faults: list[FieldFault] = []
    try:
        negotiated = parse_negotiated(values.get("prices", {}))
    except FieldFault as fault:
        faults.append(fault)
        prices = None  # without the policy's own prices nobody can say which model has none
    known = PriceBook(prices.models, negotiated) if prices is not None else None
    faults.extend(rule_faults(values, known))
    return negotiated, faults


def _error(file_name: str, fault: FieldFault, line: int) -> PolicyError:
    return PolicyError(printable(file_name, _FILE_NAME_SHOWN), line, dotted(fault.path), fault.problem, fault.instead)


def _read_file(file_name: str) -> str:
    """Return the file's text. Raises ``PolicyError`` if it cannot be read, is too large, or is not UTF-8."""
    shown_name = printable(file_name, _FILE_NAME_SHOWN)
    try:
        with open(file_name, "rb") as file:  # noqa: PTH123 - a path may be given as text, and `check` must start fast
            content = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        raise PolicyError(shown_name, 0, "", "there is no such file", "run `budget-gate init` for a starter") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not one of a file"
        raise PolicyError(shown_name, 0, "", f"the file cannot be read ({reason})", "name a readable policy file") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= BYTES_MAX - 3 and len(content) > BYTES_MAX:
            return content.decode("utf-8-sig", "replace")  # only cut in half by the limit, which is the fault to name
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyError(shown_name, line, "", "the file is not UTF-8 text", "save it as UTF-8") from None
