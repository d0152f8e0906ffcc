# `make` alone lists the commands.
.DEFAULT_GOAL := help
.PHONY: help setup build run test lint dev bench attack soak chaos fuzz mutants fmt

# A cargo that `make setup` has just installed is not on the PATH of this shell.
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## Show this
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the build dependencies
	@scripts/setup.sh

build: setup ## Build the release: one binary, target/release/latchkey
	@scripts/build.sh

run: build ## Build and serve on http://127.0.0.1:3000, with the example shop
	@scripts/run.sh

test: ## Install the test dependencies, build and run all tests
	@scripts/setup.sh --with-tests
	@scripts/build.sh
	@scripts/test.sh

lint: ## Check format, lints and documentation
	@scripts/setup.sh --with-lints
	@scripts/lint.sh

dev: ## Rebuild and restart on every change (needs cargo-leptos)
	@scripts/dev.sh

bench: build ## Measure cost, latency, memory and growth
	@cargo bench --package server --bench latchkey

attack: build ## Attack a server of its own and print what gets through
	@cargo xtask attack

soak: ## Kill the server a thousand times and check that nothing is lost
	@scripts/setup.sh --with-tests
	@LATCHKEY_TEST_KILLS=1000 cargo test --package server --test reliability kill -- --nocapture

chaos: ## Deliver 900 codes by providers that fail in different ways
	@LATCHKEY_TEST_MESSAGES=900 cargo test --package server --test reliability chaos -- --nocapture

fuzz: ## Fuzz each target for FUZZ_SECONDS (300), or TARGET alone
	@scripts/setup.sh --with-fuzz
	@scripts/fuzz.sh $(TARGET)

mutants: ## Check that the tests of the domain notice every change
	@scripts/setup.sh --with-mutants
	@cargo mutants --package otp --jobs 2 --output target

fmt: ## Format the Rust code
	@cargo fmt --all
