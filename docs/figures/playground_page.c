/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Nothing is worked out here: the page asks, and the playground answers.
 */
#include "playground_page.h"

#include "base/must.h"
#include "playground.h"

#include <string.h>

static struct playground *playground;
static char room[256];

void page_begin(unsigned seed)
{
    if (playground != NULL)
        playground_destroy(&playground);
    playground = playground_create(seed);
}

char *page_room(void)
{
    return room;
}

unsigned page_room_size(void)
{
    return sizeof(room);
}

const char *page_order(void)
{
    static struct fault fault;
    const char *value = memchr(room, 0, sizeof(room));

    must(value != NULL && value + 1 < room + sizeof(room));
    value++;
    must(memchr(value, 0, sizeof(room) - (size_t)(value - room)) != NULL);
    return playground_order(playground, room, value, &fault) ? NULL
                                                             : fault.text;
}

void page_set_alive(unsigned backend, bool alive)
{
    playground_set_alive(playground, backend, alive);
}

bool page_is_alive(unsigned backend)
{
    return playground_is_alive(playground, backend);
}

bool page_is_up(unsigned backend)
{
    return playground_is_up(playground, backend);
}

void page_run(unsigned us)
{
    playground_run(playground, us);
}

double page_now(void)
{
    return (double)playground_now(playground);
}

double page_side(unsigned side, unsigned fact)
{
    return (double)playground_side(playground, side, (enum side_fact)fact);
}

const char *page_side_text(unsigned side, unsigned fact)
{
    static char text[PLAYGROUND_TEXT];

    fact_print(text, playground_side(playground, side, (enum side_fact)fact),
               side_forms[fact].is_time);
    return text;
}

double page_backend(unsigned side, unsigned backend, unsigned fact)
{
    return (double)playground_backend(playground, side, backend,
                                      (enum backend_fact)fact);
}

unsigned page_history_count(void)
{
    return (unsigned)playground_history_count(playground);
}

unsigned page_history_in_flight(unsigned side, unsigned index)
{
    return playground_history(playground, side, index).in_flight;
}

unsigned page_history_p99(unsigned side, unsigned index)
{
    return playground_history(playground, side, index).p99_us;
}

double page_pick_time(unsigned side, unsigned back)
{
    struct pick pick;

    return playground_pick(playground, side, back, &pick) ? (double)pick.at_us
                                                          : -1;
}

int page_pick_backend(unsigned side, unsigned back)
{
    struct pick pick;

    return playground_pick(playground, side, back, &pick) ? (int)pick.backend
                                                          : -1;
}

const char *page_policy_name(unsigned policy)
{
    return playground_policies[policy];
}

const char *page_side_policy(unsigned side)
{
    return playground_policy(playground, side);
}

const char *page_setting_name(unsigned setting)
{
    return setting < SETTING_COUNT ? setting_ranges[setting].name : NULL;
}

unsigned page_setting_lowest(unsigned setting)
{
    return setting_ranges[setting].lowest;
}

unsigned page_setting_highest(unsigned setting)
{
    return setting_ranges[setting].highest;
}

unsigned page_setting(unsigned setting)
{
    return playground_setting(playground, (enum playground_setting)setting);
}

const char *page_side_name(unsigned fact)
{
    return fact < SIDE_FACT_COUNT ? side_forms[fact].name : NULL;
}

const char *page_backend_name(unsigned fact)
{
    return fact < BACKEND_FACT_COUNT ? backend_forms[fact].name : NULL;
}
