# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# gnuplot's picture, with a title and a description for those who do not see
# it. The first file is one of the tables, the second is the picture.

FNR == NR {
    split($0, column, "\t")
    chapters = chapters (chapters == "" ? "" : ", ") column[2]
    next
}

/^ *viewBox=/ { print " role=\"img\" aria-labelledby=\"title desc\"" }
/^<title>/ {
    print "<title id=\"title\">The same three loads on every chapter</title>"
    next
}
/^<desc>/ {
    print "<desc id=\"desc\">Bars, one for each chapter, under three loads:"
    print "steady, with one slow backend, and with one backend killed and"
    print "started again. They show how many requests were answered in a"
    print "second, how many failed, and how long 99 of 100 took at most; below,"
    print "threads, the slow backend's share, and memory. Chapters:"
    print chapters ".</desc>"
    next
}

# gnuplot gives its plots names that say nothing.
{
    gsub(/<title>[^<]*<\/title>/, "")
    gsub(/ id="gnuplot_plot_[0-9]*[a-z]*"/, "")
    print
}
