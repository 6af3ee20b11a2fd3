# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# Figures that run the code of final/ in a web page. The Makefile at the top
# includes this; docs/figures/README.md tells how to add a figure.
#
#   make figures           build all into build/docs/figures
#
# What is named in FIGURE_FINAL_NAME lies in final/ and is compiled as it is:
# by CC for the command, by clang for the page.

FIGURES         = playground parser
FIGURE_FOLDER   = build/docs/figures
FIGURE_CLANG    = clang
FIGURE_WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
                  -Wmissing-prototypes
FIGURE_CFLAGS   = -std=c11 -D_GNU_SOURCE -O2 -ffp-contract=off \
                  $(FIGURE_WARNINGS) -Ifinal -Idocs/figures

FIGURE_FINAL_playground = $(addprefix final/,$(addprefix upstream/,policy.c \
    policy_address_hash.c policy_consistent_hash.c policy_draw.c \
    policy_latency.c policy_least_connections.c policy_round_robin.c \
    policy_two_choices.c) $(addprefix base/,clock.c fault.c must.c random.c \
    text.c))
FIGURE_OWN_playground   = playground playground_order
FIGURE_LIBS_playground  = -lxxhash -lm

# parser_body.c includes final/http/body.c, and is it.
FIGURE_FINAL_parser = $(addprefix final/,http/bytes.c http/head.c \
    http/head_fields.c base/must.c base/text.c)
FIGURE_OWN_parser   = parser parser_body parser_examples parser_print

# For WebAssembly: wasi-libc is the C library; what it asks of a system is given
# by figure.js. xxhash comes as a header that holds all of it. What figures
# export stands between visibility pragmas in NAME_page.h.
FIGURE_WASM = --target=wasm32-wasi -mexec-model=reactor -fvisibility=hidden \
    -DXXH_INLINE_ALL -I$(FIGURE_FOLDER)/include -D_WASI_EMULATED_GETPID \
    -lwasi-emulated-getpid -Wl,--export-dynamic -Wl,--strip-all \
    -ffunction-sections -fdata-sections

FIGURE_PARTS  = $(foreach kind,html js wasm wasm.js,\
                  $(FIGURES:%=$(FIGURE_FOLDER)/%.$(kind))) \
                $(FIGURE_FOLDER)/figure.js $(FIGURE_FOLDER)/figure.css
FIGURE_INPUTS = $(wildcard docs/figures/*.[ch] final/base/*.[ch] \
                  final/http/*.[ch] final/upstream/policy*.[ch]) \
                docs/figures/figures.mk

# $(call FIGURE_SOURCES,name,main) lists what a figure is made of.
FIGURE_SOURCES = $(patsubst %,docs/figures/%.c,$(FIGURE_OWN_$(1)) $(1)_$(2)) \
                 $(FIGURE_FINAL_$(1))

figures: deps-figures
	@$(MAKE) figures-build
	@printf '%s\n' $(FIGURES:%=$(FIGURE_FOLDER)/%.html)
figures-build: $(FIGURE_PARTS) $(FIGURES:%=$(FIGURE_FOLDER)/%)

$(FIGURES:%=$(FIGURE_FOLDER)/%): $(FIGURE_FOLDER)/%: $(FIGURE_INPUTS)
	@mkdir -p $(@D)
	@$(CC) $(FIGURE_CFLAGS) $(CFLAGS) -o $@ \
	    $(call FIGURE_SOURCES,$*,main) $(FIGURE_LIBS_$*)

$(FIGURE_FOLDER)/%.wasm: $(FIGURE_INPUTS) $(FIGURE_FOLDER)/include/xxhash.h
	@$(FIGURE_CLANG) $(FIGURE_CFLAGS) $(FIGURE_WASM) -o $@ \
	    $(call FIGURE_SOURCES,$*,page)
$(FIGURE_FOLDER)/include/xxhash.h:
	@mkdir -p $(@D)
	@cp "$$(pkg-config --variable=includedir libxxhash)/xxhash.h" $@

# A page that was opened as a file may not fetch anything, but may run scripts.
$(FIGURE_FOLDER)/%.wasm.js: $(FIGURE_FOLDER)/%.wasm
	@{ printf "'use strict';\nconst figureModule = '"; \
	   base64 <$< | tr -d '\n'; printf "';\n"; } >$@

$(FIGURE_FOLDER)/figure.% : docs/figures/figure.%
	@mkdir -p $(@D)
	@cp $< $@
$(FIGURE_FOLDER)/%.js: docs/figures/%.js
	@mkdir -p $(@D)
	@cp $< $@

# The table for those who read without scripts is what the command says.
$(FIGURE_FOLDER)/%.html: docs/figures/%.html $(FIGURE_FOLDER)/%
	@$(FIGURE_FOLDER)/$* --html >$(FIGURE_FOLDER)/$*.table
	@sed -e '/@TABLE@/{r $(FIGURE_FOLDER)/$*.table' -e 'd;}' $< >$@

.PHONY: figures figures-build

# --- testing ----------------------------------------------------------------

FIGURE_TEST = $(FIGURE_WARNINGS) -std=c11 -D_GNU_SOURCE -O1 -g -Ifinal \
    -Idocs/figures -Itests/unit -fsanitize=address,undefined \
    -fno-sanitize-recover=all

figures-test: figures-build $(FIGURES:%=build/tests/figures/%_test)
build/tests/figures/%_test: tests/figures/%_test.c $(FIGURE_INPUTS)
	@mkdir -p $(@D)
	@$(CC) $(FIGURE_TEST) $$(pkg-config --cflags check) $(CFLAGS) -o $@ $< \
	    $(filter-out %_test.c,$(patsubst %,docs/figures/%.c,\
	      $(FIGURE_OWN_$*)) $(FIGURE_FINAL_$*)) $(FIGURE_LIBS_$*) \
	    $$(pkg-config --libs check) -pthread

# What a figure is made of, for the test that it is made of final/.
figure-sources-%:
	@echo $(call FIGURE_SOURCES,$*,main) $(call FIGURE_SOURCES,$*,page)

.PHONY: figures-test
