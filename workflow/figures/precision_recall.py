"""Precision against recall at every threshold, with the threshold that was chosen."""

from matlens import columns, detect
from matlens.registry import method_of

from figures import style

NAMES = {
    "centre": "centres within the gate", "iou": "boxes overlap", "mask_iou": "masks overlap",
}  # fmt: skip
ORDER = ("test", "", "val", "train")  # the split that is drawn is the first of these that there is


def draw(precision_recall: dict, detection_summary: dict):
    """Draw a panel per rule of matching; the dot is the threshold that was chosen before, F1 is in the legend."""
    methods = [
        name for name, table in precision_recall.items() if method_of(name) not in detect.CONTROLS and len(table)
    ]
    if not methods:
        return style.nothing("no image with truth was looked at")
    there = {split for name in methods for split in precision_recall[name][columns.SPLIT].unique()}
    split = next(one for one in ORDER if one in there)
    figure, axes = style.panels(1, len(NAMES), style.PAGE_IN, 2.8)
    looks = style.colours(methods)
    for panel, (rule, title) in zip(axes.flat, NAMES.items(), strict=True):
        for name in methods:
            own = _of(precision_recall[name], split, rule)
            summary = detection_summary[name]
            best = _of(summary[summary[columns.CONTROL] == ""], split, rule)
            label = f"{style.text(name)}, F1 {best['f1'].iloc[0]:.2f}" if len(best) else style.text(name)
            panel.plot(own["recall"], own["precision"], color=looks[name], lw=1.0, label=label)
            panel.plot(best["recall"], best["precision"], "o", color=looks[name], ms=4)
        panel.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        panel.set_title(title + (f" ({split})" if split else ""))
        style.legend(panel, fontsize=6)
    return figure


def _of(table, split: str, rule: str):
    return table[(table[columns.SPLIT] == split) & (table["match"] == rule)]
