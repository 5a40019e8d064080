# One word a job; `make help` lists them. The work is in tools/, so that each step runs by hand too.
.DEFAULT_GOAL := build
.PHONY: build run test test-slow bench fuzz tidy format screenshots help

build: ## build the program, build/nandolytics (this is what `make` alone does)
	@tools/setup build
	@tools/build program

run: build ## build, then count hits on http://127.0.0.1:8000 (Ctrl-C stops)
	@exec build/nandolytics serve --data data --auto-sites

test: ## build and run every suite of CI; the last line is 'N passed, N failed'
	@tools/setup build test
	@tools/build tests asan tsan fuzz
	@tools/test

test-slow: ## the same promises at their full figures; takes hours
	@tools/setup build test slow
	@tools/build tests asan tsan fuzz
	@tools/test --slow

bench: ## build, then measure; bench/README.md says what each figure means
	@tools/setup build bench
	@tools/build program
	@bench/run

fuzz: ## run every fuzz target for a minute (SECONDS=600 for ten)
	@tools/setup build test
	@tools/build fuzz
	@tools/test --fuzz-seconds $(or $(SECONDS),60) 'fuzz/*'

tidy: ## check layout, limits, layers and links
	@tools/setup build test
	@tools/build tidy
	@tools/test tidy format tests/layers

format: ## lay out every C++ file with clang-format
	@tools/setup test
	@tools/format

screenshots: ## build, then take the pictures in docs/screenshots
	@tools/setup build test
	@tools/build program
	@tools/screenshots

help: ## this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' Makefile
