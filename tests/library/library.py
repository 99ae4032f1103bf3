#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libweft as others get it: its headers, its symbols, and what `meson install` puts where.

    library.py headers|symbols|installed BUILD_DIRECTORY

headers    each header compiles by itself, as C17 and as C++17, without a warning, and has a
           comment right in front of each function
symbols    both libraries show weft_* and nothing else, and just what the headers declare;
           inside, and in the program, no name is defined twice
installed  a program finds the installed library by pkg-config, shared and static, and runs; so
           do all examples, and the one in C++
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / 'examples'
HEADERS = sorted((ROOT / 'include/weft').glob('*.h'))
STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Werror', '-fsyntax-only']
LANGUAGES = [['cc', '-xc', '-std=c17', '-Wstrict-prototypes'],
             ['clang++', '-xc++', '-std=c++17', '-Wold-style-cast']]

PROGRAM = r'''
#include <weft/link.h>
#include <weft/version.h>
#include <stdio.h>

int main(void)
{
	struct weft_link *a, *b;
	if (weft_link_pair(4, &a, &b) < 0)
		return 1;
	printf("%s %s\n", weft_version(), weft_link_name(a));
	weft_link_free(a);
	weft_link_free(b);
	return 0;
}
'''


def run(*command, **kwargs):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **kwargs)
    if done.returncode:
        sys.exit(f'{" ".join(map(str, command))}\n{done.stdout}(status {done.returncode})')
    return done.stdout


def undocumented(header):
    """The lines that declare a function with no comment in front."""
    lines = header.read_text().splitlines()
    return [f'{header.name}: {line}' for before, line in zip(lines, lines[1:])
            if line.startswith('WEFT_API') and not before.rstrip().endswith('*/')]


def check_headers(_):
    if bare := [line for header in HEADERS for line in undocumented(header)]:
        sys.exit('not documented: ' + ', '.join(bare))
    for language in LANGUAGES:
        for header in HEADERS:
            run(*language, *STRICT, '-I', ROOT / 'include', '-', input=f'#include "{header}"\n')


def declared():
    """Every function that a header declares with WEFT_API."""
    names = set()
    for header in HEADERS:
        text = re.sub(r'/\*.*?\*/', '', header.read_text(), flags=re.S)
        for statement in re.findall(r'\bWEFT_API\b([^;{]*);', text):
            names.add(re.search(r'\b(weft_\w+)\s*\(', statement)[1])
    return names


def shown(*command):
    """The names of the symbols that nm lists as defined, without their version."""
    lines = [line.split() for line in run(*command).splitlines()]
    return {words[2].split('@')[0] for words in lines if len(words) == 3 and words[1] != 'A'}


def check_symbols(build):
    expected = declared()
    for library, flags in (('libweft.so', ['-D']), ('libweft.a', ['-g'])):
        found = shown('nm', *flags, '--defined-only', build / 'src' / library)
        if found != expected:
            sys.exit(f'{library}: declared and not there: {sorted(expected - found)}; '
                     f'there and not declared: {sorted(found - expected)}')
    if '@@WEFT_' not in run('nm', '-D', '--defined-only', build / 'src/libweft.so'):
        sys.exit('libweft.so: its symbols have no version')
    check_names(build)


def documented_commands():
    """How docs/library.md says that a program is built, shared and static."""
    text = (ROOT / 'docs/library.md').read_text()
    commands = re.findall(r'^    (cc (?:.*\\\n)?.*)$', text, re.M)
    if len(commands) != 2:
        sys.exit(f'docs/library.md: {commands}')
    return commands


def check_names(build):
    """Folders share one space of names; of two in static libraries the linker takes either."""
    lines = run('nm', '-g', '--defined-only', build / 'src/cmd/libweft-cmd.a').splitlines()
    names = collections.Counter(words[2] for line in lines if len(words := line.split()) == 3)
    if not names['weft_version']:
        sys.exit('libweft-cmd.a: the library is not inside')
    if twice := sorted(name for name, n in names.items() if n > 1):
        sys.exit(f'defined twice: {twice}')


def check_installed(build):
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        run('meson', 'install', '-C', build, '--no-rebuild', '--destdir', root)
        found = next(root.glob('**/weft.pc')).parent
        where = {**os.environ, 'PKG_CONFIG_PATH': str(found), 'PKG_CONFIG_SYSROOT_DIR': scratch,
                 'LD_LIBRARY_PATH': str(found.parent)}
        (root / 'program.c').write_text(PROGRAM)
        for is_shared, command in zip((True, False), documented_commands()):
            run('sh', '-ec', command, cwd=root, env=where)
            words = run(root / 'program', env=where).split()
            if len(words) != 2 or words[1] != 'pair-a':
                sys.exit(f'the program said {words}')
            if ('libweft.so' in run('ldd', root / 'program', env=where)) != is_shared:
                sys.exit(f'the program {"does without" if is_shared else "needs"} libweft.so')

        flags = run('pkg-config', '--cflags', '--libs', 'weft', env=where).split()
        build_examples(root / 'program', flags, where)


def build_examples(program, flags, where):
    """Each as it stands, with no more than pkg-config says; those that need nobody are run."""
    warnings = ['-Wall', '-Wextra', '-Werror']
    for source in sorted(EXAMPLES.glob('*.c')):
        uses_uv = '<uv.h>' in source.read_text()
        uv = run('pkg-config', '--cflags', '--libs', 'libuv').split() if uses_uv else []
        run('cc', *warnings, source, '-o', program, *flags, *uv)
        if source.stem == 'in_memory':
            run(program, env=where)
    run('clang++', '-std=c++17', *warnings, EXAMPLES / 'cxx.cpp', '-o', program, *flags)
    said = run(program, env=where)
    if not re.fullmatch(r'a frame of more than 14 bytes\n.*nonsense.*\n', said):
        sys.exit(f'cxx said {said}')


{'headers': check_headers, 'symbols': check_symbols,
 'installed': check_installed}[sys.argv[1]](pathlib.Path(sys.argv[2]))
