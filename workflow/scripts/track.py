"""Link the detections of every series of a study to tracks, and measure and score these."""

from contextlib import ExitStack

from matlens import columns, registry, track
from matlens.job import batch, entry
from matlens.store import io
from matlens.track import work


def main(
    detections: str,
    index: str,
    images: list,
    truth: list,
    method: str,
    options: dict,
    detected_by: str,
    settings: dict,
    outputs: dict,
) -> None:
    """Write the tables and pictures of `outputs` by name, and a row of `rejected` for every series without tracks."""
    function, lost, table = registry.load(track.METHODS, method), [], io.read_table(index)
    found, stage = io.read_table(detections), f"track/{method}"
    with ExitStack() as opened:
        pixels, truths = (work.Shards(opened, paths) for paths in (images, truth))
        source = work.Source(found, table, truths.item, settings)

        def follow(item: dict) -> dict:
            return work.follow(function, item[columns.ITEM], item["frames"], source, options)

        done = list(batch.survive(work.every_series(table, settings["frame_by"], lost, stage), follow, lost, stage))
        io.write_bytes_zip(outputs["frames"], work.pictures(done, table, pixels))
    for name, value in work.stack([part for _, part in done], detected_by).items():
        io.write_table(outputs[name], value)
    io.write_rejected(outputs["rejected"], lost)


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
