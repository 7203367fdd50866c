# The logic is in dev.py; without make, `python3 dev.py COMMAND` does the same.
PYTHON ?= python3
COMMANDS := setup run test coverage check format bench docs lock

.PHONY: help $(COMMANDS)

help:
	@$(PYTHON) dev.py --help

$(COMMANDS):
	@$(PYTHON) dev.py $@ $(ARGS)
