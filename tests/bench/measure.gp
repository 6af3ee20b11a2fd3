# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# The picture of `make measure`. Set `dir`, where the tables are. A column for
# each load; a bar for each chapter, with its number written on it.
#
# Columns of a table: 1 load, 2 chapter, 3 policy, 4 seconds, 5 answered,
# 6 failed, 7 8 9 per backend, 10 median ms, 11 99th percentile ms, 12 threads,
# 13 memory in KiB.

set encoding utf8
set terminal svg size 1000,920 fixed background "#ffffff" \
    font "Helvetica,Arial,sans-serif,13"
set datafile separator "\t"

share(part, whole) = whole > 0 ? 100.0 * part / whole : 0
short(v) = v == 0 ? "0" : v < 9.95 ? sprintf("%.1f", v) : sprintf("%.0f", v)
whole(v) = sprintf("%.0f", v)
max(a, b) = a > b ? a : b
count(c) = valid(c) ? column(c) : 0 # a chapter may have had no such backend

array table[3] = [dir."/steady.tsv", dir."/slow.tsv", dir."/killed.tsv"]
array load[3] = ["steady", "one of three backends is slow", \
                 "one of three is killed, and back later"]

# What a panel shows. The first three rows show the same under each load; the
# last shows what is worth a look under one.
rate = "($5 / $4)"
fail = "(share($6, $5 + $6))"
first = "(share($7, $7 + count(8) + count(9)))"
array value[12] = [rate, rate, rate, fail, fail, fail, "11", "11", "11", \
                   "12", first, "($13 / 1024.0)"]
array name[12] = ["answered in a second", "", "", "failed, in %", "", "", \
                  "99 of 100 were done within, in ms", "", "", \
                  "threads, at most", \
                  "went to the slow one, in %", \
                  "memory in MiB, at most"]
array colour[4] = ["#2b6cb0", "#c53030", "#a8650f", "#5a6778"]

# How high a panel must be. The panels of the first two rows are compared with
# their neighbours, so they have one measure.
array highest[12]
do for [i = 1 : 12] {
    eval "stats table[(i - 1) % 3 + 1] using ".value[i]." nooutput"
    highest[i] = STATS_max
}
do for [i = 1 : 4 : 3] {
    top = max(max(highest[i], highest[i + 1]), max(highest[i + 2], 1))
    do for [k = i : i + 2] { highest[k] = top }
}
chapters = STATS_records
digits = chapters > 10 ? ",8" : ",11" # or they run into each other
names = ""
stats table[1] using (names = names." ".strcol(2), 1) nooutput

set key off
set border 1 linecolor rgb "#777777"
set xtics scale 0 nomirror font ",11" textcolor rgb "#333333" offset 0,0.4
unset ytics
set boxwidth 0.74
set style fill solid noborder
set xrange [-0.6 : chapters - 0.4]

set multiplot
do for [i = 1 : 12] {
    row = (i - 1) / 3 + 1
    col = (i - 1) % 3 + 1
    left = 0.025 + (col - 1) * 0.328
    top = 0.885 - (row - 1) * 0.214
    set lmargin at screen left
    set rmargin at screen left + 0.295
    set tmargin at screen top
    set bmargin at screen top - 0.140
    unset label
    if (i == 1) { # what the numbers of the chapters mean, in two lines
        half = (chapters + 1) / 2
        do for [k = 1 : chapters] {
            set label word(names, k) at screen \
                0.025 + ((k - 1) % half) * 0.98 / half, \
                0.048 - ((k - 1) / half) * 0.022 \
                font ",12" textcolor rgb "#333333"
        }
    }
    if (row == 1) {
        set label load[col] at screen left, 0.965 \
            font ",16" textcolor rgb "#111111"
    }
    title = strlen(name[i]) ? name[i] : name[(row - 1) * 3 + 1]
    set label title at screen left, top + 0.022 textcolor rgb colour[row]
    set yrange [0 : highest[i] * 1.2]
    bar = "table[col] using 0:".value[i]
    text = "($".value[i].")"
    if (value[i][1:1] eq "(") { text = value[i] }
    print_it = row == 4 && col == 1 ? "whole" : "short"
    eval "plot ".bar.":xtic(strcol(2)[1:2]) with boxes" \
        ." linecolor rgb colour[row]," \
        ."table[col] using 0:".value[i].":(".print_it."(".text."))" \
        ." with labels offset 0,0.6 font digits textcolor rgb '#222222'"
}
unset multiplot
