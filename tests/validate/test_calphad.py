"""Verdicts by CALPHAD, the neutral contract, hand-offs to other programs, diagrams, and the bridge from micrographs."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from matlens import columns, registry
from matlens.ingest import alloys
from matlens.job import batch
from matlens.plan import study
from matlens.thermo import database, equilibria, quantities, system
from matlens.validate import asking, bridge, calphad, candidates, diagram, exchange_format, external_calphad

ALCRNI = {"database": "pycalphad:alcrni.tdb", "phases": ["LIQUID", "L12_FCC", "B2"]}
ALCOCRNI = {"database": "pycalphad:alcocrni.tdb", "phases": ["LIQUID", "L12_FCC", "BCC_B2"]}
HALF = {"quantity": "fraction", "phase": "l1_2", "temperature_k": 1073.0}


def index(*rows: dict) -> pd.DataFrame:
    frame = pd.DataFrame([{columns.ITEM: f"a{at}", **row} for at, row in enumerate(rows)])
    return frame.fillna(0.0)


GOOD = {"x_Ni": 0.78, "x_Al": 0.12, "x_Cr": 0.10}


@pytest.fixture(scope="module")
def judged():
    """Judge four alloys: one good, one without gamma prime, one with rhenium, one that does not sum."""
    items = index(
        GOOD, {"x_Ni": 0.9, "x_Al": 0.02, "x_Cr": 0.08}, {"x_Ni": 0.9, "x_Re": 0.1}, {"x_Ni": 0.9, "x_Al": 0.3}
    )
    wishes = [HALF | {"min": 0.3, "max": 0.6}, {"quantity": "solvus", "phase": "l1_2"}]
    return calphad.validate(
        items,
        databases=[ALCRNI, ALCOCRNI],
        temperatures_k=[1000.0, 1200.0, 1400.0, 1600.0],
        criteria=wishes,
        within_k=5.0,
    )


def test_candidates_are_accepted_rejected_or_failed_and_say_why(judged):
    verdicts, _ = judged
    status = verdicts.drop_duplicates(columns.ITEM).set_index(columns.ITEM)["status"]
    assert status.to_dict() == {"a0": "accepted", "a1": "rejected", "a2": "failed", "a3": "failed"}
    why = verdicts.groupby(columns.ITEM)["reason"].agg("; ".join)
    assert "below 0.3" in why["a1"]
    assert "has no Re" in why["a2"] and "another database" in why["a2"]
    assert "sum to 1.2" in why["a3"]
    assert "for testing only: pycalphad:alcocrni.tdb" in why["a0"]


def test_the_value_is_the_mean_of_the_databases_and_its_uncertainty_half_their_range(judged):
    row = judged[0].set_index([columns.ITEM, "quantity"]).loc[("a0", "fraction_l1_2_1073_k")]
    assert row["value"] == pytest.approx(0.497, abs=5e-4) and row["unit"] == "mol/mol"
    assert np.isnan(row["uncertainty"])  # both databases are one assessment
    assert "no uncertainty" in row["reason"] and "no fraction of area" in row["reason"]
    assert row["checksum"] == database.digest([ALCRNI["database"], ALCOCRNI["database"]])
    told = [
        {"database": n, "assessment": n, "failed": "", "values": {"fraction_l1_2_1073_k": v}, "why": {}, "left_out": {}}
        for n, v in (("p", 0.4), ("q", 0.5))
    ]
    made = calphad.judged("x", told, [HALF | {"min": 0.42}], sure=0.0)[0]
    assert (made["value"], made["uncertainty"], made["status"]) == (
        pytest.approx(0.45),
        pytest.approx(0.05),
        "accepted",
    )
    assert "not in every database" in made["reason"] and "0.4 in p, 0.5 in q" in made["reason"]
    assert calphad.judged("x", told, [HALF | {"min": 0.42}], sure=1.0)[0]["status"] == "rejected"


def test_databases_of_one_assessment_count_once():
    from matlens.thermo import assessments

    names = ("pycalphad:alcrni.tdb", "tdb_kawin/NiCrAl.tdb", "tdb_matcalc/mc_ni_v2.034.pycalphad.tdb")
    behind = {name: assessments.of({"database": name}) for name in names}
    assert len(set(behind.values())) == 2
    value, spread = assessments.combine(dict(zip(names, (0.497, 0.497, 0.420), strict=True)), behind)
    assert (value, spread) == (pytest.approx(0.4585), pytest.approx(0.0385))
    assert assessments.of({"database": "mine.tdb", "assessment": "Dupin 2001"}) == assessments.DUPIN
    assert assessments.caution(names, behind) == "" != assessments.caution(names[:2], behind)


def test_verdicts_do_not_depend_on_how_candidates_are_shared_out(judged):
    items = index(GOOD, {"x_Ni": 0.9, "x_Al": 0.02, "x_Cr": 0.08})
    options = {"databases": [ALCRNI], "temperatures_k": [1000.0, 1300.0], "criteria": [HALF]}
    whole = calphad.validate(items, **options)[0]
    parts = pd.concat([calphad.validate(items.iloc[[at]], **options)[0] for at in range(2)], ignore_index=True)
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-9)


def test_what_is_asked_and_cannot_be_is_refused_before_anything_is_computed():
    with pytest.raises(ValueError, match="'fraction' needs temperature_k"):
        quantities.check([{"quantity": "fraction", "phase": "l1_2"}])
    with pytest.raises(ValueError, match="'solvus' needs a phase"):
        quantities.check([{"quantity": "solvus"}])
    with pytest.raises(ValueError, match="which nothing does"):
        quantities.check([HALF | {"min": 0.6, "max": 0.3}])


def test_pycalphads_own_response_passes_its_strict_reader(judged):
    _, response = judged
    own = response[(response["item"] == "a0") & (response["database"] == ALCRNI["database"])]
    asked = exchange_format.request(["a0"], [{"Ni": 0.78, "Al": 0.12, "Cr": 0.10}], sorted(own["T_K"].unique()))
    assert exchange_format.judge(asked, own, {database.sha256(ALCRNI["database"])}) == {}
    assert own.groupby("id")["np_mole"].sum().to_numpy() == pytest.approx(1, abs=1e-6)


WRONG = {
    "a row is missing": (lambda r: r[r["id"] != 2], 2, "no answer"),
    "strange ids": (lambda r: r.assign(id=r["id"] + 100), 0, "not asked"),
    "fractions do not sum": (lambda r: r.assign(np_mole=r["np_mole"] * 0.9), 1, "sum to 0.9"),
    "another database": (lambda r: r.assign(db_sha="ff"), 1, "another database"),
    "another alloy": (lambda r: r.assign(x_Al=r["x_Cr"], x_Cr=r["x_Al"]), 1, "another composition"),
    "a failed row": (lambda r: r.assign(status="failed: no"), 1, "the solver says"),
    "no numbers": (lambda r: r.assign(gm=np.nan), 1, "not numbers"),
    "a column is missing": (lambda r: r.drop(columns="np_mole"), 0, "lacks the columns np_mole"),
    "energies of phases": (lambda r: r.assign(gm=r["gm"] + 5000 * r["set_index"]), 1, "differs among its phases"),
    "twice": (lambda r: pd.concat([r.assign(np_mole=r["np_mole"] / 2)] * 2), 1, "the same phase twice"),
    "a comma for a point": (lambda r: r.assign(np_mole=[f"{x}".replace(".", ",") for x in r["np_mole"]]), 1, "a point"),
    "a word for a number": (lambda r: r.assign(x_Al="much"), 1, "x_Al is 'much'"),
    "a phase that was not asked for": (lambda r: r.assign(phase="SIGMA"), 1, "the phase 'SIGMA', which was not"),
    "a phase without a name": (lambda r: r.assign(phase=np.nan), 1, "the phase '', which was not"),
    "less than nothing": (lambda r: r.assign(x_Al=r["x_Al"] - 1, x_Cr=r["x_Cr"] + 1), 1, "or is negative"),
    "a negative fraction": (lambda r: r.assign(np_mole=np.where(r["set_index"] == 1, -0.5, 1.5)), 1, "below 0"),
    "a temperature of no number": (lambda r: r.assign(T_K="hot"), 1, "T_K is 'hot'"),
    "no ids": (lambda r: r.assign(id=np.nan), 0, "not asked"),
    "another temperature": (lambda r: r.assign(T_K=r["T_K"] + 5), 1, "T_K is not that"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_response_that_is_wrong_is_not_believed(judged, fault):
    change, number, told = WRONG[fault]
    _, response = judged
    own = response[(response["item"] == "a0") & (response["database"] == ALCRNI["database"])]
    asked = exchange_format.request(["a0"], [{"Ni": 0.78, "Al": 0.12, "Cr": 0.10}], sorted(own["T_K"].unique()))
    found = exchange_format.judge(asked, change(own), {database.sha256(ALCRNI["database"])}, ALCRNI["phases"])
    assert told in found[number]


@pytest.mark.parametrize(
    "spoken",
    [
        lambda r: b"\xef\xbb\xbf" + r.to_csv(index=False).encode(),
        lambda r: r.to_csv(index=False).encode("utf-16"),
        lambda r: r.to_csv(index=False, lineterminator="\r\n").encode(),
        lambda r: r.to_csv(index=False, sep=";", decimal=",").encode(),
        lambda r: r.to_csv(index=False, sep=";").encode(),
        lambda r: r.assign(id=r["id"] * 1.0, status="OK", phase=r["phase"].str.lower()).to_csv(index=False).encode(),
        lambda r: r.to_csv(index=False).replace(",", ", ").encode(),
        lambda r: r.to_csv(index=False, sep="\t").encode(),
        lambda r: r.to_csv(index=False, sep="\t", decimal=",").encode(),
        lambda r: r.assign(version="TC 2024, b").to_csv(index=False, sep="\t").encode(),
        lambda r: r.assign(solver="a, b").to_csv(index=False, sep=";", decimal=",", quoting=csv.QUOTE_ALL).encode(),
        lambda r: r.assign(phase=r["phase"] + "#" + r["set_index"].astype(str)).to_csv(index=False).encode(),
        lambda r: r.assign(phase=r["phase"] + "#" + r["set_index"].map(str), set_index=1).to_csv(index=False).encode(),
    ],
)  # fmt: skip
def test_a_response_in_the_dialect_of_another_program_means_the_same(judged, spoken):
    answer = pd.read_csv(io.BytesIO(response(judged)))
    verdict = external_calphad.judge(handoff().manifest, {"response.csv": spoken(answer)})
    assert verdict["status"] == "accepted"
    assert verdict["values"]["fraction_l1_2_1073_k"][0] == pytest.approx(0.497, abs=5e-4)


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ({"response.csv": b""}, "cannot be read"),
        ({"response.csv": bytes(range(256))}, "cannot be read"),
        ({"list_one.txt": b"x"}, "no list of the macro"),
        ({"list_0001.txt": bytes(range(256))}, "name no phase"),
    ],
)
def test_what_is_no_response_says_so(results, told):
    with pytest.raises(batch.BadItem, match=told):
        external_calphad.judge(handoff().manifest, results)


def handoff(make=external_calphad.thermocalc, **options):
    given = {"item": "Ni-12Al-10Cr", "name": "Ni-12Al-10Cr", "formula": "Ni78Al12Cr10"}
    shares = {"Ni": 0.78, "Al": 0.12, "Cr": 0.10}
    return make(
        given, shares, **{**ALCRNI, "temperatures_k": [1073.0, 1273.0], "criteria": [HALF | {"min": 0.3}]} | options
    )


def test_the_hand_off_to_thermo_calc_is_complete():
    made = handoff()
    assert {"request.csv", "request.json", "run.py", "run.tcm", "run.sh", "database.tdb"} <= set(made.files)
    compile(made.files["run.py"], "run.py", "exec")
    asked = pd.read_csv(io.StringIO(made.files["request.csv"]))
    assert asked["T_K"].tolist() == [1073.0, 1273.0] and asked["x_Al"].tolist() == [0.12, 0.12]
    macro = made.files["run.tcm"]
    assert "x(al)=0.12" in macro and "x(ni)" not in macro and "list_0002.txt" in macro
    assert "rej-ph *" in macro and "rest-ph B2 L12_FCC LIQUID" in macro
    assert json.loads(made.files["request.json"])["db_sha"] == database.sha256(ALCRNI["database"])
    assert handoff() == made


def test_a_database_of_thermo_calcs_own_does_not_travel():
    made = handoff(database="TCNI12", phases=["LIQUID", "FCC_L12"])
    assert "database.tdb" not in made.files and "sw TCNI12" in made.files["run.tcm"]
    with pytest.raises(batch.BadItem, match="needs a TDB file"):
        handoff(external_calphad.opencalphad, database="TCNI12")


def test_the_macro_for_opencalphad_asks_the_same():
    text = handoff(external_calphad.opencalphad).files["run.OCM"]
    assert "read tdb ./database.tdb Al Cr Ni" in text
    assert "set condition t=1073 p=101325 n=1 x(al)=0.12 x(cr)=0.1" in text


def test_a_candidate_that_cannot_be_handed_over_says_why():
    given = {"item": "a", "name": "a", "formula": "NiAl"}
    with pytest.raises(batch.BadItem, match="has no Re"):
        external_calphad.thermocalc(given, {"Ni": 0.9, "Re": 0.1}, **ALCRNI, temperatures_k=[1073.0])
    with pytest.raises(batch.BadItem, match=r"sum to 1\.2"):
        external_calphad.thermocalc(given, {"Ni": 0.9, "Al": 0.3}, **ALCRNI, temperatures_k=[1073.0])


def response(judged) -> bytes:
    """Return the response of a correct solver, at the temperatures of the hand-off."""
    found = calphad.validate(index(GOOD), databases=[ALCRNI], temperatures_k=[1073.0, 1273.0])[1]
    return found.to_csv(index=False).encode()


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"quantity": "solvus", "phase": "l1_2", "min": 1200.0}, "'solvus_l1_2' cannot be judged from a response"),
        ({"quantity": "scheil_end", "max": 1500.0}, "cannot be judged from a response"),
        (HALF | {"temperature_k": 1000.0, "min": 0.3}, "add it to temperatures_k"),
    ],
)
def test_a_criterion_that_no_response_answers_is_not_met_in_silence(judged, wish, word):
    with pytest.raises(ValueError, match=word):
        handoff(criteria=[wish])
    handoff(criteria=[{name: value for name, value in wish.items() if name not in ("min", "max")}])  # reported alone
    older = handoff().manifest | {"criteria": [wish]}
    found = external_calphad.judge(older, {"response.csv": response(judged)})
    assert found["status"] == "failed" and word in found["reason"]


def test_a_response_is_judged_by_the_criteria_of_its_hand_off(judged):
    answer = response(judged)
    verdict = external_calphad.judge(handoff().manifest, {"response.csv": answer})
    assert verdict["status"] == "accepted"
    assert verdict["values"]["fraction_l1_2_1073_k"][0] == pytest.approx(0.497, abs=5e-4)
    wanted = external_calphad.judge(handoff(criteria=[HALF | {"min": 0.6}]).manifest, {"response.csv": answer})
    assert wanted["status"] == "rejected" and "below 0.6" in wanted["reason"]
    cut = answer.splitlines()
    assert external_calphad.judge(handoff().manifest, {"response.csv": b"\n".join(cut[:3])})["status"] == "rejected"
    with pytest.raises(batch.BadItem, match=r"no response\.csv"):
        external_calphad.judge(handoff().manifest, {"run.log": b"crashed"})
    blank = pd.read_csv(io.BytesIO(answer)).assign(ordered="").to_csv(index=False).encode()
    with pytest.raises(batch.BadItem, match="fill the column 'ordered'"):
        external_calphad.judge(handoff().manifest, {"response.csv": blank})


FAKE = """
import json
import pandas as pd

