#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""weft's manual pages, of what `weft help` says: the program is the one place that explains it.

    pages.py WEFT DIRECTORY PAGE...      such as weft.1 weft-join.1 weft-links.7

Each command has to have a page, and each page a command: a list that is not true is an error.
"""
import itertools
import pathlib
import re
import subprocess
import sys

# Of `weft help COMMAND`: `  -c, --count N           end after N frames`, or the option alone
# where it is too long and what it does begins in the next line.
OPTION = re.compile(r'  (?:(-\w), |    )(--[\w-]+)(?: (.*))?$')
HELP_COLUMN = 26
EXIT_STATUS = re.compile(r'^Exit status: (.*)$', re.M)


def escape(text):
    """Text as roff takes it: nothing in it is a request."""
    text = text.replace('\\', r'\e').replace('-', r'\-').replace("'", r'\(aq')
    return r'\&' + text if text.startswith('.') else text


def prose(lines):
    """Lines of a paragraph, with what stands between backquotes in bold, over line ends as well."""
    return re.sub(r'`([^`]*)`', r'\\fB\1\\fR', '\n'.join(map(escape, lines)))


def body(text):
    """Paragraphs. Command lines, and lines that are indented, are not filled."""
    lines = []
    for paragraph in text.strip('\n').split('\n\n'):
        is_commands = paragraph.startswith('weft ')
        lines.append('.PP')
        for as_it_is, run in itertools.groupby(
                paragraph.splitlines(), lambda line: is_commands or line.startswith('  ')):
            lines += ['.nf', *map(escape, run), '.fi'] if as_it_is else [prose(run)]
    return '\n'.join(lines) + '\n'


def option(line):
    """(letter, name, value, the help behind it) of a line that begins an option, or None."""
    left, right = line[:HELP_COLUMN], line[HELP_COLUMN:]
    if not left.endswith(' ') and len(line) > HELP_COLUMN:
        left, right = line, ''
    found = OPTION.match(left.rstrip())
    return (*found.groups(), right) if found else None


def options(text):
    lines = ['.SH OPTIONS']
    for line in text.splitlines():
        if begun := option(line):
            letter, name, value, explained = begun
            names = [rf'\fB{escape(n)}\fR' for n in (letter, name) if n]
            lines += ['.TP', ', '.join(names) + (rf' \fI{escape(value)}\fR' if value else '')]
            lines += [prose([explained])] if explained else []
        else:
            lines.append(prose([line.strip()]))
    return '\n'.join(lines) + '\n'


def head(page, summary):
    name, section = page.rsplit('.', 1)
    return (f'.TH {escape(name.upper())} {section} "" "{WEFT_VERSION}" "weft"\n'
            f'.SH NAME\n{escape(name)} \\- {escape(summary)}\n')


def command_page(page, summary, said):
    """usage, what it does, its options, and notes, with an empty line between them."""
    usage, _, rest = said.partition('\n\n')
    does, _, rest = rest.partition('\n\n')
    listed, _, notes = rest.partition('\n\n')
    if not usage.startswith('usage: '):
        return head(page, summary) + '.SH DESCRIPTION\n' + body(indented(said))
    return (head(page, summary) + f'.SH SYNOPSIS\n{escape(usage.removeprefix("usage: "))}\n'
            '.SH DESCRIPTION\n' + body(does) + options(listed) +
            ('.SH NOTES\n' + body(notes) if notes else ''))


def indented(text):
    """tapserver's help is laid out as tapserver's is: it stays so."""
    return '\n'.join('  ' + line if line else '' for line in text.splitlines())


def main_page(page, said):
    usage, _, does = said.partition('\n\n')
    return (head(page, 'one Ethernet for machines anywhere') +
            f'.SH SYNOPSIS\n{escape(usage.removeprefix("usage: "))}\n'
            '.SH DESCRIPTION\n' + body(EXIT_STATUS.sub('', does)))


def weft(*words):
    """What it says: on standard error where tapserver does so."""
    return subprocess.run([WEFT, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=True).stdout


def summaries():
    """{command: what it does}, and the words that tunnel has."""
    found = dict(re.findall(r'^  ([a-z]+) +(.*)$', weft('help'), re.M))
    words = re.findall(r'^  weft (tunnel [a-z]+) .*?  +(.*)$', weft('help', 'tunnel'), re.M)
    return found | dict(words)


def make(page, known):
    words = page.rsplit('.', 1)[0].split('-')[1:]
    command = ' '.join(words)
    if not words:
        return main_page(page, weft('help'))
    if command == 'links':
        return (head(page, 'what weft can join, and how it is written') +
                '.SH DESCRIPTION\n' + body(weft('help', 'links')))
    return command_page(page, known[command], weft('help', *words))


def foot(page, pages, status):
    others = pages if page == 'weft.1' else ['weft.1', 'weft-links.7']
    named = [other.rsplit('.', 1) for other in others if other != page]
    return (f'.SH EXIT STATUS\n{escape(status)}\n.SH SEE ALSO\n' +
            ',\n'.join(rf'\fB{escape(name)}\fR({section})' for name, section in named) + '\n')


WEFT, directory, *pages = sys.argv[1:]
WEFT_VERSION = weft('version').splitlines()[0]
known = summaries()
wanted = {'weft.1', 'weft-links.7'} | {f'weft-{name.replace(" ", "-")}.1' for name in known}
if wrong := wanted ^ set(pages):
    sys.exit(f'packaging/manual/meson.build: {", ".join(sorted(wrong))}: '
             'each command has a page, and each page a command')
status = EXIT_STATUS.search(weft('help'))[1]
for page in pages:
    text = make(page, known) + foot(page, pages, status)
    (pathlib.Path(directory) / page).write_text(text)
