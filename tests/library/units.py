#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The units for systemd: what they start is what weft understands, and what they allow is what
they say; systemd itself looks at them where it is.

    units.py BUILD_DIRECTORY
"""
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

UNITS = pathlib.Path(__file__).resolve().parents[2] / 'packaging/systemd'
BIN = pathlib.Path(sys.argv[1]) / 'src/cmd'
HARDENED = ['LockPersonality', 'MemoryDenyWriteExecute', 'NoNewPrivileges', 'PrivateTmp',
            'ProtectClock', 'ProtectControlGroups', 'ProtectHostname', 'ProtectKernelLogs',
            'ProtectKernelModules', 'ProtectKernelTunables', 'RestrictNamespaces',
            'RestrictRealtime', 'RestrictSUIDSGID']


def options_of(unit):
    """The assignments of a unit, by name: each a list."""
    found = {}
    for line in unit.read_text().splitlines():
        if line and line[0] not in '#;[':
            name, value = line.split('=', 1)
            found.setdefault(name, []).append(value)
    return found


def weft(*words):
    done = subprocess.run([BIN / 'weft', *words], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def check_command(line):
    """A verb that is there, and operands that it takes: it is left at --help alone."""
    program, verb, *operands = shlex.split(line)
    assert program == '@bindir@/weft', line
    status, said = weft(verb, '--help')
    assert status == 0 and said.startswith(f'usage: weft {verb}'), said
    usage = said.splitlines()[0]
    assert bool(operands) == (']' in usage or len(usage.split()) > 3), usage


def check_example(unit):
    """The options that a unit's comment shows are options."""
    for shown in re.findall(r'^#.*_OPTIONS=(.*)', unit.read_text(), re.M):
        said = weft('relay', '--help')[1]
        for option in re.findall(r'--[\w-]+', shown):
            assert f'{option} ' in said, option


def check_own(unit):
    options = options_of(unit)
    for name in ('ExecStart', 'ExecReload'):
        for line in options.get(name, []):
            check_command(line)
    check_example(unit)
    assert [name for name in HARDENED if options.get(name) != ['yes']] == []
    assert options['ProtectSystem'] == ['strict']
    assert options['UMask'] == ['0077']
    assert options['Type'] == ['exec']  # weft tells nobody that it is ready
    assert options['RuntimeDirectory'][0].split('-')[0] == 'weft'  # cli/remote.h
    assert options.get('StateDirectory', ['weft']) == ['weft']
    return options


def verify():
    """As systemd does, with the program that was built in the place of the installed one."""
    with tempfile.TemporaryDirectory() as directory:
        made = []
        for unit in UNITS.glob('*.in'):
            path = pathlib.Path(directory) / unit.stem.replace('@.', '@office.')
            path.write_text(unit.read_text().replace('@bindir@', str(BIN)))
            made.append(path)
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', *made], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        ours = [line for line in done.stdout.splitlines() if 'weft' in line]
        assert done.returncode == 0 and ours == [], done.stdout


relay = check_own(UNITS / 'weft-relay.service.in')
assert relay['DynamicUser'] == ['yes']
for name in ('AmbientCapabilities', 'CapabilityBoundingSet'):
    assert relay[name] == ['CAP_NET_BIND_SERVICE']  # its port is 443
tunnel = check_own(UNITS / 'weft-tunnel@.service.in')
assert 'CAP_NET_ADMIN' in tunnel['CapabilityBoundingSet'][0].split()
assert tunnel['RuntimeDirectoryPreserve'] == ['yes']
if shutil.which('systemd-analyze'):
    verify()
print(f'{len(list(UNITS.glob("*.in")))} units are right')