ROWS = pd.read_csv("told.csv")


class Result:
    def __init__(self, rows):
        self.rows = {f"{r.phase}#{r.set_index}" if r.set_index > 1 else r.phase: r for r in rows.itertuples()}

    def get_stable_phases(self):
        return list(self.rows)

    def get_value_of(self, asked):
        if asked == "GM":
            return next(iter(self.rows.values())).gm
        name, *rest = asked[asked.index("(") + 1 : -1].split(",")
        row = self.rows[name]
        if asked.startswith("NP("):
            return row.np_mole
        if asked.startswith("Y("):
            return 0.5 if rest[0].endswith("#1") or not row.ordered else 0.1
        return getattr(row, "x_" + rest[0])


class TCPython:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def select_user_database_and_elements(self, file, elements):
        assert open(file).read() and set(elements) == {"Al", "Cr", "Ni"}
        return self

    def without_default_phases(self):
        return self

    def select_phase(self, name):
        return self

    def get_system(self):
        return self

    def with_single_equilibrium_calculation(self):
        self.said = {}
        return self

    def set_condition(self, name, value):
        self.said[name] = value
        return self

    def calculate(self):
        assert set(self.said) == {"T", "P", "X(Al)", "X(Cr)"}
        if self.said["T"] == FAILS:
            raise RuntimeError("no convergence")
        return Result(ROWS[ROWS["T_K"] == self.said["T"]])
