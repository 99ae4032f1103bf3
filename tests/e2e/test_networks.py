# SPDX-License-Identifier: MIT
"""Programs of weft that are in a room, or at the end of a tunnel, by themselves: --link weft://...

    weft ping, nc, echo, http, dump    by nobody, on player
          '--- relay --- weft join     a TAP, on player2
          '--- relay --- gateway --- server with DHCP
          '--- hub                     a tunnel's server
"""
import json
import os
import pathlib
import random
import re
import shlex
import time

import netlab
import party as p
import pytest
import tunnels
from test_user import UNPRIVILEGED
from tunnels import lab, tunnel  # noqa: F401 (a fixture)


@pytest.fixture
def room(party):
    """A relay with a room that has no LAN; player2 is in it."""
    party.directory = f'/run/networks-{time.monotonic_ns()}'
    pathlib.Path(party.directory).mkdir()
    os.chmod(party.directory, 0o777)
    party.start_relay()
    party.other = party.start_player('player2').wait_event('address')['address'].split('/')[0]
    return party


def program(party, words, link=None, host='player'):
    """Starts one as nobody, in the party's room."""
    process = p.Weft(party, host, f'{UNPRIVILEGED} {p.WEFT} {words} --json --link '
                     f'{shlex.quote(link or party.invitation)}', env={'TERM': 'dumb'})
    party.processes.append(process)
    return process


def run(party, words, link=None, host='player', stdin='/dev/null', check=True):
    """Runs one as nobody to its end."""
    link = shlex.quote(link or party.invitation)
    return party.run(host, f'sh -c {shlex.quote(f"{UNPRIVILEGED} {p.WEFT} {words} --link {link} <{stdin}")}',
                     check=check)


def address_of(process):
    return process.wait_event('address', seconds=40)['address'].split('/')[0]


def test_ping_in_a_room(room):
    said = run(room, f'ping -c 3 -i 100ms {room.other}')
    assert '3 packets transmitted' in said and 'joined room party' in said
    assert not re.search(r'tap|tun', room.run('player', 'ip -br link'))


def test_no_secret_is_left_to_be_seen(room):
    """The invitation's secret is blanked; in a file it need not be there at all."""
    secret = room.invitation.split('#')[1]
    path = pathlib.Path(room.directory, 'invitation')
    path.write_text(room.invitation + '\n', encoding='utf-8')
    for link in (room.invitation, f'weft:@{path}', f'impair:delay=1ms:{room.invitation}'):
        process = program(room, 'echo', link)
        address_of(process)
        words = pathlib.Path(f'/proc/{process.popen.pid}/cmdline').read_text(encoding='utf-8')
        assert secret not in words and secret not in process.output()
        assert process.stop() == 0


def test_echo_in_a_room(room):
    echo = program(room, 'echo')
    here = address_of(echo)
    assert echo.wait_event('ready')['link'] == 'room party'
    status = pathlib.Path(f'/proc/{echo.popen.pid}/status').read_text(encoding='utf-8')
    assert re.search(r'^Uid:\s+65534\s+65534', status, re.M)
    assert re.search(r'^CapEff:\s+0+$', status, re.M)
    room.until(lambda: '1 received' in room.run('player2', f'ping -c1 -W1 {here}', check=False), 40)
    assert room.run('player2', f'sh -c "echo hello there | nc -N -w 20 {here} 7"') == 'hello there\n'


def test_files_in_a_room_by_name(room):
    """A web server under a member's name: from a TAP by its address, from a program by name."""
    data = random.Random(3).randbytes(3_000_000)
    folder = pathlib.Path(room.directory, 'files')
    folder.mkdir()
    (folder / 'file').write_bytes(data)
    server = program(room, f'http --name files {folder}')
    here = address_of(server)
    server.wait_event('ready')
    got = f'{room.directory}/got'
    room.run('player2', f'curl -sS --max-time 60 -o {got} http://{here}/file')
    assert pathlib.Path(got).read_bytes() == data
    request = pathlib.Path(room.directory, 'request')
    request.write_bytes(b'GET /file HTTP/1.1\r\nHost: files\r\nConnection: close\r\n\r\n')
    run(room, f'nc --name reader files 80 >{got} 2>/dev/null', stdin=request)
    assert pathlib.Path(got).read_bytes().endswith(b'\r\n\r\n' + data)


def test_a_room_with_a_lan(party):
    """The address is the LAN's DHCP server's."""
    party.start_dhcp()
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    said = run(party, f'ping -c 2 -i 100ms {p.SERVER}')
    assert 'with a gateway to a LAN' in said and 'the address is 192.168.77.1' in said


def test_dump_and_record_in_a_room(room):
    """What a member sees who sends nothing: what goes to all."""
    room.run('player2', 'ip -4 neigh flush dev weft0')
    trace = f'{room.directory}/trace.pcap'
    dump = room.start('player', f'{UNPRIVILEGED} {p.WEFT} dump -c 3 -w {trace} '
                      f'{shlex.quote(room.invitation)}')
    dump.wait_for('joined room party', seconds=40)
    prefix = room.other.rsplit('.', 1)[0]

    def ended():
        room.run('player2', f'ping -c1 -W1 -b {prefix}.255', check=False)
        return not dump.is_running()
    room.until(ended, 40)
    assert room.other in dump.output() and dump.popen.returncode == 0
    assert len(room.run('player', f'{p.WEFT} dump --time none pcap:{trace},rate=fast').splitlines()) >= 3


