# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# Where steelyard goes when it is installed; final/Makefile includes this file.
#
#   make install                           below /usr/local
#   make install PREFIX=/usr               its files below /usr, its config in /etc
#   make install DESTDIR=FOLDER            a picture of that, for packages
#   make uninstall                         the same places; a config that was
#                                          changed stays

PREFIX     ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr /,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR    ?= $(PREFIX)/lib/systemd/system
CONFIG      = $(SYSCONFDIR)/steelyard/config.json
DOCUMENTS   = $(PREFIX)/share/doc/steelyard
COMPLETION  = $(PREFIX)/share/bash-completion/completions/steelyard
SHARED      = $(PREFIX)/share/steelyard
PLACED      = $(PREFIX)/bin/steelyard $(PREFIX)/share/man/man8/steelyard.8 \
              $(UNITDIR)/steelyard.service $(COMPLETION) \
              $(SHARED)/rolling-restart \
              $(DOCUMENTS)/config.json $(DOCUMENTS)/LICENSE
LICENCE    := $(firstword $(wildcard LICENSE ../LICENSE))

$(OBJECTS)/steelyard.bash: $(STEELYARD)
	./$(STEELYARD) --print-reference=completion >$@

# A config that is there already is somebody's own: it stays.
install: $(STEELYARD) $(OBJECTS)/steelyard.bash
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(PLACED) $(CONFIG))))
	install -m 755 $(STEELYARD) $(DESTDIR)$(PREFIX)/bin/steelyard
	install -m 755 rolling-restart $(DESTDIR)$(SHARED)/
	install -m 644 steelyard.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	sed -e 's|/usr/local/bin|$(PREFIX)/bin|' \
	    -e 's|/usr/local/etc|$(SYSCONFDIR)|' -e '/^# `make/,/^#.*etc\.$$/d' \
	    steelyard.service >$(DESTDIR)$(UNITDIR)/steelyard.service
	chmod 644 $(DESTDIR)$(UNITDIR)/steelyard.service
	install -m 644 $(OBJECTS)/steelyard.bash $(DESTDIR)$(COMPLETION)
	install -m 644 config.json $(LICENCE) $(DESTDIR)$(DOCUMENTS)/
	[ -e $(DESTDIR)$(CONFIG) ] || \
	    install -m 644 config.json $(DESTDIR)$(CONFIG)

# Of the config, only one that nobody has changed goes.
uninstall:
	if cmp -s $(DESTDIR)$(CONFIG) $(DESTDIR)$(DOCUMENTS)/config.json; then \
	    rm -f $(DESTDIR)$(CONFIG); fi
	rm -f $(addprefix $(DESTDIR),$(PLACED))
	for folder in $(dir $(CONFIG)) $(DOCUMENTS) $(SHARED); do \
	    rmdir $(DESTDIR)$$folder 2>/dev/null || true; done

.PHONY: install uninstall
