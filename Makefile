# Abbreviations: each target is one command that can be typed without make. `make` lists them.
# LAB_NAME=name picks another lab than `default`; STACK=name another stack than `uda`.
STACK ?= uda
LAB_NAME ?= default
export LAB_NAME

.DEFAULT_GOAL := help
.PHONY: help up down plan verify destroy test check lint unit molecule stacks bench bench-plan docs requirements

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

up: ## Set this machine up, start the lab, build the stack, print its URL
	@scripts/up $(STACK)

down: ## End the lab and everything in it
	@scripts/lab down

plan: ## Show what site.yml would change, field by field; ends 0 for nothing
	@scripts/plan $(STACK)

verify: ## Ask the running stack whether it keeps its promises
	@scripts/play playbooks/verify.yml $(STACK)

destroy: ## Remove the stack from the lab, which goes on running
	@scripts/play playbooks/destroy.yml $(STACK) --extra-vars confirm=$(STACK)

test: ## Run every test and say how long each part took
	@scripts/test

check: ## Run the quick tests, which need no machine
	@scripts/test check

lint: ## Run the linters alone
	@scripts/test lint

unit: ## Run the unit tests of modules, filters and the lab's pure parts
	@scripts/test unit

molecule: ## Run the roles' scenarios on real machines, one after another (one of them: scripts/test molecule-nginx)
	@scripts/test molecule

stacks: ## Build, check and destroy whole stacks on a lab of their own
	@scripts/test stacks

bench: ## Measure the stack on a lab of its own and write benchmarks/results
	@scripts/bench

bench-plan: ## Measure the plan beside Terraform's (TERRAFORM, TF_PLUGIN_DIR) and write benchmarks/results/plan.*
	@scripts/bench plan

docs: ## Write the generated tables: roles' arguments, what each stack sets
	@.venv/bin/python scripts/role_docs.py --write

requirements: ## Pin requirements*.in to exact versions again
	@scripts/requirements
