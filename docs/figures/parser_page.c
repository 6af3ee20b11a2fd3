/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Nothing is worked out here: the page asks, and the parser answers.
 */
#include "parser_page.h"

#include "base/must.h"
#include "parser.h"

static struct parser parser;
static char room[PARSER_BYTES];

void page_begin(unsigned kind)
{
    parser_begin(&parser, (enum head_kind)kind);
}

char *page_room(void)
{
    return room;
}

unsigned page_room_size(void)
{
    return sizeof(room);
}

bool page_feed(unsigned from, unsigned count)
{
    must(from <= sizeof(room) && count <= sizeof(room) - from);
    return parser_feed(&parser, room + from, count);
}

const char *page_beliefs(void)
{
    static char sheet[PARSER_PRINT];

    parser_print(&parser, sheet);
    return sheet;
}

unsigned page_read(void)
{
    return (unsigned)parser.read;
}

unsigned page_example_count(void)
{
    return (unsigned)example_count;
}

const char *page_example_name(unsigned example)
{
    return examples[example].name;
}

const char *page_example_remark(unsigned example)
{
    return examples[example].remark;
}

unsigned page_example_kind(unsigned example)
{
    return examples[example].kind;
}

const char *page_example_bytes(unsigned example)
{
    return examples[example].bytes;
}

unsigned page_example_length(unsigned example)
{
    return (unsigned)examples[example].length;
}
