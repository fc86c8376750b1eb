"""Under which name our comments appear: only what that account wrote is ours to edit or to rely on."""

from budget_gate.github.rest import GRAPHQL, UNSURE, Json, Rest, child, text

ACTIONS_LOGIN = "github-actions[bot]"
"""The author of everything written with a workflow's ``GITHUB_TOKEN``. Brackets are not allowed in people's names."""

INSTALLATION_PREFIX = "ghs_"
"""How tokens of apps begin, ``GITHUB_TOKEN`` among them (github.blog, 2021-04-05, on token formats)."""


def own_login(rest: Rest, *, is_installation: bool) -> str:
    """Return the account that a token writes as.

    ``GET /user`` answers people's tokens only. Apps are asked for by GraphQL's ``viewer``; where that fails too, the
    token is taken to be a workflow's own. A caller that creates something learns the true
    name from the answer and should prefer it.
    """
    if not is_installation:
        login = text(rest.send("GET", "/user", returned=(403, 404, *UNSURE)).data, "login")
        if login:
            return login
    reply = rest.send("POST", GRAPHQL, body={"query": "query { viewer { login } }"}, returned=(400, 403, 404, 422, *UNSURE))
    return text(child(child(reply.data, "data"), "viewer"), "login") or ACTIONS_LOGIN


def is_by(item: Json, login: str) -> bool:
    """Return whether an account wrote a comment."""
    return text(child(item, "user"), "login").casefold() == login.casefold()
