/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "contestants.h"

#include "accounts.h"
#include "body.h"
#include "clients.h"
#include "verdict.h"
#include "wait.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STOP_MS = 3000,  /* given to a balancer that was told to end */
    START_MS = 5000, /* given to one that does not say where it listens */
    START_TRIES = 3, /* somebody may take the port that was free */
    WORDS_MOST = 32, /* of a command */
    COMMAND_MOST = 4096,
    BACKENDS = 3,
};

static const struct contestant all[] = {
    {.name = "steelyard",
     .command = "final/steelyard --port 0 --workers 1 --backends {backends}"
                " --log-level error --access-log off --admin off"},
    {.name = "haproxy",
     .command = "haproxy -db -f {config}",
     .config = "tests/bench/haproxy.cfg.in",
     .version = "-v"},
    {.name = "haproxy-splice",
     .command = "haproxy -db -f {config}",
     .config = "tests/bench/haproxy.cfg.in",
     .option = "option splice-auto",
     .only = "c"},
    {.name = "nginx",
     .command = "nginx -p {folder} -e {folder}/nginx.err -c {config}",
     .config = "tests/bench/nginx.conf.in",
     .version = "-v"},
    {.name = "floor",
     .command = "build/bench/floor --port 0 --backends {backends}"},
    {.name = NULL},
};

const struct contestant *contestants_all(void)
{
    return all;
}

/* --- programs ------------------------------------------------------------ */

const char *program_find(const char *name)
{
    static char path[4096];
    const char *folders = getenv("PATH");
    char list[4096], *folder, *rest = NULL;

    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0 ? name : NULL;
    /* Servers lie where only root has its PATH. */
    snprintf(list, sizeof(list), "%s:/usr/local/sbin:/usr/sbin:/sbin",
             folders == NULL ? "/usr/bin:/bin" : folders);
    for (folder = strtok_r(list, ":", &rest); folder != NULL;
         folder = strtok_r(NULL, ":", &rest)) {
        snprintf(path, sizeof(path), "%.2048s/%.1024s", folder, name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

/** The first word of a command. */
static const char *program_of(const struct contestant *contestant)
{
    static char name[COMMAND_MOST];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(contestant->command, " "),
             contestant->command);
    return program_find(name);
}

bool contestant_is_here(const struct contestant *contestant)
{
    if (program_of(contestant) != NULL)
        return true;
    note("%s is left out: there is no %.*s", contestant->name,
         (int)strcspn(contestant->command, " "), contestant->command);
    return false;
}

const char *contestant_version(const struct contestant *contestant)
{
    static char version[32];
    const char *argv[] = {program_of(contestant), contestant->version, NULL};
    struct process process;
    int status;
    char *out, *err;
    const char *digits;

    version[0] = '\0';
    if (contestant->version == NULL || !process_start(&process, argv))
        return version;
    if (!holds_within(3000, process_has_ended(&process, &status)))
        process_kill(&process);
    out = process_text(process.out);
    err = process_text(process.err);
    digits = strpbrk(*out != '\0' ? out : err, "0123456789");
    if (digits != NULL)
        snprintf(version, sizeof(version), "%.*s",
                 (int)strspn(digits, "0123456789."), digits);
    free(out);
    free(err);
    close(process.out);
    close(process.err);
    return version;
}

/** End a process with all that it has started, and drop what it said. */
static void family_stop(struct process *process)
{
    pid_t members[FAMILY_MOST];
    size_t count = family_of(process->pid, members), i;

    if (process->pid > 0 &&
        process_stop(process, STOP_MS) == ENDED_BY_SIGNAL + SIGKILL)
        for (i = 1; i < count; i++)
            kill(members[i], SIGKILL);
    close(process->out);
    close(process->err);
}

/** The last line that a program said, for a sentence. Owned by the caller. */
static char *last_words(const struct process *process)
{
    char *text = process_text(process->err), *line;
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    line = strrchr(text, '\n');
    if (line != NULL)
        memmove(text, line + 1, strlen(line));
    return text;
}

/* --- the origin ---------------------------------------------------------- */

/** A page of memory, in a file, that two programs can share. */
static struct tally *tally_make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void *page = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof(struct tally)) == 0)
        page = mmap(NULL, sizeof(struct tally), PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return page == MAP_FAILED ? NULL : page;
}

/** Its URLs, out of the lines that it said. */
static void origin_hear(struct origin *origin)
{
    char *text = process_text(origin->process.out), *line, *rest = NULL;
    size_t used = 0;

    origin->urls[0] = '\0';
    for (line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *url = strstr(line, "http://");

        if (url == NULL || used + strlen(url) + 2 > sizeof(origin->urls))
            continue;
        if (used == 0)
            origin->port = (unsigned)strtoul(strrchr(url, ':') + 1, NULL, 10);
        used +=
            (size_t)snprintf(origin->urls + used, sizeof(origin->urls) - used,
                             "%s%s", used == 0 ? "" : ",", url);
    }
    free(text);
}

bool origin_start(struct origin *origin, const struct setting *setting,
                  const char *flag, const char *value)
{
    char path[sizeof(setting->folder) + 32];
    const char *argv[] = {
        "build/bench/origin", "--tally", path, flag, value, NULL};

    snprintf(path, sizeof(path), "%s/tally.%d", setting->folder, (int)getpid());
    origin->tally = tally_make(path);
    run_on_core(setting->load_core);
    if (origin->tally == NULL || !process_start(&origin->process, argv)) {
        complain("the origin could not be started");
        return false;
    }
    if (process_port(&origin->process) == 0) {
        complain("the origin does not listen");
        origin_stop(origin);
        return false;
    }
    unlink(path);
    origin_hear(origin);
    return true;
}

