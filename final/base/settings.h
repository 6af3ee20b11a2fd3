/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file settings.h
 * @brief Everything that can be set, in one table.
 *
 * A setting is written once, as a row of SETTINGS. The row makes its field in
 * `struct settings`, its flag, its name in the environment, its key in the
 * file, its default, its range, and its lines in `--help`, in the man page and
 * in the reference. To add a setting, add a row.
 *
 *  - settings_init() fills in the defaults;
 *  - settings_set() reads one value, as a person writes it, and refuses what is
 *    out of range with a sentence;
 *  - settings_print() writes it as settings_set() would read it;
 *  - settings_fini() ends what the settings own.
 *
 * Nothing here knows about files, flags or the environment: see config.h.
 *
 * @floor{base}
 * @thread{any; settings are filled before the workers start, then only read}
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct fault;

/* clang-format off */
/* The words of each CHOICE: SETTINGS_POLICY_LATENCY is written "latency". */
/** The words of `poller`. */
#define SETTINGS_POLLERS(X)                                                    \
    X(POLLER_AUTO, "auto")                                                     \
    X(POLLER_EPOLL, "epoll")                                                   \
    X(POLLER_POLL, "poll")
/** The words of `policy`. */
#define SETTINGS_POLICIES(X)                                                   \
    X(POLICY_ROUND_ROBIN, "round-robin")                                       \
    X(POLICY_LEAST_CONNECTIONS, "least-connections")                           \
    X(POLICY_TWO_CHOICES, "two-choices")                                       \
    X(POLICY_ADDRESS_HASH, "address-hash")                                     \
    X(POLICY_CONSISTENT_HASH, "consistent-hash")                               \
    X(POLICY_LATENCY, "latency")
/** The words of `none_healthy`. */
#define SETTINGS_NONE_HEALTHY(X)                                               \
    X(NONE_HEALTHY_TRY_ALL, "try-all")                                         \
    X(NONE_HEALTHY_FAIL, "fail")
/** The words of `tls_min`. */
#define SETTINGS_TLS_VERSIONS(X)                                               \
    X(TLS_1_2, "1.2")                                                          \
    X(TLS_1_3, "1.3")
/** The words of `client_certificate`. */
#define SETTINGS_CLIENT_CERTIFICATES(X)                                        \
    X(CLIENT_REQUIRED, "required")                                             \
    X(CLIENT_OPTIONAL, "optional")
/** The words of `send_proxy`. */
#define SETTINGS_SEND_PROXY(X)                                                 \
    X(SEND_PROXY_OFF, "off")                                                   \
    X(SEND_PROXY_V1, "v1")                                                     \
    X(SEND_PROXY_V2, "v2")
/** The words of `log_level`. */
#define SETTINGS_LOG_LEVELS(X)                                                 \
    X(LOG_ERROR, "error")                                                      \
    X(LOG_WARN, "warn")                                                        \
    X(LOG_INFO, "info")                                                        \
    X(LOG_DEBUG, "debug")
/** The words of `access_format`. */
#define SETTINGS_ACCESS_FORMATS(X)                                             \
    X(ACCESS_TEXT, "text")                                                     \
    X(ACCESS_JSON, "json")

/* The range of a CHOICE: its words, each ended by a zero byte. */
#define SETTINGS_WORD(name, word) word "\0"

/**
 * The columns: the field and its kind; the key in the file (its first part is
 * the room, which groups `--help`); the flag, which gives the name in the
 * environment too: STEELYARD_ and the flag in capitals; the default; the range,
 * `FROM..TO`, the words of a CHOICE, or else the form of it; what it does.
 */
