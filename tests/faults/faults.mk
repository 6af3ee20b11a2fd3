# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# Faults of the system: each call that steelyard makes fails once, and every
# read and write is cut to one byte. The top Makefile includes this file.
#
#   make faults            what `make test` runs, under a minute
#   make faults FULL=yes   each call at each of its turns, and all behaviours
#                          with every read and write cut; some minutes
#   make faults ONLY=recv  one call
#
# By hand: STEELYARD_FAULT=recv:3:ECONNRESET build/faults/steelyard ...

# The calls that tests/faults/faults.c stands in for.
FAULTS_CALLS = accept4 bind close connect epoll_create1 epoll_ctl epoll_wait \
               fcntl getaddrinfo getentropy getsockname getsockopt listen open \
               pipe pipe2 poll pthread_create read recv send \
               sendmsg setrlimit setsockopt shutdown socket socketpair splice \
               unlink \
               write

faults-calls:
	@echo $(FAULTS_CALLS)
build/faults/faults.o: tests/faults/faults.c
	@mkdir -p $(@D)
	@$(CC) $(TEST_CFLAGS) -D_GNU_SOURCE -c -o $@ $<
build/faults/steelyard: build/faults/faults.o FORCE
	@[ $@ -nt $< ] || rm -f $@
	@$(MAKE) -s -C final STEELYARD=$(abspath $@) \
	    EXTRA_CFLAGS='$(SANE) $(ASAN) -U_FORTIFY_SOURCE' \
	    LDFLAGS='$(abspath $<) $(FAULTS_CALLS:%=-Wl,--wrap=%)'
build/tests/faults: TEST_CFLAGS += -D_GNU_SOURCE
build/tests/faults: tests/faults/main.c tests/behaviours/lab.c \
                    tests/behaviours/lab.h $(SUPPORT)
	$(call LINK,check libcurl jansson)

faults-build: build/faults/steelyard build/tests/faults build/tests/behaviours \
              backend
faults: deps-test
	@$(MAKE) faults-build
	@tests/faults/run $(if $(FULL),--full) $(if $(ONLY),--only $(ONLY))

.PHONY: faults faults-build faults-calls
