# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors

## Exercises in C: the parts of an HTTP load balancer.
##
##   make grade         all exercises: what is done, and what comes next
##   make diff-04       what chapter 04 adds to chapter 03
##   make help          the rest

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := grade
.DELETE_ON_ERROR:

include exercises/exercises.mk

# --- for the capstone: a backend to balance over, and the tests of a balancer --

backend: backend/backend
backend/backend: FORCE
	@$(MAKE) -s -C backend

build/tests/behaviours: $(filter-out tests/behaviours/backend_pages.c,\
                          $(wildcard tests/behaviours/*.[ch])) \
                        $(wildcard tests/support/*.[ch])
	@mkdir -p $(@D)
	@$(CC) -std=c11 -D_DEFAULT_SOURCE -O1 -g -Itests/support \
	    $$(pkg-config --cflags check libcurl jansson) -o $@ $(filter %.c,$^) \
	    $$(pkg-config --libs check libcurl jansson) -pthread

diff-%:
	@sh tests/tools/diff $*

help:
	@sed -n 's/^## \{0,1\}//p' Makefile exercises/exercises.mk

clean:
	rm -rf build
	@$(MAKE) -s -C backend clean

FORCE:
.PHONY: backend help clean FORCE
