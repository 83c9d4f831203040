# make help tells what there is; each line is a command that you may as well type.
BIN := .venv/bin

.PHONY: help install test long one check format demo schema reference

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 10

install: ## the program and what its tests need, into .venv
	python3 -m venv .venv
	$(BIN)/pip install -e '.[test]'

test: ## the default run, nine to ten minutes on two cores
	$(BIN)/pytest

long: ## the runs that take minutes each
	$(BIN)/pytest -m long

one: ## one test, in one process: make one T=tests/unit/test_states.py
	$(BIN)/pytest -n 0 $(T)

check: ## style, format, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ## put imports and lines in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: ## everything once, without any set-up
	$(BIN)/python run_crawl.py demo

schema: ## write db/schema.txt anew, from the configured database
	$(BIN)/python -m db.schema_dump > db/schema.txt

reference: ## write docs/commands.md and llms.txt anew
	$(BIN)/python -m cli.reference commands > docs/commands.md
	$(BIN)/python -m cli.reference contents > llms.txt
