# SPDX-License-Identifier: MIT
"""Fails if docs/parity/twisted-pair.md names a test that does not exist, or leaves out a row.

A row names a test as `folder/program` followed by the test's function in backticks; functions
after it belong to the same program.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / 'docs/parity/twisted-pair.md'
ROWS = 82


def functions(program):
    """The tests that tests/folder/program.c lists, with those it takes from a shared header."""
    path = ROOT / 'tests' / f'{program}.c'
    text = path.read_text()
    listed = text[text.index('int main('):]
    if 'DEVICE_TESTS(' in listed:
        listed += (ROOT / 'tests/link/device.h').read_text()
    return set(re.findall(r'\w+', listed))


def main():
    known, wrong, numbers, named = {}, [], [], 0
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if not line.startswith('|') or len(cells) < 2:
            continue
        if cells[0].isdigit():
            numbers.append(int(cells[0]))
        programs = []
        for word in re.findall(r'`\w+`|\b(?:link|platform|port)/\w+\b', cells[-1]):
            if '/' in word:
                programs = programs + [word] if word_follows_word(cells[-1], word) else [word]
                known.setdefault(word, functions(word))
            elif programs and '_' in word:
                named += 1
                wrong += [f'{p} has no {word}' for p in programs if word.strip('`') not in known[p]]
    if numbers != list(range(1, ROWS + 1)):
        wrong.append(f'the rows are not 1 to {ROWS}')
    print('\n'.join(wrong) or f'{len(numbers)} rows, {named} tests named, all there')
    return bool(wrong)


def word_follows_word(cell, word):
    """True if a program stands behind another and a comma: the test is in both."""
    return re.search(rf'/\w+, {re.escape(word)}', cell) is not None


if __name__ == '__main__':
    sys.exit(main())
