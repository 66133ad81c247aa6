"""Average the quality of the fields of a method."""

from matlens.fields import report
from matlens.job import entry
from matlens.store import io


def main(field_quality: str, field_scores: str) -> None:
    """Write mean, median and largest value of every measure, by split and field."""
    io.write_table(field_scores, report.scores(io.read_table(field_quality)))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
