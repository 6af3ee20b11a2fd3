/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * One question at the beginning tells whether there is a steelyard at all. Then
 * the stream of events fills the model, keys change what is shown, and after
 * each of both everything is drawn anew. A stream that ends is opened again, a
 * second later; and while there is none, because it is refused or something on
 * the way holds it up, the state is asked for each second.
 */
#include "control/top.h"

#include "base/clock.h"
#include "base/must.h"
#include "control/top_client.h"
#include "control/top_draw.h"
#include "control/top_model.h"
#include "control/top_table.h"

#include <curl/curl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WAIT_MS = 250,
    AGAIN_MS = 1000,   /* between two tries to open the stream */
    QUIET_MS = 2000,   /* nothing in the stream for so long: ask */
    LOST_MS = 3000,    /* nothing for so long: say that it is lost */
    MESSAGE_MS = 5000, /* how long an answer stays on the last line */
    PAGE = 10,
    EXIT_UNREACHED = 1,
    EXIT_WRONG_FLAG = 2,
};

/** What the last line is for. */
enum mode {
    MODE_LIST,  /**< keys work the list */
    MODE_HELP,  /**< any key ends it */
    MODE_SURE,  /**< y or n */
    MODE_TOKEN, /**< a secret is typed */
};

/** The flags of top. */
struct flags {
    const char *url;
    const char *token;
    bool once;
};

struct top {
    struct top_model model;
    struct top_client client;
    enum mode mode;
    bool is_over;
    int64_t heard_ms;  /* when something came */
    int64_t stream_ms; /* when something came by the stream */
    int64_t tried_ms;  /* when the stream was opened last */
    int64_t looked_ms; /* when the state was asked for last */
    char message[640]; /* on the last line */
    int64_t message_until_ms;
    /* What a person is about to do, to whom. */
    bool ready;
    char id[32];
    char name[256];
    char typed[256]; /* of the token */
};

static volatile sig_atomic_t was_told_to_stop;

static void on_signal(int number)
{
    (void)number;
    was_told_to_stop = 1;
}

static void on_event(void *arg, const char *kind, const char *data)
{
    struct top *top = arg;

    top->heard_ms = clock_ms();
    if (strcmp(kind, "look") == 0) {
        top_model_status(&top->model, data);
        return;
    }
    top->stream_ms = top->heard_ms;
    top_model_event(&top->model, kind, data);
}

/* --- changing something ---------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct top *top,
                                                      const char *format, ...)
{
    char words[sizeof(top->message)];
    va_list list;

    va_start(list, format);
    vsnprintf(words, sizeof(words), format, list);
    va_end(list);
    top_text_clean(top->message, sizeof(top->message), words);
    top->message_until_ms = clock_ms() + MESSAGE_MS;
}

static void ask_token(struct top *top)
{
    top->mode = MODE_TOKEN;
    top->typed[0] = '\0';
}

/** Do what was decided; without the right token, ask for it. */
static void change_backend(struct top *top)
{
    const char *body = top->ready ? "{\"ready\":true}" : "{\"ready\":false}";
    char path[128];
    long status;

    if (top->client.remote.token[0] == '\0') {
        say(top, "admin token: ");
        ask_token(top);
        return;
    }
    snprintf(path, sizeof(path), "/api/v1/backends/%s", top->id);
    status = remote_ask(&top->client.remote, "PATCH", path, body, NULL);
    top->mode = MODE_LIST;
    if (status == 401) {
        remote_set_token(&top->client.remote, "");
        say(top, "that is not the token; admin token: ");
        ask_token(top);
    } else if (status != 200) {
        say(top, "%s was not changed: %s", top->name,
            top->client.remote.fault.text);
    } else if (top->ready) {
        say(top, "%s is ready: it gets requests when it is up", top->name);
    } else {
        say(top, "%s is draining: no new requests reach it", top->name);
    }
}

/** Begin to change the selected one. */
static void begin_change(struct top *top, bool ready)
{
    const struct top_backend *backend;

    if (top->model.count == 0)
        return;
    backend = &top->model.backends[top_model_selected(&top->model)];
    top->ready = ready;
    snprintf(top->id, sizeof(top->id), "%s", backend->id);
    snprintf(top->name, sizeof(top->name), "%s", top_name(backend));
    if (backend->ready == ready) {
        say(top, "%s is %s already", top->name, ready ? "ready" : "draining");
    } else if (ready) {
        change_backend(top);
    } else {
        top->mode = MODE_SURE;
        say(top, "drain %s? no new requests reach it (y or n) ", top->name);
    }
}

