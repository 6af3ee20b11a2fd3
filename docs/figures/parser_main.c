/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The step-through as a command:
 *
 *   parser             the examples and what the parser makes of each
 *   parser --html      the same as the table for those who read without scripts
 *   parser --trace     of each example, the beliefs after each byte
 *   parser --read      the beliefs after the bytes on the standard input
 */
#include "parser.h"

#include <stdio.h>
#include <string.h>

static struct parser parser;
static char sheet[PARSER_PRINT];

static void print_verdicts(void)
{
    char verdict[PARSER_VERDICT];

    for (size_t i = 0; i < example_count; i++) {
        parser_begin(&parser, examples[i].kind);
        parser_feed(&parser, examples[i].bytes, examples[i].length);
        parser_print_verdict(&parser, verdict);
        printf("%s\t%s\n", examples[i].name, verdict);
    }
}

/** What stands between tags. */
static void print_escaped(const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '<': fputs("&lt;", stdout); break;
        case '&': fputs("&amp;", stdout); break;
        default: putchar(*text);
        }
}

static void print_cell(const char *before, const char *text, const char *after)
{
    fputs(before, stdout);
    print_escaped(text);
    fputs(after, stdout);
}

static void print_html(void)
{
    char verdict[PARSER_VERDICT];

    puts("<table>\n<caption>The examples, and what the parser makes of them"
         "</caption>\n<tr><th scope=\"col\">example</th>"
         "<th scope=\"col\">what there is to see</th>"
         "<th scope=\"col\">the parser says</th></tr>");
    for (size_t i = 0; i < example_count; i++) {
        parser_begin(&parser, examples[i].kind);
        parser_feed(&parser, examples[i].bytes, examples[i].length);
        parser_print_verdict(&parser, verdict);
        print_cell("<tr><th scope=\"row\">", examples[i].name, "</th>");
        print_cell("<td>", examples[i].remark, "</td>");
        print_cell("<td>", verdict, "</td></tr>\n");
    }
    puts("</table>");
}

static void print_trace(void)
{
    for (size_t i = 0; i < example_count; i++) {
        parser_begin(&parser, examples[i].kind);
        for (size_t at = 0; at < examples[i].length; at++) {
            parser_feed(&parser, examples[i].bytes + at, 1);
            parser_print(&parser, sheet);
            printf("example\t%s\nbytes\t%zu\n%s", examples[i].name, at + 1,
                   sheet);
        }
    }
}

static int print_input(void)
{
    char bytes[PARSER_BYTES + 1];
    size_t length = fread(bytes, 1, sizeof(bytes), stdin);

    parser_begin(&parser, HEAD_REQUEST);
    if (!parser_feed(&parser, bytes, length)) {
        fprintf(stderr, "parser: more than %d bytes\n", (int)PARSER_BYTES);
        return 1;
    }
    parser_print(&parser, sheet);
    fputs(sheet, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    if (argc == 1)
        print_verdicts();
    else if (strcmp(what, "--html") == 0)
        print_html();
    else if (strcmp(what, "--trace") == 0)
        print_trace();
    else if (strcmp(what, "--read") == 0)
        return print_input();
    else {
        fputs("usage: parser [--html | --trace | --read <BYTES]\n", stderr);
        return 2;
    }
    return 0;
}
