# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# What people install: by make, as a Debian package, as a container. The top
# Makefile includes this file.
#
#   make install PREFIX=/usr DESTDIR=FOLDER
#   make uninstall
#   make deb              a Debian package: build/deb/steelyard_*.deb
#   make install-test     try all that, in a folder of its own
#   make container-test   the images of final/Dockerfile, with Docker; as root,
#                         where there is no Docker that runs

install uninstall: final
	@$(MAKE) -s -C final $@
deb: deps-deb
	@final/debian/build

install-test: deps-test
	@$(MAKE) final build/tests/notified
	@tests/install/run
container-test: deps-container
	@tests/container/run

build/tests/notified: tests/install/notified.c $(SUPPORT)
	$(call LINK,check libcurl jansson)

deps-deb deps-container: deps-%:
	@DEPS='$(DEPS)' $(TOOLS)/deps $*

.PHONY: install uninstall deb install-test container-test deps-deb \
        deps-container