#define SETTINGS(X)                                                            \
    X(address, ADDRESS, "listen.address", "address", "0.0.0.0", "ADDRESS",     \
      "the address of this machine where clients connect")                     \
    X(port, PORT, "listen.port", "port", "3030", "0..65535",                   \
      "the port where clients connect; 0 takes a free one; "                   \
      ":8000 and 127.0.0.1:8000 work too")                                     \
    X(workers, COUNT, "listen.workers", "workers", "0", "0..256",              \
      "threads that serve clients; 0: one per processor we may use")           \
    X(poller, CHOICE, "listen.poller", "poller", "auto",                       \
      SETTINGS_POLLERS(SETTINGS_WORD),                                         \
      "how to ask the kernel what happened; auto takes the best there is")     \
    X(defer_accept, BOOL, "listen.defer_accept", "defer-accept", "true", "",   \
      "let the kernel hold a connection back until its first bytes come")      \
    X(splice, BOOL, "listen.splice", "splice", "true", "",                     \
      "move large bodies inside the kernel, where it can")                     \
    X(sessions_max, COUNT, "listen.sessions_max", "sessions-max", "0",         \
      "0..10000000",                                                           \
      "clients served at once; 0: as many as open files allow")                \
    X(tls_listen, LISTENER, "tls.listen", "tls-listen", "off",                 \
      "off|PORT|ADDRESS:PORT",                                                 \
      "where clients connect by https; a port alone is at the address where "  \
      "others connect")                                                        \
    X(certificates, CERTIFICATES, "tls.certificates", "certificates", "",      \
      "CHAIN:KEY,...",                                                         \
      "files in PEM form: a certificate with what vouches for it, and its "    \
      "key; the name that a client asks for picks one, else it gets the first")\
    X(tls_min, CHOICE, "tls.min", "tls-min", "1.2",                            \
      SETTINGS_TLS_VERSIONS(SETTINGS_WORD),                                    \
      "the oldest version of TLS that clients may speak")                      \
    X(certificates_look_ms, DURATION, "tls.look", "certificates-look", "10s",  \
      "0..1d",                                                                 \
      "time between two looks whether the files of certificates are new, "     \
      "those of who vouches for others, too; 0: only at a reload")             \
    X(tls_redirect, BOOL, "tls.redirect", "tls-redirect", "false", "",         \
      "send clients that come by plain http to https, with status 308")        \
    X(tls_redirect_port, COUNT, "tls.redirect_port", "tls-redirect-port",      \
      "0", "0..65535", "to this port; 0: the one where we listen for TLS")     \
    X(client_ca, FILE, "tls.client_ca", "client-ca", "", "FILE",               \
      "certificates, in PEM form, of those who vouch for clients; if empty, "  \
      "clients need no certificate")                                           \
    X(client_certificate, CHOICE, "tls.client_certificate",                    \
      "client-certificate", "required",                                        \
      SETTINGS_CLIENT_CERTIFICATES(SETTINGS_WORD),                             \
      "with client-ca: whether clients without a certificate are served")      \
    X(backend_ca, FILE, "tls.backend_ca", "backend-ca", "", "FILE",            \
      "certificates, in PEM form, of those who vouch for backends at "         \
      "https://; if empty, whom the system believes")                          \
    X(backend_verify, BOOL, "tls.backend_verify", "backend-verify", "true",    \
      "",                                                                      \
      "insist that a backend at https:// shows a certificate for its name, "   \
      "from somebody who is believed")                                         \
    X(backends, BACKENDS, "backends", "backends", "", "URL,...",               \
      "the servers that answer the requests, as http://HOST:PORT or "          \
      "https://HOST:PORT")                                                     \
    X(weights, WEIGHTS, "", "weights", "", "N,...",                            \
      "the share of each backend, 1 to 256, in the order of the backends")     \
    X(policy, CHOICE, "policy.name", "policy", "round-robin",                  \
      SETTINGS_POLICIES(SETTINGS_WORD),                                        \
      "the rule that picks a backend for each request")                        \
    X(hash_on, HASH_ON, "policy.hash_on", "hash-on", "address",                \
      "address|path|header:NAME|cookie:NAME",                                  \
      "what consistent-hash goes by")                                          \
    X(sticky_cookie, NAME, "policy.sticky_cookie", "sticky-cookie", "",        \
      "NAME", "a cookie that keeps a client with its backend; none if empty")  \
    X(in_flight_max, COUNT, "policy.in_flight_max", "in-flight-max", "0",      \
      "0..1000000", "requests a backend has at once; 0: no limit")             \
    X(queue_max, COUNT, "policy.queue_max", "queue-max", "1024",               \
      "0..1000000", "requests that may wait for a backend with room")          \
    X(health, BOOL, "health.enabled", "health", "true", "",                    \
      "ask the backends for their health (active health checks)")              \
    X(health_interval_ms, DURATION, "health.interval", "health-interval",      \
      "2s", "1ms..1d", "time between two probes of a backend")                 \
    X(health_interval_down_ms, DURATION, "health.interval_down",               \
      "health-interval-down", "0", "0..1d",                                    \
      "the same for one that is down; 0: as health-interval")                  \
    X(health_jitter, PERCENT, "health.jitter", "health-jitter", "10%",         \
      "0%..100%", "chance in the interval, so that probes spread out")         \
    X(health_timeout_ms, DURATION, "health.timeout", "health-timeout", "1s",   \
      "1ms..1h", "a probe fails after this time")                              \
    X(health_path, PATH, "health.path", "health-path", "", "PATH",             \
      "probe by HTTP, with this path; if empty, by connecting only")           \
    X(health_method, METHOD, "health.method", "health-method", "GET",          \
      "METHOD", "the method of a probe by HTTP")                               \
    X(health_host, HOST, "health.host", "health-host", "", "HOST",             \
      "the Host of a probe by HTTP; if empty, the backend's own")              \
    X(health_status, STATUSES, "health.status", "health-status", "200-399",    \
      "STATUS,...", "the statuses of a good probe, such as 200,204,300-399")   \
    X(health_text, TEXT, "health.text", "health-text", "", "TEXT",             \
      "text that the body of a good probe holds; if empty, any body is good")  \
    X(rise, COUNT, "health.rise", "rise", "2", "1..100",                       \
      "so many good probes in a row bring a backend up")                       \
    X(fall, COUNT, "health.fall", "fall", "3", "1..100",                       \
      "so many bad probes in a row take a backend down")                       \
    X(none_healthy, CHOICE, "health.none_healthy", "none-healthy", "try-all",  \
      SETTINGS_NONE_HEALTHY(SETTINGS_WORD),                                    \
      "what to do with requests when no backend is up")                        \
    X(slow_start_ms, DURATION, "health.slow_start", "slow-start", "0",         \
      "0..1h", "a backend that came up gets its full share after this time")   \
    X(failures_max, COUNT, "ejection.failures_max", "failures-max", "5",       \
      "0..1000000",                                                            \
      "so many failed requests in a row eject a backend; 0: never")            \
    X(ejection_ms, DURATION, "ejection.time", "ejection-time", "10s",          \
      "1ms..1d", "how long the first ejection lasts; the next one, longer")    \
    X(ejection_ms_max, DURATION, "ejection.time_max", "ejection-time-max",     \
      "5m", "1ms..1d", "no ejection lasts longer")                             \
    X(ejection_percent, PERCENT, "ejection.percent", "ejection-percent",       \
      "50%", "0%..100%", "no more of the backends are ejected at once")        \
    X(retries, COUNT, "retry.count", "retries", "1", "0..10",                  \
      "tries on another backend when one has failed harmlessly")               \
    X(connect_tries, COUNT, "retry.connect_tries", "connect-tries", "3",       \
      "1..64", "backends tried when they cannot be connected to")              \
    X(retry_budget, PERCENT, "retry.budget", "retry-budget", "20%",            \
      "0%..100%",                                                              \
      "retries, as a part of the requests in flight, or that went well")      \
    X(retry_budget_min, COUNT, "retry.budget_min", "retry-budget-min", "3",    \
      "0..1000000", "so many retries at once are always allowed")              \
    X(idle_max, COUNT, "idle.max", "idle-max", "1024", "0..1000000",           \
      "upstream connections that rest, for each worker and backend")           \
    X(upstream_idle_ms, DURATION, "idle.time", "upstream-idle", "4s",          \
      "0..1d", "an upstream connection rests no longer")                       \
    X(upstream_age_ms, DURATION, "idle.age", "upstream-age", "10m", "1s..7d",  \
      "an upstream connection is used no longer than this, about")             \
    X(connect_ms, DURATION, "timeouts.connect", "connect-timeout", "3s",       \
      "1ms..1h", "to connect to a backend")                                    \
    X(tls_ms, DURATION, "timeouts.tls", "tls-timeout", "10s", "1ms..1h",       \
      "for a TLS handshake")                                                   \
    X(head_ms, DURATION, "timeouts.head", "head-timeout", "10s", "1ms..1h",    \
      "for the head of a request, from its first byte to its last")            \
    X(body_ms, DURATION, "timeouts.body", "body-timeout", "30s", "1ms..1d",    \
      "between two pieces of the body of a request")                           \
    X(response_ms, DURATION, "timeouts.response", "response-timeout", "1m",    \
      "1ms..1d", "until the first byte of a response")                         \
    X(stall_ms, DURATION, "timeouts.stall", "stall-timeout", "1m", "1ms..1d",  \
      "a response that does not move, on either side, ends after this")        \
    X(keep_alive_ms, DURATION, "timeouts.keep_alive", "keep-alive", "65s",     \
      "0..1d", "a client's connection rests no longer between two requests")   \
    X(session_age_ms, DURATION, "timeouts.session_age", "session-age", "1h",   \
      "1s..7d", "a client's connection gets no new request after this")        \
    X(queue_ms, DURATION, "timeouts.queue", "queue-timeout", "5s", "0..1h",    \
      "a request waits no longer for a backend with room")                     \
    X(tunnel_ms, DURATION, "timeouts.tunnel", "tunnel-timeout", "1h",          \
      "1s..7d", "a tunnel (WebSocket) in which nothing moves")                 \
    X(half_closed_ms, DURATION, "timeouts.half_closed",                        \
      "half-closed-timeout", "30s", "1ms..1d",                                 \
      "a connection of which one side has ended")                              \
    X(dns_refresh_ms, DURATION, "timeouts.dns_refresh", "dns-refresh", "10s",  \
      "1s..1d", "time between two look-ups of a backend's name")               \
    X(stop_ms, DURATION, "timeouts.stop", "stop-timeout", "30s", "0..1d",      \
      "at a stop, requests may run on for this time")                          \
    X(upgrade_ms, DURATION, "timeouts.upgrade", "upgrade-timeout", "30s",      \
      "1ms..1h", "at an upgrade, the new process must be ready by then")       \
    X(head_bytes, BYTES, "limits.head", "head-bytes", "32k", "1k..64k",         \
      "the head of a request")                                                 \
    X(target_bytes, BYTES, "limits.target", "target-bytes", "8k", "64..64k",   \
      "the target (path and query) of a request")                              \
    X(response_head_bytes, BYTES, "limits.response_head",                      \
      "response-head-bytes", "64k", "1k..64k", "the head of a response")       \
    X(body_bytes, BYTES, "limits.body", "body-bytes", "0", "0..1t",            \
      "the body of a request; 0: no limit")                                    \
    X(body_rate, BYTES, "limits.body_rate", "body-rate", "500", "0..1g",       \
      "bytes of a body per second, on average, that a client must send; "      \
      "0: any")                                                                \
    X(trusted, ADDRESSES, "forwarded.trusted", "trusted", "",                  \
      "ADDRESS[/BITS],...",                                                    \
      "proxies before us whose X-Forwarded-For and the like are believed")     \
    X(accept_proxy, ADDRESSES, "forwarded.accept_proxy", "accept-proxy", "",   \
      "ADDRESS[/BITS],...",                                                    \
      "proxies before us that begin each connection with a PROXY header, of "  \
      "version 1 or 2, which names the client; without one, they are refused") \
    X(send_proxy, CHOICE, "forwarded.send_proxy", "send-proxy", "off",         \
      SETTINGS_SEND_PROXY(SETTINGS_WORD),                                      \
      "begin connections to backends with a PROXY header of this version; "    \
      "each then serves one request")                                          \
    X(via, NAME, "forwarded.via", "via", "steelyard", "NAME",                  \
      "our name in Via; if empty, we add no Via")                              \
    X(show_backend, BOOL, "forwarded.show_backend", "show-backend", "false",   \
      "", "tell the client, in X-Steelyard-Backend, which backends were tried, " \
          "and how that went")                                                 \
    X(request_trailers, BOOL, "forwarded.request_trailers",                    \
      "request-trailers", "false", "",                                         \
      "pass on fields that come behind the body of a request")                 \
    X(log_level, CHOICE, "log.level", "log-level", "info",                     \
      SETTINGS_LOG_LEVELS(SETTINGS_WORD), "how much to tell of what happens")  \
    X(access_log, SINK, "log.access", "access-log", "stdout",                  \
      "off|stdout|stderr|FILE", "where the line of each request goes")         \
    X(access_format, CHOICE, "log.format", "access-format", "text",            \
      SETTINGS_ACCESS_FORMATS(SETTINGS_WORD),                                  \
      "how the line of each request is written")                               \
    X(admin, LISTENER, "admin.listen", "admin", "127.0.0.1:8090",              \
      "off|PORT|ADDRESS:PORT|unix:/PATH",                                      \
      "where to watch and change the balancer while it runs; :8090 is every "  \
      "address of this machine")                                               \
    X(admin_token, SECRET, "admin.token", "admin-token", "", "TOKEN",          \
      "who has this may change the balancer while it runs; if empty, one is "  \
      "made and told in the log")

