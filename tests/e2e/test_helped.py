# SPDX-License-Identifier: MIT
"""What a room does for its members beside carrying frames (docs/filters.md)."""
import shlex

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


def test_ipx_is_translated(party):
    """Two drivers that were told different framings."""
    relay = start_players(party)
    talks = [party.start(name, f"/usr/bin/python3 -c {shlex.quote(IPX)} {framing} "
                         f'{p.MACS[name]}')
             for name, framing in (('player', 'ethernet2'), ('player2', '802.3'))]
    talks[0].wait_for(f"heard {p.MACS['player2']}")
    talks[1].wait_for(f"heard {p.MACS['player']}")
    assert helped(relay)['ipx-translated'] >= 2
