"""Masks secrets in text that is about to leave the house: known token shapes, private keys, and assignments that look random.

What is masked is replaced by its kind alone, such as ``[masked-github-token]``: the same text always reads the same, nothing about
the secret can be worked out from it, and a line never grows by much. What only looks like a secret (a digest, a commit, a name
that is looked up elsewhere) stays, because a reviewer needs it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

MASK = re.compile(r"\[masked-[a-z0-9-]{1,40}\]")
"""How every replacement looks."""

LINE_CHARACTERS_MOST = 100_000
"""Lines beyond this are searched in stretches of it: one minified file must not hold up a review."""

_SHAPES: tuple[tuple[str, str], ...] = (
    ("aws-key-id", r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])"),
    ("github-token", r"(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{36,255})"),
    ("gitlab-token", r"(?<![A-Za-z0-9_])gl(?:pat|ptt|dt|rt|soat|cbt)-[A-Za-z0-9_\-]{20,100}"),
    ("anthropic-key", r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_\-]{16,200}"),
    ("openai-key", r"(?<![A-Za-z0-9])sk-(?:proj-|svcacct-|admin-)?(?=[A-Za-z_\-]*[0-9])[A-Za-z0-9_\-]{32,250}"),
    ("stripe-key", r"(?<![A-Za-z0-9])(?:(?:sk|rk)_(?:live|test)|whsec)_[A-Za-z0-9]{16,200}"),
    (
        "slack-token",
        r"(?<![A-Za-z0-9])xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9\-]{10,250}|(?<![A-Za-z0-9])xapp-\d-[A-Za-z0-9\-]{20,250}",
    ),
    ("slack-webhook", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9_/]{20,200}"),
    ("google-key", r"(?<![A-Za-z0-9_])AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])|(?<![A-Za-z0-9])GOCSPX-[A-Za-z0-9_\-]{28}"),
    ("npm-token", r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("pypi-token", r"(?<![A-Za-z0-9])pypi-AgE[A-Za-z0-9_\-]{40,500}"),
    ("sendgrid-key", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{30,64}"),
    ("twilio-key", r"(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![0-9a-f])"),
    ("hugging-face-token", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,80}"),
    ("digitalocean-token", r"(?<![A-Za-z0-9_])do[opr]_v1_[0-9a-f]{64}"),
    ("shopify-token", r"(?<![A-Za-z0-9_])shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("docker-token", r"(?<![A-Za-z0-9_])dckr_pat_[A-Za-z0-9_\-]{20,80}"),
    ("vault-token", r"(?<![A-Za-z0-9_])hv[sbr]\.[A-Za-z0-9_\-]{24,300}"),
    ("databricks-token", r"(?<![A-Za-z0-9])dapi[0-9a-f]{32}(?![0-9a-f])"),
    ("atlassian-token", r"(?<![A-Za-z0-9])ATATT3[A-Za-z0-9_\-=]{40,300}"),
    ("telegram-token", r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])"),
    ("age-key", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    ("jwt", r"(?<![A-Za-z0-9_])eyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{10,1000}"),
    ("azure-key", r"(?<=AccountKey=)[A-Za-z0-9+/]{40,100}={0,2}"),
    (
        "password",
        r"(?<=://)[^\s/:@'\"<>{}$]{1,80}:(?!\*|x{3}|\$|<|%[sd]|\{|password@|pass@)[^\s/:@'\"<>{}$]{3,120}(?=@[A-Za-z0-9\[])",
    ),
    (
        "bearer-token",
        r"(?<=(?i:authorization: bearer ))[A-Za-z0-9._~+/\-]{16,2000}=*|(?<=(?i:authorization: basic ))[A-Za-z0-9+/]{12,500}=*",
    ),
)
"""Kind and shape of tokens that cannot be anything else. Sources: the issuers' own pages on token formats."""

_KNOWN = re.compile("|".join(f"(?P<k{place}>{shape})" for place, (_, shape) in enumerate(_SHAPES)))

_ASSIGNED = re.compile(
    r"(?P<name>[A-Za-z0-9_.\-]{0,60}?(?:secret|token|passw(?:or)?d|passphrase|pwd|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|account[_-]?key|auth[_-]?key|signing[_-]?key|encryption[_-]?key|credential)[A-Za-z0-9_\-]{0,40})"
    r"(?P<between>['\"]?\s{0,10}(?::=|=>|[:=])\s{0,10})"
    r"(?:(?P<quote>['\"`])(?P<quoted>[^'\"`\s]{8,400})(?P=quote)|(?P<bare>[A-Za-z0-9+/=_\-]{16,400})(?=\s*(?:[#;,]|$)))",
    re.IGNORECASE,
)
_NAME_OF_SOMETHING_ELSE = re.compile(
    r"(?i)[_\-.]?(?:id|ids|name|names|url|uri|path|file|type|kind|hash|digest|count|limit|length|size|field|header|prefix|regex|pattern"
    r"|ref|env|var|label|version|expiry|ttl|seconds|minutes|endpoint|arn|param)$"
)
_PLACEHOLDER = re.compile(
    r"(?i)\$[{(A-Za-z]|\{\{|^<.*>$|^%|example|changeme|change[_-]me|placeholder|your[_-]|dummy|redacted|xxx|\*\*\*|\.\.\.|not[_-]?a[_-]?"
    r"|^(?:sha(?:1|256|384|512)|md5)[-:]|^https?://|^arn:|^/|^\./|^projects/|env\.|process\.|os\.|secrets\.|\[masked-"
)
_QUOTED_BITS, _BARE_BITS = 2.5, 3.2

