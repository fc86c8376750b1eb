"""Every field of the policy file, in one table: loader, JSON Schema and reference all come from it and cannot drift apart.

What a kind of value allows is ``policy_kinds``; what fields mean together (a tier that must exist) is ``policy_rules``.
"""

from budget_gate.config import policy_kinds as kinds
from budget_gate.config.policy_kinds import Field, Listing, Record, Table, WordOrList, choice, whole
from budget_gate.core.money import COUNT_MAX
from budget_gate.core.periods import CALENDAR_PERIODS
from budget_gate.core.policy import AGENTS, ALERT_CHANNELS, ALERT_KINDS
from budget_gate.core.pull_requests import SEVERITIES

_TIER = kinds.TEXT._replace(what="the name of a model tier", write="write a key of `models:`, such as small")
_ADDRESSEE = kinds.TEXT._replace(write="write an e-mail address or a name")
_REQUESTS = whole("a whole number of requests", "write for example 500", 1, COUNT_MAX)
_STEPS = whole("a whole number of steps", "write for example 5", 1, 1_000_000)
_BOTS = choice("what to do with bots", "skip", "review")._replace(
    write="write skip, review, or a list of bots such as [dependabot, renovate]"
)
_RUNS = whole("a whole number", "write for example 160", 0, 1_000_000_000)

LIMIT = Record(
    "Limit",
    "How much a scope may use in each calendar period. One of `usd`, `tokens` and `requests`.",
    (
        Field("usd", kinds.DOLLARS, "Dollars, as a plain number; at most 9 million, the stop line included."),
        Field("tokens", kinds.TOKENS, "Tokens read and written, as `6000`, `10k` or `1.5M`."),
        Field("requests", _REQUESTS, "Calls to a model."),
        Field("per", choice("a period", *CALENDAR_PERIODS), "The calendar period, in the policy's time zone.", required=True),
    ),
    exactly_one=("usd", "tokens", "requests"),
)

TIERS = Record(
    "Tiers",
    "Shares of each limit at which something happens: `warn` at most `alert`, `alert` at most `stop`.",
    (
        Field("warn", kinds.SHARE, "A first alert.", default="80%, or `alert` if that is lower"),
        Field("alert", kinds.SHARE, "A second alert.", default="100%, or `stop` if that is lower"),
        Field("stop", kinds.SHARE, "No call is admitted past this line.", default="100%"),
    ),
)

BUDGET = Record(
    "Budget",
    "The limits of one scope, and who answers for it.",
    (
        Field(
            "scope",
            kinds.SCOPE,
            "Who it is for: `org`, `team/NAME`, `project/OWNER/REPO`, `workflow/NAME`, `user/NAME`, `feature/NAME` or "
            "`model/TIER`. `user/*` gives every user a counter of their own; a budget of one's own wins over it.",
            required=True,
        ),
        Field("limits", Listing(LIMIT), "One limit or more; each unit once per period.", required=True),
        Field("tiers", TIERS, "When to warn, alert and stop."),
        Field(
            "mode",
            choice("a mode", "enforce", "advise", "observe"),
            "`enforce` refuses past the stop line, `advise` only alerts, `observe` only records.",
            default="enforce",
        ),
        Field(
            "keep_back",
            kinds.KEPT_SHARE,
            "The last share of the stop line, left to workflows marked `critical: true`.",
            default="0%",
        ),
        Field("owner", _ADDRESSEE, "Whom alerts and refusals name; alerts by e-mail go there."),
        Field("cost_center", kinds.TEXT, "What finance exports book the spending on."),
    ),
)

CONDITION = Record(
    "Condition",
    "What makes a task a harder one. Any one of these suffices.",
    (
        Field("input_tokens_over", kinds.TOKENS, "The input is longer than this."),
        Field("paths", Listing(kinds.TEXT), "A changed file matches one of these globs, such as `**/auth/**`."),
        Field("keywords", Listing(kinds.TEXT), "The request contains one of these words."),
        Field("labels", Listing(kinds.TEXT), "The pull request or ticket carries one of these labels."),
    ),
    at_least_one=("input_tokens_over", "paths", "keywords", "labels"),
)

