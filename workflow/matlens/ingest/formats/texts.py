"""Objects that a cell of a table holds as text."""

import ast
import json
from collections.abc import Mapping

from matlens.job.batch import BadItem

MOST_LITERAL = 1 << 24  # characters of a dict that Python printed


def parsed(text: str) -> Mapping:
    """Read an object written as JSON, or as Python prints a dict; nothing in it is run."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cause = error
    try:
        found = ast.literal_eval(text) if len(text) < MOST_LITERAL else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, Mapping):
        raise BadItem(f"its structure is not valid JSON ({cause}); it may be truncated") from cause
    return found
