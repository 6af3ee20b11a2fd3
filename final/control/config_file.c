/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The file is parsed whole by jansson, then walked: rooms at the top, settings
 * in them. Beside the walk goes the way we came, so that a fault can say where
 * it is. The first fault ends it all.
 */
#include "control/config_file.h"
#include "base/fault.h"
#include "base/must.h"
#include "base/text.h"
#include "control/config_text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20 };

/** One reading of one file. */
struct reader {
    const struct config_sources *sources;
    struct settings *settings;
    struct config_origins *origins;
    struct text text;      /**< of the file, without remarks */
    struct config_way way; /**< to where we are */
    struct fault *fault;
};

/* --- places -------------------------------------------------------------- */

static void step_in(struct reader *reader, const char *key, size_t index)
{
    struct config_way *way = &reader->way;

    must(way->length < sizeof(way->steps) / sizeof(way->steps[0]));
    way->steps[way->length++] = (struct config_step){key, index};
}

static void step_out(struct reader *reader)
{
    must(reader->way.length > 0);
    reader->way.length--;
}

/** Say what is wrong with the key or the value at which we are. */
__attribute__((format(printf, 3, 4))) static bool
complain(struct reader *reader, enum config_part part, const char *format, ...)
{
    struct config_place place =
        config_text_find(reader->text, &reader->way, part);
    struct fault what;
    va_list values;

    va_start(values, format);
    vsnprintf(what.text, sizeof(what.text), format, values);
    va_end(values);
    return fault_say(reader->fault, "%s:%u:%u: %s", reader->sources->path,
                     place.line, place.column, what.text);
}

/** The way in dots: "listen.port", "backends[2].weight". */
static const char *way_print(const struct config_way *way, char *out,
                             size_t room)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < way->length && used < room; i++) {
        const struct config_step *step = &way->steps[i];

        if (step->key == NULL)
            used +=
                (size_t)snprintf(out + used, room - used, "[%zu]", step->index);
        else
            used += (size_t)snprintf(out + used, room - used, "%s%s",
                                     i == 0 ? "" : ".", step->key);
    }
    return out;
}

/** The value at which we are is refused, for this reason. */
static bool refuse(struct reader *reader, const char *why)
{
    char way[128];

    return complain(reader, CONFIG_VALUE, "%s %s",
                    way_print(&reader->way, way, sizeof(way)), why);
}

/* --- unknown keys -------------------------------------------------------- */

/** The keys that may stand in one place. */
struct names {
    const char *at[SETTING_COUNT];
    size_t count;
};

static void names_of_room(struct names *names, const char *room)
{
    names->count = 0;
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const char *key = setting_key_in(i, room);

        if (key != NULL)
            names->at[names->count++] = key;
    }
}

static bool is_room(const char *key)
{
    const struct setting_room *room;

    for (size_t i = 0; (room = setting_room(i)) != NULL; i++) {
        if (strcmp(room->name, key) == 0)
            return true;
    }
    return false;
}

static void names_of_top(struct names *names)
{
    const struct setting_room *room;
    const struct setting_alias *alias;

    names->count = 0;
    for (size_t i = 0; (room = setting_room(i)) != NULL; i++)
        names->at[names->count++] = room->name;
    for (size_t i = 0; (alias = setting_alias(i)) != NULL; i++) {
        if (alias->kind == FILE_KEY && !is_room(alias->name))
            names->at[names->count++] = alias->name;
    }
}

/** Is it written so, but for - and _? */
static bool is_alike(const char *one, const char *other)
{
    for (; *one != '\0' && *other != '\0'; one++, other++) {
        bool is_dash = (*one == '-' || *one == '_');

        if (*one != *other && !(is_dash && (*other == '-' || *other == '_')))
            return false;
    }
    return *one == *other;
}

/** The setting that has this key in some room, or this flag; NULL: none. */
static const struct setting_row *find_elsewhere(const char *key)
{
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);
        const char *dot = strchr(row->key, '.');

        if (dot != NULL && (is_alike(key, row->flag) ||
                            is_alike(key, dot + 1) || is_alike(key, row->key)))
            return row;
    }
    return NULL;
}

static bool refuse_key(struct reader *reader, const char *key,
                       const struct names *names)
{
    const char *near = settings_nearest(key, names->at, names->count);
    const struct setting_row *row = find_elsewhere(key);
    struct settings_shown shown;
    char list[300] = "";

    settings_show(&shown, key);
    if (row != NULL)
        return complain(reader, CONFIG_KEY,
                        "\"%s\" is not known here; did you mean \"%s\" in "
                        "\"%.*s\"?",
                        shown.text, strchr(row->key, '.') + 1,
                        (int)strcspn(row->key, "."), row->key);
    if (near != NULL)
        return complain(reader, CONFIG_KEY,
                        "\"%s\" is not known here; did you mean \"%s\"?",
                        shown.text, near);
    for (size_t i = 0, used = 0; i < names->count && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
                                 i == 0 ? "" : ", ", names->at[i]);
    return complain(reader, CONFIG_KEY,
                    "\"%s\" is not known here; known are: %s", shown.text,
                    list);
}

