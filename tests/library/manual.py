#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual and the completion: both are made of what `weft help` says, and leave nothing out.

    manual.py pages|completion BUILD_DIRECTORY

pages       groff finds nothing wrong with any, and each shows every option of its command
completion  bash is offered each command, all its options, the words of one that has such, and
            the kinds of links
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[2])
PAGES = BUILD / 'packaging/manual'
OPTION = re.compile(r'^ +(?:-., )?(--[\w-]+)', re.M)


def run(*command, **kwargs):
    """What it prints; that it says more, or fails, is an error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, **kwargs)
    assert done.returncode == 0 and not done.stderr, f'{command}: {done.stdout}{done.stderr}'
    return done.stdout


def weft_help(*words):
    """tapserver's is on standard error, as tapserver's is."""
    return subprocess.run([BUILD / 'src/cmd/weft', 'help', *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=True).stdout


def commands():
    return re.findall(r'^  ([a-z]+) ', weft_help(), re.M)


def options(*words):
    return sorted(set(OPTION.findall(weft_help(*words))))


def rendered(page):
    return run('groff', '-man', '-Tascii', '-P-cbou', '-ww', str(PAGES / page))


def check_pages():
    words = [(command,) for command in commands()]
    for command in words + [('tunnel', word) for word in ('client', 'server', 'token')]:
        shown = re.findall(r'--[\w-]+', rendered(f'weft-{"-".join(command)}.1'))
        missing = set(options(*command)) - set(shown)
        assert not missing, f'{command}: {missing}'
    assert set(commands()) <= set(rendered('weft.1').split())
    links = rendered('weft-links.7')
    for kind in re.findall(r'^  ([a-z-]+:)', weft_help('links'), re.M):
        assert f' {kind}' in links, kind


def offered(*words):
    """What bash is offered for the last one of a command line."""
    line = ' '.join(map(shlex.quote, words))
    script = (f'. {shlex.quote(str(ROOT / "packaging/completions/weft"))}\n'
              f'COMP_WORDS=({line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n'
              f'_weft weft "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"\n'
              'printf "%s\\n" "${COMPREPLY[@]}"\n')
    path = f'{BUILD / "src/cmd"}:{os.environ["PATH"]}'
    return sorted(set(run('bash', '-c', script, env={**os.environ, 'PATH': path}).split()))


def check_completion():
    assert offered('weft', '') == sorted(commands())
    for command in commands():
        assert offered('weft', command, '--') == options(command), command
    assert offered('weft', 'tunnel', 'server', '--') == options('tunnel', 'server')
    assert offered('weft', 'tunnel', '') == ['client', 'server', 'token']
    assert offered('weft', 'help', 'li') == ['links']
    assert offered('weft', 'join', '--cc', '') == ['bbr', 'cubic', 'reno']
    assert offered('weft', 'join', '--cc', '=', 'r') == ['reno']
    assert offered('weft', 'join', '-a', '') == ['auto', 'dhcp', 'none']
    assert offered('weft', 'dump', 'pac') == ['packet:']
    assert offered('weft', 'join', '--link', 'tu') == ['tun:', 'tunnel:']
    assert offered('weft', 'dump', 'packet', ':', 'l') == ['lo']
    assert offered('weft', 'dump', 'pcap', ':', 'c') == []
    assert offered('weft', 'dump', 'capture', ':', 'f', ':', 'pa') == ['packet:']
    assert offered('weft', 'kick', 't') == []


{'pages': check_pages, 'completion': check_completion}[sys.argv[1]]()
print(f'{sys.argv[1]}: nothing is missing')
