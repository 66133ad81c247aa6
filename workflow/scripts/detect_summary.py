"""Pool the scores of a detection over images, and write its precision and recall at every threshold."""

from matlens.detect import summary
from matlens.job import entry
from matlens.store import io


def main(scores: str, ranked: str, detection_summary: str, precision_recall: str) -> None:
    """Write the pooled scores by split and rule of matching, with controls, and the curve."""
    judged, order = io.read_table(scores), io.read_table(ranked)
    io.write_table(detection_summary, summary.pooled(judged, order))
    io.write_table(precision_recall, summary.curves(judged, order))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
