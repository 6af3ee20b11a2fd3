# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors

## The exercises (exercises/README.md):
##
##   make grade            all: what is done, the points, what comes next
##   make grade EX=02      one: each failure, and where to look
##   make grade FORMAT=json|tap|junit|gradescope|classroom    for machines
##   make watch EX=02      the same at each save (needs entr)
##   make hint EX=02 N=1   hint 1 for what is to be done next (N: 1, 2 or 3;
##                         1 if it is not said)
##   make hint EX=02 TODO=02.1 N=3    the third one for that TODO
##   make reset EX=02      the starter again; what was there is kept
##
##   SAN=0 leaves the sanitizers out, CC=clang takes another compiler.
##

GRADER := exercises/grade/grade

grade watch hint reset:
	@EX='$(EX)' N='$(N)' TODO='$(TODO)' FORMAT='$(FORMAT)' SAN='$(SAN)' \
	    CC='$(CC)' TIME_SCALE='$(TIME_SCALE)' $(GRADER) $@

# For teachers (docs/teaching.md): what students get, and the proof that the
# grading is right. STORIES=1 shows what each wrong solution is told.
handout autograder starters solutions mutants:
	@EX='$(EX)' TIME_SCALE='$(TIME_SCALE)' STORIES='$(STORIES)' $(GRADER) $@

.PHONY: grade watch hint reset handout autograder starters solutions mutants
