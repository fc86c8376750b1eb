"""Attribution: on whose account a call is made, and which scopes that touches."""

from typing import NamedTuple

from budget_gate.core.scopes import ORG, Scope, storable_name


class Attribution(NamedTuple):
    """Who and what a call is for. Empty text means unknown; an unknown scope has no counter.

    ``pr`` is a pull request's number as text, ``task`` one run of an agent on one subject, ``session`` a conversation of several
    tasks, ``feature`` a stage of a pipeline. ``run`` and ``attempt`` name the CI run, so that a hold can be traced to its job.
    """

    workflow: str
    team: str = ""
    project: str = ""
    user: str = ""
    session: str = ""
    task: str = ""
    feature: str = ""
    pr: str = ""
    run: str = ""
    attempt: str = ""

    def checked(self) -> "Attribution":
        """Return this attribution; raises ``ValueError`` for a name with characters that no ledger can store."""
        for name in self:
            storable_name(name)
        return self

    def labels(self) -> dict[str, str]:
        """Return the known fields by name, as ledger entries carry them."""
        return {name: value for name, value in zip(self._fields, self, strict=True) if value}

    def budget_scopes(self, tier: str) -> tuple[Scope, ...]:
        """Return every scope that a call on model tier ``tier`` is counted under, widest first."""
        named = (
            Scope("team", self.team),
            Scope("project", self.project),
            Scope("workflow", self.workflow),
            Scope("user", self.user),
            Scope("feature", self.feature),
            Scope("model", tier),
        )
        return (ORG, *(scope for scope in named if scope.name))
