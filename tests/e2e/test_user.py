# SPDX-License-Identifier: MIT
"""weft join --user: a host of its own in a process, by nobody, on a machine left as it is.

    programs --- SOCKS, --forward, --expose --- join --user ---.
                                                               '--- relay --- gateway --- server
"""
import os
import pathlib
import random
import re
import shlex
import time

import party as p
import pytest

UNPRIVILEGED = 'setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all'
PLAYER = '192.168.77.60'


@pytest.fixture
def room(party, tmp_path):
    """A relay, and a gateway to a LAN with DHCP and a web server; no player yet."""
    party.directory = f'/run/user-{time.monotonic_ns()}'
    pathlib.Path(party.directory).mkdir()
    os.chmod(party.directory, 0o777)
    party.data = random.Random(5).randbytes(3_000_000)
    (tmp_path / 'file').write_bytes(party.data)
    party.run('player', 'ip link set lo up')
    party.start_dhcp()
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    web = party.start('server', f'/usr/bin/python3 -u -m http.server -b {p.SERVER} -d {tmp_path} '
                      '8000')
    web.wait_for('Serving HTTP')
    return party


def join(room, options, address='dhcp'):
    process = p.Weft(room, 'player', f'{UNPRIVILEGED} {p.WEFT} join --user --json --state '
                     f'{room.directory}/player --address {address} '
                     f'{shlex.quote(room.invitation)} {options}', env={'TERM': 'dumb'})
    room.processes.append(process)
    process.wait_event('address')
    return process


def fetch(room, how, url=f'http://{p.SERVER}:8000/file'):
    """What curl gets with those options, as a file's contents."""
    target = f'{room.directory}/got'
    room.run('player', f'curl -sS --max-time 60 -o {target} {how} {url}')
    return pathlib.Path(target).read_bytes()


def test_socks_to_a_server_on_the_lan(room):
    """By an address of the LAN's DHCP; nothing is seen of it on this machine."""
    process = join(room, '--socks 1080')
    status = pathlib.Path(f'/proc/{process.popen.pid}/status').read_text(encoding='utf-8')
    assert re.search(r'^Uid:\s+65534\s+65534', status, re.M)
    assert re.search(r'^CapEff:\s+0+$', status, re.M)
    assert process.events('address')[0]['from'] == 'DHCP'
    assert fetch(room, '--socks5 127.0.0.1:1080') == room.data
    assert 'tap' not in room.run('player', 'ip -d -br link')
    assert process.stop() == 0


def test_forward_to_a_server_on_the_lan(room):
    join(room, f'--forward tcp:8080={p.SERVER}:8000')
    assert fetch(room, '', 'http://127.0.0.1:8080/file') == room.data