/**
 * Other names for the same: in the environment, or in the file (the small form,
 * and rooms that have one setting before all others).
 */
#define SETTINGS_ALIASES(X)                                                    \
    X(ENVIRONMENT, "PROXY_PORT", port)                                         \
    X(ENVIRONMENT, "DASHBOARD_PORT", admin)                                    \
    X(FILE_KEY, "port", port)                                                  \
    X(FILE_KEY, "health_check_interval", health_interval_ms)                   \
    X(FILE_KEY, "policy", policy)                                              \
    X(FILE_KEY, "health", health)

/** The rooms of the file, in the order of --help, and their headings there. */
#define SETTINGS_ROOMS(X)                                                      \
    X("listen", "Listening")                                                   \
    X("tls", "TLS")                                                            \
    X("backends", "Backends")                                                  \
    X("policy", "Picking a backend")                                           \
    X("health", "Active health checks")                                        \
    X("ejection", "Passive health checks")                                     \
    X("retry", "Retries")                                                      \
    X("idle", "Upstream connections")                                          \
    X("timeouts", "Time limits")                                               \
    X("limits", "Sizes")                                                       \
    X("forwarded", "What is passed on")                                        \
    X("log", "Log")                                                            \
    X("admin", "Admin listener")

/**
 * Kinds of values: what a value is called in a sentence, and its short form in
 * --help. The type of the field is SETTINGS_TYPE_ and the kind, below.
 */
