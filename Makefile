# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# The lines that begin with ## are the manual: `make help` prints them.

## Steelyard: build an HTTP load balancer in C, one idea at a time.
##
##   make demo       show it: backends, a balancer, requests, and a backend that
##                   is killed in the middle; ends by itself within seconds
##   make demo WITH=exercises/02-weighted-turns
##                   the same with your code in the balancer
##   make run        the same, left running until Ctrl-C
##   make test       test everything
##
##   make            build everything
##   make chapters   build each chapter's balancer, chapters/NN-name/lb
##   make backend    build the server that we balance over, backend/backend
##   make final      build the full balancer, final/steelyard
##   make clean      remove all that was built
##
##   make install    put steelyard where PREFIX and DESTDIR say (/usr/local);
##                   make uninstall takes it away
##   make deb        a Debian package: build/deb/steelyard_*.deb
##   make container-test
##                   build the images of final/Dockerfile, and try them
##
##   make diff-04    what chapter 04 adds to the chapter before
##   make staircase  which chapter can do what: a table, by trying it out
##   make grade-lb LB='./mine --port {port} --backends {backends}' UPTO=04
##                   try a balancer of your own, in any language, and give points
##   make measure    the same load on every chapter: a table and a picture
##   make bench      what a request costs, beside nginx and HAProxy
##   make docs       the whole site, build/docs/html: the book, the reference, the
##                   guides; `make docs-open` serves it and says where
##   make book       the lessons as one EPUB, build/docs/steelyard.epub
##   make fuzz       look for bytes that break the code, a minute for each part
##   make soak       two minutes with clients of all manners, while backends are
##                   killed, stopped and misbehave; TIME=300 SEED=1 SAN=yes
##   make slow       a thousand slow clients at once, by slowhttptest
##   make faults     let each call to the system fail once; FULL=yes: at each of
##                   its turns
##
##   make figures    the pages in which code of final runs, build/docs/figures
##
##   make check      what can be tested without running: warnings, style, links,
##                   the sizes of the steps, the text against the code
##   make dashboard  test what operators look at: the dashboard in a browser
##                   and in a terminal, and what Prometheus reads (installs
##                   chromium, tmux and prometheus)
##   make text       the lessons alone: excerpts, links, transcripts
##   make format     set all C code in our style (clang-format)
##   make deps       install what is missing (DEPS=no: never install anything)
##
## Variables: CC and CFLAGS as usual; TIME_SCALE=3 gives a slow machine
## three times as long in every test that has a time limit; WRITE=yes lets
## staircase and measure put what they find into chapters/.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

CHAPTERS := $(sort $(patsubst chapters/%/Makefile,%,\
                     $(wildcard chapters/[0-9]*/Makefile)))
LBS      := $(CHAPTERS:%=chapters/%/lb)
TOOLS    := tests/tools

# --- building ---------------------------------------------------------------

all: chapters backend final
chapters: $(LBS)
backend: backend/backend

# Each chapter knows how to build itself, so we only ask it to.
$(LBS): chapters/%/lb: FORCE
	@$(MAKE) -s -C chapters/$*
backend/backend: FORCE
	@$(MAKE) -s -C backend

# The same with sanitizers, for the tests: build/asan/01-blocking-proxy/lb.
ASAN = -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN = -fsanitize=thread
SANE = -O1 -fno-omit-frame-pointer

build/asan/%/lb: FORCE
	@mkdir -p $(@D)
	@$(MAKE) -s -C chapters/$* LB=$(abspath $@) EXTRA_CFLAGS='$(SANE) $(ASAN)'
build/tsan/%/lb: FORCE
	@mkdir -p $(@D)
	@$(MAKE) -s -C chapters/$* LB=$(abspath $@) EXTRA_CFLAGS='$(SANE) $(TSAN)'
build/asan/steelyard: FORCE
	@mkdir -p $(@D)
	@$(MAKE) -s -C final STEELYARD=$(abspath $@) \
	    EXTRA_CFLAGS='$(SANE) $(ASAN)'
build/tsan/steelyard: FORCE
	@mkdir -p $(@D)
	@$(MAKE) -s -C final STEELYARD=$(abspath $@) \
	    EXTRA_CFLAGS='$(SANE) $(TSAN)'
