# The course's commands. Only Python 3.11 to 3.13 with pip, and make, are needed.
#
#   make lab            open the course in JupyterLab (installs it first)
#   make test           run every test and every notebook
#   make check          every test but the notebooks; about three minutes
#   make test-extras    try pictures and networks from other packages, in an environment of its own
#   make test-offline   make test, with every network but loopback cut off (Linux)
#   make lint           ruff over everything: mistakes and layout
#   make notebooks      make the notebooks from their sources; one lesson: LESSON=03
#   make experiments    compute the stored tables again; one of them: NAME=label_counts
#                       (does code that changed still compute the same? VERIFY=1)
#   make numerics       run the solved lessons as other computers would; LESSON=05 ARITHMETIC=AVX2
#   make slides         make slides of the lessons, for a room; one lesson: LESSON=03
#   make lock           make requirements.txt again; newest versions: UPGRADE=1
#   make wheelhouse     gather the course and its packages for a room without internet
#                       (for other computers: PLATFORM=windows-x86_64 PYTHON_VERSION=3.12)
#   make install-offline    install from such a folder: FROM=folder; into another one: INTO=folder
#   make address        write links and first cells anew; for a new address: REPOSITORY=https://…
#   make canary         run the lessons with the oldest and the newest versions allowed
#                       (one of them: OPTIONS=--newest; one lesson: LESSON=03)
#   make test-colab     run the lessons as on Google Colab; one lesson: LESSON=03
#                       (without running them, do the versions fit? OPTIONS=--resolve)
#   make release-check  is everything ready for a release?
#                       (with a network: OPTIONS="--external --wheels --install")
#   make clean          remove the environment and what was cached
#
# PYTHON=/path/to/python chooses the Python of the environment.

SHELL := /bin/sh
PYTHON ?=
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/installed
RELEASE := $(VENV)/release
EXTRAS := .venv-extras
LESSON ?=
ARITHMETIC ?=
REVEAL ?=
NAME ?=
VERIFY ?=
OPTIONS ?=
REPOSITORY ?=
PLATFORM ?=
PYTHON_VERSION ?=
FROM ?=
INTO ?=
LAB_OPTIONS ?=
PYTEST_OPTIONS ?=

# An environment of a clone that was moved still points to the old place: make it anew.
ifneq "$(shell cat $(INSTALLED) 2>/dev/null)" "$(CURDIR)"
$(shell test -L $(VENV) || rm -f $(INSTALLED))
endif

.PHONY: help lab test check test-extras test-offline lint notebooks experiments numerics slides lock install clean \
	address canary wheelhouse install-offline release-check test-colab

help:
	@sed -n 's/^#   \(make .*\)/\1/p' Makefile

install: $(INSTALLED)

$(INSTALLED): requirements.txt pyproject.toml tools/places/find_python.sh
	@# `venv --clear` through a link would empty somebody else's environment.
	@if [ -L $(VENV) ]; then echo "$(VENV) is a link: remove it, or install where it points to." >&2; exit 1; fi
	@python=$$(sh tools/places/find_python.sh "$(PYTHON)") || exit 1; \
	echo "Installing the course into $(VENV) with $$("$$python" --version); the first time takes minutes."; \
	"$$python" -m venv --clear $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# JupyterLab would ask a learner for leave to fetch news: nothing here needs a network.
	@mkdir -p $(VENV)/share/jupyter/lab/settings
	@cp tools/places/jupyterlab_overrides.json $(VENV)/share/jupyter/lab/settings/overrides.json
	@printf '%s\n' "$(CURDIR)" > $(INSTALLED)

# From the clone's root, or JupyterLab would serve the folder of the notebook and nothing above it.
lab: $(INSTALLED)
	@$(RUN) -m jupyter lab --notebook-dir=. $(LAB_OPTIONS) notebooks/00_index.ipynb

test: check
	@$(RUN) -m pytest tests notebooks --nbval-lax -m lessons -n 2 --dist loadfile $(PYTEST_OPTIONS)

check: $(INSTALLED)
	@$(RUN) -m pytest tests -m "not lessons" -n 2 --dist loadfile $(PYTEST_OPTIONS)

# Beside the course's own environment, which it reads and leaves as it is.
$(EXTRAS)/installed: $(INSTALLED) requirements-extras.txt
	@$(RUN) -m venv --clear $(EXTRAS)
	@$(RUN) -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
		> $$($(EXTRAS)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/course.pth
	@$(EXTRAS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		-r requirements-extras.txt
	@touch $(EXTRAS)/installed

test-extras: $(EXTRAS)/installed
	@$(EXTRAS)/bin/python -m pytest tests/extras -m "" $(PYTEST_OPTIONS)

test-offline: $(INSTALLED)
	@unshare --map-root-user --net sh -c 'ip link set lo up && exec "$$@"' sh \
		$(RUN) -m pytest tests notebooks --nbval-lax $(PYTEST_OPTIONS)

lint: $(INSTALLED)
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

notebooks: $(INSTALLED)
	@$(RUN) -m tools.build.notebooks $(LESSON)

experiments: $(INSTALLED)
	@$(RUN) -m tools.experiments $(if $(VERIFY),--verify) $(NAME)

numerics: $(INSTALLED)
	@$(RUN) -m tools.build.numerics $(if $(LESSON),--lesson $(LESSON)) \
		$(if $(ARITHMETIC),--arithmetic "$(ARITHMETIC)")

slides: $(INSTALLED)
	@$(RUN) -m tools.build.slides $(LESSON) $(if $(REVEAL),--reveal "$(REVEAL)")

# What only a release, or a way to another computer, needs: uv and others.
$(RELEASE): $(INSTALLED)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		--constraint requirements.txt -e ".[release]"
	@touch $(RELEASE)

lock: $(RELEASE)
	@$(RUN) -m tools.build.lock $(if $(UPGRADE),--upgrade)

canary: $(RELEASE)
	@$(RUN) -m tools.places.canary $(OPTIONS) $(LESSON)

test-colab: $(RELEASE)
	@$(RUN) -m tools.places.colab $(OPTIONS) $(LESSON)

wheelhouse: $(RELEASE)
	@$(RUN) -m tools.places.wheelhouse $(if $(PLATFORM),--platform $(PLATFORM)) \
		$(if $(PYTHON_VERSION),--python-version $(PYTHON_VERSION)) $(OPTIONS)

# The folder's own script needs nothing but a Python: no environment is made here first.
install-offline:
	@if [ ! -f "$(FROM)/install_offline.py" ]; then \
		echo "Say where the folder of \`make wheelhouse\` is: make install-offline FROM=folder" >&2; exit 1; \
	fi
	@python=$$(sh tools/places/find_python.sh "$(PYTHON)") || exit 1; \
	"$$python" "$(FROM)/install_offline.py" $(if $(INTO),--into "$(INTO)")

address: $(INSTALLED)
	@$(RUN) -m tools.build.address $(REPOSITORY)
	@$(RUN) -m tools.build.notebooks --text

release-check: $(RELEASE)
	@$(RUN) -m tools.places.release_check $(OPTIONS)

clean:
	rm -rf $(VENV) $(EXTRAS) data/cache build dist .pytest_cache .ruff_cache
