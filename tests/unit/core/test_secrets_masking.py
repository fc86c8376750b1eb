"""Secrets are masked before they are sent, and what merely looks like one stays readable."""

import string
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.secrets_masking import LINE_CHARACTERS_MOST, MASK, mask_lines, mask_text

RANDOM = Random(7)
ALPHANUMERIC = string.ascii_letters + string.digits


def letters(count: int, alphabet: str = ALPHANUMERIC) -> str:
    """Return that many characters; made when the test runs, so that no scanner mistakes this file for a leak."""
    return "".join(RANDOM.choice(alphabet) for _ in range(count))


HEX = "0123456789abcdef"
SHAPES = {
    "aws-key-id": "AKIA" + letters(16, string.ascii_uppercase + "234567"),
    "github-token": "gh" + "p_" + letters(36),
    "github-token (fine-grained)": "github_" + "pat_" + letters(22) + "_" + letters(59),
    "gitlab-token": "glp" + "at-" + letters(20),
    "anthropic-key": "sk-" + "ant-api03-" + letters(90),
    "openai-key": "sk-" + "proj-" + letters(40) + "7",
    "stripe-key": "sk_" + "live_" + letters(24),
    "slack-token": "xox" + "b-" + letters(12, string.digits) + "-" + letters(24),
    "slack-webhook": "https://hooks.slack.com/" + "services/T" + letters(8) + "/B" + letters(8) + "/" + letters(24),
    "google-key": "AI" + "za" + letters(35),
    "npm-token": "np" + "m_" + letters(36),
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + letters(60),
    "sendgrid-key": "SG" + "." + letters(22) + "." + letters(43),
    "twilio-key": "S" + "K" + letters(32, HEX),
    "hugging-face-token": "h" + "f_" + letters(34),
    "digitalocean-token": "dop" + "_v1_" + letters(64, HEX),
    "shopify-token": "shp" + "at_" + letters(32, HEX),
    "docker-token": "dckr" + "_pat_" + letters(27),
    "vault-token": "hv" + "s." + letters(90),
    "databricks-token": "da" + "pi" + letters(32, HEX),
    "atlassian-token": "ATA" + "TT3" + letters(180),
    "telegram-token": letters(9, "123456789") + ":AA" + letters(33),
    "age-key": "AGE-SECRET-" + "KEY-1" + letters(58, string.ascii_uppercase + string.digits),
    "jwt": "eyJ" + letters(30) + ".eyJ" + letters(60) + "." + letters(43),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_known_shapes_are_masked_by_their_kind(kind: str) -> None:
    """A token of a known shape goes, wherever it stands on the line; the line's own words stay."""
    token = SHAPES[kind]
    masked = mask_text(f'client = connect("{token}", retries=3)  # see runbook')
    assert token not in masked.text
    assert masked.text == f'client = connect("[masked-{kind.partition(" ")[0]}]", retries=3)  # see runbook'
    assert masked.secrets == 1


@pytest.mark.parametrize(
    "line",
    [
        'password = "{}"',
        "DB_PASSWORD={}",
        '  "api_key": "{}",',
        "aws_secret_access_key = {}",
        "client_secret: '{}'",
        "const signingKey = `{}`;",
        'jwt_secret := "{}"',
        "  'token' => '{}',",
        'export GRAFANA_API_KEY="{}"',
        "SMTP_PASSWD: {}  # production",
    ],
)
def test_random_values_with_telling_names_are_masked(line: str) -> None:
    """A random value assigned to a name that promises a secret is masked in the syntax of many languages."""
    secret = "q7Zk2mVx9" + letters(20)
    masked = mask_text(line.format(secret))
    assert (masked.text, masked.secrets) == (line.format("[masked-secret]"), 1)


def test_passwords_in_addresses_and_headers_are_masked() -> None:
    """User and password before a host go; host, database and header names stay."""
    assert mask_text("redis://admin:s3cr3t-words@cache.test:6379/0").text == "redis://[masked-password]@cache.test:6379/0"
    assert mask_text("curl -H 'Authorization: Bearer abcdefghijklmnop1234'").text == (
        "curl -H 'Authorization: Bearer [masked-bearer-token]'"
    )
    azure = "AccountName=shop;AccountKey=" + letters(86) + "==;EndpointSuffix=core"
    assert mask_text(azure).text == "AccountName=shop;AccountKey=[masked-azure-key];EndpointSuffix=core"


LOOKALIKES = [
    "commit 3daa7221f0c4b5a697887e6f5d4c3b2a1908f7e6",
    "integrity sha512-" + letters(86) + "==",
    'token_hash = "sha256:' + letters(64, HEX) + '"',
    'password = os.environ["DB_PASSWORD"]',
    "password: ${{ secrets.DATABASE_PASSWORD }}",
    "PASSWORD=${DATABASE_PASSWORD_2026}",
    'api_key = "your-api-key-123456"',
    'token = "changeme12345"',
    'secret_name = "payments/prod-2026/database"',
    "token_count = 1234567890123456789",
    "max_tokens=16384, tokens_per_minute=100000",
    'password = getpass("Password: ")',
    "def check_token(token: str, secret_type: SecretType2) -> bool:",
    "from sklearn import svm  # sk-learn is not a key",
    "sk-this-is-only-a-css-class-name-with-many-words",
    "https://example.test:8443/path@2/file",
    "postgres://user:password@localhost/db",
    "http://proxy:${PASSWORD}@host",
    'uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"',
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "passwordField.setText(user.passwordHint1234)",
    "AKIAlowercase0000000",
    "data:image/png;base64," + letters(200),
    "token_url: https://login.test/oauth2/v2.0/token12345",
    "assert secret is not None and len(secret) >= 32",
    'title = "The secret garden, 1911 edition"',
    "eyJhbGciOi is how a JWT begins",
]


@pytest.mark.parametrize("line", LOOKALIKES)
def test_lookalikes_stay(line: str) -> None:
    """Digests, names, references to secrets kept elsewhere, examples and prose are shown to the reviewer as they are."""
    assert mask_text(line) == (line, 0)


def key_block(kind: str = "RSA ") -> list[str]:
    """Return a private key of no use, in the form of one."""
    return [
        f"-----BEGIN {kind}PRIVATE KEY-----",
        *(letters(64) for _ in range(12)),
        letters(20) + "==",
        f"-----END {kind}PRIVATE KEY-----",
    ]


@pytest.mark.parametrize("kind", ["RSA ", "", "OPENSSH ", "EC ", "ENCRYPTED "])
def test_a_private_key_is_masked_over_all_its_lines(kind: str) -> None:
    """No line of the key is left, the count is one, and every line keeps its place."""
    key = key_block(kind)
    masked = mask_lines(["before = 1", *key, "after = 2"])
    assert masked.lines == ("before = 1", *["[masked-private-key]"] * len(key), "after = 2")
    assert masked.secrets == 1


def test_a_key_that_the_hunk_shows_in_part_is_masked_as_far_as_seen() -> None:
    """A hunk may begin inside a key or end inside it."""
    key = key_block()
    assert not set(key) & set(mask_lines([*key[5:], "x = 1"]).lines)
    assert not set(key) & set(mask_lines(["x = 1", *key[:5]]).lines)


def test_an_unclosed_key_does_not_swallow_the_code_behind_it() -> None:
    """A string that only names the first line of a key hides nothing else from the reviewer."""
    lines = ["if text.startswith('-----BEGIN PRIVATE KEY-----'):", "    run(command, shell=True)"]
    assert mask_lines(lines).lines[1] == lines[1]


def test_a_key_on_one_line_is_masked() -> None:
    """A key written as one string with escaped line ends goes as a whole, and the code around it stays."""
    line = 'KEY = "' + "\\n".join(key_block()) + '"  # old'
    assert mask_text(line).text == 'KEY = "[masked-private-key]"  # old'


@given(st.text(max_size=400))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    """What has been masked is stable, and no line is lost."""
    once = mask_text(text).text
    assert mask_text(once) == (once, 0)
    assert once.count("\n") == text.count("\n")


@given(
    st.sampled_from(sorted(SHAPES)),
    st.text(alphabet=" ()[]{}<>,;\n", max_size=20),
    st.text(alphabet=" ()[]{}<>,;\n", max_size=20),
)
def test_no_token_survives_its_surroundings(kind: str, before: str, after: str) -> None:
    """Punctuation around a token does not save it."""
    masked = mask_text(before + SHAPES[kind] + after)
    assert SHAPES[kind] not in masked.text
    assert MASK.search(masked.text)


def test_a_huge_line_is_masked_in_bounded_time() -> None:
    """Half a megabyte on one line is searched all the same; backtracking would take minutes, and the timeout would say so."""
    line = ("token=" + "a" * 90 + " password: " + "x1" * 30 + " ") * 3_000
    assert len(line) > 4 * LINE_CHARACTERS_MOST
    assert len(mask_text(line + SHAPES["npm-token"]).text) <= len(line) + 100