/* --- keys ------------------------------------------------------------------ */

static void on_list_key(struct top *top, int key)
{
    struct top_model *model = &top->model;
    long last = (long)model->count;

    switch (key) {
    case TOP_KEY_UP:
    case 'k': top_model_move(model, -1); break;
    case TOP_KEY_DOWN:
    case 'j': top_model_move(model, 1); break;
    case TOP_KEY_PAGE_UP: top_model_move(model, -PAGE); break;
    case TOP_KEY_PAGE_DOWN: top_model_move(model, PAGE); break;
    case TOP_KEY_HOME: top_model_move(model, -last); break;
    case TOP_KEY_END: top_model_move(model, last); break;
    case 's':
        top_model_sort(model, (model->sort + 1) % TOP_SORT_COUNT);
        say(top, "sorted by %s", top_sort_words(model->sort));
        break;
    case 'd': begin_change(top, false); break;
    case 'r': begin_change(top, true); break;
    case '?':
    case 'h': top->mode = MODE_HELP; break;
    case 'q': top->is_over = true; break;
    default: break;
    }
}

static void on_sure_key(struct top *top, int key)
{
    if (key == 'y' || key == 'Y') {
        change_backend(top);
        return;
    }
    top->mode = MODE_LIST;
    say(top, "%s was not changed", top->name);
}

static void on_token_key(struct top *top, int key)
{
    size_t length = strlen(top->typed);

    if (key == TOP_KEY_LEAVE) {
        top->mode = MODE_LIST;
        say(top, "%s was not changed", top->name);
    } else if (key == TOP_KEY_ERASE && length > 0) {
        top->typed[length - 1] = '\0';
    } else if (key == TOP_KEY_ENTER && length > 0) {
        remote_set_token(&top->client.remote, top->typed);
        memset(top->typed, 0, sizeof(top->typed));
        change_backend(top);
    } else if (key >= ' ' && key < 127 && length + 1 < sizeof(top->typed)) {
        top->typed[length] = (char)key;
        top->typed[length + 1] = '\0';
    }
}

static void on_key(struct top *top, int key)
{
    if (key == TOP_KEY_RESIZE)
        return; /* everything is drawn anew all the same */
    switch (top->mode) {
    case MODE_LIST: on_list_key(top, key); break;
    case MODE_HELP: top->mode = MODE_LIST; break;
    case MODE_SURE: on_sure_key(top, key); break;
    case MODE_TOKEN: on_token_key(top, key); break;
    }
}

/* --- in a terminal --------------------------------------------------------- */

static void draw(const struct top *top)
{
    int64_t now_ms = clock_ms();
    bool asks = top->mode == MODE_SURE || top->mode == MODE_TOKEN;
    char lost[64];
    struct top_view view = {
        .shows_help = top->mode == MODE_HELP,
        .is_lost = now_ms - top->heard_ms > LOST_MS,
        .is_asked = now_ms - top->stream_ms > LOST_MS,
        .lost = lost,
        .asks = asks,
        .stars = top->mode == MODE_TOKEN ? strlen(top->typed) : 0,
    };

    top_text_duration(lost, sizeof(lost),
                      (double)(now_ms - top->heard_ms) / 1000);
    if (asks || now_ms < top->message_until_ms)
        view.below = top->message;
    top_screen_draw(&top->model, &view);
}

/** Open the stream again, if it has ended and it is time. */
static void follow(struct top *top)
{
    int64_t now_ms = clock_ms();

    if (top_client_follows(&top->client) || now_ms - top->tried_ms < AGAIN_MS)
        return;
    top->tried_ms = now_ms;
    top_client_follow(&top->client);
}

/** Ask how things stand, if the stream does not tell. */
static void look(struct top *top)
{
    int64_t now_ms = clock_ms();

    if (now_ms - top->stream_ms < QUIET_MS ||
        now_ms - top->looked_ms < AGAIN_MS)
        return;
    top->looked_ms = now_ms;
    top_client_look(&top->client);
}

