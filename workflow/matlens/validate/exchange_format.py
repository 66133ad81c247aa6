"""Exchange format of equilibria: write request.csv, read and validate response.csv.

A request has a row per alloy and temperature: id, item, T_K, P_Pa, x_<symbol>. A response has a row per stable set of
composition: id, database, phase, structure, set_index, ordered, np_mole, gm, x_<symbol>, solver, version, db_sha,
status ("ok"; a row of another status says that its equilibrium was not found).
"""

import io
import re
from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem
from matlens.store import text_files
from matlens.thermo import equilibria, quantities, system
from matlens.thermo.equilibria import Equilibrium

PART = "x_"
LEADING = (
    "id", columns.ITEM, "database", "T_K", "P_Pa", "phase", "structure", "set_index", "ordered", "np_mole",
    "volume_fraction", "gm", "solver", "version", "db_sha", "status",
)  # fmt: skip
NEEDED = ("id", "phase", "set_index", "ordered", "np_mole", "gm", "solver", "version", "db_sha", "status")
SUM = 1e-4  # by which fractions of a foreign solver may miss 1, as they are printed with few digits
SAME_J = 0.5  # J/mol by which printed energies of one equilibrium may differ
OFF = 1e-3  # mole fraction by which its phases may miss the alloy


def request(items: list[str], alloys: list[Mapping[str, float]], temperatures: list[float]):
    """Return the rows of a request to a solver; ids count from 1."""
    import pandas as pd

    symbols = sorted({symbol for shares in alloys for symbol in shares})
    rows = [
        {columns.ITEM: item, "T_K": float(t), "P_Pa": system.PRESSURE} | {PART + s: shares.get(s, 0.0) for s in symbols}
        for item, shares in zip(items, alloys, strict=True)
        for t in sorted(temperatures)
    ]
    frame = pd.DataFrame(rows, columns=[columns.ITEM, "T_K", "P_Pa", *(PART + s for s in symbols)])
    frame.insert(0, "id", range(1, len(frame) + 1))
    return frame


def rows(
    item: str, first: int, database: str, digest: str, line, temperatures: list[float], molar_volumes
) -> list[dict]:
    """Return the equilibria of one alloy by pycalphad as rows of a response; a failed one has its reason.

    `first`: the id of its first temperature. `line`: what `phase_quantities.lines` gives for it.
    """
    import importlib.metadata

    plain = {
        columns.ITEM: item, "database": database, "P_Pa": system.PRESSURE, "solver": "pycalphad",
        "version": importlib.metadata.version("pycalphad"), "db_sha": digest,
    }  # fmt: skip
    if isinstance(line, BadItem):
        return [plain | {"id": first + t, "T_K": at, "status": f"failed: {line}"} for t, at in enumerate(temperatures)]
    made, _, answers = line
    found = []
    for number, (at, one) in enumerate(zip(temperatures, answers, strict=True), first):
        here = plain | {"id": number, "T_K": at}
        if not isinstance(one, Equilibrium):
            found.append(here | {"status": f"failed: {one}"})
            continue
        volumes = _volumes(one, molar_volumes)
        count: dict[str, int] = {}
        for part in one.parts:
            count[part.phase] = count.get(part.phase, 0) + 1
            found.append(
                here
                | {
                    "phase": part.phase, "structure": part.structure, "set_index": count[part.phase],
                    "ordered": part.ordered, "np_mole": part.fraction, "volume_fraction": volumes.get(id(part), np.nan),
                    "gm": one.energy, "status": "ok",
                    **{PART + s.capitalize(): float(x) for s, x in zip(made.elements, part.x, strict=True)},
                }
            )  # fmt: skip
    return found


def _volumes(one: Equilibrium, molar_volumes) -> dict[int, float]:
    """Return the volume fraction of every part; none if a molar volume is unknown."""
    if not molar_volumes:
        return {}
    try:
        shares = quantities.by_volume(equilibria.fractions(one), molar_volumes)
    except BadItem:
        return {}
    total = equilibria.fractions(one)
    return {
        id(p): shares.get(p.structure, 0.0) * p.fraction / total[p.structure] for p in one.parts if total[p.structure]
    }


def table(found: list[dict]):
    """Stack rows of responses; mole fractions of elements that an alloy lacks are 0."""
    import pandas as pd

    frame = pd.DataFrame(found)
    parts = sorted(name for name in frame.columns if name.startswith(PART))
    frame = frame.reindex(columns=[*LEADING, *parts])
    for name in ("np_mole", "volume_fraction", "gm", *parts):
        frame[name] = frame[name].astype(float)
    ok = frame["status"] == "ok"
    frame.loc[ok, parts] = frame.loc[ok, parts].fillna(0.0)
    for name in ("phase", "structure"):
        frame[name] = frame[name].fillna("").astype(str)
    frame["set_index"] = frame["set_index"].fillna(0).astype(int)
    frame["ordered"] = frame["ordered"].eq(True)
    return frame


