# SPDX-License-Identifier: MIT
"""weft join --plug: emulators in a room, on machines of which nothing is touched.

    QEMU --- join --plug ---.                         .--- gateway --- dnsmasq, web server
    python (Dolphin) -------'--- relay of the room ---'
"""
import hashlib
import os
import pathlib
import random
import re
import time

import dolphin
import guest
import party as p
import pytest
from dosbox import DosBox, needs_dosbox, responses

FOREIGN = bytes.fromhex('0009bf010203')  # a console's: not locally administered
UNPRIVILEGED = 'setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all'


@pytest.fixture
def room(party):
    """A relay and a gateway to a LAN with DHCP; no player yet."""
    party.directory = f'/run/plug-{time.monotonic_ns()}'
    pathlib.Path(party.directory).mkdir()
    os.chmod(party.directory, 0o777)
    party.start_dhcp()
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    return party


def join(room, host, plugs, prefix=''):
    process = p.Weft(room, host, f"{prefix} {p.WEFT} join --json --state {room.directory}/{host} "
                     f"'{room.invitation}' " + ' '.join(f'--plug {plug}' for plug in plugs),
                     env={'TERM': 'dumb'})
    room.processes.append(process)
    process.wait_event('state', state='joined')
    return process


def arp(target_ip, source):
    """Who has target_ip? Asks 192.168.77.50 under the MAC source."""
    return dolphin.ether(bytes.fromhex('0001080006040001') + source + bytes([192, 168, 77, 50])
                         + bytes(6) + target_ip, 0x0806, b'\xff' * 6, source)


def is_answer(frame):
    return frame[12:14] == b'\x08\x06' and frame[20:22] == b'\0\2'


def test_console_reaches_the_lan_at_once(room):
    """Its very first frame is answered, though nobody knew its MAC."""
    join(room, 'player', [f'tapserver:{room.directory}/dolphin'])
    client = dolphin.Dolphin(f'{room.directory}/dolphin')
    client.send(arp(bytes([192, 168, 77, 1]), FOREIGN))
    answer = client.expect(is_answer)
    assert answer[:6] == FOREIGN


def test_two_consoles_on_one_machine_and_one_elsewhere(room):
    join(room, 'player', [f'tapserver:{room.directory}/a', f'qemu:{room.directory}/b'])
    join(room, 'player2', [f'tapserver:{room.directory}/c'])
    clients = [dolphin.Dolphin(f'{room.directory}/a'), dolphin.Qemu(f'{room.directory}/b'),
               dolphin.Dolphin(f'{room.directory}/c')]
    macs = [FOREIGN[:5] + bytes([number]) for number in range(3)]
    for client, mac in zip(clients, macs):
        client.send(dolphin.ether(b'here'.ljust(46, b'\0'), 0x88b5, b'\xff' * 6, mac))
        for other in clients:
            if other is not client:
                other.expect(lambda frame, mac=mac: frame[6:12] == mac)
    for number, client in enumerate(clients):
        target = (number + 1) % 3
        client.send(dolphin.ether(b'for you'.ljust(46, b'\0'), 0x88b6, macs[target], macs[number]))
        frame = clients[target].expect(lambda frame: frame[12:14] == b'\x88\xb6')
        assert frame[6:12] == macs[number]


def test_a_mac_that_is_taken(room):
    """The second console with one MAC is told, and does not disturb the first."""
    join(room, 'player', [f'tapserver:{room.directory}/a'])
    second = join(room, 'player2', [f'tapserver:{room.directory}/b'])
    a, b = dolphin.Dolphin(f'{room.directory}/a'), dolphin.Dolphin(f'{room.directory}/b')
    a.send(arp(bytes([192, 168, 77, 1]), FOREIGN))
    a.expect(is_answer)
    b.send(arp(bytes([192, 168, 77, 1]), FOREIGN))
    second.wait_for('somebody there has that MAC already')
    a.send(arp(bytes([192, 168, 77, 1]), FOREIGN))
    a.expect(is_answer)


def test_capture_around_a_plug(room):
    """The file is made when the peer comes, which is after root's rights are gone."""
    capture = f'{room.directory}/console.pcap'
    process = join(room, 'player', [f'capture:{capture}:tapserver:{room.directory}/dolphin'])
    client = dolphin.Dolphin(f'{room.directory}/dolphin')
    client.send(arp(bytes([192, 168, 77, 1]), FOREIGN))
    client.expect(is_answer)
    assert process.stop() == 0
    recorded = room.run(None, f'tcpdump -enr {capture} arp')
    assert 'Request who-has 192.168.77.1' in recorded and 'Reply 192.168.77.1' in recorded
    assert not pathlib.Path(f'{room.directory}/dolphin').exists()


@pytest.mark.skipif(not guest.find_kernel(), reason='no kernel was fetched for this machine')
def test_virtual_machine_without_any_right(room, tmp_path):
    """A lease from the LAN and a whole file, by nobody (uid 65534), with no TAP."""
    data = random.Random(2).randbytes(2_000_000)
    (tmp_path / 'file').write_bytes(data)
    room.start('server', f'/usr/bin/python3 -m http.server -b {p.SERVER} -d {tmp_path} 8000')
    process = join(room, 'player', [f'qemu:{room.directory}/vm'], UNPRIVILEGED)
    status = pathlib.Path(f'/proc/{process.popen.pid}/status').read_text(encoding='utf-8')
    assert re.search(r'^Uid:\s+65534\s+65534', status, re.M)
    machine = guest.start(room, None, 'stream,id=net0,server=off,addr.type=unix,'
                          f'addr.path={room.directory}/vm', f'''
udhcpc -i eth0 -s /lease -n -q -t 10
wget -q -O /tmp/file http://{p.SERVER}:8000/file
echo "guest: file $(md5sum < /tmp/file | cut -d' ' -f1)"
''')
    machine.wait_for('guest: script ended', seconds=300)
    assert 'guest: lease 192.168.77.1' in machine.output(), machine.output()
    assert f'guest: file {hashlib.md5(data).hexdigest()}' in machine.output(), machine.output()
    assert 'tap' not in room.run('player', 'ip -d -br link')


@needs_dosbox
def test_dosboxes_at_two_members_ping_each_other(room):
    """IPX goes from one machine's plug through the relay to the other's."""
    pings = [f'ipxnet ping > ping{i}.txt' for i in range(8)]
    at = {'player': '198.51.100.2', 'player2': '198.51.100.6'}
    members = [join(room, host, [f'dosbox:{address}:2130']) for host, address in at.items()]
    boxes = {host: DosBox(room, f'{host}-box', 2130, pings, way=f'connect {address}', host=host)
             for host, address in at.items()}
    for member in members:
        member.wait_event('plugged', seconds=120)
    for host, box in boxes.items():
        other, = {'player', 'player2'} - {host}
        found = room.until(lambda box=box: responses(box, 8), seconds=120)
        # A node is shown as an address: that of the other's machine, made a MAC that is one's own.
        last_octet = at[other].rsplit('.', 1)[1]
        assert {address.rsplit('.', 1)[1] for address, _ in found} == {last_octet}
