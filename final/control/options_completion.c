/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The table of settings for bash: which flags there are, and what may stand
 * behind each. What comes out is a script that needs nothing but bash; it goes
 * to share/bash-completion/completions, where bash looks when it is wanted.
 *
 *     the last word         what is offered
 *     the first one         flags, and the words that are no flags
 *     behind a flag, or =   words, true and false, files; nothing for a number
 *     any other             flags
 */
#include "control/options.h"

static const char start[] =
    "# bash completion for steelyard                          -*- sh -*-\n"
    "# Printed by `steelyard --print-reference completion`.\n"
    "\n";

static const char middle[] =
    "_steelyard()\n"
    "{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} last=$((COMP_CWORD - 1))\n"
    "    local words='' files=no assigned=no offer\n"
    "\n"
    "    # Bash takes --flag=value apart: the = is a word of its own.\n"
    "    if [ \"$word\" = = ]; then\n"
    "        word='' assigned=yes\n"
    "    elif [ \"${COMP_WORDS[last]}\" = = ]; then\n"
    "        last=$((last - 1)) assigned=yes\n"
    "    fi\n"
    "    case ${COMP_WORDS[last]/#--/-} in\n";

static const char end[] =
    "    esac\n"
    "    [ \"$COMP_CWORD\" -eq 1 ] || case ${COMP_WORDS[1]} in\n";

static const char last[] =
    "    esac\n"
    "    case $words in\n"
    "    none) words='' ;;\n"
    "    '') words=$(_steelyard_flags) ;;\n"
    "    esac\n"
    "    COMPREPLY=()\n"
    "    while IFS='' read -r offer; do\n"
    "        COMPREPLY+=(\"$offer\")\n"
    "    done < <(compgen -W \"$words\" -- \"$word\"\n"
    "        [ $files = no ] || compgen -f -- \"$word\")\n"
    "    [ $files = no ] || compopt -o filenames 2>/dev/null\n"
    "}\n"
    "complete -F _steelyard steelyard\n";

/** The words of a setting, if it has some. */
static void print_choice(enum setting setting, FILE *out)
{
    const char *word;

    fprintf(out, "    -%s) words='", setting_row(setting)->flag);
    for (unsigned i = 0; (word = setting_word(setting, i)) != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "" : " ", word);
    fputs("' ;;\n", out);
}

/** What may stand behind the flag of a setting. */
static void print_setting(enum setting setting, FILE *out)
{
    const struct setting_row *row = setting_row(setting);

    if (row->kind == SETTING_IS_CHOICE)
        print_choice(setting, out);
    else if (row->kind == SETTING_IS_SINK)
        fprintf(out, "    -%s) words='off stdout stderr' files=yes ;;\n",
                row->flag);
    else if (row->kind == SETTING_IS_BOOL)
        fprintf(out, "    -%s) [ $assigned = no ] || words='true false' ;;\n",
                row->flag);
    else
        fprintf(out, "    -%s) words=none ;;\n", row->flag);
}

static void print_flags(FILE *out)
{
    fputs("_steelyard_flags()\n{\n    echo '", out);
#define X(name, flag, form, help) fputs("--" flag "\n", out);
    OPTIONS_COMMANDS(X)
#undef X
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);

        fprintf(out, "--%s\n", row->flag);
        if (row->kind == SETTING_IS_BOOL)
            fprintf(out, "--no-%s\n", row->flag);
    }
    fputs("'\n    [ \"$COMP_CWORD\" -gt 1 ] || echo '", out);
#define X(name, flags, help) fputs(name "\n", out);
    OPTIONS_SUBCOMMANDS(X)
#undef X
    fputs("'\n}\n\n", out);
}

void options_print_completion(FILE *out)
{
    fputs(start, out);
    print_flags(out);
    fputs(middle, out);
    fputs("    -config) words=none files=yes ;;\n"
          "    -print-reference) words='man markdown completion' ;;\n",
          out);
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        print_setting(i, out);
    fputs(end, out);
#define X(name, flags, help) fputs("    " name ") words='" flags "' ;;\n", out);
    OPTIONS_SUBCOMMANDS(X)
#undef X
    fputs(last, out);
}
