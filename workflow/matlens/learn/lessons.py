"""What a stage learns from: the samples of the items of a study."""

from collections.abc import Iterator, Mapping

from matlens import registry
from matlens.store import io


def samples(stage: str, taken: list, answers: list, offered: Mapping, options: Mapping) -> Iterator[tuple]:
    """Yield the training and validation samples of every shard; the item is the last entry of each.

    `taken`, `answers`: files by shard. LESSONS of the package of the stage names the function that makes the samples of
    a shard; it takes `arrays` and `marks`, both open, and what is `offered`: `roles` by item, `rows` of the index, ....
    """
    function = registry.load({stage: registry.table(f"matlens.{stage}:LESSONS")}, stage)
    for given, answer in zip(taken, answers, strict=True):
        with io.read_arrays(given) as arrays, io.read_arrays(answer) as marks:
            yield from registry.call(function, {**offered, "arrays": arrays, "marks": marks}, options)