"""


@pytest.mark.parametrize(("fails", "status"), [(0.0, "accepted"), (1273.0, "rejected")])
def test_the_script_for_tc_python_brings_the_contract_back(judged, tmp_path, fails, status):
    """The script runs against a stand-in for tc_python that answers with pycalphad's own equilibria."""
    import os
    import subprocess
    import sys

    made = handoff()
    for name, data in made.files.items():
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    (tmp_path / "tc_python.py").write_text(f"FAILS = {fails}\n" + FAKE)
    (tmp_path / "told.csv").write_bytes(response(judged))
    subprocess.run([sys.executable, "run.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": "."}, check=True)
    answer = (tmp_path / "results/response.csv").read_bytes()
    verdict = external_calphad.judge(made.manifest, {"response.csv": answer})
    assert verdict["status"] == status, verdict["reason"]
    if fails:
        assert "no convergence" in verdict["reason"]
    else:
        assert verdict["values"]["fraction_l1_2_1073_k"][0] == pytest.approx(0.497, abs=5e-4)


LISTED = """
 Temperature   1073.00 K (  799.85 C),  Pressure  1.000000E+05
 Number of moles of components  1.00000E+00,  Mass in grams  5.42177E+01
 Total Gibbs energy -6.98218E+04,  Enthalpy  2.40000E+04,  Volume  7.0E-06

 FCC_A1                      Status ENTERED     Driving force  0.0000E+00
 Moles 6.0000E-01, Mass 3.2E+01, Volume fraction 6.0E-01  Mole fractions:
 NI   8.0000E-01  CR  1.4000E-01  AL  6.0000E-02

 GAMMA_PRIME#2               Status ENTERED     Driving force  0.0000E+00
 Moles 4.0000E-01, Mass 2.2E+01, Volume fraction 4.0E-01  Mole fractions:
 NI   7.5000E-01  AL  2.1000E-01  CR  4.0000E-02
"""


