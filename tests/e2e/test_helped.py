# SPDX-License-Identifier: MIT
"""What a room does for its members beside carrying frames (docs/filters.md)."""
import json
import shlex
import time

import party as p

# Says something by IPX in a framing, to everybody, and tells who is heard in that framing.
IPX = '''
import socket, sys
BEFORE = {
    'ethernet2': lambda n: b'\\x81\\x37',
    '802.3': lambda n: n.to_bytes(2, 'big'),
    '802.2': lambda n: (n + 3).to_bytes(2, 'big') + b'\\xe0\\xe0\\x03',
    'snap': lambda n: (n + 8).to_bytes(2, 'big') + b'\\xaa\\xaa\\x03\\0\\0\\0\\x81\\x37',
}
mac = bytes.fromhex(sys.argv[2].replace(':', ''))
ipx = (b'\\xff\\xff\\0\\x22\\0\\x04' + bytes(4) + b'\\xff' * 6 + b'\\x86\\x9c' +
       bytes(4) + mac + b'\\x86\\x9cDoom')
before = BEFORE[sys.argv[1]](len(ipx))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)
s.bind(('weft0', 3))
s.settimeout(0.2)
while True:
    s.send(b'\\xff' * 6 + mac + before + ipx)
    try:
        frame = s.recv(2000)
    except TimeoutError:
        continue
    if frame[6:12] != mac and frame[12:12 + len(before)] == before and b'Doom' in frame:
        print('heard', frame[6:12].hex(':'), flush=True)
'''

# Sends a stream to a group, a number in each datagram. 150 a second are more than reach who has
# not asked for them (64), and fewer than a room allows.
STREAM = '''
import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex('weft0'))
began, number = time.monotonic(), 0
while True:  # by the clock: on a busy machine in bursts, but no fewer
    time.sleep(0.01)
    while number < 150 * (time.monotonic() - began):
        s.sendto(number.to_bytes(4, 'big'), ('ff15::77', 4711))
        number += 1
'''

# Joins the group, and waits until 150 numbers have come one behind the other.
WATCH = '''
import socket
group = socket.inet_pton(socket.AF_INET6, 'ff15::77')
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', 4711))
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
             group + socket.if_nametoindex('weft0').to_bytes(4, 'little'))
last, run = 0, 0
while run < 150:
    number = int.from_bytes(s.recv(4), 'big')
    run = run + 1 if number == last + 1 else 0
    last = number
print('all of it', flush=True)
'''


def helped_so_far(party):
    """What the room has counted, while its relay runs."""
    for line in party.run('relay', f'{p.WEFT} status --json').splitlines():
        said = json.loads(line)
        if said['command'] == 'relay':
            return said['facts']['rooms'][0]['helped']
    return {}


def helped(relay):
    """What the room has counted, as its relay says at its end."""
    relay.stop()
    return relay.wait_event('facts')['rooms'][0]['helped']


def start_players(party, options=''):
    relay = party.start_relay(options)
    for name in ('player', 'player2'):
        party.start_player(name).wait_event('address')
    return relay


def test_neighbours_are_answered(party):
    """Who is known is not looked for by everyone; a probe for its address is still heard."""
    relay = start_players(party)
    address = party.address('player2')
    assert party.unanswered('player', address, 1) == []
    party.run('player', 'ip neigh flush dev weft0')
    sniffer = party.start('player2', 'tcpdump -e -n -l -i weft0 arp')
    sniffer.wait_for('listening on')
    assert party.unanswered('player', address, 2) == []
    assert f'who-has {address}' not in sniffer.output()
    probe = party.run('player', f'busybox arping -D -c 1 -w 3 -I weft0 {address}', check=False)
    assert p.MACS['player2'] in probe.lower(), probe
    assert helped(relay)['neighbour-answered'] >= 1


def test_ipv6_neighbours_are_answered(party):
    """The same by Neighbour Discovery, once the other one's kernel has advertised itself."""
    relay = start_players(party)
    address = f'{party.link_local("player2")}%weft0'
    assert party.unanswered('player', address, 1) == []
    party.run('player', 'ip -6 neigh flush dev weft0')
    sniffer = party.start('player2', "tcpdump -n -l -i weft0 'ip6 multicast and ip6[40] = 135'")
    sniffer.wait_for('listening on')
    assert party.unanswered('player', address, 2) == []
    assert 'who has' not in sniffer.output()
    assert helped(relay)['neighbour-answered'] >= 1


def test_streams_go_to_who_asks(party):
    """By MLD, as kernels speak it: who has been asked and did not name the group gets less."""
    relay = start_players(party)
    party.start('player', f'/usr/bin/python3 -c {shlex.quote(STREAM)}')

    def is_pruned():
        time.sleep(0.5)  # to ask takes a process
        return helped_so_far(party).get('group-pruned', 0) > 0
    party.until(is_pruned, 90)  # 2 s to the first question, 10 s for the answers
    watcher = party.start('player2', f'/usr/bin/python3 -c {shlex.quote(WATCH)}')
    watcher.wait_for('all of it', 90)
    counted = helped(relay)
    assert counted['group-asked'] >= 1 and counted['group-report'] >= 2


def test_ipx_is_translated(party):
    """Two drivers that were told different framings."""
    relay = start_players(party)
    talks = [party.start(name, f"/usr/bin/python3 -c {shlex.quote(IPX)} {framing} "
                         f'{p.MACS[name]}')
             for name, framing in (('player', 'ethernet2'), ('player2', '802.3'))]
    talks[0].wait_for(f"heard {p.MACS['player2']}")
    talks[1].wait_for(f"heard {p.MACS['player']}")
    assert helped(relay)['ipx-translated'] >= 2
