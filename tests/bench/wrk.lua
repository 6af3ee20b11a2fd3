-- SPDX-License-Identifier: MIT
-- Copyright (c) 2026 the Steelyard authors
--
-- What wrk is told for `make measure`: a client rests 10 ms between an answer
-- and its next request; and at the end all that was counted is printed as
-- lines "name TAB number", for wrk.awk to read.

function delay()
    return 10
end

function done(summary, latency)
    local errors = summary.errors
    local line = "%s\t%d\n"

    io.write(line:format("requests", summary.requests))
    io.write(line:format("duration_us", summary.duration))
    for _, kind in ipairs({"connect", "read", "write", "status", "timeout"}) do
        io.write(line:format(kind, errors[kind]))
    end
    for i = 1, #latency do
        io.write(("latency_us\t%d\t%d\n"):format(latency(i)))
    end
    io.write("end\n")
end
