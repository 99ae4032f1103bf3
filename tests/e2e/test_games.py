# SPDX-License-Identifier: MIT
"""Programs that look for others by broadcast and multicast, and find them in a room.

     player ------- relay ------- player2            a room without a LAN
     browser        203.0.113.1   game server, announcer, host
"""
import pytest

import party as p

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
for attempt in range(20):
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

BUS = '''<busconfig><type>custom</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
'''

AVAHI = '''[server]
host-name={}
allow-interfaces=weft0
use-ipv6=no
enable-dbus={}
[publish]
publish-aaaa-on-ipv4=no
'''

SERVICE = '''<service-group><name>a game of bob</name>
<service><type>_weftgame._udp</type><port>4711</port></service></service-group>
'''


@pytest.fixture
def room(party):
    """Two players in a room without a LAN."""
    party.start_relay()
    for name in ('player', 'player2'):
        party.start_player(name).wait_event('address')
    return party


def announce(room, tmp_path):
    """player2 announces a game by mDNS, with a daemon that has its directories for itself."""
    (tmp_path / 'game.service').write_text(SERVICE)
    (tmp_path / 'avahi.conf').write_text(AVAHI.format('bob', 'no'))
    daemon = room.start('player2', "unshare --mount sh -c 'mkdir -p /run/avahi-daemon && "
                        'mount -t tmpfs none /run/avahi-daemon && '
                        f'mount --bind {tmp_path} /etc/avahi/services && exec avahi-daemon '
                        f"--no-drop-root --no-chroot --no-rlimits -f {tmp_path}/avahi.conf'")
    daemon.wait_for('successfully established')


def test_teeworlds_finds_its_server(room, tmp_path):
    """A server and its LAN browser: a request by broadcast, the answer from player2's address."""
    server = room.start('player2', "/usr/games/teeworlds-server 'sv_name party' 'sv_register 0'")
    server.wait_for('server name is')
    (tmp_path / 'browser.py').write_text(BROWSER)
    found = room.run('player', f'/usr/bin/python3 {tmp_path}/browser.py')
    assert found.split()[0] == room.address('player2')
    assert 'party' in found


def test_avahi_browses_across_the_room(room, tmp_path):
    announce(room, tmp_path)
    (tmp_path / 'bus.conf').write_text(BUS.format(tmp_path / 'bus'))
    (tmp_path / 'browser.conf').write_text(AVAHI.format('alice', 'yes'))
    bus = f'DBUS_SYSTEM_BUS_ADDRESS=unix:path={tmp_path}/bus'
    room.start('player', f'dbus-daemon --nofork --config-file={tmp_path}/bus.conf')
    room.until((tmp_path / 'bus').exists)
    room.start('player', f'env {bus} avahi-daemon --no-drop-root --no-chroot --no-rlimits '
               f'-f {tmp_path}/browser.conf').wait_for('Server startup complete')
    found = room.run('player', f'env {bus} timeout 60 avahi-browse -prt _weftgame._udp')
    line = next(line for line in found.splitlines() if line.startswith('=;'))
    assert line.split(';')[1] == 'weft0'
    assert line.split(';')[7:9] == [room.address('player2'), '4711']


def test_nmap_finds_by_broadcast(room):
    """Its scripts for DHCP and ping: the relay's server, and the other player.

    For DHCP it is given the member's own MAC: the one that it makes up gets no answer here.
    """
    room.run('player2', 'sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0')
    found = room.run('player', 'nmap -e weft0 --script broadcast-dhcp-discover,broadcast-ping '
                     f'--script-args broadcast-dhcp-discover.mac={p.MACS["player"]},'
                     'broadcast-dhcp-discover.timeout=1,broadcast-ping.timeout=1s')
    network = room.address('player').rsplit('.', 1)[0]
    assert f'Server Identifier: {network}.254' in found
    assert f'IP: {room.address("player2")} ' in found
