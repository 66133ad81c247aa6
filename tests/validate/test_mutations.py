"""Results with any value replaced by any other: no judge raises on them or accepts them."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from matlens.job.batch import BadItem
from matlens.validate import collect_results, qe

STRANGE = [None, [], {}, "x", float("nan"), float("inf"), -1, [999, 999], [[1]], [[1, 2], [3]], [None], 1e308]
# Values of pw.x on which no verdict rests.
BESIDE = ("creator", "smearing", "monkhorst_pack", "n_scf_steps", "mass", "magnetization", "lsda", "total")
BESIDE += ("absolute", "tot_charge")
FREE = ("free_energy_ev", "magnetisation", "absolute_magnetisation")  # of GPAW, without spin


def told(judge, *given) -> str:
    """Judge, and return the status; unreadable results are rejected, as by `collect_results.outcome`."""
    try:
        return judge(*given)["status"]
    except BadItem:
        return "rejected"


def mutated(data: bytes):
    """Yield an XML with one element taken out, emptied or filled with nonsense, and the name of the element."""
    for at, element in enumerate(list(ElementTree.fromstring(data).iter())[1:], 1):
        for text in (None, "", "nan", "nan nan nan", "x", "-1e300", "1 2"):
            root = ElementTree.fromstring(data)
            one = list(root.iter())[at]
            if text is None:
                next(parent for parent in root.iter() if one in list(parent)).remove(one)
            elif len(one):
                continue
            else:
                one.text = text
            yield element.tag, ElementTree.tostring(root)


@pytest.mark.filterwarnings("ignore")
def test_an_xml_with_nonsense_in_any_place_is_no_result(judged):
    manifest, results = judged
    accepted = set()
    for tag, xml in mutated(results["v03.xml"]):
        accepted |= {tag} if told(qe.judge, manifest, {**results, "v03.xml": xml}) == "accepted" else set()
    assert accepted <= set(BESIDE)


def test_outputs_that_end_anywhere_are_no_result(judged):
    manifest, results = judged
    for name in ("v03.xml", "v03.out"):
        whole = results[name].rstrip()
        for end in range(0, len(whole), max(1, len(whole) // 40)):
            assert told(qe.judge, manifest, {**results, name: whole[:end]}) == "rejected", (name, end)


def test_results_of_two_candidates_that_change_places_are_refused(judged, prepare, silicon, hand_over, tmp_path):
    """The whole of status and results, made true again by hand: what the outputs say of themselves is enough."""
    manifest, _ = judged
    other = hand_over(tmp_path / "other", prepare("other", silicon(5.6)))
    assert other.run() == 0
    found = qe.judge(manifest, collect_results.results(other.path))
    assert found["status"] == "rejected"
    assert "stale or foreign" in found["reason"] and "wrong structure" in found["reason"]


@pytest.mark.filterwarnings("ignore")
def test_answers_of_gpaw_with_nonsense_in_any_place_are_no_result(gpaw_answers):
    from matlens.validate import gpaw

    manifest, results = gpaw_answers
    answer, accepted = json.loads(results["v03.json"]), set()
    for key in answer:
        for strange in STRANGE:
            data = {**results, "v03.json": json.dumps({**answer, key: strange}).encode()}
            accepted |= {key} if told(gpaw.judge, manifest, data) == "accepted" else set()
    for data in (b"", b"null", b"[]", b"1e999", b"\xff", b"[" * 100_000):
        assert told(gpaw.judge, manifest, {**results, "v03.json": data}) == "rejected"
        assert told(gpaw.judge, manifest, {**results, "v03.txt": data}) == "rejected"
    assert accepted <= set(FREE)


@pytest.mark.parametrize("key", ["state", "message", "inputs", "results", "wall_s", "cpu_s", "retries"])
def test_a_status_with_nonsense_in_any_place_neither_fails_nor_is_believed(folder, key):
    folder.run()
    about = collect_results.state(folder.path)
    for strange in STRANGE:
        (folder.path / "status.json").write_text(json.dumps({**about, key: strange}))
        spent = collect_results.spent(folder.path)
        assert all(isinstance(one, float) for one in spent.values())
        status = folder.outcome()["status"]
        assert status in (("rejected", "failed") if key in ("state", "inputs", "results") else ("accepted",))


def test_whatever_a_judge_stumbles_over_is_the_fault_of_one_candidate(folder):
    folder.run()

    def judge(manifest, results):
        raise LookupError("no such thing")

    found = collect_results.outcome(folder.path, {"sha256": folder.sha256, "reason": ""}, judge)
    assert found["status"] == "rejected" and "LookupError" in found["reason"]
