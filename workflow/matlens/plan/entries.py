"""Entries of the table STAGES: a stage, and an output of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

SHARD, STUDY = "{shard}.parquet", "all.parquet"  # tables: one per shard, one for the whole study
MEASURE = "{measure}"  # in a stage of measures, the name of the measure


@dataclass(frozen=True)
class Output:
    """A file that methods of a stage write: results/<study>/<stage>/<method>/<name>/<file>.

    `by`: families of methods that write it; all of the stage if empty. `when(study, method)`: whether this study
    makes it. `collected`: the tables of all shards are concatenated to all.parquet. `table`: the CSV file that
    people open; `stacked`: with the rows of every method, by the rule `table`; otherwise a rule of its own writes
    it. `drawn`: the name by which figures ask for it, as {method: path}, or as one path if `single`; `each`: files
    by shard are those of every method, not of the first alone. `hint`: what makes a study write it. `folder`:
    stands in for the method in the path; `path`: stands in for the whole path. `target`: asked for by `rule all`
    though it is no table.
    """

    name: str
    file: str = SHARD
    by: tuple[str, ...] = ()
    when: Callable[[dict, str], bool] | None = None
    collected: bool = False
    table: str = ""
    stacked: bool = True
    drawn: str = ""
    single: bool = False
    each: bool = False
    hint: str = ""
    folder: str = ""
    path: str = ""
    target: bool = False


@dataclass(frozen=True)
class Stage:
    """One step: `families` of methods ("module:TABLE"), the outputs that it `gives`, the `kinds` of items it works on.

    `takes`: the output that its methods work on, and `of`: the stages that give such an output, the first of them where
    a study names a method alone, after the word `of` in its options; `able`: the families that have it, all if empty.
    `measures`: the methods measure an output of every method of those stages, and the
    folder is named by the method that is measured. `controls`: "module:TABLE" of the trivial and perfect methods.
    `answers`: what the learned methods of its table LEARNERS learn from: an output of ingest, or an output of the stage
    itself, of the method that their option `truth` names; empty if none learns.
    """

    about: str
    families: Mapping[str, str]
    gives: tuple[Output, ...]
    kinds: tuple[str, ...] = ()
    takes: str = ""
    of: tuple[str, ...] = ()
    able: tuple[str, ...] = ()
    measures: bool = False
    controls: str = ""
    answers: str = ""
