"""What a model handed to the one tool that it was made to call: where every structured answer of the agents is found."""

from collections.abc import Mapping
from typing import Any


def tool_input(message: Mapping[str, Any], tool_name: str) -> Mapping[str, Any] | None:
    """Return the input of the first call of a tool in a Messages response; None where there is none, or it is no object."""
    content = message.get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, Mapping) and block.get("type") == "tool_use" and block.get("name") == tool_name:
            given = block.get("input")
            return given if isinstance(given, Mapping) else None
    return None