#define SETTINGS_KINDS(X)                                                      \
    X(BOOL, "true or false", "")                                               \
    X(COUNT, "a whole number", "N")                                            \
    X(PORT, "a port", "PORT")                                                  \
    X(PERCENT, "a percentage", "PERCENT")                                      \
    X(BYTES, "a size such as 500, 16k or 2m", "SIZE")                          \
    X(DURATION, "a time such as 250ms, 5s or 1m", "TIME")                      \
    X(CHOICE, "one of", "WORD")                                                \
    X(ADDRESS, "an address such as 127.0.0.1", "ADDRESS")                      \
    X(PATH, "a path such as /healthz", "PATH")                                 \
    X(METHOD, "a method such as GET or HEAD", "METHOD")                        \
    X(NAME, "a name of letters, digits and hyphens", "NAME")                   \
    X(HOST, "a host such as www.example.org", "HOST")                          \
    X(STATUSES, "statuses such as 200,204,300-399", "STATUS,...")              \
    X(TEXT, "text without control characters", "TEXT")                         \
    X(HASH_ON, "address, path, header:NAME or cookie:NAME", "WHAT")            \
    X(SINK, "off, stdout, stderr or a file such as ./access.log", "WHERE")     \
    X(LISTENER, "off, a port, an address with a port such as 127.0.0.1:8090, " \
      "or a path such as unix:/run/steelyard.sock", "WHERE")                   \
    X(SECRET, "letters, digits and any of -._~+/=", "TOKEN")                   \
    X(ADDRESSES, "addresses such as 10.0.0.1 or 10.0.0.0/8", "ADDRESS,...")    \
    X(CERTIFICATES, "pairs of files such as site.pem:site.key",                \
      "CHAIN:KEY,...")                                                         \
    X(FILE, "a file such as ./ca.pem", "FILE")                                 \
    X(WEIGHTS, "whole numbers from 1 to 256 such as 5,1,1", "N,...")           \
    X(BACKENDS, "backends such as http://127.0.0.1:8081", "URL,...")