ESCALATION = Record(
    "Escalation",
    "A better model for harder tasks.",
    (
        Field("to", _TIER, "The model tier to use.", required=True),
        Field("when", CONDITION, "When to use it.", required=True),
    ),
)

DEGRADATION = Record(
    "Degradation",
    "A cheaper model when a budget runs low.",
    (
        Field("to", _TIER, "The model tier to use.", required=True),
        Field("when_used_over", kinds.SHARE, "Once an enforced budget of the call is used past this share.", required=True),
    ),
)

BOUNDS = Record(
    "Bounds",
    "What one task, or one session, may use at most.",
    (
        Field("soft_tokens", kinds.TOKENS, "From here on the agent compresses or narrows its work."),
        Field("hard_tokens", kinds.TOKENS, "The work stops here."),
        Field("usd", kinds.DOLLARS, "The work stops at this many dollars."),
        Field("steps", _STEPS, "The work stops after this many calls."),
    ),
)

INVENTORY = Record(
    "Estimate",
    "How often a workflow runs and how large its calls are, for `budget-gate estimate`.",
    (
        Field("per_month", _RUNS, "Runs per month.", required=True),
        Field("input_tokens", kinds.TOKENS, "Input tokens of a typical call.", required=True),
        Field("output_tokens", kinds.TOKENS, "Output tokens of a typical call.", required=True),
        Field("turns", whole("a whole number of calls", "write for example 8", 1, 10_000), "Calls per run.", default="1"),
    ),
)

WORKFLOW = Record(
    "Workflow",
    "One kind of AI work: which agent, on which model, within which bounds.",
    (
        Field("agent", choice("an agent", *AGENTS), "Who does the work; `custom` is your own script.", default="custom"),
        Field("model", _TIER, "The model tier it starts on.", required=True),
        Field("simple", _TIER, "The model tier for tickets labelled `simple`."),
        Field("escalate", ESCALATION, "When to use a better model."),
        Field("degrade", DEGRADATION, "When to use a cheaper one."),
        Field("task", BOUNDS, "Bounds of one run on one subject."),
        Field("session", BOUNDS, "Bounds of one conversation of several tasks."),
        Field("output_tokens", Table("a model tier", kinds.TOKENS), "The longest answer, by model tier; below `hard_tokens`."),
        Field(
            "on_exceed",
            choice("a reaction", "comment", "block"),
            "When a budget refuses: `comment` says so and passes, `block` fails the check.",
            default="comment",
        ),
        Field(
            "min_severity",
            choice("a severity", *SEVERITIES),
            "Reviews leave out findings below this severity, wherever findings are shown.",
            default="info",
        ),
        Field(
            "drafts",
            choice("what to do with drafts", "skip", "review"),
            "Whether a draft is reviewed, or left alone until it is ready.",
            default="skip",
        ),
        Field(
            "bots",
            WordOrList(_BOTS, Listing(kinds.BOT, is_unique=True)),
            "Which pull requests that bots opened are reviewed: none (`skip`), all (`review`), or those of the bots in a list.",
            default="skip",
        ),
        Field("critical", kinds.FLAG, "May use what budgets keep back.", default="false"),
        Field("estimate", INVENTORY, "How much work to expect."),
    ),
)

ALERT_ROUTE = Record(
    "Alert route",
    "Which alerts go where.",
    (
        Field("when", Listing(choice("a kind of alert", *ALERT_KINDS), is_unique=True), "The kinds of alert.", required=True),
        Field("to", Listing(choice("a channel", *ALERT_CHANNELS), is_unique=True), "The channels.", required=True),
    ),
)