/** SIGTERM and its kin leave the terminal as q does. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void watch(struct top *top)
{
    int key;

    catch_signals();
    while (!top->is_over && !was_told_to_stop) {
        follow(top);
        look(top);
        draw(top);
        top_client_wait(&top->client, STDIN_FILENO, WAIT_MS);
        while (!top->is_over && (key = top_screen_key()) != TOP_KEY_NONE)
            on_key(top, key);
    }
}

/* --- beginning ------------------------------------------------------------- */

static int refuse(int status, const char *sentence)
{
    fprintf(stderr, "steelyard top: %s\n", sentence);
    return status;
}

/** Ask once what there is. */
static bool read_once(struct top *top)
{
    char *text = NULL;
    long status =
        remote_ask(&top->client.remote, "GET", "/api/v1/status", NULL, &text);
    bool good = status == 200 && top_model_status(&top->model, text);

    free(text);
    if (good)
        top->heard_ms = top->stream_ms = clock_ms();
    else if (status == 200)
        fault_say(&top->client.remote.fault,
                  "%s does not tell how a steelyard is doing: is that its "
                  "admin listener?",
                  top->client.remote.url);
    return good;
}

static void read_history(struct top *top)
{
    char *text = NULL;

    if (remote_ask(&top->client.remote, "GET", "/api/v1/history", NULL,
                   &text) == 200)
        top_model_history(&top->model, text);
    free(text);
}

/** Is there a terminal whose cursor can be moved? */
static bool has_terminal(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && kind != NULL &&
           strcmp(kind, "dumb") != 0;
}

static int run(struct top *top, const struct flags *flags)
{
    remote_find(&top->client.remote);
    if (!read_once(top))
        return refuse(EXIT_UNREACHED, top->client.remote.fault.text);
    if (flags->once || !has_terminal() || !top_screen_open()) {
        top_table_print(&top->model, stdout);
        return 0;
    }
    read_history(top);
    watch(top);
    top_screen_close();
    return 0;
}

static void print_help(void)
{
    puts(
        "usage: steelyard top [--url URL] [--token TOKEN] [--once]\n"
        "\n"
        "Watch a steelyard by its admin listener. Without a terminal, one\n"
        "table is printed.\n"
        "\n"
        "  --url URL      where it is: http://HOST:PORT or unix:/PATH; the\n"
        "                 variable LOAD_BALANCER_URL or STEELYARD_ADMIN, or\n"
        "                 else http://127.0.0.1:8090\n"
        "  --token TOKEN  what it takes to drain and to make ready; the\n"
        "                 variable STEELYARD_ADMIN_TOKEN, which others on the\n"
        "                 machine cannot read, or else it is asked for\n"
        "  --once         print one table, even on a terminal\n"
        "  --help         print this\n"
        "\n"
        "The variable NO_COLOR, if it is set, turns colours off. Exit status:\n"
        "0, 1 when the admin listener cannot be reached, 2 for wrong flags.");
}

/** @return -1 to go on, else an exit status */
static int read_flags(struct flags *flags, int argc, char **argv)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},
        {"token", required_argument, NULL, 't'},
        {"once", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int flag;

    opterr = 0;
    while ((flag = getopt_long_only(argc, argv, ":", options, NULL)) != -1)
        switch (flag) {
        case 'u': flags->url = optarg; break;
        case 't': flags->token = optarg; break;
        case 'o': flags->once = true; break;
        case 'h': print_help(); return 0;
        default:
            fprintf(stderr, "steelyard top: %s %s; see steelyard top --help\n",
                    argv[optind - 1],
                    flag == ':' ? "needs a value" : "is no flag");
            return EXIT_WRONG_FLAG;
        }
    if (optind == argc)
        return -1;
    fprintf(stderr,
            "steelyard top: \"%s\" is no flag; see steelyard top "
            "--help\n",
            argv[optind]);
    return EXIT_WRONG_FLAG;
}

int top_main(int argc, char **argv)
{
    struct flags flags = {.url = NULL};
    struct top *top;
    int status = read_flags(&flags, argc, argv);

    if (status != -1)
        return status;
    top = xnew(1, sizeof(*top));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    top_model_init(&top->model);
    if (top_client_init(&top->client, flags.url, flags.token, on_event, top))
        status = run(top, &flags);
    else
        status = refuse(EXIT_WRONG_FLAG, top->client.remote.fault.text);
    top_client_fini(&top->client);
    top_model_fini(&top->model);
    free(top);
    curl_global_cleanup();
    return status;
}
