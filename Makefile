# `make` alone lists the commands.
.DEFAULT_GOAL := help
.PHONY: help setup build run test lint dev bench soak fmt

# A cargo that was installed a moment ago is not on the PATH of this shell yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## Show this
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what building needs
	@scripts/setup.sh

build: setup ## Build the release: one binary, target/release/latchkey
	@scripts/build.sh

run: build ## Build and serve on http://127.0.0.1:3000, with the example shop
	@scripts/run.sh

test: ## Install what testing needs, then run every test
	@scripts/setup.sh --with-tests
	@scripts/build.sh
	@scripts/test.sh

lint: ## Check format, lints and documentation as CI does
	@scripts/setup.sh --with-lints
	@scripts/lint.sh

dev: ## Rebuild and restart on every change (needs cargo-leptos)
	@scripts/dev.sh

bench: build ## Measure the store and the whole flow, beside yardsticks
	@cargo bench --package server --bench latchkey

soak: ## Kill the server a thousand times and lose nothing
	@scripts/setup.sh --with-tests
	@LATCHKEY_TEST_KILLS=1000 cargo test --package server --test reliability kill -- --nocapture

fmt: ## Format
	@cargo fmt --all