ANOMALY = Record(
    "Anomaly rule",
    "When a day's spending is out of the ordinary.",
    (
        Field("ratio", kinds.FACTOR, "How many times the mean of the days before.", required=True),
        Field("window_days", whole("a number of days", "write for example 7", 1, 90), "How many days before.", default="7"),
        Field("check_after", kinds.CLOCK, "From which time of day on, in the policy's time zone.", default='"00:00"'),
        Field("min_usd", kinds.DOLLARS_OR_ZERO, "Days below this many dollars are never reported.", default="0"),
    ),
)

EXEMPTIONS = Record(
    "Exemption rule",
    "Who may approve spending past a stop line, how much and for how long. Without it nobody may.",
    (
        Field("approvers", Listing(kinds.APPROVER), "GitHub logins, and teams as `@org/team` in quotes.", required=True),
        Field("max_usd", kinds.DOLLARS, "The most that one exemption may add, in dollars.", required=True),
        Field(
            "max_days", whole("a number of days", "write for example 7", 1, 366), "The longest that one may last.", required=True
        ),
    ),
)

VALUE = Record(
    "Value",
    "An assumption about what the work is worth; reports show it as one.",
    (
        Field("name", kinds.TEXT, "Who saves the time.", required=True),
        Field("hours_saved_per_month", kinds.HOURS, "Hours saved per month.", required=True),
        Field("usd_per_hour", kinds.HOURLY_RATE, "What an hour is worth, in dollars.", required=True),
    ),
)

_RATES = (
    Field("input", kinds.RATE, "Input tokens that were not cached.", required=True),
    Field("output", kinds.RATE, "Output tokens.", required=True),
    Field("cache_read", kinds.RATE, "Input tokens read from a cache.", required=True),
    Field("cache_write_5m", kinds.RATE, "Input tokens written to a cache for five minutes.", required=True),
    Field("cache_write_1h", kinds.RATE, "Input tokens written to a cache for an hour.", required=True),
    Field("web_search", kinds.SEARCH_RATE, "Web searches, in dollars per thousand."),
)

BATCH_PRICE = Record("Batch price", "The rates of the Batches API, in dollars per million tokens.", _RATES)

PRICE = Record(
    "Price",
    "Negotiated rates of a model from a day on, in dollars per million tokens. Later entries have later days.",
    (
        Field("from", kinds.DATE, "The first day (UTC) they hold.", required=True),
        *_RATES,
        Field("batch", BATCH_PRICE, "Rates of the Batches API, where they differ."),
    ),
)

LEDGER = Record(
    "Ledger",
    "How to treat the ledger.",
    (
        Field(
            "on_outage",
            choice("a reaction", "block", "allow"),
            "When it cannot be reached: `block` refuses AI calls, `allow` lets them pass unrecorded.",
            default="block",
        ),
    ),
)

POLICY = Record(
    "Policy",
    "The policy of budget-gate: `.github/budget-gate.yml`.",
    (
        Field("version", kinds.VERSION, "The version of this format: 1.", required=True),
        Field("organization", kinds.TEXT, "The name of the organization, for reports."),
        Field("timezone", kinds.TEXT, "Where days and months begin, as an IANA name such as `Europe/Berlin`.", default="UTC"),
        Field(
            "models", Table("a model tier", kinds.TEXT), "Model tiers: a name of your own, and the id of a model with a price."
        ),
        Field("budgets", Listing(BUDGET), "The budgets; each scope once.", required=True),
        Field("workflows", Table("a workflow", WORKFLOW), "The workflows, by name."),
        Field("alerts", Listing(ALERT_ROUTE, least=0), "Which alerts go where."),
        Field("anomaly", ANOMALY, "When a day's spending is out of the ordinary."),
        Field("exemptions", EXEMPTIONS, "Who may approve an exemption."),
        Field("value", Listing(VALUE, least=0), "What the work is worth, for the lines on return in reports."),
        Field("prices", Table("a model id", Listing(PRICE)), "Negotiated prices; they win over the published ones."),
        Field("ledger", LEDGER, "How to treat the ledger."),
    ),
)