/* clang-format on */

/** Of a word of a CHOICE: the constant that stands for it. */
#define SETTINGS_ENUM(name, word) SETTINGS_##name,
/** What `poller` holds. */
enum settings_poller { SETTINGS_POLLERS(SETTINGS_ENUM) };
/** What `policy` holds. */
enum settings_policy { SETTINGS_POLICIES(SETTINGS_ENUM) };
/** What `none_healthy` holds. */
enum settings_none_healthy { SETTINGS_NONE_HEALTHY(SETTINGS_ENUM) };
/** What `tls_min` holds. */
enum settings_tls_version { SETTINGS_TLS_VERSIONS(SETTINGS_ENUM) };
/** What `client_certificate` holds. */
enum settings_client_certificate {
    SETTINGS_CLIENT_CERTIFICATES(SETTINGS_ENUM)
};
/** What `send_proxy` holds. */
enum settings_send_proxy { SETTINGS_SEND_PROXY(SETTINGS_ENUM) };
/** What `log_level` holds. */
enum settings_log_level { SETTINGS_LOG_LEVELS(SETTINGS_ENUM) };
/** What `access_format` holds. */
enum settings_access_format { SETTINGS_ACCESS_FORMATS(SETTINGS_ENUM) };
#undef SETTINGS_ENUM

