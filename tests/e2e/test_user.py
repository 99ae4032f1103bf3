# SPDX-License-Identifier: MIT
"""weft join --user: a host of its own in a process, by nobody, on a machine left as it is.

    programs --- SOCKS, --forward, --expose --- join --user ---.
                                                               '--- relay --- gateway --- server
"""
import hashlib
import json
import os
import pathlib
import random
import re
import shlex
import subprocess
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
    party.web = tmp_path
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
    address = process.events('address')[0]
    assert (address['from'], address['device'], address['place']) == ('DHCP', None, 'stack')
    assert fetch(room, '--socks5 127.0.0.1:1080') == room.data
    assert 'tap' not in room.run('player', 'ip -d -br link')
    assert process.stop() == 0


def test_what_takes_part_is_named(room):
    """No device does: the status line, `weft status` and --json say the stack."""
    environment = {'TERM': 'xterm', 'XDG_RUNTIME_DIR': room.directory}
    command = (f'{UNPRIVILEGED} {p.WEFT} join --user --state {room.directory}/player '
               f'--address {PLAYER}/24 {shlex.quote(room.invitation)}')
    process = room.start('player', f'script -qefc {shlex.quote(command)} /dev/null',
                         env=environment)
    process.says(f"you are {PLAYER}/24 on weft's stack (from --address)")
    process.says(f'stack {PLAYER} | 1 other | in ')
    ask = f'env XDG_RUNTIME_DIR={room.directory} {UNPRIVILEGED} {p.WEFT} status'
    assert f'    stack {PLAYER}/24, to the relay RTT ' in room.run('player', ask)
    status = json.loads(room.run('player', f'{ask} --json'))
    assert (status['device'], status['place']) == (None, 'stack')


def test_forward_to_a_server_on_the_lan(room):
    join(room, f'--forward tcp:8080={p.SERVER}:8000')
    assert fetch(room, '', 'http://127.0.0.1:8080/file') == room.data


def test_load_from_the_stack(room):
    """Each of wrk's connections is one of the stack's to a server on the LAN."""
    join(room, f'--forward tcp:8080={p.SERVER}:8000')
    (room.web / 'page').write_bytes(b'x' * 10000)

    def load(seconds):
        said = room.run('player', f'wrk -t2 -c16 -d{seconds}s --timeout 60s http://127.0.0.1:8080/page')
        assert 'Non-2xx' not in said, said
        return int(re.search(r'(\d+) requests in', said)[1])
    assert any(load(seconds) >= 16 for seconds in (2, 8, 32))  # so long where it is slow
    assert fetch(room, '', 'http://127.0.0.1:8080/file') == room.data


UDP_CLIENT = '''
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
one.settimeout(1)
for number in range(60):
    one.sendto(b'who is there?', (sys.argv[1], int(sys.argv[2])))
    try:
        print(one.recvfrom(2048))
        break
    except TimeoutError:
        pass
'''

UDP_SERVER = '''
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind((sys.argv[1], int(sys.argv[2])))
print('bound', flush=True)
while True:
    data, peer = one.recvfrom(2048)
    one.sendto(b'a game: ' + data, peer)
'''


def python(program, *arguments):
    return f'/usr/bin/python3 -c {shlex.quote(program)} ' + ' '.join(map(str, arguments))


TCP_SERVER = '''
import hashlib, socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
print('bound', flush=True)
one, _ = listener.accept()
digest = hashlib.sha256()
while more := one.recv(65536):
    digest.update(more)
one.sendall(digest.hexdigest().encode())
'''

TCP_CLIENT = '''
import pathlib, socket, sys
one = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60)
one.sendall(pathlib.Path(sys.argv[3]).read_bytes() * 7)
one.shutdown(socket.SHUT_WR)
while more := one.recv(100):
    print(more)
'''


def test_a_game_server_in_the_room(room):
    """Exposed, it answers to what is sent to it and to what is broadcast, and to TCP."""
    room.start('player', python(UDP_SERVER, '127.0.0.1', 27015)).wait_for('bound')
    join(room, '--expose udp:27015=127.0.0.1:27015 --expose tcp:5201=127.0.0.1:5201',
         f'{PLAYER}/24')
    room.run('server', 'ip route add 255.255.255.255 dev eth0')
    for target in (PLAYER, '192.168.77.255', '255.255.255.255'):
        answer = room.run('server', python(UDP_CLIENT, target, 27015))
        assert 'a game: who is there?' in answer and PLAYER in answer, target
    room.start('player', python(TCP_SERVER, 5201)).wait_for('bound')
    digest = hashlib.sha256(room.data * 7).hexdigest()
    assert digest in room.run('server', python(TCP_CLIENT, PLAYER, 5201, f'{room.web}/file'))


