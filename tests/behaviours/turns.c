/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 02: several backends take turns.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <string.h>

static void exact_turns(void)
{
    struct lab lab;
    const char *first, *second, *third;

    lab_usual(&lab, 3);
    first = lab_who(&lab, "/");
    second = lab_who(&lab, "/");
    third = lab_who(&lab, "/");
    insist(strcmp(first, second) != 0 && strcmp(second, third) != 0 &&
               strcmp(first, third) != 0,
           "three requests over three backends; expected each to serve one; "
           "got %s, %s, %s",
           first, second, third);
    insist(strcmp(lab_who(&lab, "/"), first) == 0 &&
               strcmp(lab_who(&lab, "/"), second) == 0,
           "the fourth and fifth request; expected %s and %s again", first,
           second);
    lab_end(&lab);
}

static void even_turns(void)
{
    struct lab lab;

    lab_usual(&lab, 3);
    for (int i = 0; i < 300; i++)
        lab_who(&lab, "/livez");
    for (size_t i = 0; i < 3; i++)
        insist(lab_count(&lab, i, "/livez") == 100,
               "300 requests over three backends; expected 100 each; backend "
               "%s got %ld",
               lab.backends[i].name, lab_count(&lab, i, "/livez"));
    lab_end(&lab);
}

static void two_alternate(void)
{
    struct lab lab;
    const char *before = "";

    lab_usual(&lab, 2);
    for (int i = 0; i < 10; i++) {
        const char *now = lab_who(&lab, "/");

        insist(strcmp(now, before) != 0,
               "two backends; expected them to alternate; %s served twice "
               "running",
               now);
        before = now;
    }
    lab_end(&lab);
}

static void refused_takes_no_turn(void)
{
    struct lab lab;
    struct rude rude;
    const char *first, *second;

    lab_usual(&lab, 2);
    first = lab_who(&lab, "/");
    lab_rude(&lab, &rude);
    rude_say(&rude, "GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    rude_hear_end(&rude, 2500);
    rude_close(&rude);
    second = lab_who(&lab, "/");
    insist(strcmp(first, second) != 0,
           "a good request, one that is refused, a good one; expected the two "
           "good ones to go to both backends; both went to %s",
           first);
    lab_end(&lab);
}

static void any_method_takes_turns(void)
{
    struct lab lab;

    lab_usual(&lab, 2);
    for (int i = 0; i < 6; i++) {
        struct answer answer = fetch(&(struct request){
            .url = lab_url(&lab, "/echo"), .body = "x", .body_length = 1});

        insist(answer.status == 200, "POST: expected 200; got %ld (%s)",
               answer.status, answer.error);
        answer_free(&answer);
    }
    insist(lab_count(&lab, 0, "/echo") == 3 && lab_count(&lab, 1, "/echo") == 3,
           "6 POSTs over two backends; expected 3 each; got %ld and %ld",
           lab_count(&lab, 0, "/echo"), lab_count(&lab, 1, "/echo"));
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"turns", 2, 2, "Three backends take turns.", exact_turns},
    {"even", 2, 1, "Over 300 requests, the turns are even.", even_turns},
    {"two", 2, 1, "Two backends alternate.", two_alternate},
    {"no-turn-lost", 2, 1, "A request that is refused takes nobody's turn.",
     refused_takes_no_turn},
    {"post-turns", 2, 1, "Requests with a body take turns as well.",
     any_method_takes_turns},
};

const struct behaviours turns = {list, sizeof(list) / sizeof(list[0])};