def read(data: bytes):
    """Read a response.csv, as programs and spreadsheets write it. Raises BadItem if it is not one.

    It may be in UTF-8 or UTF-16, and where semicolons or tabs separate its columns a comma may be the decimal sign.
    """
    import pandas as pd

    try:
        text = data.decode(text_files.encoding(data))
        head, _, body = text.partition("\n")
        sign = max((",", ";", "\t"), key=head.count)
        number = rf"(?m)(?:^|{sign})\s*\"?[-+]?\d*,\d"  # a comma in a text, as a version, is no decimal sign
        decimal = "," if sign != "," and re.search(number, body) else "."
        names = dict.fromkeys(("phase", "status", "db_sha", "ordered"), str)
        table = pd.read_csv(io.StringIO(text), sep=sign, decimal=decimal, skipinitialspace=True, dtype=names)
    except (ValueError, UnicodeDecodeError) as error:
        raise BadItem(f"response.csv cannot be read: {str(error)[:120]}") from error
    return table.rename(columns=lambda name: str(name).strip())


def judge(asked, answered, digests: Mapping[str, str] | set[str], phases=()) -> dict[int, str]:
    """Check the rows of a response against its request; return the reason of each invalid row by id, {} if none is.

    `digests`: SHA-256 of the databases that may be behind it, `phases`: those that were asked for (none given: any). An
    id 0 stands for the whole response.
    """
    lacks = [name for name in NEEDED if name not in answered.columns]
    parts = [name for name in asked.columns if name.startswith(PART)]
    lacks += [name for name in parts if name not in answered.columns]
    if lacks:
        return {0: f"the response lacks the columns {', '.join(lacks)}; keep those of the contract"}
    wrong: dict[int, str] = {}
    ids = answered["id"].tolist()
    strange = sorted({str(one) for one in ids if one not in set(asked["id"])})
    if strange:
        wrong[0] = f"it answers what was not asked: id {', '.join(strange[:5])}; it belongs to another request"
    for row in asked.to_dict("records"):
        own = answered[answered["id"] == row["id"]]
        reason = _wrong(row, own, parts, set(digests), {phase.upper() for phase in phases})
        if reason:
            wrong[int(row["id"])] = reason
    return wrong


def _numbers(own, names: list[str]) -> np.ndarray:
    """Read columns as numbers. Raises BadItem with the first value that is none."""
    import pandas as pd

    found = own[names].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if not np.isfinite(found).all():
        at, column = np.argwhere(~np.isfinite(found))[0]
        given = str(own[names[column]].iloc[at])
        fix = "; write decimals with a point" if "," in given else ""
        raise BadItem(f"it contains values that are not numbers ({names[column]} is {given[:20]!r}{fix})")
    return found


def _wrong(row: dict, own, parts: list[str], digests: set[str], phases: set[str]) -> str:
    """Return the reason why the response to one row of a request is invalid, else ""."""
    if own.empty:
        return "no answer: the run was cut short, or this row failed; run it again"
    bad = [str(one) for one in own["status"] if str(one).strip().lower() != "ok"]
    if bad:
        return f"the solver says: {bad[0][:200]}"
    shas = {str(one) for one in own["db_sha"]}
    if digests and not shas <= digests:
        return f"it was made with another database (sha256 {sorted(shas - digests)[0][:12]})"
    told = [name for name in ("T_K", "P_Pa") if name in own and own[name].notna().any()]
    try:
        (amounts, energy), x = _numbers(own, ["np_mole", "gm"]).T, _numbers(own, parts)
        states = _numbers(own, told)
    except BadItem as error:
        return str(error)
    named = {str(one).upper().split("#")[0] for one in own["phase"].fillna("")}
    if "" in named or (phases and named - phases):
        return f"it holds the phase '{min(named - phases)}', which was not asked for: only {', '.join(sorted(phases))}"
    if (amounts < -SUM).any():
        return f"a phase fraction is {amounts.min():.6g}, below 0"
    if abs(amounts.sum() - 1) > SUM:
        return f"its phase fractions sum to {amounts.sum():.6g}, not to 1"
    if np.abs(x.sum(axis=1) - 1).max() > OFF or x.min() < -SUM:
        return "the composition of a phase does not sum to 1, or is negative"
    alloy = np.array([float(row[name]) for name in parts])
    if np.abs(amounts @ x - alloy).max() > OFF:
        return "its phases do not add up to the alloy: it answers another composition"
    if np.ptp(energy) > SAME_J + 1e-6 * np.abs(energy).max():
        return "gm, the Gibbs energy of the whole, differs among its phases: give that of the system, J/mol of atoms"
    if own.duplicated(["phase", "set_index"]).any():
        return "it has the same phase twice"
    for given, state in zip(told, states.T, strict=True):
        if np.abs(state - row[given]).max() > 1e-3:
            return f"its {given} is not that of the request"
    return ""