enum {
    SETTINGS_BACKENDS_MAX = 64, /**< a pool has no more backends */
    SETTINGS_WEIGHT_MAX = 256,
};

/** Texts in a row. */
struct settings_list {
    char **at;    /**< owned, and so is each; NULL if empty */
    size_t count; /**< how many there are */
};

/** One server, as it is configured. */
struct settings_backend {
    char *url;       /**< owned: `http://HOST:PORT` or `https://...`, as it
                                 was given */
    char *host;      /**< owned: a name or an address, no brackets */
    unsigned port;   /**< 1 to 65535 */
    bool is_https;   /**< it is spoken to by TLS */
    unsigned weight; /**< its share, 1 to SETTINGS_WEIGHT_MAX */
    bool is_backup;  /**< serves only when all that are not are down */
    unsigned in_flight_max; /**< requests at once; 0: as all of them */
    unsigned send_proxy;    /**< as that setting, and 1; 0: as all */
};

/** All that is set. settings_init() fills it. */
struct settings {
    size_t backend_count; /**< how many there are in `backends` */

    /* Text is owned by the settings, and never NULL. */
#define SETTINGS_TYPE_BOOL         bool
#define SETTINGS_TYPE_COUNT        unsigned
#define SETTINGS_TYPE_PORT         unsigned
#define SETTINGS_TYPE_PERCENT      unsigned
#define SETTINGS_TYPE_BYTES        uint64_t
#define SETTINGS_TYPE_DURATION     int64_t
#define SETTINGS_TYPE_CHOICE       unsigned
#define SETTINGS_TYPE_ADDRESS      char *
#define SETTINGS_TYPE_PATH         char *
#define SETTINGS_TYPE_METHOD       char *
#define SETTINGS_TYPE_NAME         char *
#define SETTINGS_TYPE_HOST         char *
#define SETTINGS_TYPE_STATUSES     char *
#define SETTINGS_TYPE_TEXT         char *
#define SETTINGS_TYPE_HASH_ON      char *
#define SETTINGS_TYPE_SINK         char *
#define SETTINGS_TYPE_FILE         char *
#define SETTINGS_TYPE_LISTENER     char *
#define SETTINGS_TYPE_SECRET       char *
#define SETTINGS_TYPE_ADDRESSES    struct settings_list
#define SETTINGS_TYPE_WEIGHTS      struct settings_list
#define SETTINGS_TYPE_CERTIFICATES struct settings_list
#define SETTINGS_TYPE_BACKENDS     struct settings_backend *
#define X(field, kind, key, flag, initial, range, help) \
    SETTINGS_TYPE_##kind field;
    SETTINGS(X)
#undef X
};

