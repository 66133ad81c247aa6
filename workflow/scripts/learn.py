"""Train a method on the items of a study for which the answer is known; write weights, model card and history."""

import os
from pathlib import Path

from matlens import registry
from matlens.job import entry
from matlens.learn import cards, left_out, lessons
from matlens.store import io


def main(
    taken: list, answers: list, index: str, initial: str | list, stage: str, method: str, options: dict, phases: list,
    weights: str, card: str, history: str,
) -> None:  # fmt: skip
    """Write the weights as safetensors, their card as JSON, and a row per epoch; a killed run resumes."""
    rows = io.read_table(index).to_dict("records")
    offered = {"phases": phases, "method": registry.method_of(method), "options": options, "rows": rows}
    offered["roles"] = roles = lessons.roles(stage, rows, options)
    offered["samples"] = list(lessons.samples(stage, taken, answers, offered, options))
    offered["checkpoint"] = checkpoint = Path(weights).with_name("checkpoint.safetensors")
    offered["initial"] = io.read_weights(initial) if initial else None
    learn = registry.load(registry.table(f"matlens.{stage}:LEARNERS"), method)
    arrays, about = left_out.learned(learn, offered, stage, options)
    if os.environ.get("RANK", "0") != "0":
        return  # under torchrun the first process writes
    io.write_table(history, cards.history_table(about.pop("history", [])))
    used, of = sorted({item for *_, item in offered["samples"]}), options.get("of")
    about = {"phases": phases, **about}
    about = cards.completed(about, method, kind="images", roles=roles, used=used, initial=initial or None, of=of)
    io.write_json(card, about)
    io.write_weights(weights, arrays)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