# Sends from 300 ports, and opens connections until it is refused; then it holds them.
FLOOD = '''
import socket, sys, time
host, udp_port, tcp_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(300)]
for one in senders:
    one.sendto(b'flood', (host, udp_port))
held = []
for _ in range(600):
    try:
        held.append(socket.create_connection((host, tcp_port), timeout=20))
    except OSError:
        pass
print('flooded', flush=True)
time.sleep(600)
'''

HOLDER = '''
import socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])), backlog=600)
print('bound', flush=True)
held = []
while True:
    one, _ = listener.accept()
    one.sendall(b'welcome')
    held.append(one)
'''

VISITOR = '''
import socket, sys
print(socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20).recv(100))
'''


def test_who_floods_what_is_exposed(room):
    """One address of the LAN: another one is served by it, and programs here get out."""
    for port in 27015, 27016:
        room.start('player', python(UDP_SERVER, '127.0.0.1', port)).wait_for('bound')
    room.start('player', python(HOLDER, 5201)).wait_for('bound')
    join(room, '--socks 1080 --expose udp:27015=127.0.0.1:27015 --expose udp:27016=127.0.0.1:27016 '
         '--expose tcp:5201=127.0.0.1:5201', f'{PLAYER}/24')
    room.run('switch', 'ip address add 192.168.77.9/24 dev br0')
    assert 'welcome' in room.run('switch', python(VISITOR, PLAYER, 5201))
    room.start('server', python(FLOOD, PLAYER, 27015, 5201)).wait_for('flooded')
    assert 'a game: who is there?' in room.run('switch', python(UDP_CLIENT, PLAYER, 27016))
    assert 'welcome' in room.run('switch', python(VISITOR, PLAYER, 5201))
    assert fetch(room, '--socks5 127.0.0.1:1080') == room.data


def test_datagrams_to_the_lan(room):
    """Two clients with one server, each of which gets its own answers."""
    room.start('server', python(UDP_SERVER, p.SERVER, 9000)).wait_for('bound')
    join(room, f'--forward udp:9001={p.SERVER}:9000')
    for _ in range(2):
        assert 'a game' in room.run('player', python(UDP_CLIENT, '127.0.0.1', 9001))


SOCKS = '''
import socket, struct, sys

def ask(command, host='0.0.0.0', port=0):
    one = socket.create_connection(('127.0.0.1', 1080), timeout=60)
    one.sendall(b'\\x05\\x01\\x00')
    assert one.recv(2) == b'\\x05\\x00'
    one.sendall(bytes([5, command, 0, 1]) + socket.inet_aton(host) + struct.pack('>H', port))
    return one, *answer(one)

def answer(one):
    reply = b''
    while len(reply) < 10:
        more = one.recv(10 - len(reply))
        assert more, reply
        reply += more
    return reply[1], socket.inet_ntoa(reply[4:8]), struct.unpack('>H', reply[8:])[0]
'''

ASSOCIATE = SOCKS + '''
control, status, host, port = ask(3)
assert (status, host) == (0, '127.0.0.1'), (status, host)
header = b'\\0\\0\\0\\1' + socket.inet_aton(sys.argv[1]) + struct.pack('>H', int(sys.argv[2]))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(1)
for number in range(60):
    udp.sendto(header + b'who is there?', (host, port))
    try:
        data = udp.recv(2048)
    except TimeoutError:
        continue
    assert data == header + b'a game: who is there?', data
    print('associated')
    break
'''

BIND = SOCKS + '''
control, status, host, port = ask(2, sys.argv[1], 1)
assert status == 0, status
print('bound', host, port, flush=True)
status, host, port = answer(control)
assert (status, host) == (0, sys.argv[1])
assert control.recv(100) == b'called back'
control.sendall(b'so you did')
'''

CALL_BACK = '''
import socket, sys
one = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60)
one.sendall(b'called back')
print(one.recv(100))
'''

REFUSED = SOCKS + '''
print('status', ask(1, sys.argv[1], int(sys.argv[2]))[1])
'''


def test_socks_beyond_connect(room):
    room.start('server', python(UDP_SERVER, p.SERVER, 9000)).wait_for('bound')
    join(room, '--socks 127.0.0.1:1080')
    assert 'associated' in room.run('player', python(ASSOCIATE, p.SERVER, 9000))
    bound = room.start('player', python(BIND, p.SERVER))
    bound.wait_for('bound')
    _, host, port = bound.output().split()[:3]
    assert 'so you did' in room.run('server', python(CALL_BACK, host, port))
    assert 'status 5' in room.run('player', python(REFUSED, p.SERVER, 7))


