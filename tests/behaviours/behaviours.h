/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file behaviours.h
 * @brief What balancers do, as a list of tests that see them from outside.
 *
 * Each behaviour names the chapter that introduces it: a balancer of an earlier
 * chapter has to fail, one of that chapter or a later one has to pass.
 */
#ifndef BEHAVIOURS_BEHAVIOURS_H
#define BEHAVIOURS_BEHAVIOURS_H

#include <stddef.h>

/** One thing that a balancer does. */
struct behaviour {
    const char *id;    /**< a word or three, for tables and `--only` */
    unsigned chapter;  /**< who introduces it */
    unsigned points;   /**< what it is worth when a balancer is graded */
    const char *name;  /**< a sentence */
    void (*run)(void); /**< the test; returns when the behaviour is there */
};

/** Some of them: one file's. */
struct behaviours {
    const struct behaviour *list;
    size_t count;
};

extern const struct behaviours relaying; /**< chapter 01: what passes */
extern const struct behaviours refusing; /**< chapter 01: what does not */
extern const struct behaviours turns;    /**< chapter 02 */
extern const struct behaviours health;   /**< chapter 03 */
extern const struct behaviours retrying; /**< chapter 04 */
extern const struct behaviours crowds;   /**< chapters 05 to 08 */
extern const struct behaviours splicing; /**< final: large bodies */

extern const struct behaviours final_http;    /**< steelyard: messages */
extern const struct behaviours final_strict;  /**< steelyard: heads */
extern const struct behaviours final_clients; /**< steelyard: its clients */

/* The full balancer's own: what its backends see. */
extern const struct behaviours final_pool;     /**< who is picked */
extern const struct behaviours final_retry;    /**< a try that fails */
extern const struct behaviours final_health;   /**< who may serve */
extern const struct behaviours final_idle;     /**< connections at rest */
extern const struct behaviours final_settings; /**< how it is configured */
extern const struct behaviours final_crew;     /**< workers, and their limits */
extern const struct behaviours final_five;     /**< habits from elsewhere */
extern const struct behaviours final_drain;    /**< in and out of service */
extern const struct behaviours final_reload;   /**< a new configuration */
extern const struct behaviours final_upgrade;  /**< a new process */

extern const struct behaviours final_tls; /**< steelyard: certificates */
extern const struct behaviours
    final_proxy_header; /**< steelyard: who the client is */

extern const struct behaviours final_admin; /**< steelyard: watched, changed */

#endif
