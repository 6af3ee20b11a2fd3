# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# The rows of build/measure/*.tsv as one Markdown table.

BEGIN {
    FS = "\t"
    title["steady"] = "steady"
    title["slow"] = "one backend slow"
    title["killed"] = "one backend killed"
    row("load", "chapter", "policy", "answered", "failed", "per backend",
        "median ms", "99 % ms", "threads", "MiB")
    row("---", "---", "---", "---:", "---:", "---:", "---:", "---:", "---:",
        "---:")
}

{
    each = $7
    if ($8 != "-")
        each = each " " $8
    if ($9 != "-")
        each = each " " $9
    row($1 == last ? "" : title[$1], $2, $3, $5, $6, each, $10, $11, $12,
        sprintf("%.1f", $13 / 1024))
    last = $1
}

# Words to the left, numbers to the right.
function row(load, chapter, policy, answered, failed, each, median, most,
             threads, memory) {
    printf "| %-18s | %-20s | %-17s | %8s | %6s | %14s ",
           load, chapter, policy, answered, failed, each
    printf "| %9s | %7s | %7s | %4s |\n", median, most, threads, memory
}
