"""What makes two findings the same across pushes: path, side, category and words, but not the line, which moves."""

import hashlib
import json

from budget_gate.core.pull_requests import Finding


def fingerprint(marker: str, finding: Finding) -> str:
    """Return what identifies a finding of one workflow (``marker``) across pushes, in 32 hexadecimal digits."""
    said = " ".join(finding.text.casefold().split())
    parts = json.dumps([marker, finding.path, finding.side, finding.category, said])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]
