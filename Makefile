# `make` alone lists the commands.
.DEFAULT_GOAL := help
.PHONY: help run build test dev bench soak fmt

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

run: build ## set up, build the release, serve it on http://127.0.0.1:3000 in development mode
	@. scripts/lib.sh && exec "$$target/release/latchkey" serve

build: ## set up and build the release: one binary with the page inside
	@scripts/setup.sh
	@scripts/build.sh

test: ## set up, then every test: Rust, mail and web servers, a real browser
	@scripts/test.sh

dev: ## rebuild and restart on every change, with cargo-leptos
	@scripts/dev.sh

bench: build ## what a code costs: the store, and the whole flow over HTTP
	@. scripts/lib.sh && CARGO_TARGET_DIR=$$target cargo bench --package server --bench latchkey

soak: ## kill the server 1,000 times while it works, and lose nothing
	@scripts/setup.sh --with-tests
	@LATCHKEY_TEST_KILLS=1000 cargo test --package server --test reliability kill -- --nocapture

fmt: ## format the Rust code
	@cargo fmt --all

SHELL := /bin/bash