_KEY_BEGINS = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[\s'\"+#*,;\\n]*[A-Za-z0-9+/]{16,80}={0,2}[\s'\"+,;\\n]*")
_KEY_MASK = "[masked-private-key]"


class Masked(NamedTuple):
    """Text without its secrets, and how many were taken out."""

    text: str
    secrets: int


class MaskedLines(NamedTuple):
    """Lines without their secrets, one for each that came in, and how many secrets were taken out (a private key is one)."""

    lines: tuple[str, ...]
    secrets: int


def mask_text(text: str) -> Masked:
    """Return ``text``, of any number of lines, without its secrets."""
    masked = mask_lines(text.split("\n"))
    return Masked("\n".join(masked.lines), masked.secrets)


def mask_lines(lines: Iterable[str]) -> MaskedLines:
    """Return neighbouring lines without their secrets; a private key is masked over all the lines it takes.

    A key that begins above the first line, or ends below the last, is masked as far as it can be seen.
    """
    given = list(lines)
    in_key = _key_lines(given)
    out, count, is_inside = [], 0, False
    for line, is_key in zip(given, in_key, strict=True):
        if is_key:
            count += not is_inside
            out.append(_masked_key_line(line))
        else:
            masked = _mask_line(line)
            count += masked.secrets
            out.append(masked.text)
        is_inside = is_key and not _KEY_ENDS.search(line)
    return MaskedLines(tuple(out), count)


def _key_lines(lines: list[str]) -> list[bool]:
    """Return which lines belong to a private key: from its first line to its last, or as long as they look like its body."""
    belongs = [False] * len(lines)
    is_open = False
    for number, line in enumerate(lines):
        begins, ends = _KEY_BEGINS.search(line), _KEY_ENDS.search(line)
        if begins:
            is_open = not (ends and ends.start() > begins.start())
            belongs[number] = True
        elif is_open:
            belongs[number] = bool(ends) or bool(_KEY_BODY.fullmatch(line)) or _is_key_header(line)
            is_open = belongs[number] and not ends
        elif ends:
            belongs[number] = True
            before = number - 1
            while before >= 0 and _KEY_BODY.fullmatch(lines[before]):
                belongs[before] = True
                before -= 1
    return belongs


def _is_key_header(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith(("Proc-Type:", "DEK-Info:", "Version:", "Comment:"))


def _masked_key_line(line: str) -> str:
    """Return a line of a key: what stands before and behind it stays, so that code around it can still be read."""
    begins, ends = _KEY_BEGINS.search(line), _KEY_ENDS.search(line)
    if begins:
        return line[: begins.start()] + _KEY_MASK + (line[ends.end() :] if ends and ends.start() > begins.start() else "")
    if ends:
        return _KEY_MASK + line[ends.end() :]
    return _KEY_MASK if line.strip() else line


def _mask_line(line: str) -> Masked:
    if len(line) > LINE_CHARACTERS_MOST:
        parts = [_mask_line(line[at : at + LINE_CHARACTERS_MOST]) for at in range(0, len(line), LINE_CHARACTERS_MOST)]
        return Masked("".join(part.text for part in parts), sum(part.secrets for part in parts))
    count = 0

    def known(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        kind = _SHAPES[int(str(match.lastgroup)[1:])][0]
        return f"[masked-{kind}]"

    def assigned(match: re.Match[str]) -> str:
        nonlocal count
        if not _is_secret(match):
            return match[0]
        count += 1
        quote = match["quote"] or ""
        return f"{match['name']}{match['between']}{quote}[masked-secret]{quote}"

    text = _KNOWN.sub(known, line)
    return Masked(_ASSIGNED.sub(assigned, text), count)


def _is_secret(match: re.Match[str]) -> bool:
    """Return whether what is assigned to a telling name is the secret itself, not its name, its place or an example."""
    value = match["quoted"] or match["bare"]
    if _NAME_OF_SOMETHING_ELSE.search(match["name"]) or _PLACEHOLDER.search(value):
        return False
    has_letter, has_digit = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    has_both = has_letter and (has_digit or any(not c.isalnum() and c not in "_-./:" for c in value))
    return has_both and _bits_per_character(value) >= (_QUOTED_BITS if match["quoted"] else _BARE_BITS)


def _bits_per_character(text: str) -> float:
    """Return the Shannon entropy of a text's own characters: 0 for one letter repeated, about 4 for 16 random hex digits."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values())
