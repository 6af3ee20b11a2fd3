# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# Fuzzing: random bytes, changed so that they reach ever new places in the code.
# The top Makefile includes this file.
#
#   make fuzz              each target for a minute (SECONDS_EACH=60), by clang
#   make fuzz-head         one target
#   make fuzz-replay       all that is in tests/fuzz/corpus/, by any compiler
#
# What fuzzing finds is put into build/fuzz/found/; copy it, with a name that
# tells what it is, to tests/fuzz/corpus/TARGET/, and it is tested for ever.
#
# A further target is a file tests/fuzz/NAME.c, a folder tests/fuzz/corpus/NAME
# and a word in FUZZ_TARGETS. If it tests something else than final/http, name
# the sources in FUZZ_SOURCES_NAME, and the libraries in FUZZ_LIBRARIES_NAME.

FUZZ_TARGETS = head body chunked response forward config proxy_header
SECONDS_EACH = 60
FUZZ_CLANG   = clang

FUZZ_SOURCES = $(addprefix final/,http/bytes.c http/head.c http/head_fields.c \
                 http/body.c http/forward.c base/text.c base/must.c)
FUZZ_SOURCES_config = $(wildcard final/control/config*.c) \
                      $(wildcard final/base/settings*.c) \
                      $(addprefix final/base/,text.c must.c fault.c)
FUZZ_LIBRARIES_config = jansson
FUZZ_SOURCES_proxy_header = final/http/proxy_header.c \
                            final/base/text.c final/base/must.c

FUZZ_CFLAGS  = -std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -Wall \
               -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
               -Wmissing-prototypes -Ifinal -Itests/fuzz \
               -fno-sanitize-recover=all
FUZZ_HEADERS = tests/fuzz/fuzz.h $(wildcard final/*/*.h)

# $(call fuzz_libraries,target): how to link what it needs, if it needs any.
fuzz_libraries = $(if $(FUZZ_LIBRARIES_$(1)),\
                   $$(pkg-config --cflags --libs $(FUZZ_LIBRARIES_$(1))))

build/fuzz/%: tests/fuzz/%.c $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	@$(FUZZ_CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -o $@ \
	    $(filter %.c,$^) $(call fuzz_libraries,$*)
build/fuzz/replay-%: tests/fuzz/%.c tests/fuzz/replay.c $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(FUZZ_CFLAGS) $(CFLAGS) -fsanitize=address,undefined -o $@ \
	    $(filter %.c,$^) $(call fuzz_libraries,$*)

# Each is made from what it tests, too.
$(foreach target,$(FUZZ_TARGETS),$(eval \
    build/fuzz/$(target) build/fuzz/replay-$(target): \
    $(or $(FUZZ_SOURCES_$(target)),$(FUZZ_SOURCES))))

fuzz: deps-fuzz
	@$(MAKE) $(FUZZ_TARGETS:%=fuzz-%)

# New inputs are kept in build/fuzz/new/, so that the next run begins with them.
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: build/fuzz/%
	@mkdir -p build/fuzz/new/$* build/fuzz/found
	@echo "fuzz: $*, $(SECONDS_EACH) seconds"
	@build/fuzz/$* -max_total_time=$(SECONDS_EACH) -max_len=3000 -timeout=10 \
	    -verbosity=0 -print_final_stats=1 \
	    $(if $(FUZZ_SOURCES_$*),,-dict=tests/fuzz/http.dict) \
	    -artifact_prefix=build/fuzz/found/$*- \
	    build/fuzz/new/$* tests/fuzz/corpus/$* >build/fuzz/$*.log 2>&1 \
	    || { tail -n 40 build/fuzz/$*.log; exit 1; }
	@grep number_of_executed_units build/fuzz/$*.log

fuzz-replay: $(FUZZ_TARGETS:%=build/fuzz/replay-%)
	@for target in $(FUZZ_TARGETS); do \
	    build/fuzz/replay-$$target tests/fuzz/corpus/$$target/* \
	        >build/fuzz/replay-$$target.log 2>&1; \
	    tail -n 1 build/fuzz/replay-$$target.log | sed "s/^/$$target: /"; \
	    grep -e ' failed with ' -e 'broken promise' -e 'ERROR: ' \
	        build/fuzz/replay-$$target.log; true; \
	done | awk '{ print } \
	    /^[a-z_]+: [0-9]+ passed, [0-9]+ failed$$/ \
	        { passed += $$2; failed += $$4; targets++ } \
	    END { failed += $(words $(FUZZ_TARGETS)) - targets; \
	        print passed + 0 " passed, " failed + 0 " failed"; \
	        exit failed > 0 }'

.PHONY: fuzz fuzz-replay $(FUZZ_TARGETS:%=fuzz-%)
