"""Compare the truth masks of all items of a study."""

from matlens import columns


def compared(index):
    """Return the index with a remark on items whose mask has one phase, if at least half of the masks have several."""
    if columns.TRUTH_PHASES not in index:
        return index
    counts = index[columns.TRUTH_PHASES].dropna()
    usual = int(counts.sort_values().iloc[len(counts) // 2]) if len(counts) else 0
    odd = index[columns.TRUTH_PHASES].eq(1) & (usual > 1)
    if not odd.any():
        return index
    text = f"its mask has one phase, masks of other items have {usual}; check the mask"
    before = index[columns.REMARK] if columns.REMARK in index else [None] * len(index)
    remarks = [
        "; ".join(filter(None, (own if isinstance(own, str) else None, text if one else None))) or None
        for own, one in zip(before, odd, strict=True)
    ]
    print("\n".join(f"{item}: {text}" for item in index[columns.ITEM][odd]))
    return index.assign(**{columns.REMARK: remarks})
