/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What the parser believes, in words. Only what it has really found out is
 * written: of a head that is not whole no field has been read, so none is here.
 */
#include "parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/** Text that grows, in a room that should have been large enough for it. */
struct sheet {
    char *out;
    size_t room;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void
sheet_add(struct sheet *sheet, const char *format, ...)
{
    size_t room = sheet->room - sheet->length;
    va_list list;
    int added;

    va_start(list, format);
    added = vsnprintf(sheet->out + sheet->length, room, format, list);
    va_end(list);
    sheet->length += added < (int)room ? (size_t)added : room - 1;
}

/** The bytes themselves, as far as they can be shown. */
static void sheet_add_bytes(struct sheet *sheet, struct text bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];

        if (byte == '\r')
            sheet_add(sheet, "\\r");
        else if (byte == '\n')
            sheet_add(sheet, "\\n");
        else if (byte == '\\')
            sheet_add(sheet, "\\\\");
        else if (byte < ' ' || byte > '~')
            sheet_add(sheet, "\\x%02x", byte);
        else
            sheet_add(sheet, "%c", byte);
    }
}

static void sheet_add_text(struct sheet *sheet, const char *name,
                           struct text text)
{
    sheet_add(sheet, "%s\t", name);
    sheet_add_bytes(sheet, text);
    sheet_add(sheet, "\n");
}

/* --- heads ---------------------------------------------------------------- */

static void print_request(struct sheet *sheet, const struct head *head)
{
    sheet_add_text(sheet, "method", head->method);
    sheet_add_text(sheet, "target", head->target);
    sheet_add_text(sheet, "path", head->path);
    sheet_add_text(sheet, "host", head->authority);
}

static void print_framing(struct sheet *sheet, const struct head *head)
{
    sheet_add(sheet, "framing\t");
    switch (head->framing) {
    case FRAMING_NONE: sheet_add(sheet, "no body\n"); break;
    case FRAMING_LENGTH:
        sheet_add(sheet, "by length: %llu bytes\n",
                  (unsigned long long)head->body_length);
        break;
    case FRAMING_CHUNKED:
        sheet_add(sheet, "chunked: until a chunk of size 0\n");
        break;
    case FRAMING_CLOSE: sheet_add(sheet, "until the connection ends\n"); break;
    }
}

static void print_fields(struct sheet *sheet, const struct head *head)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct field *field = &head->fields[i];

        sheet_add(sheet, "field\t");
        sheet_add_bytes(sheet, field->name);
        sheet_add(sheet, "\t");
        sheet_add_bytes(sheet, field->value);
        sheet_add(sheet, "\t%s\n",
                  field->id == FIELD_OTHER ? "passed on" : "understood");
    }
}

static void print_head(struct sheet *sheet, const struct head *head)
{
    if (head->kind == HEAD_REQUEST)
        print_request(sheet, head);
    else
        sheet_add(sheet, "status\t%u\n", head->status);
    sheet_add(sheet, "version\tHTTP/1.%u\n", head->minor);
    print_framing(sheet, head);
    sheet_add(sheet, "afterwards\t%s\n",
              head->keeps_alive ? "the connection goes on"
                                : "the connection ends");
    if (head->expects_continue)
        sheet_add(sheet, "waits\tfor 100 Continue, before it sends the body\n");
    if (head->wants_upgrade)
        sheet_add(sheet, "wants\tto speak another protocol from here on\n");
    print_fields(sheet, head);
}

/* --- messages ------------------------------------------------------------- */

static const char *stage_word(const struct message *message)
{
    switch (message->stage) {
    case MESSAGE_HEAD: return "head";
    case MESSAGE_BODY: return "body";
    case MESSAGE_DONE: return "done";
    case MESSAGE_REFUSED: return "refused";
    }
    return "";
}

/** Where the reading of a head stands that is not whole. */
static void print_head_belief(struct sheet *sheet, const struct head *head)
{
    if (head->start_line == 0)
        sheet_add(sheet, "need more: the first line has not ended");
    else
        sheet_add(sheet,
                  "need more: the first line has ended (%zu bytes), the empty "
                  "line that ends the head has not come",
                  head->start_line);
}

