# SPDX-License-Identifier: MIT
"""Programs that look for others by broadcast and multicast, and find them in a room.

     player ------- relay ------- player2            a room without a LAN
     browser        203.0.113.1   game server, announcer, host

and, for one game, the LAN party of tools/party.py, where servers and browsers stand on both sides.
"""
import re

import pytest

import party as p
import unpacked

# Asks as the client of Teeworlds 0.7 does when its LAN tab is opened: by broadcast for a token,
# which is to be padded, and with that for what the server is.
BROWSER = r'''
import socket, struct, sys
PORTS, OURS, NONE = range(8303, 8311), 0x12345678, 0xffffffff
CONTROL, CONNLESS, TOKEN = 1, 8, 5
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.settimeout(0.5)
ask = struct.pack('>BBBIBI', CONTROL << 2, 0, 0, NONE, TOKEN, OURS).ljust(7 + 512, b'\0')
for attempt in range(120):
    for port in PORTS:
        s.sendto(ask, ('255.255.255.255', port))
    try:
        while True:
            answer, peer = s.recvfrom(2048)
            if answer[0] == CONTROL << 2:
                theirs, = struct.unpack('>I', answer[8:12])
                s.sendto(struct.pack('>BII', CONNLESS << 2 | 1, theirs, OURS) +
                         b'\xff\xff\xff\xffgie3\x07', peer)
            elif b'inf3' in answer:
                print(peer[0], answer[17:].split(b'\0')[1:3])
                sys.exit(0)
    except socket.timeout:
        pass
sys.exit('nobody has answered')
'''

# Asks as the client of Armagetron Advanced 0.2 does on its page of LAN games: by broadcast who is
# there (message 52, answered by 50), and the one who answers what it is (53, 51). A message is
# its kind, a number, its length in words of 16 bits and the words; a sender is behind the last. A
# text is words of two characters, the second first.
CYCLES = r'''
import socket, struct, sys
def request(kind): return struct.pack('>HHHH', kind, 0, 0, 0)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.settimeout(0.5)
for attempt in range(120):
    for port in range(4534, 4541):
        s.sendto(request(52), ('255.255.255.255', port))
    try:
        while True:
            answer, peer = s.recvfrom(4096)
            kind, = struct.unpack('>H', answer[:2])
            if kind == 50:
                s.sendto(request(53), peer)
            elif kind == 51:
                text = struct.pack(f'<{len(answer) // 2}H',
                                   *struct.unpack(f'>{len(answer) // 2}H', answer))
                print(peer[0], peer[1], b'party' in text)
                sys.exit(0)
    except socket.timeout:
        pass
sys.exit('nobody has answered')
'''

BUS = '''<busconfig><type>custom</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
'''

AVAHI = '''[server]
host-name={}
allow-interfaces=weft0
use-ipv6=no
[publish]
publish-aaaa-on-ipv4=no
'''


@pytest.fixture
def room(party):
    """Two players in a room without a LAN."""
    party.start_relay()
    for name in ('player', 'player2'):
        party.start_player(name).wait_event('address')
    return party


@pytest.fixture
def accounts(tmp_path):
    """The user that avahi's package makes."""
    with unpacked.accounts(tmp_path):
        yield


class Avahi:
    """A daemon of avahi's on a host, with a bus and a /run/avahi-daemon for itself."""

    def __init__(self, room, host, name, directory):
        self.room, self.host = room, host
        self.bus = directory / f'{name}.bus'
        self.env = {**unpacked.environment(), 'DBUS_SYSTEM_BUS_ADDRESS': f'unix:path={self.bus}'}
        (directory / f'{name}.xml').write_text(BUS.format(self.bus))
        (directory / f'{name}.conf').write_text(AVAHI.format(name))
        room.start(host, f'dbus-daemon --nofork --config-file={directory}/{name}.xml')
        room.until(self.bus.exists)
        self.start("unshare --mount sh -c 'mkdir -p /run/avahi-daemon && "
                   'mount -t tmpfs none /run/avahi-daemon && '
                   f'exec {unpacked.find_program("avahi-daemon")} --no-drop-root --no-chroot '
                   f"--no-rlimits -f {directory}/{name}.conf'").wait_for('Server startup complete')

    def start(self, command):
        return self.room.start(self.host, command, env=self.env)

    def finds(self, kind):
        """The services of a kind, resolved, as avahi-browse says for programs; None yet."""
        browse = unpacked.find_program('avahi-browse')
        said = self.room.run(self.host, f'env {" ".join(f"{k}={v}" for k, v in self.env.items())} '
                             f'timeout 60 {browse} -prt {kind}')
        return [line.split(';') for line in said.splitlines() if line.startswith('=;')]


