/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Four sources, one after the other; each overwrites what came before, and
 * leaves its name at what it wrote.
 */
#include "control/config.h"
#include "base/fault.h"
#include "base/must.h"
#include "control/config_file.h"
#include "control/config_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *config_variable(enum setting setting,
                            char name[CONFIG_VARIABLE_MAX])
{
    snprintf(name, CONFIG_VARIABLE_MAX, "STEELYARD_%s",
             setting_row(setting)->flag);
    for (char *at = name; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
        if (*at == '-')
            *at = '_';
    }
    return name;
}

/** Set a value, and remember who gave it. */
static bool set_from(struct settings *settings, struct config_origins *origins,
                     enum setting setting, const char *text,
                     enum config_from from, const char *name,
                     struct fault *fault)
{
    if (!settings_set(settings, setting, text, fault))
        return false;
    origins->of[setting].from = from;
    origins->of[setting].name = name;
    if (setting == SETTING_port && settings_port_has_address(text))
        origins->of[SETTING_address] = origins->of[setting];
    return true;
}

/* --- the environment ----------------------------------------------------- */

static bool read_variable(struct settings *settings,
                          struct config_origins *origins,
                          const struct config_sources *sources,
                          enum setting setting, const char *alias,
                          struct fault *fault)
{
    char own[CONFIG_VARIABLE_MAX];
    const char *name = alias == NULL ? config_variable(setting, own) : alias;
    const char *value =
        config_variable_find(sources->variables, name, strlen(name));
    struct fault why;

    /*
     * Kubernetes tells a service named "steelyard" in STEELYARD_PORT, as
     * tcp://10.0.0.1:80. That is not meant for us.
     */
    if (value == NULL ||
        (setting == SETTING_port && strstr(value, "://") != NULL))
        return true;
    if (set_from(settings, origins, setting, value, CONFIG_FROM_ENVIRONMENT,
                 alias, &why))
        return true;
    return fault_say(fault, "the variable %s %s", name, why.text);
}

static bool read_environment(struct settings *settings,
                             struct config_origins *origins,
                             const struct config_sources *sources,
                             struct fault *fault)
{
    const struct setting_alias *alias;

    for (size_t i = 0; (alias = setting_alias(i)) != NULL; i++) {
        if (alias->kind == ENVIRONMENT &&
            !read_variable(settings, origins, sources, alias->setting,
                           alias->name, fault))
            return false;
    }
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (!read_variable(settings, origins, sources, i, NULL, fault))
            return false;
    }
    return true;
}

/* --- flags --------------------------------------------------------------- */

static bool read_flags(struct settings *settings,
                       struct config_origins *origins,
                       const struct config_sources *sources,
                       struct fault *fault)
{
    struct fault why;

    for (enum setting i = 0; sources->given != NULL && i < SETTING_COUNT; i++) {
        if (sources->given[i] != NULL &&
            !set_from(settings, origins, i, sources->given[i], CONFIG_FROM_FLAG,
                      NULL, &why))
            return fault_say(fault, "--%s %s", setting_row(i)->flag, why.text);
    }
    return true;
}

bool config_read(struct settings *settings, struct config_origins *origins,
                 const struct config_sources *sources, struct fault *fault)
{
    settings_init(settings);
    *origins = (struct config_origins){.path = sources->path};
    if ((sources->path == NULL ||
         config_file_read(settings, origins, sources, fault)) &&
        read_environment(settings, origins, sources, fault) &&
        read_flags(settings, origins, sources, fault) &&
        settings_check(settings, fault))
        return true;
    settings_fini(settings);
    return false;
}