def test_what_the_console_of_thermo_calc_lists_is_read():
    first, second = external_calphad.listing(LISTED, ["Al", "Cr", "Ni"])
    assert (first["phase"], first["np_mole"], first["x_Cr"]) == ("FCC_A1", 0.6, 0.14)
    assert (second["phase"], second["set_index"], second["np_mole"]) == ("GAMMA_PRIME", 2, 0.4)
    assert first["gm"] == pytest.approx(-69821.8)


@pytest.mark.parametrize(("listed", "word"), [("1073.00", ""), ("1073.12", ""), ("973.00", "its T_K is not"), ("", "")])
def test_a_list_of_another_temperature_is_refused(listed, word):
    """The console lists the equilibrium before where one fails."""
    asked = pd.DataFrame([{"id": 1, "T_K": 1073.123 if listed == "1073.12" else 1073.0, "x_Al": 0.12, "x_Cr": 0.1}])
    asked["x_Ni"] = 1 - asked["x_Al"] - asked["x_Cr"]
    about = {"elements": ["Al", "Cr", "Ni"], "db_sha": "a", "phases": ["FCC_A1", "GAMMA_PRIME"]}
    words = LISTED.replace("Temperature   1073.00", f"Temperature   {listed}" if listed else "At")
    found = external_calphad._answered(asked, about, {"list_0001.txt": words.encode()})
    told = exchange_format.judge(asked, found, {"a"}, about["phases"])
    assert told == {} if not word else word in told[1]


