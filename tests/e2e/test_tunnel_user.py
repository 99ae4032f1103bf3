# SPDX-License-Identifier: MIT
"""weft tunnel --user: a tunnel without a device, by nobody, on a machine left as it is.

    programs --- SOCKS, --forward, --expose --- site ==== HTTP ==== hub ------------ web
                        10.0.0.2, fd00:77::2  (in the process)      tun0 10.0.0.1    10.9.0.2, fd00:9::2
"""
import os
import pathlib
import random
import re
import shlex

import netlab
import party as p
import pytest
import tunnels
from test_user import UDP_CLIENT, UDP_SERVER, UNPRIVILEGED, python
from tunnels import HASHES, lab, tunnel  # noqa: F401 (a fixture)

SERVER = {'name': 'tun0', 'port': 8080, 'net': '10.0.0.1/24', 'net6': 'fd00:77::1/64', 'mtu': 1400,
          'clients': [{'name': 'site', 'token': HASHES['test'], 'ips': ['10.0.0.2', 'fd00:77::2']}]}
WEB = ('10.9.0.2', 'fd00:9::2')

ECHO = '''
import socket, sys
listener = socket.create_server(('::', int(sys.argv[1])), family=socket.AF_INET6,
                                dualstack_ipv6=True)
print('bound', flush=True)
one, _ = listener.accept()
while more := one.recv(100):
    one.sendall(more)
'''

# Says what came back of a line each time that another one is in the file.
HOLD = '''
import pathlib, socket, sys, time
one = socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=60)
for word in 'before', 'after':
    while not pathlib.Path(sys.argv[2], word).exists():
        time.sleep(0.05)
    one.sendall(word.encode())
    print('back:', one.recv(100).decode(), flush=True)
'''


