"""Inputs of the stages that work on images: ingest, segment, quantify, overlays and exports."""

from collections.abc import Callable
from functools import cache

from matlens import detect, ingest, quantify, registry, segment
from matlens.ingest import generated
from matlens.ingest.kinds import KINDS
from matlens.plan import closure, outputs, paths, study
from matlens.plan.message import refuse
from matlens.plan.paths import Paths, filled, images_of, labels_of, measured_file


@cache
def needs(measure: str) -> list[str]:
    """List the measures whose merged tables a measure over a series works on."""
    return [name for name in registry.inputs_of(registry.load(quantify.SERIES, measure)) if name in quantify.METHODS]


class Images(Paths):
    """Inputs and parameters of the rules that work on images."""

    def listing(self, wildcards) -> str:
        """Digest the files behind a study, so that a new or changed file is noticed; "" for a method without files."""
        if registry.method_of(wildcards.method) not in ingest.LISTINGS:
            return ""
        digest = registry.load(ingest.LISTINGS, wildcards.method)
        try:
            return registry.call(digest, {}, self.settings(wildcards, "ingest"))
        except (OSError, ValueError) as error:
            refuse(wildcards.study, ["ingest", wildcards.method], unreadable(error))

    def generated_files(self, wildcards) -> list[str]:
        """List the generated images, labels and rows that a study ingests; none for other sources."""
        if registry.method_of(wildcards.method) != "generated":
            return []
        return generated.files(**self.settings(wildcards, "ingest"))

    def labels_listing(self, wildcards) -> str:
        """Digest the files of labels behind a segmentation; "" for a method that reads none."""
        if registry.method_of(wildcards.method) not in segment.LISTINGS:
            return ""
        return registry.call(registry.load(segment.LISTINGS, wildcards.method), {}, self.settings(wildcards, "segment"))

    def ingest_files(self, kind: str) -> dict[str, str]:
        """Return the paths of the files of a kind of items, besides the index."""
        folder = "results/{study}/ingest/{method}/"
        return {name: f"{folder}{name}/{{shard}}.{paths.suffix(name)}" for name in KINDS[kind].files}

    def ingest_code(self, kind: str) -> Callable:
        """Return a function of wildcards: the digest of the library files that read and write a kind of items."""
        made = KINDS[kind]
        return lambda wildcards: closure.digest(
            "scripts/ingest.py", registry.entry(made.readers, wildcards.method), made.writer
        )

    def proposer(self, wildcards):
        """Return wildcards of the study and the trained method that proposes which items to label next."""
        method = self.studies[wildcards.study]["propose"]["method"]
        return type(wildcards)(fromdict={"study": wildcards.study, "method": method})

    def proposal_code(self, wildcards) -> str:
        """Digest the library files behind proposals."""
        chosen = self.proposer(wildcards).method
        return closure.digest("scripts/propose.py", registry.entry(segment.PROBABILITIES, chosen))

    def proposal_settings(self, wildcards) -> dict:
        """Return the settings of proposals, without the method that makes them."""
        found = self.studies[wildcards.study]["propose"]
        return {key: value for key, value in found.items() if key != "method"}

    def images(self, stage: str) -> Callable:
        """Return a function of wildcards: the images that a method of a stage works on, of their shard or of all."""

        def files(wildcards):
            name, settings = wildcards.study, self.studies[wildcards.study]
            if hasattr(wildcards, "shard"):
                return images_of(name, settings, stage, wildcards.method, wildcards.shard)
            return [images_of(name, settings, stage, wildcards.method, shard) for shard in self.shards(name)]

        return files

    def labels_for(self, stage: str) -> Callable:
        """Return a function of wildcards: the labels of a shard that a method of a stage works on."""
        return lambda wildcards: labels_of(
            wildcards.study, self.studies[wildcards.study], stage, wildcards.method, wildcards.shard
        )

    def real_labels(self, wildcards) -> list[str]:
        """List the labels of all shards that a generating method learns from and is compared with."""
        name, settings = wildcards.study, self.studies[wildcards.study]
        return [labels_of(name, settings, "generate", wildcards.method, shard) for shard in self.shards(name)]

    def threshold_card(self, wildcards) -> str | list:
        """Return the file of the threshold that a detection takes from other images; none if its study gives one."""
        chosen = self.settings(wildcards, "detect").get("threshold")
        if registry.method_of(wildcards.method) not in detect.THRESHOLDS or chosen != detect.AUTO:
            return []
        return f"results/{wildcards.study}/detect/{wildcards.method}/card/all.json"

    def painted(self, wildcards) -> str | list:
        """Return the detections of a shard that a segmentation paints; none for any other method."""
        if registry.method_of(wildcards.method) != "painted":
            return []
        given = self.settings(wildcards, "segment").get("by")
        name = given or outputs.methods(self.studies[wildcards.study], "detect")[0]
        return f"results/{wildcards.study}/detect/{name}/detections/{wildcards.shard}.parquet"

    def detected_by(self, wildcards) -> str:
        """Return the method whose detections a tracking method links: that after `of`, or the first of the study."""
        settings = self.studies[wildcards.study]
        given = outputs.given_of(settings, "track", wildcards.method) or outputs.methods(settings, "detect")
        return outputs.source_of("track", given[0])[1]

    def detections(self, wildcards) -> str:
        """Return the detections of all items that a tracking method links."""
        return f"results/{wildcards.study}/detect/{self.detected_by(wildcards)}/detections/all.parquet"

    def measured(self, stage: str) -> Callable:
        """Return a function of wildcards: the file of a shard that the measures of a stage work on."""
        return lambda wildcards: measured_file(
            wildcards.study, self.studies[wildcards.study], stage, wildcards.method, wildcards.shard
        )

    def series_needs(self, wildcards) -> list[str]:
        """List the measures that a measure over a series works on."""
        return needs(registry.method_of(wildcards.measure))

    def series_tables(self, wildcards) -> list[str]:
        """List the merged tables that a measure over a series works on."""
        settings, folder = self.studies[wildcards.study], f"results/{wildcards.study}/quantify/{wildcards.method}"
        asked = self.series_needs(wildcards)
        measures = [outputs.named(name, settings, "quantify", wildcards.measure) for name in asked]
        return [f"{folder}/{measure}/all.parquet" for measure in measures]

    def labels(self, wildcards) -> list[str]:
        """List the labels of a shard by every segmentation of a study."""
        path = f"results/{wildcards.study}/segment/{{method}}/labels/{wildcards.shard}.zarr.zip"
        return filled(path, method=self.studies[wildcards.study]["segment"])

    def exports(self) -> list[str]:
        """List the exports of all studies that have images."""
        return [
            f"results/{name}/export/manifest/{shard}.json"
            for name, settings in self.studies.items()
            if outputs.methods(settings, "ingest", "images")
            for shard in self.shards(name)
        ]

    def ingest_methods(self, wildcards) -> list[str]:
        """Return the ingest method of a study, as a list."""
        return [study.ingest_method(self.studies[wildcards.study])]


def unreadable(error: Exception) -> str:
    """Return the reason why files cannot be listed, and the fix."""
    if isinstance(error, PermissionError):
        return f"{error.filename}: no permission to read it; change its access rights, or name another place"
    return str(error)