def test_tie_lines_end_where_both_phases_have_one_potential():
    """The gap of fcc Al-Zn at 600 K, by the common tangent of its energies."""
    base = {"database": "pycalphad:alzn_mey.tdb", "phases": ["LIQUID", "FCC_A1", "HCP_A3"]}
    table = diagram.tie_lines(databases=[base], elements=["Al", "Zn"], temperatures_k=[600.0], points=12)
    gap = table[(table["phases"] == 2) & (table["structure"] == "fcc_a1")].groupby("tie").filter(lambda t: len(t) == 2)
    ends = sorted(gap["x_Zn"])
    from pycalphad import calculate

    x = np.linspace(0.001, 0.999, 999)
    energy = calculate(
        database.load("pycalphad:alzn_mey.tdb", ("AL", "ZN")), ["AL", "ZN", "VA"], "FCC_A1", T=600.0, P=101325, N=1,
        output="GM", points=np.column_stack([1 - x, x]),
    ).GM.values.ravel()  # fmt: skip
    hull = common_tangent(x, energy)
    assert [ends[0], ends[-1]] == pytest.approx(hull, abs=2e-3)


def common_tangent(x: np.ndarray, energy: np.ndarray) -> list[float]:
    """Find the widest gap of the lower convex hull of an energy over composition."""
    kept: list[int] = []
    for at in range(len(x)):
        while len(kept) > 1 and (energy[kept[-1]] - energy[kept[-2]]) * (x[at] - x[kept[-1]]) >= (
            energy[at] - energy[kept[-1]]
        ) * (x[kept[-1]] - x[kept[-2]]):
            kept.pop()
        kept.append(at)
    widest = int(np.argmax(np.diff(x[kept])))
    return [x[kept[widest]], x[kept[widest + 1]]]


