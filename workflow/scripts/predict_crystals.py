"""Predict the test items of one fold by the network that learned from the others."""

from matlens.crystal import graphs
from matlens.job import entry
from matlens.predict import crystal_networks as networks
from matlens.predict import crystal_tables, folds, heads
from matlens.store import io


def main(
    index: str,
    stored: list,
    weights: str,
    card: str,
    options: dict,
    settings: dict,
    fold: str,
    used: list | None,
    predictions: str,
    sites: str,
) -> None:
    """Write a row per crystal of the fold, and a row per atom; the first fold also predicts those without a target."""
    every, table, y, cut = crystal_tables.gathered(io.read_table(index), map(io.read_ragged, stored), settings)
    test = cut[int(fold)].test
    new = (y != y).nonzero()[0] if int(fold) == folds.first(cut, used) else test[:0]
    chosen = graphs.taken(every, [*test, *new])
    arrays, about, device = io.read_weights(weights), io.read_json(card), options["device"]
    heads.check_unseen(about, every.crystals.item[test])
    found = networks.apply_outputs(chosen, arrays, about, [settings["target"]], device)[0]
    groups = folds.specimens(table, settings["group"])
    number = [int(fold)] * len(test) + [folds.UNKNOWN] * len(new)
    rows = crystal_tables.rows(chosen.crystals.item, groups[[*test, *new]], number, y[[*test, *new]], found)
    io.write_table(predictions, rows)
    values = networks.sites(chosen, arrays, about, device, settings["target"])
    io.write_table(sites, crystal_tables.site_table(chosen, values, about["method"], settings["target"]))


if __name__ == "__main__":
    entry.run(main, globals().get("snakemake"))
