/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file certificates.h
 * @brief Certificates grow old, and are exchanged on disk: who notices.
 *
 * @floor{control}
 * @thread{main}
 */
#ifndef CONTROL_CERTIFICATES_H
#define CONTROL_CERTIFICATES_H

#include <stdint.h>

struct settings;
struct tls_context;

/** A number that is another one when a file of certificates is another one: of
 * ours, of their keys, or of those who vouch for clients or backends. 0: there
 * are none. */
uint64_t certificates_stamp(const struct settings *settings);

/** Tell the log of those that are over soon: within two weeks. NULL is fine. */
void certificates_warn(const struct tls_context *context);

#endif
