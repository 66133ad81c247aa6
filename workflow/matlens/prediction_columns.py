"""Meaning and unit of the columns of molecules and of predictions; part of `column_meanings`."""

MEANING = {
    "broken_bond": "SMILES of the molecule; map numbers 1 and 2 mark the ends of the bond that breaks",
    "bond_type": "bond that breaks: elements of both ends and order (- single, : aromatic, = double, # triple)",
    "charge_e": "charge of the molecule, in elementary charges",
    "charge_1_e": "charge of the product at map number 1, in elementary charges",
    "charge_2_e": "charge of the product at map number 2, in elementary charges; empty if a ring opens",
    "low_90": "lower end of the 90 % interval of the prediction, in the unit of the property",
    "high_90": "upper end of the 90 % interval of the prediction, in the unit of the property",
    "outside_training_range": "whether the item is unlike all that was learned from; its interval is then a guess",
    "unseen_elements": "elements of the item that the method did not learn from",
    "interval_of": "quantity that the interval covers: DFT's, or that of the potential that labelled the training set",
    "blended": "method that is part of the blend",
    "weight": "weight of that method in the blend, fitted to held-out training items of the fold; their sum is 1",
    "held_out_items": "number of training items that the weights were fitted to",
    "measured": "fraction of the phase that segmentation measured",
    "measured_error": "standard error of that",
    "measured_low": "lower end of its 95 % interval",
    "measured_high": "upper end of its 95 % interval",
}