@pytest.fixture
def world(lab, tmp_path):  # noqa: F811
    """A hub with a web server behind it, and files that nobody may read."""
    os.chmod(lab.directory, 0o777)
    lab.data = random.Random(7).randbytes(2_000_000)
    (tmp_path / 'file').write_bytes(lab.data)
    lab.host('web')
    lab.cable('hub', 'web', '10.9.0.1/24 fd00:9::1/64', '10.9.0.2/24 fd00:9::2/64')
    lab.run('hub', 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1')
    lab.run('web', 'ip route add 10.0.0.0/24 via 10.9.0.1')
    lab.run('web', 'ip route add fd00:77::/64 via fd00:9::1')
    lab.start('web', f'/usr/bin/python3 -u -m http.server -b :: -d {tmp_path} 8000'
              ).wait_for('Serving HTTP')
    return lab


def start(lab, host, command, options='', env=None):  # noqa: F811
    process = p.Weft(lab, host, f'{UNPRIVILEGED} {p.WEFT} tunnel {command} --json --user {options}',
                     env={'TERM': 'dumb', **(env or {})})
    lab.processes.append(process)
    return process


def client(lab, options, url='http://192.0.2.1:8080/'):  # noqa: F811
    process = start(lab, 'site', f'client {url}', options, {'WEFT_TOKEN': 'test'})
    process.wait_event('connected')
    return process


def fetch(lab, host, how, url):  # noqa: F811
    target = f'{lab.directory}/got'
    lab.run(host, f'curl -sS -g --max-time 60 -o {target} {how} {url}')
    return pathlib.Path(target).read_bytes()


def test_programs_reach_what_is_behind_the_server(world):
    """TCP by SOCKS and by a port, UDP by a port; both families; nothing is seen of it here."""
    tunnel(world, 'hub', SERVER)
    world.start('web', python(UDP_SERVER, WEB[0], 9000)).wait_for('bound')
    site = client(world, '--socks 1080 --forward tcp:8080=10.9.0.2:8000 '
                  '--forward tcp:8086=[fd00:9::2]:8000 --forward udp:9001=10.9.0.2:9000')
    status = pathlib.Path(f'/proc/{site.popen.pid}/status').read_text(encoding='utf-8')
    assert re.search(r'^Uid:\s+65534\s+65534', status, re.M)
    assert re.search(r'^CapEff:\s+0+$', status, re.M)
    socks = '--socks5 127.0.0.1:1080'
    for how, url in ((socks, 'http://10.9.0.2:8000/file'), (socks, 'http://[fd00:9::2]:8000/file'),
                     ('', 'http://127.0.0.1:8080/file'), ('', 'http://127.0.0.1:8086/file')):
        assert fetch(world, 'site', how, url) == world.data, url
    assert 'a game' in world.run('site', python(UDP_CLIENT, '127.0.0.1', 9001))
    assert world.run('site', 'ip -br link show type tun') == ''
    assert '10.0.0' not in world.run('site', 'ip route show table all')
    assert site.stop() == 0
    facts = site.events('facts')[-1]['interfaces'][0]
    assert (facts['interface'], facts['role']) == ('tun0', 'client')
    assert facts['peers'][0]['address'] == '10.0.0.2/24'


def test_connections_outlive_the_server(world):
    server = tunnel(world, 'hub', SERVER)
    world.start('web', python(ECHO, 9000)).wait_for('bound')
    site = client(world, '--forward tcp:9001=10.9.0.2:9000')
    held = world.start('site', python(HOLD, 9001, world.directory))
    pathlib.Path(world.directory, 'before').touch()
    held.wait_for('back: before')
    assert server.stop() == 0
    site.wait_event('disconnected')
    tunnel(world, 'hub', SERVER)
    site.wait_event('connected', number=2)
    pathlib.Path(world.directory, 'after').touch()
    held.wait_for('back: after')


def test_a_program_here_is_reached_by_the_site(world):
    """What is exposed is a server at the client's address in the tunnel."""
    tunnel(world, 'hub', SERVER)
    world.start('site', '/usr/bin/python3 -u -m http.server -b 127.0.0.1 -d /usr/include 8000'
                ).wait_for('Serving HTTP')
    world.start('site', python(UDP_SERVER, '127.0.0.1', 27015)).wait_for('bound')
    client(world, '--expose tcp:80=127.0.0.1:8000 --expose udp:27015=127.0.0.1:27015')
    expected = pathlib.Path('/usr/include/stdio.h').read_bytes()
    assert fetch(world, 'web', '', 'http://10.0.0.2/stdio.h') == expected
    assert fetch(world, 'web', '', 'http://[fd00:77::2]/stdio.h') == expected
    assert 'a game' in world.run('web', python(UDP_CLIENT, '10.0.0.2', 27015))


def test_a_server_without_root(lab):  # noqa: F811
    """Two ends, neither of which has a device: a program of the one's machine for the other's."""
    os.chmod(lab.directory, 0o777)
    lab.start('hub', '/usr/bin/python3 -u -m http.server -b 127.0.0.1 -d /usr/include 8000'
              ).wait_for('Serving HTTP')
    hub = start(lab, 'hub', 'server --net 10.77.0.1/24 --net6 fd00:78::1/64',
                '--expose tcp:80=127.0.0.1:8000')
    hub.wait_event('ready')
    token = hub.wait_event('token')['token']
    site = start(lab, 'site', 'client http://192.0.2.1:8080/', '--socks 1080', {'WEFT_TOKEN': token})
    site.wait_event('connected', address='10.77.0.2/24')
    expected = pathlib.Path('/usr/include/stdio.h').read_bytes()
    for host in ('10.77.0.1', '[fd00:78::1]'):
        assert fetch(lab, 'site', '--socks5 127.0.0.1:1080', f'http://{host}/stdio.h') == expected


@pytest.mark.parametrize('as_whom, place', [(UNPRIVILEGED, '/run/user/65534/weft'), ('', '/run/weft')],
                         ids=['nobody', 'root'])
def test_the_first_program_of_a_user(lab, as_whom, place):  # noqa: F811
    """Nothing has made the directory of its control socket yet."""
    empty = shlex.quote('mount -t tmpfs -o mode=1777 tmpfs /run && exec "$@"')
    site = p.Weft(lab, 'site', f'unshare --mount sh -c {empty} sh {as_whom} {p.WEFT} '
                  'tunnel client http://192.0.2.1:8080/ --user --json',
                  env={'TERM': 'dumb', 'WEFT_TOKEN': 'test', 'XDG_RUNTIME_DIR': '/run/user/65534'})
    lab.processes.append(site)
    site.wait_event('ready')
    made = pathlib.Path(f'/proc/{site.popen.pid}/root{place}')
    assert made.stat().st_mode & 0o777 == 0o700
    assert len(list(made.glob('*.control'))) == 1


def test_ethernet(world):
    """A TAP at the server; addresses by the server, and beyond one network nothing."""
    server = {**SERVER, 'name': 'tap0', 'mode': 'ethernet'}
    tunnel(world, 'hub', server)
    client(world, '--mode ethernet --socks 1080')
    world.start('hub', '/usr/bin/python3 -u -m http.server -b 10.0.0.1 -d /usr/include 8000'
                ).wait_for('Serving HTTP')
    expected = pathlib.Path('/usr/include/stdio.h').read_bytes()
    assert fetch(world, 'site', '--socks5 127.0.0.1:1080', 'http://10.0.0.1:8000/stdio.h') == expected


def test_a_file_that_changes(world):
    """weft tunnel CONFIG --user, and SIGHUP: the next server assigns another address."""
    other = {**SERVER, 'name': 'tun9', 'port': 8081, 'net': '10.5.0.1/24',
             'clients': [{'name': 'site', 'token': HASHES['test'], 'ip': '10.5.0.2'}]}
    other.pop('net6')
    tunnel(world, 'hub', SERVER, other)
    world.run('web', 'ip route add 10.5.0.0/24 via 10.9.0.1')
    path = pathlib.Path(world.directory, 'site.json')

    def write(port):
        path.write_text(f'[{{"name": "t", "server": "http://192.0.2.1:{port}/", "token": "test"}}]',
                        encoding='utf-8')
        os.chmod(path, 0o644)
    write(8080)
    site = start(world, 'site', path, '--forward tcp:8000=10.9.0.2:8000')
    site.wait_event('connected', address='10.0.0.2/24')
    assert fetch(world, 'site', '', 'http://127.0.0.1:8000/file') == world.data
    write(8081)
    site.popen.send_signal(tunnels.signal.SIGHUP)
    site.wait_event('connected', address='10.5.0.2/24')
    assert fetch(world, 'site', '', 'http://127.0.0.1:8000/file') == world.data


def test_a_file_with_another_mode_and_name(world):
    """The host in the process is made anew, with the ports of this machine that lead to it."""
    frames = {'name': 'tap0', 'mode': 'ethernet', 'port': 8081, 'net': '10.5.0.1/24',
              'clients': [{'token': HASHES['test'], 'ip': '10.5.0.2'}]}
    tunnel(world, 'hub', SERVER, frames)
    serving = '/usr/bin/python3 -u -m http.server -b 0.0.0.0 -d /usr/include 8000'
    world.start('hub', serving).wait_for('Serving HTTP')
    expected = pathlib.Path('/usr/include/stdio.h').read_bytes()
    path = pathlib.Path(world.directory, 'site.json')

    def write(port, **more):
        conf = {'name': 't', 'server': f'http://192.0.2.1:{port}/', 'token': 'test', **more}
        path.write_text(tunnels.json.dumps([conf]), encoding='utf-8')
        os.chmod(path, 0o644)

    def reaches(address):
        url = f'http://{address}:8000/stdio.h'
        assert fetch(world, 'site', '--socks5 127.0.0.1:1080', url) == expected
    write(8080)
    site = start(world, 'site', path, '--socks 1080')
    site.wait_event('connected')
    for port, address, more in ((8081, '10.5.0.1', {'mode': 'ethernet'}),
                                (8081, '10.5.0.1', {'mode': 'ethernet', 'name': 'u'}),
                                (8080, '10.0.0.1', {})):
        write(port, **more)
        count = len(site.events('connected'))
        site.popen.send_signal(tunnels.signal.SIGHUP)
        site.wait_event('connected', number=count + 1)
        reaches(address)
    assert site.events('not-reloaded') == []


@pytest.mark.parametrize('interfaces, words', [
    ([{'mark': {'value': 7, 'table': 7}}], '"mark" is for a device of this machine'),
    ([{}, {'name': 'tun1'}], 'tun1: --user is a host on one interface'),
])
def test_what_a_host_in_a_process_cannot(lab, interfaces, words):  # noqa: F811
    whole = [{'name': 'tun0', 'server': 'http://192.0.2.1:1/', 'token': 'x', **i} for i in interfaces]
    path = pathlib.Path(lab.directory, 'no.json')
    path.write_text(tunnels.json.dumps(whole), encoding='utf-8')
    path.chmod(0o600)
    said = lab.run('site', f'{p.WEFT} tunnel --user {path}', check=False)
    assert words in said


def test_options_of_another_host(lab):  # noqa: F811
    for words in ('x.json', 'client http://hub/', 'server'):
        with pytest.raises(netlab.Failure, match=r'(?s)for a host in this process: --user.*status 2'):
            lab.run('site', f'{p.WEFT} tunnel {words} --socks {shlex.quote("1080")}')
