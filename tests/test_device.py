"""Where a network computes: what the scheduler granted, and what the study allows."""

import pytest
import torch
from matlens import learn


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_study_that_insists_on_a_gpu_stops_and_says_what_would_help(monkeypatch):
    with pytest.raises(RuntimeError, match=r"none is visible \(CUDA_VISIBLE_DEVICES is not set.*device: auto"):
        learn.choose_device("cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(RuntimeError, match="CUDA_VISIBLE_DEVICES is '3'"):
        learn.choose_device("cuda:0")


def test_auto_goes_on_with_the_cpu_and_says_so_where_a_gpu_was_granted(monkeypatch, capsys):
    assert learn.choose_device("auto") == torch.device("cpu")
    assert learn.choose_device("cpu") == torch.device("cpu")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert learn.choose_device("auto") == torch.device("cpu")
    assert "a GPU was granted and none is visible" in capsys.readouterr().err


def test_a_granted_gpu_is_the_first_that_is_seen_and_each_process_of_torchrun_has_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    assert learn.choose_device("auto") == torch.device("cuda:0")
    assert learn.choose_device("cuda") == torch.device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert learn.choose_device() == torch.device("cuda:2")
    assert learn.choose_device("cpu") == torch.device("cpu")
