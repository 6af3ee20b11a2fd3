# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# The site in a browser. The Makefile at the top includes this.

##
##   make site       test the site in a browser (installs chromium); FULL=yes:
##                   each page; SHOTS=yes: pictures into build/site-shots
site: deps-docs deps-figures deps-site
	@$(MAKE) build/tests/site
	@tests/site/run
deps-site:
	@DEPS='$(DEPS)' $(TOOLS)/deps site

build/tests/site: tests/site/site_test.c $(SUPPORT)
	$(call LINK,check libcurl jansson)

.PHONY: site deps-site