/** The number of each setting: SETTING_port and so on. */
enum setting {
#define X(field, kind, key, flag, initial, range, help) SETTING_##field,
    SETTINGS(X)
#undef X
        SETTING_COUNT
};

/** What kind of value: SETTING_IS_BOOL and so on. */
enum setting_kind {
#define X(kind, words, form) SETTING_IS_##kind,
    SETTINGS_KINDS(X)
#undef X
};

/** A row of the table. */
struct setting_row {
    const char *field;      /**< as in struct settings */
    const char *key;        /**< in the file, `room.name`; "" if not there */
    const char *flag;       /**< without dashes */
    const char *initial;    /**< the default, as settings_set() reads it */
    const char *range;      /**< see SETTINGS; setting_word() for a CHOICE */
    const char *help;       /**< what it does */
    enum setting_kind kind; /**< how it is read and written */
    size_t offset;          /**< of the field in struct settings */
};

/** The row of a setting; it lives as long as the program. */
const struct setting_row *setting_row(enum setting setting);

/** Another name of a setting. */
struct setting_alias {
    const char *name;     /**< as it is written */
    enum setting setting; /**< which it stands for */
    /** Where another name may stand. */
    enum setting_alias_kind {
        FILE_KEY,    /**< a key at the top of the file */
        ENVIRONMENT, /**< a variable of the environment */
    } kind;          /**< where it may stand */
};

/** The other names, one by one from 0; NULL behind the last. */
const struct setting_alias *setting_alias(size_t number);

/** A group of settings. */
struct setting_room {
    const char *name;    /**< its key in the file */
    const char *heading; /**< for people */
};

/** The rooms, one by one from 0; NULL behind the last. */
const struct setting_room *setting_room(size_t number);

/** The key of a setting in this room, without the room; NULL: not in it. */
const char *setting_key_in(enum setting setting, const char *room);

/** What a value of this kind is called: "a time such as 250ms, 5s or 1m". */
const char *setting_kind_words(enum setting_kind kind);

/** The short form of a value of this kind: "TIME". */
const char *setting_kind_form(enum setting_kind kind);

/** The words of a CHOICE, one by one from 0; NULL behind the last. */
const char *setting_word(enum setting setting, unsigned number);

/** Fill in the defaults. End it with settings_fini(). */
void settings_init(struct settings *settings);

/** End what the settings own. They may be filled by settings_init() again. */
void settings_fini(struct settings *settings);