/* --- values -------------------------------------------------------------- */

/** What somebody wrote where something else was wanted. */
static const char *value_words(const json_t *value, char *out, size_t room)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_NULL: return "null";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_STRING: return "a text";
    case JSON_INTEGER:
        snprintf(out, room, "the number %" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
        return out;
    case JSON_REAL:
        snprintf(out, room, "the number %.6g", json_real_value(value));
        return out;
    }
    return "that";
}

/** May a value of this kind be written as a number, without quotes? */
static bool is_numeric(enum setting_kind kind)
{
    return kind == SETTING_IS_COUNT || kind == SETTING_IS_PORT ||
           kind == SETTING_IS_PERCENT || kind == SETTING_IS_BYTES ||
           kind == SETTING_IS_DURATION;
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(xnew(size, 1), text, size);
}

/**
 * A value as settings_set() reads it.
 *
 * @param why empty when it is of the wrong type
 * @return owned by the caller; or NULL
 */
static char *value_text(struct reader *reader, enum setting_kind kind,
                        const json_t *value, struct fault *why)
{
    char number[32];

    why->text[0] = '\0';
    if (json_is_string(value))
        return config_text_expand(json_string_value(value),
                                  reader->sources->variables, why);
    if (json_is_integer(value) && is_numeric(kind)) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
        return copy(number);
    }
    if (json_is_boolean(value) && kind == SETTING_IS_BOOL)
        return copy(json_is_true(value) ? "true" : "false");
    return NULL;
}

static bool refuse_type(struct reader *reader, enum setting setting,
                        const json_t *value)
{
    struct fault why;
    char number[40];

    settings_refuse(setting, value_words(value, number, sizeof(number)), &why);
    return refuse(reader, why.text);
}

/** Set it to a value that is no list. */
static bool read_plain(struct reader *reader, enum setting setting,
                       const json_t *value)
{
    struct fault why;
    char *text = value_text(reader, setting_row(setting)->kind, value, &why);
    bool good;

    if (text == NULL)
        return why.text[0] == '\0' ? refuse_type(reader, setting, value)
                                   : refuse(reader, why.text);
    good = settings_set(reader->settings, setting, text, &why);
    if (good && setting == SETTING_port && settings_port_has_address(text))
        reader->origins->of[SETTING_address] =
            reader->origins->of[SETTING_port];
    free(text);
    return good || refuse(reader, why.text);
}

/** One item of a list of texts, added to the others behind a comma. */
static bool read_item(struct reader *reader, enum setting setting,
                      const json_t *value, FILE *out)
{
    struct fault why;
    struct settings alone;
    char *text = value_text(reader, SETTING_IS_TEXT, value, &why);
    bool good;

    if (text == NULL)
        return why.text[0] == '\0' ? refuse_type(reader, setting, value)
                                   : refuse(reader, why.text);
    settings_init(&alone); /* try it alone, to say which one is wrong */
    good = settings_set(&alone, setting, text, &why);
    settings_fini(&alone);
    fprintf(out, "%s,", text);
    free(text);
    return good || refuse(reader, why.text);
}

static bool read_list(struct reader *reader, enum setting setting,
                      const json_t *list)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    bool good = true;
    struct fault why;

    must(out != NULL);
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        step_in(reader, NULL, i);
        good = read_item(reader, setting, json_array_get(list, i), out);
        step_out(reader);
    }
    must(fclose(out) == 0);
    if (good && !settings_set(reader->settings, setting, text, &why))
        good = refuse(reader, why.text);
    free(text);
    return good;
}

/* --- backends ------------------------------------------------------------ */

/** Add the backend with this URL; NULL: it is refused. */
static struct settings_backend *read_url(struct reader *reader,
                                         const json_t *value)
{
    struct settings_backend *backend;
    struct fault why;
    char *url = value_text(reader, SETTING_IS_TEXT, value, &why);

    if (url == NULL) {
        if (why.text[0] == '\0')
            refuse_type(reader, SETTING_backends, value);
        else
            refuse(reader, why.text);
        return NULL;
    }
    backend = settings_add_backend(reader->settings, url, &why);
    free(url);
    if (backend == NULL)
        refuse(reader, why.text);
    return backend;
}