static void print_body_belief(struct sheet *sheet, const struct body *body)
{
    sheet_add(sheet, "need more: %s", body_step_words(body));
    if (body->framing != FRAMING_CLOSE && body->left > 0)
        sheet_add(sheet, "; %llu bytes of %s are to come",
                  (unsigned long long)body->left,
                  body->framing == FRAMING_CHUNKED ? "this chunk" : "it");
}

static void print_refusal(struct sheet *sheet, const struct message *message)
{
    if (message->has_head)
        sheet_add(sheet, "refused: %s", message->body.why);
    else
        sheet_add(sheet, "refused with %u: %s", message->head.status,
                  message->head.why);
}

static void print_belief(struct sheet *sheet, const struct message *message)
{
    switch (message->stage) {
    case MESSAGE_HEAD: print_head_belief(sheet, &message->head); break;
    case MESSAGE_BODY: print_body_belief(sheet, &message->body); break;
    case MESSAGE_DONE: sheet_add(sheet, "done"); break;
    case MESSAGE_REFUSED: print_refusal(sheet, message); break;
    }
}

static void print_message(struct sheet *sheet, const struct parser *parser,
                          size_t number)
{
    const struct message *message = &parser->messages[number];

    sheet_add(sheet, "message\t%zu\n", number + 1);
    sheet_add(sheet, "begin\t%zu\n", message->begin);
    sheet_add(sheet, "used\t%zu\n", message->used);
    sheet_add(sheet, "stage\t%s\nbelief\t", stage_word(message));
    print_belief(sheet, message);
    sheet_add(sheet, "\n");
    if (!message->has_head)
        return;
    print_head(sheet, &message->head);
    if (message->head.framing == FRAMING_NONE)
        return;
    sheet_add_text(sheet, "content",
                   (struct text){message->content, message->content_length});
    if (message->trailers_length > 0)
        sheet_add_text(
            sheet, "trailers",
            (struct text){message->trailers, message->trailers_length});
}

/* --- the whole ------------------------------------------------------------ */

/** Bytes that no message has taken, and none will. */
static size_t left_over(const struct parser *parser)
{
    const struct message *last = &parser->messages[parser->count - 1];

    return last->stage == MESSAGE_DONE
               ? parser->length - last->begin - last->used
               : 0;
}

static void print_verdict(struct sheet *sheet, const struct parser *parser)
{
    const struct message *last = &parser->messages[parser->count - 1];
    size_t done = parser->count - (last->stage != MESSAGE_DONE);

    if (parser->length == 0) {
        sheet_add(sheet, "nothing has come");
        return;
    }
    if (done > 0)
        sheet_add(sheet, "%zu %s%s done", done,
                  parser->kind == HEAD_REQUEST ? "request" : "response",
                  done > 1 ? "s" : "");
    if (last->stage != MESSAGE_DONE) {
        sheet_add(sheet, done > 0 ? "; then " : "");
        print_belief(sheet, last);
    }
    if (left_over(parser) > 0)
        sheet_add(sheet, "; %zu bytes behind it are not read",
                  left_over(parser));
}

/** Would all be well if the other side closed the connection now? */
static const char *end_words(const struct parser *parser)
{
    const struct message *last = &parser->messages[parser->count - 1];
    struct body body;

    switch (last->stage) {
    case MESSAGE_HEAD:
        return last->begin + last->head.begin == parser->length
                   ? "nothing would be missing"
                   : "a head would be cut off";
    case MESSAGE_BODY:
        body = last->body;
        return body_end(&body) ? "the body would be whole"
                               : "a body would be cut off";
    case MESSAGE_DONE: return "nothing would be missing";
    case MESSAGE_REFUSED: return "it would still be refused";
    }
    return "";
}

void parser_print_verdict(const struct parser *parser, char *out)
{
    struct sheet sheet = {out, PARSER_VERDICT, 0};

    out[0] = '\0';
    print_verdict(&sheet, parser);
}

void parser_print(const struct parser *parser, char *out)
{
    struct sheet sheet = {out, PARSER_PRINT, 0};

    out[0] = '\0';
    sheet_add(&sheet, "verdict\t");
    print_verdict(&sheet, parser);
    sheet_add(&sheet, "\nend\t%s\n", end_words(parser));
    for (size_t i = 0; i < parser->count; i++)
        print_message(&sheet, parser, i);
}