def test_a_section_has_triangles_whose_corners_are_kept_once():
    table = diagram.tie_lines(databases=[ALCRNI], elements=["Ni", "Al", "Cr"], temperatures_k=[1273.0], points=8)
    threes = table[table["phases"] == 3]
    assert {"b2", "fcc_a1", "l1_2"} <= set(table["structure"])
    assert threes.groupby("tie").size().eq(3).all()
    keys = threes.groupby("tie")[["x_Al", "x_Cr"]].apply(lambda t: tuple(sorted(map(tuple, t.round(3).to_numpy()))))
    assert keys.is_unique
    assert table[["x_Ni", "x_Al", "x_Cr"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-9)
    with pytest.raises(ValueError, match="one temperature"):
        diagram.tie_lines(databases=[ALCRNI], elements=["Ni", "Al", "Cr"], temperatures_k=[1000.0, 1100.0])


BRIDGE = {
    "composition": {"Ni": "bal", "Al": 12, "Cr": 10}, "unit": "at%", "phase": "precipitate", "structure": "l1_2",
    "databases": [ALCRNI, ALCOCRNI],
}  # fmt: skip


def measured(value: float) -> pd.DataFrame:
    row = {"item": "i", "phase": 1, "phase_name": "precipitate", "area_fraction": value, "area_fraction_error": 0.01}
    return pd.DataFrame([row | {"area_fraction_low": value - 0.03, "area_fraction_high": value + 0.03}])


def test_the_bridge_compares_what_was_measured_with_what_is_expected():
    items = pd.DataFrame({"item": ["i"], "temperature_c": [1073.0 - 273.15]})
    table, found = bridge.bridge({"otsu": measured(0.49), "unet": measured(0.40)}, items, **BRIDGE)
    assert table["calphad"].to_numpy() == pytest.approx(0.497, abs=5e-4)
    assert table.set_index(["method", "database"])["agrees"].astype(bool).groupby("method").all().to_dict() == {
        "otsu": True,
        "unet": False,
    }
    assert set(table["basis"]) == {"moles of atoms, not volume"}
    assert set(found["status"]) == {"ok"}
    volumes = {"fcc_a1": 7.0, "l1_2": 7.7}
    swollen, _ = bridge.bridge({"otsu": measured(0.49)}, items, **BRIDGE, molar_volumes_cm3=volumes)
    assert set(swollen["basis"]) == {"volume"}
    assert swollen["calphad"].iloc[0] == pytest.approx(0.497 * 7.7 / (0.497 * 7.7 + 0.503 * 7.0), abs=1e-3)


def test_the_basis_of_the_bridge_is_that_of_each_temperature():
    row = {"phase_name": "p", "area_fraction": 0.5, "area_fraction_low": 0.4, "area_fraction_high": 0.6}
    measured = pd.DataFrame([{"item": name, **row} for name in ("cold", "hot")])
    index = pd.DataFrame({"item": ["cold", "hot"], "temperature_c": [226.85, 476.85]})
    base = {"database": "pycalphad:alzn_mey.tdb", "phases": ["LIQUID", "FCC_A1", "HCP_A3"]}
    volumes = {"fcc_a1": 10.0, "hcp_a3": 20.0}  # none of the liquid, which is there at 750 K alone
    found, _ = bridge.bridge(
        {"otsu": measured}, index, composition={"Al": 50, "Zn": 50}, unit="at%", phase="p", structure="fcc_a1",
        databases=[base], molar_volumes_cm3=volumes,
    )  # fmt: skip
    assert found["basis"].tolist() == ["volume", "moles of atoms, not volume"]
    plain, _ = bridge.bridge(
        {"otsu": measured}, index, composition={"Al": 50, "Zn": 50}, unit="at%", phase="p", structure="fcc_a1",
        databases=[base],
    )  # fmt: skip
    atoms = plain["calphad"].iloc[0]
    assert found["calphad"].iloc[0] == pytest.approx(10 * atoms / (10 * atoms + 20 * (1 - atoms)))
    assert found["calphad"].iloc[1] == pytest.approx(plain["calphad"].iloc[1])


def test_the_bridge_says_what_it_lacks():
    items = pd.DataFrame({"item": ["i"]})
    with pytest.raises(ValueError, match="no column temperature_c"):
        bridge.bridge({"otsu": measured(0.4)}, items, **BRIDGE)
    with pytest.raises(ValueError, match="there are precipitate"):
        bridge.bridge({"otsu": measured(0.4)}, items, **{**BRIDGE, "phase": "gamma"}, temperature_k=1073.0)
    with pytest.raises(ValueError, match=r"sums to 22 at%"):
        bridge.bridge({}, items, **{**BRIDGE, "composition": {"Al": 12, "Cr": 10}}, temperature_k=1073.0)


def test_weights_become_moles():
    """55 wt% nickel in nitinol is 49.92 at%."""
    from matlens.crystal import compositions

    assert compositions.shares({"Ni": 55, "Ti": "bal"}, "wt%")["Ni"] == pytest.approx(0.49920, abs=5e-5)


def test_candidates_are_those_of_the_shortlists_in_the_order_of_the_index():
    known = pd.DataFrame({"item": ["p", "q", "r"], "formula": ["Ni3Al", "NiAl", "Ni"]})
    ranked = [pd.DataFrame({"item": ["r", "p"], "rank": [1, 2]}), pd.DataFrame({"item": ["q"], "rank": [1]})]
    chosen = candidates.choose(known, ranked, 1)
    assert chosen["item"].tolist() == ["q", "r"]
    assert chosen["x_Al"].tolist() == [0.5, 0.0]


def test_a_grid_has_every_combination_that_leaves_enough_balance():
    found = alloys.plan(elements={"Al": [0, 20], "Cr": [0, 20]}, balance="Ni", levels=3, balance_min=65)
    assert len(found) == 8  # nine, less the one that leaves 60 at% of nickel
    assert "Ni-10Al-20Cr" in set(found["item"])
    assert found.filter(like="x_").sum(axis=1).to_numpy() == pytest.approx(1)


def test_a_simplex_counts_as_the_formula_says():
    """Three components in steps of a fifth: (5 + 2 over 2) = 21 mixtures."""
    found = alloys.plan(elements={"Al": [0, 100], "Cr": [0, 100]}, balance="Ni", design="simplex", step=20)
    assert len(found) == 21 and found["item"].is_unique


def test_a_random_design_keeps_its_bounds_its_seed_and_its_beginning():
    options = {"elements": {"Al": [5, 20], "Cr": [0, 30]}, "balance": "Ni", "design": "random", "unit": "wt%"}
    many, few = alloys.plan(**options, points=300, balance_min=60), alloys.plan(**options, points=50, balance_min=60)
    assert many["item"].tolist()[:50] == few["item"].tolist()
    assert alloys.plan(**options, points=50, seed=1, balance_min=60)["item"].tolist() != few["item"].tolist()
    al = many["item"].str.extract(r"-([\d.]+)Al")[0].astype(float)
    cr = many["item"].str.extract(r"-([\d.]+)Cr")[0].astype(float).fillna(0)
    assert al.between(5, 20).all() and (al + cr).le(40 + 1e-3).all()


def test_weight_per_cent_alloys_have_the_right_mole_fractions():
    """Ni3Al: 26.9815 of 3 x 58.6934 + 26.9815 is 13.2873 wt%."""
    found = alloys.plan(elements={"Al": [13.2873, 13.2873]}, balance="Ni", unit="wt%")
    assert found["x_Al"].iloc[0] == pytest.approx(0.25, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"elements": {"Al": [20, 5]}, "balance": "Ni"}, "impossible"),
        ({"elements": {"Xx": [0, 5]}, "balance": "Ni"}, "unknown element"),
        ({"elements": {"Ni": [0, 5]}, "balance": "Ni"}, "Ni also has bounds"),
        ({"elements": {"Al": [60, 60]}, "balance": "Ni", "balance_min": 50}, "leaves 50"),
        ({"elements": {"Al": [0, 5]}, "balance": "Ni", "design": "simplex"}, "needs one"),
        (
            {"elements": {"Al": [0, 90], "Cr": [0, 90], "Co": [0, 90]}, "balance": "Ni", "levels": 500},
            "the limit is 1000000",
        ),
    ],
)
def test_an_impossible_design_is_refused(options, told):
    with pytest.raises(ValueError, match=told):
        alloys.plan(**options)