/**
 * Read one value as a person writes it: `5s`, `16k`, `20%`, `latency`.
 *
 * Lists are written with commas and take the place of what was there. A port
 * with an address (`127.0.0.1:8080`) sets `address` too.
 *
 * @param text  borrowed
 * @param fault filled with what is wanted: "wants a time …, not \"x\"". The
 *              caller puts before it where the value was written
 * @return false when it is refused; the settings are as they were
 */
bool settings_set(struct settings *settings, enum setting setting,
                  const char *text, struct fault *fault);

/**
 * Refuse a value: "wants a time from 10ms to 1d, not a list".
 *
 * @param what what was written instead, such as "a list"
 * @return false
 */
bool settings_refuse(enum setting setting, const char *what,
                     struct fault *fault);

/** Where to listen, as `admin` says it. */
struct settings_place {
    /** Which of them. */
    enum settings_place_kind {
        SETTINGS_NOWHERE, /**< off */
        SETTINGS_AT_PORT, /**< an address with a port */
        SETTINGS_AT_PATH, /**< a socket in the file system */
    } kind;               /**< see there */
    char address[64];     /**< as numbers; `0.0.0.0` for all of them */
    unsigned port;        /**< 0: any that is free */
    const char *path;     /**< borrowed from the text */
    bool is_local;        /**< nobody on another machine gets there */
};

/** Read it; false when it is no such place. */
bool settings_place_read(struct settings_place *place, const char *text);

/** Does this value of `port` name an address too? `:8000` does not. */
bool settings_port_has_address(const char *text);

/**
 * Add one backend, with weight 1 and no limit. No two may be the same.
 *
 * @param url `http://HOST:PORT` or `https://HOST:PORT` (port 80 or 443 if it has
 *            none); copied
 * @return it, borrowed until the next is added; or NULL, with a sentence as
 *         that of settings_set()
 */
struct settings_backend *settings_add_backend(struct settings *settings,
                                              const char *url,
                                              struct fault *fault);

/** Take all backends away again. */
void settings_clear_backends(struct settings *settings);

/** Forget the list of weights; backends keep those they have. */
void settings_clear_weights(struct settings *settings);

/** Take one backend away. */
void settings_drop_backend(struct settings *settings, size_t which);

/** Fill settings with a copy of others. End them with settings_fini(). */
void settings_copy(struct settings *to, const struct settings *from);

/** Copy one of them; not the backends, whose text does not tell all. */
void settings_copy_one(struct settings *to, const struct settings *from,
                       enum setting setting);

/** Has this one the same value in both? */
bool settings_same(const struct settings *one, const struct settings *other,
                   enum setting setting);

/**
 * Do the values fit each other? At least one backend, as many weights as
 * backends, the target within the head, and so on. Gives each backend its share
 * from `weights`, if there are any.
 *
 * @return false, with a whole sentence that says what to change
 */
bool settings_check(struct settings *settings, struct fault *fault);

/** Write a value as settings_set() would read it; no newline. A secret is not
 * written: `(set)` says that there is one, and is refused when it is read. */
void settings_print(const struct settings *settings, enum setting setting,
                    FILE *out);

/** The same, but secrets are written: for settings_set(), not for people. */
void settings_write(const struct settings *settings, enum setting setting,
                    FILE *out);

/**
 * The word of a CHOICE setting, such as "least-connections".
 *
 * @return lives as long as the program
 */
const char *settings_word(const struct settings *settings,
                          enum setting setting);

/** Is this status in such a list as `health_status`? `200,204,300-399`. */
bool settings_has_status(const char *statuses, unsigned status);

/** What a person wrote, made fit to be shown: short, no control bytes. */
struct settings_shown {
    char text[72]; /**< ended by a zero byte */
};

/** Fill it. @return its text */
const char *settings_show(struct settings_shown *shown, const char *text);

/** Which of these words is written most like that one? NULL: none is near. */
const char *settings_nearest(const char *word, const char *const *words,
                             size_t count);

#endif
