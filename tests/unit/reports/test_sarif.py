"""SARIF: the essentials of the 2.1.0 schema, relative paths, fingerprints that stay, and text that links nowhere."""

import json
from typing import Any

from fakes.golden import assert_golden
from fakes.outcomes import FINDINGS, NOTHING_FOUND
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from budget_gate.core.pull_requests import SEVERITIES, Finding, NotReviewed
from budget_gate.reports.sarif import render_sarif

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
ESSENTIALS = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {"required": ["id"], "properties": {"shortDescription": TEXT}},
                                    }
                                },
                            }
                        },
                    },
                    "invocations": {"items": {"required": ["executionSuccessful"]}},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "message": TEXT,
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                                "locations": {
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {"uri": {"type": "string", "pattern": "^[^:/][^:]*$"}}
                                                    },
                                                    "region": {
                                                        "properties": {
                                                            "startLine": {"type": "integer", "minimum": 1},
                                                            "endLine": {"type": "integer", "minimum": 1},
                                                        }
                                                    },
                                                },
                                            }
                                        }
                                    }
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What the OASIS schema (sarif-schema-2.1.0.json) asks of the parts that are used here, in our own words."""


def rendered(*findings: Finding, **fields: Any) -> dict[str, Any]:
    """Return the log of an outcome with these findings, checked against the schema."""
    log = render_sarif(NOTHING_FOUND._replace(findings=findings, **fields), workflow="ci_cd_review", version="1.2.3")
    Draft202012Validator(ESSENTIALS).validate(json.loads(json.dumps(log)))
    return log


def results(log: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results of the one run."""
    found: list[dict[str, Any]] = log["runs"][0]["results"]
    return found


def test_a_review_as_people_upload_it() -> None:
    """Findings, rules, what was not reviewed, verdict and cost."""
    parts = (NotReviewed("docs/a.md", "at the task's 12,000 tokens", 5),)
    log = rendered(*FINDINGS, not_reviewed=parts, verdict="pass_with_note", failure="the model's service failed (overloaded)")
    assert_golden("review.sarif.json", json.dumps(log, indent=2, ensure_ascii=False) + "\n")


def test_fingerprints_do_not_move_with_lines_and_equal_findings_have_their_own() -> None:
    """A push that moves a finding keeps its fingerprint; two equal remarks in one file are told apart."""
    finding = FINDINGS[1]
    (first,), (moved,) = results(rendered(finding)), results(rendered(finding._replace(line=90, end_line=93)))
    assert first["partialFingerprints"] == moved["partialFingerprints"]
    twice = results(rendered(finding, finding._replace(line=90, end_line=93)))
    assert twice[0]["partialFingerprints"] != twice[1]["partialFingerprints"]


def test_a_remark_on_removed_lines_points_at_the_file_only() -> None:
    """Line 88 of the old file is another line of the new one: no region, and the text says where it was."""
    (result,) = results(rendered(FINDINGS[0]))
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert result["message"]["text"].startswith("Line 88 before the change: ")


TEXTS = st.text(max_size=60)


@given(
    st.builds(
        Finding, TEXTS, st.just(1), st.just(2), st.sampled_from(["LEFT", "RIGHT"]), st.sampled_from(SEVERITIES), TEXTS, TEXTS
    )
)
def test_whatever_a_finding_says_the_log_is_valid_and_stays_inside_the_repository(finding: Finding) -> None:
    """No path leaves the repository or names another scheme, and no bracket makes a link."""
    (result,) = results(rendered(finding))
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert not {"", ".", ".."} & set(uri.split("/"))
    assert "](" not in result["message"]["text"].replace("\\]", "")