def test_a_bridge_into_a_room(room):
    """A TAP and a room on one bridge: what is on the TAP is in the room, under its own MAC."""
    bridge = p.Weft(room, 'player', f'{p.WEFT} bridge --json tap:near,mac=02:00:00:00:0a:01 '
                    f'{shlex.quote(room.invitation)}', env={'TERM': 'dumb'})
    room.processes.append(bridge)
    bridge.wait_event('ready')
    prefix = room.other.rsplit('.', 1)[0]
    room.run('player', f'ip address add {prefix}.200/24 dev near')
    room.until(lambda: '1 received' in room.run('player', f'ping -c1 -W1 {room.other}', check=False), 40)
    assert room.invitation.split('#')[1] not in bridge.output()
    assert bridge.stop() == 0
    assert bridge.events('end')[0]['ports'][1]['link'].startswith('weft://')


def test_wrappers_around_a_room(room):
    """A bad line to it, and a record of what passes."""
    trace = f'{room.directory}/trace.pcap'
    said = run(room, f'ping -c 2 -i 100ms {room.other}',
               f'capture:{trace}:impair:delay=40ms:{room.invitation}')
    assert float(re.search(r'min/avg/max = ([\d.]+)', said)[1]) >= 80
    assert 'ICMP' in room.run('player', f'{p.WEFT} dump pcap:{trace},rate=fast').upper()


def test_a_room_that_refuses(room):
    wrong = room.invitation[:-4] + ('AAAA' if room.invitation[-4:] != 'AAAA' else 'BBBB')
    with pytest.raises(netlab.Failure, match='(?s)room party: .*status 1'):
        run(room, f'ping {room.other}', wrong)
    with pytest.raises(netlab.Failure, match='status 2'):
        run(room, f'ping {room.other}', 'weft://nowhere')


@pytest.fixture
def hub(lab):  # noqa: F811
    """A tunnel's server, and the file of a client."""
    os.chmod(lab.directory, 0o777)
    server = {**tunnels.SERVER, 'net6': 'fd00:77::1/64',
              'clients': [{'token': tunnels.HASHES['test'], 'ips': ['10.0.0.2', 'fd00:77::2']}]}
    lab.server = tunnel(lab, 'hub', server)
    lab.again = lambda: tunnel(lab, 'hub', server)
    lab.file = f'{lab.directory}/site.json'
    pathlib.Path(lab.file).write_text(json.dumps([tunnels.CLIENT]), encoding='utf-8')
    return lab


def test_ping_through_a_tunnel(hub):
    for host in ('10.0.0.1', 'fd00:77::1'):
        said = run(hub, f'ping -c 2 -i 100ms {host}', f'tunnel:{hub.file}', 'site')
        assert '2 packets transmitted' in said
    assert hub.run('site', 'ip -br link show type tun') == ''


def test_files_through_a_tunnel_that_comes_back(hub):
    folder = pathlib.Path(hub.directory, 'files')
    folder.mkdir()
    data = random.Random(4).randbytes(3_000_000)
    (folder / 'file').write_bytes(data)
    server = program(hub, f'http {folder}', f'tunnel:{hub.file}', 'site')
    server.wait_event('ready', seconds=40)
    got = f'{hub.directory}/got'
    for host in ('10.0.0.2', '[fd00:77::2]'):
        hub.run('hub', f'curl -sS -g --max-time 60 -o {got} http://{host}/file')
        assert pathlib.Path(got).read_bytes() == data
    assert hub.server.stop() == 0
    hub.again()

    def fetched():
        hub.run('hub', f'curl -sS --max-time 5 -o {got} http://10.0.0.2/file', check=False)
        return pathlib.Path(got).read_bytes() == data
    pathlib.Path(got).write_bytes(b'')
    hub.until(fetched, 60)


def test_a_tunnel_s_server_in_a_program(lab):  # noqa: F811
    """weft echo is the server: its address is the tunnel's own."""
    os.chmod(lab.directory, 0o777)
    path = pathlib.Path(lab.directory, 'hub.json')
    path.write_text(json.dumps([tunnels.SERVER]), encoding='utf-8')
    program(lab, 'echo', f'tunnel:{path}', 'hub').wait_event('ready', seconds=40)
    client = tunnel(lab, 'site', tunnels.CLIENT)
    client.wait_event('connected', address='10.0.0.2/24', seconds=40)
    tunnels.ping(lab, 'site', '10.0.0.1', 40)
    assert lab.run('site', 'sh -c "echo hello | nc -N -w 20 10.0.0.1 7"') == 'hello\n'


def test_files_that_are_no_network(lab):  # noqa: F811
    two = pathlib.Path(lab.directory, 'two.json')
    two.write_text(json.dumps([tunnels.SERVER, {**tunnels.CLIENT, 'name': 'b'}]), encoding='utf-8')
    for link, words in ((f'tunnel:{two}', 'a link is one interface of a tunnel'),
                        ('tunnel:/none.json', 'No such file'), ('weft:@/none', 'No such file')):
        said = lab.run('site', f'{p.WEFT} echo --link {link}', check=False)
        assert words in said, said
