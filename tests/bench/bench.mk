# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# What `make bench` needs; the Makefile at the top includes this.
#
#   make bench            what a request costs, next to nginx, HAProxy and a
#                         program that only copies: two minutes
#   make bench FULL=yes   the same for ten minutes, with less noise
#   make bench-build      only build the programs, into build/bench

BENCH_CFLAGS = -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wpedantic \
               -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
               -Itests/support
BENCH_SOURCES := $(addprefix tests/bench/,bench.c accounts.c calls.c clients.c \
                   contestants.c guard.c load.c selftest.c table.c \
                   verdict.c) \
                 tests/support/process.c tests/support/wait.c
BENCH_HEADERS := $(wildcard tests/bench/*.h tests/support/*.h)

bench: deps-bench
	@$(MAKE) bench-build final
	@tests/bench/bench $(if $(FULL),--full) $(if $(ONLY),--only '$(ONLY)') \
	    $(if $(JSON),--json '$(JSON)')

bench-build: build/bench/bench build/bench/origin build/bench/floor

build/bench/bench: $(BENCH_SOURCES) $(BENCH_HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(BENCH_CFLAGS) $(CFLAGS) -o $@ $(filter %.c,$^) -pthread -lm
build/bench/%: tests/bench/%.c tests/bench/body.h
	@mkdir -p $(@D)
	@$(CC) $(BENCH_CFLAGS) $(CFLAGS) -o $@ $<

.PHONY: bench bench-build
