"""How much a mistake in a file would matter, judged by its path alone. Orders a review that cannot afford everything.

Whether a change tests what it touches is ``core.diff_tests``.
"""

import re
from enum import IntEnum


class Risk(IntEnum):
    """Review order: the lowest value comes first."""

    SECURITY = 0
    SOURCE = 1
    CONFIGURATION = 2
    TESTS = 3
    DOCUMENTS = 4


_SECURITY_WORDS = frozenset(
    (
        *(
            "auth",
            "authn",
            "authz",
            "authentication",
            "authorization",
            "login",
            "logout",
            "signin",
            "signup",
            "session",
            "sessions",
        ),
        *(
            "password",
            "passwords",
            "passwd",
            "credential",
            "credentials",
            "secret",
            "secrets",
            "token",
            "tokens",
            "oauth",
            "oauth2",
        ),
        *("oidc", "saml", "sso", "jwt", "mfa", "totp", "crypto", "cryptography", "encryption", "cipher", "signature", "signing"),
        *(
            "tls",
            "ssl",
            "cert",
            "certs",
            "certificate",
            "certificates",
            "permission",
            "permissions",
            "acl",
            "rbac",
            "role",
            "roles",
        ),
        *("security", "secure", "sanitize", "sanitizer", "csrf", "cors", "xss", "admin", "sudo", "privilege", "privileges"),
        *("payment", "payments", "billing", "checkout", "invoice", "wallet", "ledger", "migration", "migrations", "sql"),
        *("workflows", "dockerfile", "terraform", "iam", "firewall", "webhook", "webhooks", "upload", "uploads", "deserialize"),
    )
)
_TEST_WORDS = frozenset(
    ("test", "tests", "testing", "spec", "specs", "e2e", "fixture", "fixtures", "testdata", "mocks", "conftest")
)
_DOCUMENT_FOLDERS = frozenset(("docs", "doc", "documentation"))
_DOCUMENT_ENDINGS = (".md", ".mdx", ".rst", ".txt", ".adoc", ".textile", ".org", ".tex")
_DOCUMENT_NAMES = frozenset(("license", "licence", "changelog", "authors", "contributors", "notice", "readme"))
_CONFIGURATION_ENDINGS = (
    *(".json", ".jsonc", ".json5", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".xml", ".csv", ".tsv"),
    *(".svg", ".css", ".scss", ".less", ".editorconfig", ".gitignore", ".gitattributes", ".env"),
)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")


def risk_of(path: str) -> Risk:
    """Return the risk of a file. Tests and documents stay what they are, whatever else their path mentions."""
    folded = path.replace("\\", "/")
    words = set(words_of(folded))
    lower = folded.lower()
    *folders, name = lower.split("/")
    if not words.isdisjoint(_TEST_WORDS):
        return Risk.TESTS
    if name.startswith("requirements") or name == "cmakelists.txt":
        return Risk.CONFIGURATION
    if name.endswith(_DOCUMENT_ENDINGS) or name in _DOCUMENT_NAMES or not _DOCUMENT_FOLDERS.isdisjoint(folders):
        return Risk.DOCUMENTS
    if not words.isdisjoint(_SECURITY_WORDS):
        return Risk.SECURITY
    if name.endswith(_CONFIGURATION_ENDINGS):
        return Risk.CONFIGURATION
    return Risk.SOURCE


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a path or name, in lower case: ``UserLogin_v2`` is ``user``, ``login``, ``v2``."""
    return tuple(word.lower() for word in _WORD.findall(name))


def subject_words(name: str) -> tuple[str, ...]:
    """Return the words of a test file's name that say what it tests: ``test_user_login`` is ``user``, ``login``."""
    return tuple(word for word in words_of(name) if word not in _TEST_WORDS)


def is_code(path: str) -> bool:
    """True for files that run, and so can be tested: source, and security-looking files that are no configuration."""
    risk = risk_of(path)
    return risk is Risk.SOURCE or (risk is Risk.SECURITY and not path.lower().endswith(_CONFIGURATION_ENDINGS))