def test_teeworlds_finds_its_server(room, tmp_path):
    """A server and its LAN browser: a request by broadcast, the answer from player2's address."""
    server = room.start('player2', "/usr/games/teeworlds-server 'sv_name party' 'sv_register 0'")
    server.wait_for('server name is')
    (tmp_path / 'browser.py').write_text(BROWSER)
    found = room.run('player', f'/usr/bin/python3 {tmp_path}/browser.py')
    assert found.split()[0] == room.address('player2')
    assert 'party' in found


def test_armagetron_finds_its_server(room, tmp_path):
    """The same for a game of another kind: broadcast on seven ports, and a second question."""
    program, root = 'armagetronad-dedicated.real', unpacked.root_of('armagetronad-dedicated.real')
    (tmp_path / 'game').mkdir()
    (tmp_path / 'game/autoexec.cfg').write_text('SERVER_NAME party\nTALK_TO_MASTER 0\n')
    mine = ''.join(f' --{kind}dir {tmp_path}/game'
                   for kind in ('userdata', 'userconfig', 'var', 'autoresource'))
    server = room.start('player2', f'{unpacked.find_program(program)}{mine} '
                        f'--configdir {root}/etc/armagetronad '
                        f'--datadir {root}/usr/share/games/armagetronad')
    server.wait_for(':4534.')
    (tmp_path / 'browser.py').write_text(CYCLES)
    found = room.run('player', f'/usr/bin/python3 {tmp_path}/browser.py')
    assert found.split() == [room.address('player2'), '4534', 'True']


def start_doom(party, host):
    """A dedicated server of Doom, known to no master; what is found of it is its name."""
    party.start(host, f'/usr/games/chocolate-server -privateserver -servername "doom of {host}"')
    party.until(lambda: ':2342' in party.run(host, 'ss -Hlun'))


def find_doom(party, host, directory):
    """What the game's own browser shows on a host: the names of servers by address."""
    said = party.run(host, f'env HOME={directory} SDL_VIDEODRIVER=dummy '
                     '/usr/games/chocolate-doom -localsearch')
    return dict(re.findall(r'^ *\d+ ([\d.]+) +\d/\d (.*)$', said, re.M))


def test_doom_finds_its_servers(party, tmp_path):
    """A game's server and its LAN browser, both as they are: from the room, and from the LAN."""
    party.start_all()
    party.run('server', 'ip route add default dev eth0')  # where a console's broadcasts go
    for host in ('player2', 'server'):
        start_doom(party, host)
    expected = {party.address('player2'): 'doom of player2', p.SERVER: 'doom of server'}
    for host in ('player', 'server'):
        party.until(lambda: find_doom(party, host, tmp_path) == expected)


def test_qstat_finds_a_server_of_cube_2(room, tmp_path):
    """A browser of servers of many games, and a server of one of them."""
    room.start('player2', f'/usr/games/cube2-server -nparty -m -q{tmp_path}')
    room.until(lambda: ':28785' in room.run('player2', 'ss -Hlun'))
    shown = re.compile(rf'^{room.address("player2")}:28785 .* party$', re.M)
    room.until(lambda: shown.search(room.run('player', 'quakestat -cubes +255.255.255.255')))


def test_avahi_browses_across_the_room(room, accounts, tmp_path):
    """player2 announces a game by mDNS, and player's browser shows it."""
    bob = Avahi(room, 'player2', 'bob', tmp_path)
    publish = unpacked.find_program('avahi-publish')
    bob.start(f"{publish} -s 'a game of bob' _weftgame._udp 4711").wait_for('Established under name')
    alice = Avahi(room, 'player', 'alice', tmp_path)
    found, = room.until(lambda: alice.finds('_weftgame._udp'))
    assert found[1] == 'weft0'
    assert found[7:9] == [room.address('player2'), '4711']


def test_nmap_finds_by_broadcast(room):
    """Its scripts for DHCP and ping: the relay's server, and the other player.

    For DHCP it is given the member's own MAC: the one that it makes up gets no answer here.
    """
    room.run('player2', 'sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0')
    network = room.address('player').rsplit('.', 1)[0]
    wanted = (f'Server Identifier: {network}.254', f'IP: {room.address("player2")} ')

    def found(seconds):
        """Whether it hears both; it waits for so long in any case."""
        said = room.run('player', 'nmap -e weft0 --script broadcast-dhcp-discover,broadcast-ping '
                        f'--script-args broadcast-dhcp-discover.mac={p.MACS["player"]},'
                        f'broadcast-dhcp-discover.timeout={seconds},'
                        f'broadcast-ping.timeout={seconds}s')
        return all(text in said for text in wanted)
    assert found(1) or found(5) or found(30)
