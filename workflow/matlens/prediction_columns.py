"""Meaning and unit of the columns of predictions; part of `column_meanings`."""

MEANING = {
    "low_90": "lower end of the 90 % interval of the prediction, in the unit of the property",
    "high_90": "upper end of the 90 % interval of the prediction, in the unit of the property",
    "outside_training_range": "whether the item is unlike all that was learned from; its interval is then a guess",
    "unseen_elements": "elements of the item that the method did not learn from",
    "interval_of": "quantity that the interval covers: DFT's, or that of the potential that labelled the training set",
    "weight": "weight of the method in the blend, fitted to held-out training items of the fold; their sum is 1",
    "held_out_items": "number of training items that the weights were fitted to",
    "measured": "fraction of the phase that segmentation measured",
    "measured_error": "standard error of that",
    "measured_low": "lower end of its 95 % interval",
    "measured_high": "upper end of its 95 % interval",
}
