# SPDX-License-Identifier: MIT
"""A hostile neighbour: what it sends harms nobody and goes nowhere."""
import json
import re
import socket

import party as p

RAW = ('/usr/bin/python3 -c "import socket;s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);'
       's.bind((\'weft0\',0));[s.send(bytes.fromhex(h)) for h in {frames}]"')
FORGED = '020000000102'  # player2's address, sent by player
STRANGER = '0200000000ee'


def send_raw(lab, host, frames):
    lab.run(host, RAW.format(frames=[f.replace(' ', '') for f in frames]))


def assert_works(lab, host, target):
    """Once the queues are empty again, nothing is lost."""
    def answers():
        return lab.ping(host, target, 1)[0] == 0
    lab.until(answers)
    assert lab.unanswered(host, target, 100, '-i 0.002') == []


def test_forged_source_goes_nowhere(running):
    """A member may speak only as the MAC that it announced."""
    sniffers = {host: running.start(host, f'tcpdump -n -l -e -i {device} ether proto 0x88b6')
                for host, device in (('server', 'eth0'), ('player2', 'weft0'))}
    for sniffer in sniffers.values():
        sniffer.wait_for('listening on')
    body = '88b6' + '00' * 50  # 0x88b5 is what the gateway looks for loops by
    send_raw(running, 'player', [
        'ffffffffffff' + FORGED + body, 'ffffffffffff' + STRANGER + body,
        'ffffffffffff' + 'ffffffffffff' + body,  # a group address as source
        'ffffffffffff' + p.MACS['player'].replace(':', '') + body])
    for sniffer in sniffers.values():
        sniffer.wait_for('02:00:00:00:01:01 > ff:ff:ff:ff:ff:ff')
        assert sniffer.output().count('88b6') == 1
        sniffer.stop()


def test_reserved_addresses_do_not_pass(running):
    """Spanning tree and its like (01:80:C2:00:00:0x) stay on their own link."""
    sniffer = running.start('server', 'tcpdump -n -l -e -i eth0 ether src 02:00:00:00:01:01')
    sniffer.wait_for('listening on')
    own = p.MACS['player'].replace(':', '')
    send_raw(running, 'player', ['0180c2000000' + own + '0026424203' + '00' * 60,
                                 'ffffffffffff' + own + '88b5' + '00' * 50])
    sniffer.wait_for('ff:ff:ff:ff:ff:ff')
    assert '01:80:c2' not in sniffer.output()
    sniffer.stop()


def test_the_rooms_server_is_nobody_else(party):
    """Not by ARP of the hardware type of IEEE 802 either, which Linux takes for Ethernet's."""
    party.start_relay()
    addresses = {host: party.start_player(host).wait_event('address')['address'].split('/')[0]
                 for host in ('player', 'player2')}
    server = addresses['player'].rsplit('.', 1)[0] + '.254'
    party.run('player2', 'sysctl -qw net.ipv4.neigh.weft0.locktime=0')

    def mac_of_server():
        party.run('player2', f'ping -c 1 -W 1 {server}', check=False)  # asks who has it
        found = re.search(r'lladdr (\S+)', party.run('player2', f'ip neigh show {server} dev weft0'))
        return found and found[1]

    mac = party.until(mac_of_server)
    own, other = (p.MACS[host].replace(':', '') for host in ('player', 'player2'))
    for hardware in '0001', '0006':
        send_raw(party, 'player', [
            other + own + '0806' + hardware + '080006040002' + own + socket.inet_aton(server).hex()
            + other + socket.inet_aton(addresses['player2']).hex() + '00' * 18])
    assert_works(party, 'player', addresses['player2'])  # what was sent before has come, or will not
    assert mac_of_server() == mac
    member = json.loads(party.run('relay', f'{p.WEFT} members --json').splitlines()[0])
    assert member['name'] == 'player' and member['filter']['drop-address'] == 2


def test_random_datagrams_do_nothing(running):
    """Garbage of every length to the relay's port, while the room works on."""
    running.run('player', '/usr/bin/python3 -c "import os,random,socket;'
                's=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);random.seed(1);'
                f'[s.sendto(random.randbytes(n % 1400),(\'{p.RELAY}\',443)) for n in range(3000)];'
                # A long header of an unknown version, an Initial with nothing in it.
                f'[s.sendto(bytes([0xc0,0xba,0xad,0xf0,0x0d,8])+os.urandom(n),(\'{p.RELAY}\',443))'
                ' for n in range(1400)]"')
    assert_works(running, 'player', p.SERVER)
    assert running.parts['relay'].is_running()
    assert len(running.parts['player'].events('joined')) == 1


def test_runts_and_giants_from_the_lan(party):
    """Frames of 14 bytes, and longer than the room carries: dropped, and nothing stalls."""
    for host, device in (('gateway', 'lan0'), ('switch', 'eth-gateway'),
                         ('switch', 'eth-server'), ('server', 'eth0')):
        party.run(host, f'ip link set {device} mtu 2000')
    parts = party.start_all()
    giants = party.start('player', 'tcpdump -n -l -e -i weft0 ether proto 0x88b5 and greater 1519')
    giants.wait_for('listening on')
    party.run('server', '/usr/bin/python3 -c "import socket;'
              's=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);s.bind((\'eth0\',0));'
              '[s.send(bytes.fromhex(\'ffffffffffff02000000beef88b5\')+bytes(n))'
              ' for n in list(range(0,64))+list(range(1300,1500))+list(range(1505,1601))]"')
    assert_works(party, 'server', party.address('player'))
    assert '0x88b5' not in giants.output()
    assert parts['gateway'].stop() == 0
    facts = parts['gateway'].wait_event('facts')
    assert facts['drops'] >= len(range(1505, 1601))
    assert facts['link']['rx_frames'] >= 360 and facts['link']['rx_errors'] == 0