/** A number of one backend, from @p min to @p max. */
static bool read_number(struct reader *reader, const json_t *value,
                        unsigned min, unsigned max, unsigned *number)
{
    struct settings_shown shown;
    struct fault why;
    char *text = value_text(reader, SETTING_IS_COUNT, value, &why);
    char words[40];
    uint64_t read = 0;
    bool good;

    if (text == NULL && why.text[0] != '\0')
        return refuse(reader, why.text);
    good = text != NULL && text_number(text_of(text), &read) && read >= min &&
           read <= max;
    *number = (unsigned)read;
    settings_show(
        &shown, text == NULL ? value_words(value, words, sizeof(words)) : text);
    free(text);
    if (good)
        return true;
    fault_say(&why, "wants a whole number, from %u to %u, not %s", min, max,
              shown.text);
    return refuse(reader, why.text);
}

static bool read_backup(struct reader *reader, const json_t *value,
                        bool *is_backup)
{
    char words[40];
    struct fault why;

    if (json_is_boolean(value)) {
        *is_backup = json_is_true(value);
        return true;
    }
    fault_say(&why, "wants true or false, not %s",
              value_words(value, words, sizeof(words)));
    return refuse(reader, why.text);
}

/** As the setting of that name is read. */
static bool read_send_proxy(struct reader *reader, const json_t *value,
                            unsigned *send_proxy)
{
    const char *text = json_string_value(value);
    struct settings alone;
    char words[40];
    struct fault why;
    bool good;

    settings_init(&alone);
    good =
        text != NULL
            ? settings_set(&alone, SETTING_send_proxy, text, &why)
            : settings_refuse(SETTING_send_proxy,
                              value_words(value, words, sizeof(words)), &why);
    *send_proxy = alone.send_proxy + 1;
    settings_fini(&alone);
    return good || refuse(reader, why.text);
}

/** One key of a backend that is an object. */
static bool read_backend_key(struct reader *reader, const char *key,
                             const json_t *value,
                             struct settings_backend *backend)
{
    static const struct names names = {
        {"url", "weight", "backup", "in_flight_max", "send_proxy"}, 5};

    if (strcmp(key, "url") == 0)
        return true; /* it was read first */
    if (strcmp(key, "weight") == 0)
        return read_number(reader, value, 1, SETTINGS_WEIGHT_MAX,
                           &backend->weight);
    if (strcmp(key, "in_flight_max") == 0)
        return read_number(reader, value, 0, 1000000, &backend->in_flight_max);
    if (strcmp(key, "backup") == 0)
        return read_backup(reader, value, &backend->is_backup);
    if (strcmp(key, "send_proxy") == 0)
        return read_send_proxy(reader, value, &backend->send_proxy);
    return refuse_key(reader, key, &names);
}

static bool read_backend_object(struct reader *reader, json_t *object)
{
    struct settings_backend *backend;
    const json_t *url = json_object_get(object, "url");
    const char *key;
    json_t *value;
    bool good;

    if (url == NULL)
        return refuse(reader, "has no \"url\"; give it one, such as "
                              "\"http://127.0.0.1:8081\"");
    step_in(reader, "url", 0);
    backend = read_url(reader, url);
    step_out(reader);
    if (backend == NULL)
        return false;
    json_object_foreach(object, key, value)
    {
        step_in(reader, key, 0);
        good = read_backend_key(reader, key, value, backend);
        step_out(reader);
        if (!good)
            return false;
    }
    return true;
}

static bool read_backends(struct reader *reader, const json_t *list)
{
    bool good = true;

    settings_clear_backends(reader->settings);
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        json_t *value = json_array_get(list, i);

        step_in(reader, NULL, i);
        good = json_is_object(value) ? read_backend_object(reader, value)
                                     : read_url(reader, value) != NULL;
        step_out(reader);
    }
    return good;
}

/* --- the walk ------------------------------------------------------------ */

static bool read_setting(struct reader *reader, enum setting setting,
                         const json_t *value)
{
    enum setting_kind kind = setting_row(setting)->kind;

    if (reader->origins->of[setting].from == CONFIG_FROM_FILE)
        return complain(reader, CONFIG_KEY,
                        "%s is set in line %u already; take one of them away",
                        setting_row(setting)->key,
                        reader->origins->of[setting].line);
    reader->origins->of[setting].from = CONFIG_FROM_FILE;
    reader->origins->of[setting].line =
        config_text_find(reader->text, &reader->way, CONFIG_KEY).line;
    if (json_is_array(value) && kind == SETTING_IS_BACKENDS)
        return read_backends(reader, value);
    if (json_is_array(value) &&
        (kind == SETTING_IS_ADDRESSES || kind == SETTING_IS_CERTIFICATES))
        return read_list(reader, setting, value);
    return read_plain(reader, setting, value);
}