@pytest.mark.parametrize(
    ("schema", "function", "more"),
    [
        ("calphad", calphad.validate, {}),
        ("diagram", diagram.tie_lines, {"refits": 0}),  # of the band around it
        ("bridge", bridge.bridge, {}),
    ],
)
def test_options_are_those_of_the_schema(schema, function, more):
    import inspect

    part = study.read_schema(f"{schema}.schema.yaml")
    written = registry.options_of(function) | more
    required = {name for name, default in written.items() if default is inspect.Parameter.empty}
    assert set(part["properties"]) == set(written) and set(part["required"]) == required
    defaults = {name: one["default"] for name, one in part["properties"].items() if "default" in one}
    assert defaults == {name: default for name, default in written.items() if name not in required}
    assert all(one.get("description") for one in part["properties"].values())
    asked = part["properties"].get("criteria", {}).get("items", {}).get("properties", {}).get("quantity")
    assert asked is None or set(asked["enum"]) == set(quantities.UNITS)


def test_a_failed_equilibrium_is_a_row_that_says_so(monkeypatch):
    def fail(*_, **__):
        return [batch.BadItem("no equilibrium at 1073 K")]

    monkeypatch.setattr(equilibria, "row", fail)
    verdicts, found = calphad.validate(index(GOOD), databases=[ALCRNI], temperatures_k=[1073.0], criteria=[HALF])
    assert verdicts["status"].tolist() == ["failed"] and "no equilibrium" in verdicts["reason"].iloc[0]
    assert found["status"].iloc[0].startswith("failed: no equilibrium")


def test_a_phase_that_never_forms_keeps_no_limit():
    verdicts, _ = calphad.validate(
        index({"x_Ni": 0.98, "x_Al": 0.02}), databases=[ALCRNI], temperatures_k=[1100.0, 1300.0],
        criteria=[{"quantity": "solvus", "phase": "l1_2", "min": 900.0}],
    )  # fmt: skip
    assert verdicts["status"].tolist() == ["rejected"] and "never forms" in verdicts["reason"].iloc[0]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"quantity": "solvus", "phase": "l1_2"}, "solvus of l1_2 / K"),
        (
            {"quantity": "fraction", "phase": "l1_2", "temperature_k": 1073.5},
            "fraction of l1_2 at 1073.5 K / (mol/mol)",
        ),
        ({"quantity": "tcp_fraction", "temperature_k": 1073}, "tcp fraction at 1073 K / (mol/mol)"),
        ({"quantity": "freezing_range"}, "freezing range / K"),
    ],
)
def test_keys_are_written_with_their_units(wish, told):
    assert quantities.words(quantities.key(wish)) == told
    assert quantities.words("x_Al") == "x_Al"


@pytest.mark.parametrize(
    ("phase", "structure"),
    [
        ("HIGH_SIGMA", "sigma"), ("H_SIGMA", "sigma"), ("SIGMARENB", "sigma"), ("LC14_ZN2MG", "laves"),
        ("LC36_NI2MG", "laves"), ("CHI_RENB", "chi"), ("MU", "mu"), ("CUMGSI_SIGMA", "cumgsi_sigma"),
        ("CR7C3", "cr7c3"), ("C14_LAVES", "laves"), ("MUSCOVITE", "muscovite"), ("C15", "laves"),
    ],
)  # fmt: skip
def test_brittle_phases_count_by_whatever_name(phase, structure):
    assert system.structures(phase) == {structure}
    assert system.describe([(1.0, ["CR", "FE"])], phase, np.array([0.5, 0.5])) == (structure, False)
    wish = {"quantity": "tcp_fraction", "temperature_k": 900.0}
    one = equilibria.Equilibrium(
        900.0,
        0.0,
        np.zeros(2),
        [equilibria.Part(phase, structure, False, 1.0, np.ones(2) / 2, np.ones(2) / 2)],
        0,
        60,
        1,
    )
    assert quantities._share_at([one], wish, None) == (structure in system.CLOSE_PACKED)


def test_no_brittle_phase_among_those_of_a_database_is_no_fraction_of_zero():
    wish = {"quantity": "tcp_fraction", "temperature_k": 1073.0, "max": 0.01}
    with pytest.raises(ValueError, match="0 by choice"):
        quantities.check([wish], ALCRNI["phases"])
    quantities.check([wish], [*ALCRNI["phases"], "SIGMA"])
    with_sigma = {"database": "pycalphad:alcocrni.tdb", "phases": ["LIQUID", "L12_FCC", "SIGMA_SGTE"]}
    verdicts, _ = calphad.validate(
        index(GOOD), databases=[ALCRNI, with_sigma], temperatures_k=[1073.0], criteria=[wish]
    )
    assert verdicts["value"].iloc[0] == 0.0 and "alcrni.tdb: tcp_fraction would be 0" in verdicts["reason"].iloc[0]