def test_socks_for_others_wants_a_password(room):
    """Nothing listens for others without one, and who does not know it is sent away."""
    pathlib.Path(f'{room.directory}/password').write_text('me:secret\n', encoding='utf-8')
    failed = p.Weft(room, 'player', f"{p.WEFT} join --user --state {room.directory}/open "
                    f"--socks 0.0.0.0:1080 '{room.invitation}'", env={'TERM': 'dumb'})
    room.processes.append(failed)
    failed.wait_for('needs a password')
    join(room, f'--socks 0.0.0.0:1080 --socks-user {room.directory}/password')
    assert fetch(room, '--socks5 me:secret@127.0.0.1:1080') == room.data
    for wrong in ('127.0.0.1:1080', 'me:guess@127.0.0.1:1080', 'you:secret@127.0.0.1:1080'):
        said = room.run('player', f'curl -sS --socks5 {wrong} http://{p.SERVER}:8000/ 2>&1',
                        check=False)
        assert 'curl: (97)' in said, said


@pytest.mark.parametrize('option, words', [
    ('--socks x', '--socks "x": a port is needed'),
    ('--forward x', '--forward "x": a program here and an address in the room are needed'),
    ('--expose tcp:80', '--expose "tcp:80": a port in the room and an address of this machine'),
])
def test_wrong_options_are_named(tmp_path, option, words):
    done = subprocess.run([p.WEFT, 'join', '--user', '--state', tmp_path, *option.split(),
                           'weft://127.0.0.1/party#' + 64 * 'A'], stderr=subprocess.PIPE,
                          text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr and '(see `weft help join`)' in done.stderr


def test_names_of_members(party):
    """In a room without a LAN: by name through SOCKS and --forward, TCP and UDP."""
    party.directory = f'/run/user-{time.monotonic_ns()}'
    pathlib.Path(party.directory).mkdir()
    os.chmod(party.directory, 0o777)
    party.start_relay()
    for player in ('player', 'player2'):
        party.run(player, 'ip link set lo up')
    party.start('player2', python(UDP_SERVER, '127.0.0.1', 9000)).wait_for('bound')
    party.start('player2', '/usr/bin/python3 -u -m http.server -b 127.0.0.1 -d /usr/include 8000'
                ).wait_for('Serving HTTP')
    alice = p.Weft(party, 'player2', f'{UNPRIVILEGED} {p.WEFT} join --user --json --state '
                   f'{party.directory}/alice --name Alice {shlex.quote(party.invitation)} '
                   '--expose tcp:80=127.0.0.1:8000 --expose udp:9000=127.0.0.1:9000',
                   env={'TERM': 'dumb'})
    party.processes.append(alice)
    alice.wait_event('address')
    join(party, '--socks 1080 --forward tcp:8080=alice:80 --forward udp:9001=alice:9000', 'auto')
    expected = pathlib.Path('/usr/include/stdio.h').read_bytes()
    socks = '--socks5-hostname 127.0.0.1:1080'
    for how, url in ((socks, 'http://alice/stdio.h'), (socks, 'http://ALICE.party.weft/stdio.h'),
                     ('', 'http://127.0.0.1:8080/stdio.h')):
        assert fetch(party, how, url) == expected, url
    assert 'a game' in party.run('player', python(UDP_CLIENT, '127.0.0.1', 9001))
    said = party.run('player', f'curl -sS {socks} http://nobody/ 2>&1', check=False)
    assert 'curl: (97)' in said, said
    said = party.run('player', f'{p.WEFT} ping -c 1 --link {shlex.quote(party.invitation)} nobody',
                     check=False)
    assert 'nobody: there is no host of that name' in said, said


def test_names_by_a_router_of_the_lan(room):
    """Nobody tells of a name server but an IPv6 router's advertisements, behind the gateway."""
    room.run('server', 'ip address add fd00:77::1/64 dev eth0 nodad')
    room.start('server', 'dnsmasq --no-daemon --conf-file=/dev/null --user=root --group=root '
               '--interface=eth0 --bind-interfaces --no-resolv --no-hosts --enable-ra '
               '--dhcp-range=fd00:77::,ra-only,64 --dhcp-leasefile=/run/leases-user '
               '--dhcp-option=option6:dns-server,[fd00:77::1] '
               '--dhcp-option=option6:domain-search,lan.example '
               f'--host-record=files.lan.example,{p.SERVER}').wait_for('router advertisement')
    join(room, '--socks 1080')
    def is_known():
        """the advertisement"""
        said = room.run('player', 'curl -sS --max-time 60 --socks5-hostname 127.0.0.1:1080 '
                        'http://files:8000/file -o /dev/null', check=False)
        return said == ''
    room.until(is_known)
    assert fetch(room, '--socks5-hostname 127.0.0.1:1080', 'http://files:8000/file') == room.data