static enum setting find_in_room(const char *room, const char *key)
{
    enum setting i = 0;

    for (; i < SETTING_COUNT; i++) {
        const char *name = setting_key_in(i, room);

        if (name != NULL && strcmp(name, key) == 0)
            break;
    }
    return i;
}

static bool read_room(struct reader *reader, const char *room, json_t *object)
{
    const char *key;
    json_t *value;
    struct names names;
    bool good = true;

    json_object_foreach(object, key, value)
    {
        enum setting setting = find_in_room(room, key);

        step_in(reader, key, 0);
        if (setting != SETTING_COUNT) {
            good = read_setting(reader, setting, value);
        } else {
            names_of_room(&names, room);
            good = refuse_key(reader, key, &names);
        }
        step_out(reader);
        if (!good)
            return false;
    }
    return true;
}

/** The setting that this key names at the top; SETTING_COUNT: none. */
static enum setting find_at_top(const char *key)
{
    const struct setting_alias *alias;

    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (*key != '\0' && strcmp(setting_row(i)->key, key) == 0)
            return strchr(key, '.') == NULL ? i : SETTING_COUNT;
    }
    for (size_t i = 0; (alias = setting_alias(i)) != NULL; i++) {
        if (alias->kind == FILE_KEY && strcmp(alias->name, key) == 0)
            return alias->setting;
    }
    return SETTING_COUNT;
}

static bool read_top(struct reader *reader, const char *key, json_t *value)
{
    enum setting setting = find_at_top(key);
    struct names names;
    char words[40], why[80];

    if (is_room(key) && json_is_object(value) && setting != SETTING_backends)
        return read_room(reader, key, value);
    if (setting != SETTING_COUNT)
        return read_setting(reader, setting, value);
    if (is_room(key)) {
        snprintf(why, sizeof(why), "wants an object, not %s",
                 value_words(value, words, sizeof(words)));
        return refuse(reader, why);
    }
    names_of_top(&names);
    return refuse_key(reader, key, &names);
}

static bool read_all(struct reader *reader, json_t *root)
{
    const char *key;
    json_t *value;
    char words[40];
    bool good;

    if (!json_is_object(root))
        return complain(reader, CONFIG_VALUE,
                        "the file wants an object, {...}, not %s",
                        value_words(root, words, sizeof(words)));
    json_object_foreach(root, key, value)
    {
        step_in(reader, key, 0);
        good = read_top(reader, key, value);
        step_out(reader);
        if (!good)
            return false;
    }
    return true;
}

/** jansson could not parse it: say so in our manner. */
static bool refuse_json(struct reader *reader, const json_error_t *error)
{
    const char *path = reader->sources->path;
    /* An empty file, for one, has its fault before the first character. */
    int column = error->column < 1 ? 1 : error->column;

    if (json_error_code(error) == json_error_duplicate_key)
        return fault_say(reader->fault, "%s:%d:%d: %s; take one of them away",
                         path, error->line, column, error->text);
    return fault_say(reader->fault, "%s:%d:%d: this is not JSON: %s", path,
                     error->line, column, error->text);
}

static bool read_text(struct reader *reader)
{
    json_error_t error;
    json_t *root = json_loadb(reader->text.at, reader->text.length,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    bool good;

    if (root == NULL)
        return refuse_json(reader, &error);
    good = read_all(reader, root);
    json_decref(root);
    return good;
}

/* --- the file ------------------------------------------------------------ */

/** The whole file; owned by the caller. NULL, with a sentence: it cannot be. */
static char *load(const char *path, size_t *length, struct fault *fault)
{
    FILE *file = fopen(path, "re");
    char *text;

    if (file == NULL) {
        fault_say(fault, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    text = xnew(FILE_BYTES_MAX + 1, 1);
    *length = fread(text, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file))
        fault_say(fault, "cannot read %s: %s", path, strerror(errno));
    else if (*length > FILE_BYTES_MAX)
        fault_say(fault, "%s is larger than 1 MiB; that is no configuration",
                  path);
    if (ferror(file) || *length > FILE_BYTES_MAX) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

bool config_file_read(struct settings *settings, struct config_origins *origins,
                      const struct config_sources *sources, struct fault *fault)
{
    struct reader reader = {.sources = sources,
                            .settings = settings,
                            .origins = origins,
                            .fault = fault};
    size_t length = sources->length;
    char *text;
    bool good;

    if (sources->text == NULL) {
        text = load(sources->path, &length, fault);
        if (text == NULL)
            return false;
    } else {
        text = xnew(length + 1, 1);
        memcpy(text, sources->text, length);
    }
    config_text_clear_remarks(text, length);
    reader.text = (struct text){text, length};
    good = read_text(&reader);
    free(text);
    return good;
}
