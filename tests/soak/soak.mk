# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# A soak: steelyard under clients of all manners, while backends are killed,
# stopped and misbehave, and an operator does all that operators do. The top
# Makefile includes this file.

SOAK_LB = $(if $(filter thread,$(SAN)),build/tsan/steelyard,$(if \
            $(filter yes,$(SAN)),build/asan/steelyard,final/steelyard))

build/tests/soak: TEST_CFLAGS += -D_GNU_SOURCE
build/tests/soak: $(wildcard tests/soak/*.c tests/soak/*.h) $(SUPPORT)
	$(call LINK,libcurl jansson)

soak: deps-test
	@$(MAKE) $(SOAK_LB) backend build/tests/soak
	@build/tests/soak --steelyard $(SOAK_LB) --seconds $(or $(TIME),120) \
	    $(if $(SEED),--seed $(SEED)) $(if $(SAN),--memory 0) \
	    $(if $(LOUD),--loud)

deps-slow:
	@DEPS='$(DEPS)' $(TOOLS)/deps slow
slow: deps-slow
	@$(MAKE) $(SOAK_LB) backend
	@tests/soak/slow $(SOAK_LB)

.PHONY: soak slow deps-slow
