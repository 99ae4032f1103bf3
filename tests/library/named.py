#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails if a table of docs/ names a test that does not exist, or has a row without one.

It reads each table with a column "proved by" or "test". There a test is named by its file
under tests/ and its functions in backticks, which belong to the file before them:

    config/token.c `hashes_are_those_of_the_original`; T `test_two_ends[IPv4]`, `test_tcp`

T stands for a file, or for a folder (then a file follows, or names of packetdrill scripts), and is
declared above the table: "`T` is e2e/test_tunnel.py, `K` packetdrill/tcp/". A row that has no test
says so: "no test: why", or has "–" in its last column. (docs/parity/twisted-pair.md is looked after
by tests/port/parity.py.)
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / 'tests'
COLUMNS = ('proved by', 'test')
PAGES = sorted(set((ROOT / 'docs').rglob('*.md')) - {ROOT / 'docs/parity/twisted-pair.md'})
WORD = re.compile(r'(?<![`\w/])(?P<path>[\w./-]+\.(?:c|py))'
                  r'|(?<![`\w])(?P<letter>[A-Z]{1,2})(?![\w`])'
                  r'|`(?P<name>[a-z][a-z0-9_]*)(?:\[[^`]*\])?`'
                  r'|(?<![`\w/])(?P<script>[a-z]+_[\w*]*)')
PLACE = r'\w[\w./-]*(?:\.c|\.py|/)'
DECLARED = re.compile(rf'((?:`[A-Z]{{1,2}}`(?:, | and )?)+) ?(?:is |are )?'
                      rf'((?:{PLACE}(?:, | and )?)+)')


class Page:
    def __init__(self, path):
        self.path, self.letters, self.wrong, self.named = path, {}, [], 0
        self.column = None

    def fault(self, row, what):
        self.wrong.append(f'{self.path.relative_to(ROOT)}: {what} (| {row} |)')

    def declare(self, paragraph):
        """Takes in what letters stand for: `C`, `S` and `R` are e2e/a.py, b.py and c.py."""
        for letters, places in DECLARED.findall(' '.join(paragraph.split())):
            folder = ''
            for letter, place in zip(re.findall(r'[A-Z]+', letters), re.findall(PLACE, places)):
                folder = place.rpartition('/')[0] or folder
                self.letters[letter] = place if '/' in place else f'{folder}/{place}'

    def find(self, row, place):
        """The text of a file of tests, or None."""
        if not (TESTS / place).is_file():
            place = f'e2e/{place}'
        if (TESTS / place).is_file():
            return (TESTS / place).read_text()
        self.fault(row, f'there is no tests/{place}')
        return None

    def check_name(self, row, text, name):
        """A test is there if it is defined, and in C also listed."""
        self.named += 1
        pattern, least = (rf'^\s*def {name}\(', 1) if name.startswith('test_') and 'def ' in text \
            else (rf'\b{name}\b', 2)
        if len(re.findall(pattern, text, re.M)) < least:
            self.fault(row, f'there is no {name}')

    def check_cell(self, row, cell):
        """Follows the cell from left to right; returns whether it proves anything."""
        folder, text, proof = '', None, False
        for word in WORD.finditer(cell):
            if word['letter'] in self.letters:
                place = self.letters[word['letter']]
                folder = place if place.endswith('/') else ''
                text = None if folder else self.find(row, place)
            elif word['path']:
                place = word['path']
                text = self.find(row, place if '/' in place else folder + place)
            elif word['name'] and text:
                self.check_name(row, text, word['name'])
            elif word['name']:
                self.fault(row, f'of no file: {word["name"]}')
            elif word['script'] and folder and not list(TESTS.glob(f'{folder}{word["script"].rstrip("*")}*')):
                self.fault(row, f'there is no tests/{folder}{word["script"]}')
            else:
                continue
            proof = True
        return proof

    def read_row(self, line):
        cells = [cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
        row = cells[0] or cells[1]
        found = [i for i, cell in enumerate(cells) if cell in COLUMNS]
        if found:
            self.column = found[0]
        elif self.column is not None and not set(''.join(cells)) <= set('-: '):
            cell = cells[self.column]
            if not self.check_cell(row, cell) and '–' not in cells[-1] and \
                    not re.search(r'no test: \S', cell):
                self.fault(row, 'no test, and no word why')

    def read(self):
        text = re.sub(r'^```.*?^```', '', self.path.read_text(), flags=re.M | re.S)
        for block in re.split(r'\n\n|\n(?=\|)|(?<=\|)\n(?!\|)', text):
            if block.startswith('|'):
                self.read_row(block)
            else:
                self.column = None
                self.declare(block)
        return self


def main():
    pages = [Page(path).read() for path in PAGES]
    wrong = [fault for page in pages for fault in page.wrong]
    print('\n'.join(wrong) or f'{sum(page.named for page in pages)} tests are named, all are there')
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main())
