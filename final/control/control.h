/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file control.h
 * @brief The balancer as a whole, and how its configuration changes while it
 * serves.
 *
 * Control is the main thread. Workers count what they see; control decides, and
 * never stands in the way of a request. A new configuration is read and checked
 * first; then workers are told, and requests that have begun finish on the
 * configuration they began with. How it begins and ends is in serve.h.
 *
 *  - control_reload() reads all settings again; control_add() and
 *    control_remove() change the set of backends. Whatever is wrong with what
 *    is asked for, the configuration that serves stays as it is.
 *
 * @floor{control}
 * @thread{main}
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/settings.h"
#include "control/notify.h"
#include "control/options.h"
#include "control/overview.h"
#include "control/successor.h"
#include "event/timer.h"
#include "proxy/worker.h"

#include <stdbool.h>
#include <stdint.h>

struct admin;
struct crew;
struct fault;
struct loop;
struct predecessor;
struct prober;
struct resolver;
struct roster;

/** What is served by, and the settings it came from. */
struct plan {
    struct options options;              /**< owned */
    struct configuration *configuration; /**< owned */
    struct link link;                    /**< among those that are over */
};

/** All of it. Its fields are for the rooms of control. */
struct control {
    int argc;                  /**< the command line, */
    char **argv;               /**< to be read again; borrowed */
    struct plan *plan;         /**< owned: what serves now */
    struct link over;          /**< owned: plans on which exchanges still run */
    struct roster *roster;     /**< owned */
    struct proxy proxy;        /**< what workers share */
    unsigned workers;          /**< how many there are */
    struct loop *loop;         /**< owned: control's own */
    struct resolver *resolver; /**< owned */
    struct prober *prober;     /**< owned; NULL: backends are not probed */
    struct crew *crew;         /**< owned */
    struct overview overview;  /**< what there is to be seen */
    struct admin *admin;       /**< owned; NULL: nobody can look */
    struct timer sweep;   /**< ends ejections and plans, sums up complaints */
    struct timer stop;    /**< looks whether all is over */
    struct notify notify; /**< the service manager, if it wants to know */
    struct predecessor *predecessor; /**< borrowed: who served before us */
    struct successor successor;      /**< who is to serve after us */
    /** Start the program anew and hand over to it. How that went is told in the
     * log, and to those who wait for it at the admin listener. False, with a
     * sentence: it cannot even begin. */
    bool (*hand_over)(struct control *control, struct fault *fault);
    bool is_handed_over;   /**< it does */
    uint64_t certificates; /**< what their files looked like: a stamp */
    int64_t looked_ms;     /**< when we looked last */
    int64_t warned_ms;     /**< when we last told of those that grow old */
    int64_t stop_by_ms;    /**< the deadline of a stop; 0: nobody has asked */
    int64_t rest_until_ms; /**< then, sessions that rest are ended; 0: they
                                were */
    int64_t told_ms;       /**< when the count was printed last */
    int status;            /**< how the program ends: see serve.h */
};

/** The settings that serve now. */
const struct settings *control_settings(const struct control *control);

/** The pool that serves now. */
struct pool *control_pool(const struct control *control);

/** What a reload has changed. */
struct control_change {
    bool changed[SETTING_COUNT];       /**< has another value now */
    bool needs_restart[SETTING_COUNT]; /**< would have, after a restart */
};

/**
 * Note what is new in fresh settings. What only a new process can change is set
 * back in them to what it is now.
 */
void control_compare(const struct settings *now, struct settings *fresh,
                     struct control_change *change);

/**
 * Read all settings again: the file, the environment, the flags.
 *
 * @param change filled
 * @return false, with a sentence, when anything is wrong; nothing has changed
 */
bool control_reload(struct control *control, struct control_change *change,
                    struct fault *fault);

/** Serve over one more backend; false, with a sentence, if that cannot be. */
bool control_add(struct control *control, const struct settings_backend *wanted,
                 struct fault *fault);

/** Do without a backend; its exchanges finish. False, with a sentence, when it
 * is the last one, or there is none of that URL. */
bool control_remove(struct control *control, const char *url,
                    struct fault *fault);

/**
 * Would a reload change anything? What is in the file may be wrong, too.
 *
 * @param fault why, in a sentence, if so
 */
bool control_differs(struct control *control, struct fault *fault);

/**
 * Begin with these options.
 *
 * @param options owned by the caller until now, and emptied
 * @return false, with a sentence and the options as they were, if that cannot be
 */
bool control_begin(struct control *control, struct options *options,
                   struct fault *fault);

/** Say in the log, and to those who watch, what a reload has changed. */
void control_tell_change(struct control *control,
                         const struct control_change *change);

/** The same, when it was refused. */
void control_tell_refused(struct control *control, const struct fault *fault);

/** Reload, and say how that went. */
void control_reload_and_tell(struct control *control);

/** End plans on which nothing runs any more, and backends that nobody needs. */
void control_sweep(struct control *control);

/** Look whether certificates on disk are others, if it is time, and take them
 * over; and tell of those that expire soon, once a day. */
void control_look_at_certificates(struct control *control);

/** End all plans: no worker is left. */
void control_end(struct control *control);

#endif
