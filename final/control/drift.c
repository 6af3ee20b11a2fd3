/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The file is read only when it looks changed: other time, size or inode. What
 * is asked then is whether a reload would change anything, so environment and
 * flags have their say.
 */
#include "control/drift.h"

#include "base/fault.h"
#include "control/control.h"
#include "control/events.h"
#include "control/overview.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/** What the file looks like from outside. */
static void look_at_file(const char *path, int64_t file[3])
{
    struct stat status;

    memset(file, 0, 3 * sizeof(*file));
    if (path == NULL || stat(path, &status) == -1)
        return;
    file[0] = (int64_t)status.st_mtime;
    file[1] = (int64_t)status.st_size;
    file[2] = (int64_t)status.st_ino;
}

void drift_look(struct overview *overview)
{
    struct control *control = overview->control;
    struct drift *drift = &overview->drift;
    unsigned generation = control->plan->configuration->generation;
    bool before = drift->differs;
    int64_t file[3];
    struct fault fault = {""};

    look_at_file(control->plan->options.origins.path, file);
    if (drift->generation == generation &&
        memcmp(file, drift->file, sizeof(file)) == 0)
        return;
    memcpy(drift->file, file, sizeof(file));
    drift->generation = generation;
    drift->differs = control_differs(control, &fault);
    snprintf(drift->why, sizeof(drift->why), "%s", fault.text);
    if (drift->differs && !before)
        events_note(overview->events, LOG_WARN,
                    "the configuration is not what serves: %s", drift->why);
}
