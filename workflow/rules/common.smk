# What all rules share: the studies of the run, the decisions about them, wildcards.

import os
from pathlib import Path

# Jobs find the library through the environment; the Snakefile itself imports only its light packages.
sys.path.insert(0, "workflow")
os.environ.update(PYTHONPATH="workflow", PYTHONHASHSEED="0")
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# Threads of a training that wait for each other sleep: spinning, they take the cores of the jobs beside it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from figures import DRAWS, FIGURES
from matlens import (
    acquire,
    connect,
    detect,
    fields,
    fit,
    generate,
    ingest,
    predict,
    quantify,
    restore,
    screen,
    segment,
    track,
    validate,
)
from matlens.ingest.kinds import KINDS
from matlens.job import forks
from matlens.nets import FIELD_NETS, GENERATORS, NETS
from matlens.plan import (
    closure,
    engines,
    learning,
    outputs,
    predictions,
    scheduler,
    stages,
)
from matlens.plan.checks import studies_of
from matlens.plan.rules import Plan
from matlens.plan.status import rejected_so_far
from matlens.registry import NAME, pattern

STUDIES = studies_of(config.get("studies"))
plan = Plan(STUDIES)
forks.install(workflow.is_main_process, closure.libraries)


# A wildcard has one meaning: {method} is a method or method.variant, {shard} is a part of the items, {fold} of the cross-validation of networks, {round} one of a
# loop, {part} of the candidates of an engine.
wildcard_constraints:
    study="[a-z0-9_]+",
    stage="[a-z]+",
    method=NAME,
    output=NAME,
    shard=r"\d{4}",
    fold=r"\d{4}",
    round=r"\d{4}",
    part=r"\d{4}",
