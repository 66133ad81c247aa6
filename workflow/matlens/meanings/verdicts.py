"""Meaning and unit of the columns of verdicts of physics codes."""

from matlens import columns

MEANING = {
    "engine": "code or model that judged the candidate",
    "pending": "candidates asked so far whose results are not back",
    "status": "accepted, rejected (an answer that does not hold or is not wanted), failed (no answer), pending",
    "quantity": "what was computed; empty where nothing was",
    columns.VALUE: "what was computed, in the unit of its row or its measure",
    "unit": "unit of the value",
    "predicted": "what was expected before it was computed, in the same unit; empty where nothing was",
    "checksum": "SHA-256 of the physics of the inputs",
    "wall_s": "time on the clock, in seconds",
    "cpu_s": "time on processors, in seconds",
    "rank": "place in the order, or of a choice, counted from 1",
    "uncertainty": "how unsure the model is, 0 to 1",
}
