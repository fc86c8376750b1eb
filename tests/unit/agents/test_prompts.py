"""Prompts are files that keep the envelope they declare."""

from pathlib import Path

import pytest

import budget_gate.agents.prompt_files
from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_request import Briefing
from budget_gate.core.tokens import input_tokens_bound

PROMPTS = sorted(path.stem for path in Path(budget_gate.agents.prompt_files.__file__).with_name("prompts").glob("*.md"))
MODELS = ("claude-haiku-4-5", "claude-sonnet-4-6", "claude-opus-4-6")
"""What a policy usually names. The newer models' tokens are counted with more headroom; see the second test."""

NEWER = "claude-opus-5-5"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_keeps_its_envelope(name: str, model: str) -> None:
    """The prompt alone, with an empty question, stays within what its header declares."""
    prompt = load_prompt(name)
    assert prompt.name == name
    assert prompt.version >= 1
    body = {"system": prompt.text, "messages": [{"role": "user", "content": "-"}], "model": model, "max_tokens": 1}
    if name == "code_review":
        body = {**Briefing(prompt, "0123456789").request(()), "model": model, "max_tokens": 1}
    bound = input_tokens_bound(body)
    assert bound <= prompt.fixed_tokens_most, f"{name} declares {prompt.fixed_tokens_most}, and needs {bound}"


@pytest.mark.parametrize("name", ["dev_assistant", "pm_assistant", "summary"])
def test_an_assistants_prompt_keeps_its_envelope_on_newer_models(name: str) -> None:
    """The assistants' envelopes hold for the models whose tokens are counted highest, too."""
    prompt = load_prompt(name)
    body = {"system": prompt.text, "messages": [{"role": "user", "content": "-"}], "model": NEWER, "max_tokens": 1}
    assert input_tokens_bound(body) <= prompt.fixed_tokens_most


def test_no_prompt_is_without_a_test() -> None:
    """Every file in the folder is found."""
    assert {"code_review", "dev_assistant", "pm_assistant", "summary"} <= set(PROMPTS)
