/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file successor.h
 * @brief The process that is to serve after this one.
 *
 * The program is started anew: the same path, arguments and environment, so that
 * a new program and a new configuration take effect. It gets our listeners.
 *
 *     this process                         the new one
 *     starts it  ----- listeners ------->  reads its settings, asks its backends
 *     serves     <----- `ready` ---------  could serve
 *     lets go    ------- `go` ---------->  serves
 *     finishes what it has, and ends
 *
 * Until it is ready, this process serves as if nothing were; and goes on so, if
 * the new one refuses, ends, or is not ready in time.
 *
 *  - successor_start() starts it;
 *  - `on_end` is called when it is known how that went;
 *  - successor_end() ends one that is not ready yet.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_SUCCESSOR_H
#define CONTROL_SUCCESSOR_H

#include "base/fault.h"
#include "event/poller.h"
#include "event/timer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct handed;
struct loop;

/** One that is being started. All zero: none. */
struct successor {
    pid_t pid;           /**< 0: none */
    int channel;         /**< owned, while there is one */
    struct watch watch;  /**< of the channel */
    struct timer limit;  /**< it has to be ready by then; or to be gone */
    struct timer look;   /**< whether it has ended */
    struct loop *loop;   /**< borrowed */
    char heard[640];     /**< what it has said */
    size_t heard_length; /**< bytes of that */
    bool is_late;        /**< it was not ready in time */
    int64_t limit_ms;    /**< the time it had */

    /** @p why it does not serve; NULL: it can, and this process has to let go
     * and then to say successor_go(). */
    void (*on_end)(void *arg, const struct fault *why);
    void *arg; /**< borrowed: goes there */
};

/** What there is to start. */
struct successor_order {
    char **argv;                 /**< borrowed: the command line */
    const struct handed *handed; /**< borrowed: our listeners */
    const char *words;           /**< borrowed: lines for predecessor.h */
    int64_t limit_ms;            /**< it has to be ready within that */
};

/**
 * Start it.
 *
 * @param successor with `loop`, `on_end` and `arg` set
 * @return false, with a sentence, when it cannot be started: `on_end` is not
 *         called then
 */
bool successor_start(struct successor *successor,
                     const struct successor_order *order, struct fault *fault);

/** Is one being started? */
bool successor_is_coming(const struct successor *successor);

/** Have it serve. False: it is gone, and `on_end` will tell. */
bool successor_go(struct successor *successor);

/** End it at once, if it does not serve yet; `on_end` is not called. */
void successor_end(struct successor *successor);

#endif
