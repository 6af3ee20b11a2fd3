# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# What the Makefile of each exercise includes, after it has set
#
#     EXERCISE    its name, like 02-weighted-turns
#     SOURCES     the student's C files
#     SANITIZER   thread, where threads are the point; else it need not say
#
#   make          build the tests with your code
#   make test     build, run, and say what is wrong and what it is worth
#   make debug TEST=name    run one test in gdb
#   make grade, hint, reset, watch    as in the top folder, with EX said
#
# Variables: SAN=0 builds without sanitizers, TIME_SCALE=3 gives a slow machine
# three times as long, CC picks the compiler.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

GRADE     := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ROOT      := $(abspath $(GRADE)/../..)
FOLDER    := $(ROOT)/exercises/$(EXERCISE)
SANITIZER ?= address,undefined
COMMA     := ,

ifeq ($(SAN),0)
  KIND     = plain
else
  KIND     = $(firstword $(subst $(COMMA), ,$(SANITIZER)))
  SANITIZE = -fsanitize=$(SANITIZER) -fno-sanitize-recover=all
endif

# Where the student's files are looked for, and where things are built. What is
# the same whoever wrote the code (tests.o, grade.o) goes to COMMON.
FROM   ?= $(CURDIR)
COMMON ?= $(ROOT)/build/exercises/$(EXERCISE)/$(notdir $(CC))-$(KIND)
BUILD  ?= $(COMMON)

FLAGS   = -std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -Wall -Wextra \
          -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
          $(SANITIZE) -pthread -MMD -MP -I$(CURDIR) -I$(GRADE) $(EXTRA_CFLAGS)
CHECK_C = $(shell pkg-config --cflags check)
CHECK_L = $(shell pkg-config --libs check)
THEIRS  = $(COMMON)/tests.o $(COMMON)/grade.o
YOURS   = $(SOURCES:%.c=$(BUILD)/%.o)

all: $(BUILD)/tests

$(BUILD)/tests: $(YOURS) $(THEIRS)
	@$(CC) $(FLAGS) -o $@ $^ $(CHECK_L) -lm

$(YOURS): $(BUILD)/%.o: $(FROM)/%.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -c -o $@ $<

$(COMMON)/tests.o: $(CURDIR)/tests.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -c -o $@ $<

$(COMMON)/grade.o: $(GRADE)/grade.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) $(CHECK_C) -c -o $@ $<

common: $(THEIRS)

# For the grader: what was built, and for which sanitizer.
where:
	@echo $(KIND) $(BUILD)/tests

test grade:
	@$(GRADE)/grade grade --folder $(CURDIR)

hint reset watch:
	@EX=$(EXERCISE) $(GRADE)/grade $@

debug: $(BUILD)/tests
	gdb -q -ex 'set follow-fork-mode child' --args $< $(TEST)

clean:
	rm -rf $(ROOT)/build/exercises/$(EXERCISE)

-include $(wildcard $(BUILD)/*.d $(COMMON)/*.d)

.PHONY: all common where test grade hint reset watch debug clean
