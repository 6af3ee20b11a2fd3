/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What cppcheck has to be told of libraries whose headers it does not read:
 * macros that are loops.
 */
#define json_array_foreach(array, index, value) \
    for (index = 0, value = (array); index < 9; index++)
#define json_object_foreach(object, key, value) \
    for (key = "k", value = (object); value != 0; value = 0)