build/asan/backend: FORCE
	@mkdir -p $(@D)
	@$(MAKE) -s -C backend BACKEND=$(abspath $@) EXTRA_CFLAGS='$(SANE) $(ASAN)'

final: final/steelyard
final/steelyard: FORCE
	@$(MAKE) -s -C final

# --- the programs that test -------------------------------------------------

TEST_CFLAGS = -std=c11 -D_DEFAULT_SOURCE -O1 -g -Wall -Wextra -Wpedantic \
              -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Itests/support
SUPPORT    := $(wildcard tests/support/*.c tests/support/*.h)
BEHAVIOURS := $(filter-out tests/behaviours/backend_pages.c,\
                $(wildcard tests/behaviours/*.c tests/behaviours/*.h))

# $(call LINK,libraries) compiles and links the C files it depends on.
LINK = @mkdir -p $(@D) && $(CC) $(TEST_CFLAGS) $(CFLAGS) \
       $$(pkg-config --cflags $(1)) -o $@ $(filter %.c,$^) \
       $$(pkg-config --libs $(1)) -pthread

build/tests/behaviours: $(BEHAVIOURS) $(SUPPORT)
	$(call LINK,check libcurl jansson)
build/tests/backend_pages: tests/behaviours/backend_pages.c
	$(call LINK,check)
build/tests/demo: tests/tools/demo.c $(SUPPORT)
	$(call LINK,libcurl jansson)
build/tests/dashboard: tests/dashboard/dashboard_test.c \
    $(wildcard tests/dashboard/stand.*) $(SUPPORT)
	$(call LINK,check libcurl jansson)
build/tests/top: tests/dashboard/top_test.c $(wildcard tests/dashboard/stand.*) \
    $(SUPPORT)
	$(call LINK,check libcurl jansson)

# --- showing ----------------------------------------------------------------

# WITH=exercises/NN-name: what is written there takes the place of a part.
SERVED = $(if $(WITH),build/with/$(notdir $(WITH:%/=%))/lb,final/steelyard)
DEMO   = build/tests/demo --lb $(SERVED) --backend backend/backend

demo: demo-build
	@$(DEMO)
run: demo-build
	@$(DEMO) --stay
demo-build: deps-demo
	@$(MAKE) backend build/tests/demo $(if $(WITH),,$(SERVED))
	@$(if $(WITH),$(TOOLS)/with '$(WITH)' >build/with.log)

diff-%:
	@$(TOOLS)/diff $*

measure: deps-measure
	@tests/bench/measure $(if $(WRITE),--write)

# --- trying balancers from outside ------------------------------------------

TRY       = build/tests/behaviours --backend backend/backend
STAIRCASE = $(TOOLS)/staircase

staircase: deps-test
	@$(MAKE) chapters final backend build/tests/behaviours
	@$(STAIRCASE) $(if $(WRITE),--write) $(TRY) --staircase $(LBS) \
	    final/steelyard
grade-lb: deps-test
	@test -n "$$LB" || { echo "grade-lb: say what to grade: make grade-lb" \
	    "LB='./mine --port {port} --backends {backends}' UPTO=04"; exit 2; }
	@$(MAKE) backend build/tests/behaviours
	@$(TRY) --grade --command "$$LB" --upto '$(or $(UPTO),04)' \
	    $(if $(ONLY),--only '$(ONLY)')

# --- testing ----------------------------------------------------------------

# A suite is a command whose last line says how many tests passed and failed;
# `suite -1` takes the command itself for one test. All are run, come what may.
SUITE  = $(TOOLS)/suite
SUITES = build check unit figures site backend staircase poll threads \
         faults soak grader exercises serve fuzz transcripts bench compare calls \
         dashboard top install demo

test: deps-test
	@rm -rf build/log build/tally
	@$(SUITE) -1 build     $(MAKE) -j$(JOBS) test-build
	@env --default-signal=INT $(MAKE) test-computing & \
	    $(MAKE) test-waiting; wait
	@$(SUITE) site         tests/site/run
	@$(SUITE) backend      build/tests/backend_pages build/asan/backend
	@$(SUITE) soak         build/tests/soak --steelyard \
	                       build/asan/steelyard --memory 0 \
	                       --seconds 8 --seed 4
	@$(SUITE) grader       tests/grader/run
	@$(SUITE) exercises    tests/grader/exercises_run
	@$(SUITE) serve        tests/tools/with_test
	@$(SUITE) fuzz         $(MAKE) fuzz-replay
	@$(SUITE) transcripts  tests/text/replay
	@$(SUITE) bench        tests/bench/measure --selftest
	@$(SUITE) compare      tests/bench/bench --selftest
	@$(SUITE) calls        tests/bench/syscalls --check
	@$(SUITE) dashboard    build/tests/dashboard $(WATCHED)
	@$(SUITE) top          build/tests/top $(WATCHED)
	@$(SUITE) install      tests/install/run
	@$(SUITE) -1 demo      $(DEMO)
	@$(TOOLS)/tally $(SUITES)

WATCHED  = final/steelyard backend/backend

# These compute, and those wait: both at once. What is behind a & would not hear
# Ctrl-C otherwise.
test-computing:
	@$(SUITE) check        $(TOOLS)/check
	@$(SUITE) unit         tests/unit/run
	@$(SUITE) figures      tests/figures/run
test-waiting:
	@$(SUITE) staircase    $(STAIRCASE) $(TRY) --staircase $(ASAN_LBS)
	@$(SUITE) poll         $(TRY) --flags '--poller poll' --staircase \
	                       build/asan/steelyard
	@$(SUITE) threads      $(TRY) --able --staircase $(TSAN_LBS)
	@$(SUITE) faults       tests/faults/run

dashboard: deps-dashboard
	@$(MAKE) final backend build/tests/dashboard build/tests/top \
	    build/tests/behaviours
	@build/tests/dashboard $(WATCHED)
	@build/tests/top $(WATCHED)
	@$(TRY) --lb final/steelyard --upto 99 --only admin-metrics

JOBS     = $(shell getconf _NPROCESSORS_ONLN)
ASAN_LBS = $(CHAPTERS:%=build/asan/%/lb) build/asan/steelyard
TSAN_LBS = $(patsubst %,build/tsan/%/lb,$(filter-out 01-% 02-%,$(CHAPTERS))) \
           build/tsan/steelyard

test-build: all $(ASAN_LBS) $(TSAN_LBS) build/asan/backend \
            build/tests/behaviours build/tests/backend_pages build/tests/demo \
            build/tests/dashboard build/tests/top build/tests/notified \
            build/tests/soak \
            bench-build faults-build build/tests/site figures-test

check: deps-test
	@$(TOOLS)/check
text: deps-test
	@$(MAKE) chapters backend final
	@$(TOOLS)/check excerpts lessons links transcripts

# --- the site ---------------------------------------------------------------

# The reference of what can be set is printed by the program itself.
docs: deps-docs
	@$(MAKE) final/steelyard figures
	@docs/site/build
docs-open: docs
	@docs/site/serve $(PORT)

book: deps-book
	@docs/site/book

# --- the rest ---------------------------------------------------------------

include exercises/exercises.mk
include tests/bench/bench.mk
include tests/faults/faults.mk
include tests/fuzz/fuzz.mk
include docs/figures/figures.mk
include tests/install/install.mk
include tests/site/site.mk
include tests/soak/soak.mk

help:
	@sed -n 's/^## \{0,1\}//p' Makefile exercises/exercises.mk \
	    tests/site/site.mk

deps: deps-test
deps-demo deps-test deps-docs deps-book deps-measure deps-bench \
    deps-figures deps-fuzz deps-dashboard: deps-%:
	@DEPS='$(DEPS)' $(TOOLS)/deps $*

format:
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build tests/text/__pycache__ docs/site/__pycache__
	@for folder in $(CHAPTERS:%=chapters/%) backend final; do \
	    $(MAKE) -s -C $$folder clean; done

FORCE:
.PHONY: all chapters backend final demo run demo-build measure staircase \
        grade-lb test test-build test-computing test-waiting check text help \
        deps deps-demo deps-test \
        deps-docs deps-book deps-measure deps-bench deps-figures deps-fuzz \
        docs docs-open book deps-dashboard \
        dashboard format clean FORCE
