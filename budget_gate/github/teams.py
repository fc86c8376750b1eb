"""Membership of teams: who may decide, where a policy names a team. A pending invitation is no membership."""

import re

from budget_gate.core.errors import GitHubError
from budget_gate.github.rest import Rest, text

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_FORBIDDEN = 403
_NOT_FOUND = 404


def is_team_member(rest: Rest, organization: str, team: str, user: str) -> bool:
    """Return True if ``user`` is an active member. Raises ``GitHubError`` when the token may not see the team's members.

    GitHub answers 404 for "no member" and for "no such team, or not for you" alike: both are no.
    """
    if not all(_NAME.fullmatch(name) for name in (organization, team, user)):
        return False  # no such names exist on GitHub, and one with a slash would be another path
    reply = rest.send("GET", f"/orgs/{organization}/teams/{team}/memberships/{user}", returned=(_FORBIDDEN, _NOT_FOUND))
    if reply.status == _FORBIDDEN:
        raise GitHubError(
            f"the token may not see who is in @{organization}/{team}; use one with read:org, or name people in `approvers`"
        )
    return reply.status != _NOT_FOUND and text(reply.data, "state") == "active"
