# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# Read what wrk.lua printed; write one line of four numbers with tabs between:
# answered, failed, median and 99th percentile in milliseconds. The latencies
# are those of every response, our own 502 and 503 included. Say what is wrong
# and end with 2 if the numbers cannot be trusted.
#
# Set -v clients=N, as wrk was told.
#
# wrk does not print the latencies that it saw. It believes that clients who
# wait for a slow answer should have asked more often meanwhile, and adds, for
# each latency n of at least twice the mean interval i, answers that nobody
# got, of n - i, n - 2i and so on as long as they exceed i. What it added
# follows from the latencies themselves, so here it is taken out again, the
# longest first (those below the least latency, wrk does not show). The sum
# must then be the number of responses, which is checked.

BEGIN { FS = "\t" }

$1 == "latency_us" { value[++rows] = $2; seen[$2] = $3; next }
$1 == "end" { ended = 1; next }
NF == 2 && $2 ~ /^[0-9]+$/ { number[$1] = $2 }

END {
    if (!ended || !("requests" in number) || !("duration_us" in number))
        refuse("the output of wrk is not whole")
    if (clients < 1)
        refuse("the number of clients is not set")

    undo_correction()

    for (i = 1; i <= rows; i++)
        sum += seen[value[i]]
    if (sum != number["requests"] - number["timeout"])
        refuse(sprintf("wrk counted %d responses but %d latencies",
                       number["requests"] - number["timeout"], sum))

    failed = number["connect"] + number["read"] + number["write"] \
             + number["status"] + number["timeout"]
    answered = number["requests"] - number["status"] - number["timeout"]
    printf "%d\t%d\t%s\t%s\n", answered, failed, percentile(50), percentile(99)
}

# What wrk's stats_correct() added, taken out again.
function undo_correction(    each, interval, i, n, m) {
    each = int(number["requests"] / clients)
    if (each == 0)
        return
    interval = int(number["duration_us"] / each)
    for (i = rows; i >= 1; i--) {
        n = value[i]
        if (n < 2 * interval || seen[n] == 0)
            continue
        for (m = n - interval; m > interval && m >= value[1]; m -= interval) {
            if (!(m in seen) || seen[m] < seen[n])
                refuse("the latencies of wrk do not add up")
            seen[m] -= seen[n]
        }
    }
}

# The least latency that so many in a hundred did not exceed.
function percentile(share,    i, rank, total) {
    if (sum == 0)
        return "-"
    rank = share * sum / 100
    for (i = 1; i <= rows; i++) {
        total += seen[value[i]]
        if (total >= rank)
            return sprintf("%.1f", value[i] / 1000)
    }
}

function refuse(why) {
    if (!refused)
        print why
    refused = 1
    exit 2
}
