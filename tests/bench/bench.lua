-- SPDX-License-Identifier: MIT
-- Copyright (c) 2026 the Steelyard authors
--
-- What wrk is told for `make bench`: only to print, at the end, what it has
-- counted, in one line for load.c to read.

function done(summary)
    local errors = summary.errors

    io.write(("bench\trequests %d\tbytes %d\tconnect %d\tread %d\twrite %d"
        .. "\tstatus %d\ttimeout %d\n"):format(summary.requests,
        summary.bytes, errors.connect, errors.read, errors.write,
        errors.status, errors.timeout))
end