void origin_stop(struct origin *origin)
{
    family_stop(&origin->process);
    munmap(origin->tally, sizeof(*origin->tally));
    origin->tally = NULL;
}

/* --- templates ----------------------------------------------------------- */

/** What the names in a template stand for. */
struct meaning {
    const char *name, *value;
};

/** Put values in place of `{name}`. Owned by the caller. */
static char *fill(const char *template, const struct meaning *meanings)
{
    char *text = calloc(1, COMMAND_MOST * 4);
    size_t used = 0, room = COMMAND_MOST * 4 - 1;

    while (*template != '\0' && used < room) {
        const struct meaning *meaning = meanings;

        while (meaning->name != NULL &&
               strncmp(template, meaning->name, strlen(meaning->name)) != 0)
            meaning++;
        if (meaning->name == NULL) {
            text[used++] = *template;
            template ++;
            continue;
        }
        strncat(text, meaning->value, room - used);
        used += strlen(text + used);
        template += strlen(meaning->name);
    }
    return text;
}

/** Fill in a configuration; its template may be long. */
static bool config_write(const char *from, const char *to,
                         const struct meaning *meanings)
{
    char template[COMMAND_MOST] = "", *text;
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    bool is_good = in != NULL && out != NULL;

    if (is_good)
        template[fread(template, 1, sizeof(template) - 1, in)] = '\0';
    text = fill(template, meanings);
    is_good = is_good && fputs(text, out) >= 0;
    free(text);
    if (in != NULL)
        fclose(in);
    return out != NULL && fclose(out) == 0 && is_good;
}

/** Cut the URLs into the addresses that configurations want. */
static void addresses_cut(char *urls, const char *addresses[BACKENDS])
{
    char *url, *rest = NULL;
    size_t i = 0;

    for (url = strtok_r(urls, ",", &rest); url != NULL && i < BACKENDS;
         url = strtok_r(NULL, ",", &rest))
        addresses[i++] = url + strlen("http://");
}

/** A port that nobody uses at this moment. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port = 0;

    if (bind(fd, (struct sockaddr *)&address, length) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        port = ntohs(address.sin_port);
    close(fd);
    return port;
}

/** Does somebody listen there? */
static bool port_answers(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers =
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return answers;
}

/* --- starting a balancer ------------------------------------------------- */

/** Start a command whose words have one blank between. */
static bool command_start(struct process *process, char *command)
{
    const char *argv[WORDS_MOST + 1] = {NULL};
    char *rest = NULL;
    size_t count = 0;

    argv[0] = strtok_r(command, " ", &rest);
    if (argv[0] == NULL)
        return false;
    while (argv[count] != NULL && count + 1 < WORDS_MOST)
        argv[++count] = strtok_r(NULL, " ", &rest);
    argv[0] = program_find(argv[0]);
    return argv[0] != NULL && process_start(process, argv);
}

/** Fill in command and configuration, and start. */
static bool balancer_launch(struct balancer *balancer,
                            const struct setting *setting,
                            const struct origin *origin)
{
    const struct contestant *contestant = balancer->contestant;
    const char *addresses[BACKENDS] = {"", "", ""};
    char urls[sizeof(origin->urls)], port[16], connections[24];
    char config[sizeof(setting->folder) + 64], *command;
    bool is_started;

    memcpy(urls, origin->urls, sizeof(urls));
    addresses_cut(urls, addresses);
    snprintf(port, sizeof(port), "%u", balancer->port);
    snprintf(connections, sizeof(connections), "%zu", setting->idle_most + 200);
    snprintf(config, sizeof(config), "%s/%s.conf", setting->folder,
             contestant->name);
    const struct meaning meanings[] = {
        {"{port}", port},
        {"{backends}", origin->urls},
        {"{backend 1}", addresses[0]},
        {"{backend 2}", addresses[1]},
        {"{backend 3}", addresses[2]},
        {"{folder}", setting->folder},
        {"{config}", config},
        {"{connections}", connections},
        {"{option}", contestant->option == NULL ? "" : contestant->option},
        {"{user}", geteuid() == 0 ? "user root;" : ""},
        {NULL, NULL},
    };
    if (contestant->config != NULL &&
        !config_write(contestant->config, config, meanings))
        return false;
    command = fill(contestant->command, meanings);
    run_on_core(setting->balancer_core);
    is_started = command_start(&balancer->process, command);
    run_on_core(setting->load_core);
    free(command);
    return is_started;
}

/** Wait until it listens: it says so, or its port answers. */
static bool balancer_await(struct balancer *balancer)
{
    int status;

    if (balancer->port == 0) {
        balancer->port = process_port(&balancer->process);
        return balancer->port != 0;
    }
    return holds_within(START_MS,
                        interrupted() || port_answers(balancer->port) ||
                            process_has_ended(&balancer->process, &status)) &&
           balancer->process.pid != 0;
}

bool contestant_start(struct balancer *balancer,
                      const struct contestant *contestant,
                      const struct setting *setting,
                      const struct origin *origin)
{
    bool says_port = strstr(contestant->command, "--port 0") != NULL;
    char *words;
    int try;

    balancer->contestant = contestant;
    for (try = 0; try < START_TRIES && !interrupted(); try++) {
        balancer->port = says_port ? 0 : free_port();
        if (!balancer_launch(balancer, setting, origin))
            break;
        if (balancer_await(balancer))
            return true;
        words = last_words(&balancer->process);
        note("%s did not start: %s", contestant->name, words);
        free(words);
        family_stop(&balancer->process);
    }
    complain("%s could not be started", contestant->name);
    return false;
}

void contestant_stop(struct balancer *balancer)
{
    family_stop(&balancer->process);
}