def test_a_misspelt_phase_is_no_fraction_of_zero():
    with pytest.raises(ValueError, match="did you mean 'l1_2'"):
        quantities.check([HALF | {"phase": "l12"}], ALCRNI["phases"])


def test_a_database_without_the_phase_says_so_and_does_not_count_as_zero():
    """B2 is named for one database and not for the other: the mean is not half of it."""
    wishes = [{"quantity": "fraction", "phase": "b2", "temperature_k": 1073.0}]
    without = {"database": ALCRNI["database"], "phases": ["LIQUID", "L12_FCC"]}
    alloy = index({"x_Ni": 0.6, "x_Al": 0.4, "x_Cr": 0.0})
    (row,) = calphad.validate(
        alloy, databases=[without, ALCOCRNI], temperatures_k=[1073.0], criteria=wishes
    )[0].to_dict("records")  # fmt: skip
    (alone,) = calphad.validate(alloy, databases=[ALCOCRNI], temperatures_k=[1073.0], criteria=wishes)[0].to_dict(
        "records"
    )
    assert row["value"] == pytest.approx(alone["value"]) and alone["value"] > 0.5
    assert "none of the phases of pycalphad:alcrni.tdb is b2" in row["reason"]


def test_phases_of_one_structure_have_one_name_in_every_database():
    assert system.structures("SI_DIAMOND_A4") == system.structures("DIAMOND_A4") == {"diamond_a4"}
    assert system.structures("MG2SI_B") == system.structures("MG2SI")
    assert system.structures("NO_SUCH_PHASE") == {"no_such_phase"}


def test_databases_that_never_differ_are_told():
    from matlens.thermo import assessments

    assert "assessment" in assessments.alike({"a": 650.078125, "b": 650.078125})
    for values in ({"a": 650.0, "b": 651.0}, {"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 1.0 - 2e-16}, {"a": 650.0}):
        assert assessments.alike(values) == ""


def test_a_loop_may_ask_calphad():
    shortlist = pd.DataFrame({"item": ["a1", "a0"], "rank": [1, 2], "score": 1.0, "reason": ""})
    settings = {
        "databases": [ALCRNI], "temperatures_k": [1000.0, 1200.0, 1400.0], "criteria": [HALF], "second_opinion": False,
        "within_k": 1.0, "molar_volumes_cm3": None, "scheil_step_k": 5.0,
    }  # fmt: skip
    items = index(GOOD, {"x_Ni": 0.9, "x_Re": 0.1})
    found = asking.ask("calphad", shortlist, items, {}, settings, ["fraction_l1_2_1073_k"]).set_index("item")
    assert found.loc["a1", "status"] == "failed" and "no Re" in found.loc["a1", "reason"]
    assert found.loc["a0", "status"] == "accepted"
    assert found.loc["a0", "value"] == pytest.approx(0.497, abs=5e-4)


def test_a_loop_is_told_how_far_independent_databases_are_apart(data):
    """Ni-12Al-10Cr at 1073 K: 0.497 in the database of Dupin, 0.420 in MatCalc's."""
    dupin = {"database": str(data("tdb/kawin/NiCrAl.tdb")), "phases": ["LIQUID", "FCC_L12", "BCC_B2", "SIGMA"]}
    matcalc = str(data("tdb/matcalc/mc_ni_v2.034.pycalphad.tdb"))
    other = {"database": matcalc, "phases": ["LIQUID", "FCC_A1", "GAMMA_PRIME", "NIAL", "BCC_A2"]}
    shortlist = pd.DataFrame({"item": ["a0", "a1"], "rank": [1, 2], "score": 1.0, "reason": ""})
    settings = {
        "databases": [dupin, ALCRNI, other], "temperatures_k": [1000.0, 1400.0], "criteria": [HALF],
        "second_opinion": False, "within_k": 1.0, "molar_volumes_cm3": None, "scheil_step_k": 5.0,
    }  # fmt: skip
    items = index(GOOD, {"x_Ni": 0.9, "x_Al": 0.2})
    found = asking.ask("calphad", shortlist, items, {}, settings, ["fraction_l1_2_1073_k"]).set_index("item")
    assert found.loc["a1", "status"] == "failed" and "sum to 1.1" in found.loc["a1", "reason"]
    assert found.loc["a0", "status"] == "accepted"
    assert found.loc["a0", "value"] == pytest.approx((0.497 + 0.420) / 2, abs=5e-4)
    assert found.loc["a0", "uncertainty"] == pytest.approx((0.497 - 0.420) / 2, abs=5e-4)


@pytest.mark.parametrize(("phase", "advice"), [("MG2SI_B", "write mg2si"), ("fcc_l12", "write fcc_a1 or l1_2")])
def test_a_criterion_by_the_name_of_a_phase_in_its_database_is_told_the_structure(phase, advice):
    wish = {"quantity": "fraction", "phase": phase, "temperature_k": 600.0}
    with pytest.raises(ValueError, match=advice):
        quantities.check([wish], ["LIQUID", "FCC_L12", "MG2SI_B"])
