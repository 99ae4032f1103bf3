# SPDX-License-Identifier: MIT
"""A gateway on its LAN: what it says to the switches there, and loops."""
import re
import time

import party as p

ECHO = ('import socket\n'
        's = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x88b5)\n'
        's.bind(("eth0", 0x88b5))\n'
        'print("ready", flush=True)\n'
        'while True: s.send(s.recv(2000))')


def start_lan(party):
    """A room whose player has no address, and so says nothing of its own."""
    party.start_relay()
    gateway = party.start_gateway()
    gateway.wait_event('state', state='joined')
    return gateway


def test_switches_know_silent_members(party):
    """From the first moment on, and before the member has said a word."""
    party.run('player', 'sysctl -qw net.ipv6.conf.default.disable_ipv6=1')
    sniffer = party.start('server', 'tcpdump -e -n -l -c 1 -i eth0 ether proto 0x8035')
    sniffer.wait_for('listening on')
    start_lan(party)
    party.start_player(options='--address none').wait_event('state', state='joined')
    sniffer.wait_for(p.MACS['player'])

    def known():
        table = party.run('switch', 'bridge fdb show dev eth-gateway')
        return p.MACS['player'] in table
    known.__doc__ = 'the switch to know the player'
    party.until(known)


def test_interface_that_is_down(party):
    """It is set up for the room, and down again at the end."""
    def is_up():
        return 'UP' in party.run('gateway', 'ip link show lan0').partition('>')[0]
    party.run('gateway', 'ip link set lan0 down')
    gateway = start_lan(party)
    gateway.says('lan0 was down and is up now')
    assert is_up()
    assert gateway.stop() == 0
    assert not is_up()


def test_ring_in_the_lan(party):
    """Somebody sends back what the gateway sends, as a ring of cables does."""
    echo = party.start('server', f"/usr/bin/python3 -c '{ECHO}'")
    echo.wait_for('ready')
    gateway = start_lan(party)
    blocked = gateway.wait_event('loop', blocked=True)
    assert 'closes a ring' in blocked['reason']
    gateway.says('the LAN is cut off from the room')
    assert gateway.stop() == 0
    facts = gateway.wait_event('facts')
    assert facts['upkeep']['blocked'] and facts['upkeep']['loop-cable'] >= 1


def test_member_bridges_room_and_lan(party):
    """A player's machine stands on the gateway's LAN, and its TAP is a port of the same bridge."""
    party.cable('player', 'switch', '', '@br0', name_a='lan1')
    party.run('player', 'ip tuntap add weft0 mode tap')
    party.run('player', 'ip link add br1 type bridge')
    for device in ('weft0', 'lan1', 'br1'):
        party.run('player', f'ip link set {device} up {"" if device == "br1" else "master br1"}')
    gateway = start_lan(party)
    party.start_player().wait_event('state', state='joined')
    blocked = gateway.wait_event('loop', blocked=True)
    assert 'a member of the room' in blocked['reason']


def test_quiet_gateway(party):
    """--no-upkeep: not a frame of its own."""
    sniffer = party.start('server', 'tcpdump -e -n -l -i eth0 ether proto 0x8035 or ether proto '
                          '0x88b5 or arp')
    sniffer.wait_for('listening on')
    party.start_relay()
    party.start_gateway('--no-upkeep').wait_event('state', state='joined')
    party.run('player', 'sysctl -qw net.ipv6.conf.default.disable_ipv6=1')
    party.start_player(options='--address 192.168.77.9/24').wait_event('address')
    assert party.unanswered('player', p.SERVER, 1) == []  # its ARP comes after what there would be
    assert not re.search('0x88b5|0x8035|RARP|Reverse', sniffer.output(), re.I)


def test_console_behind_a_player(party):
    """docs/lan-party.md, 5: a console on the player's second port joins by a plug."""
    party.host('console')
    socket = f'/run/console-{time.monotonic_ns()}.sock'
    party.cable('console', 'player', '', '', name_a='eth0', name_b='eth1')
    party.run('console', 'ip address add 192.168.77.50/24 dev eth0')
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    player = party.weft('player', f'join --json --plug qemu:{socket} '
                        f"'{party.invitation}'")
    player.wait_event('state', state='joined')
    party.start('player', f'{p.WEFT} bridge packet:eth1 qemu:{socket},connect')
    player.wait_event('plugged')

    def pong():
        return party.ping('console', p.SERVER, 1)[0] == 0
    pong.__doc__ = 'the LAN to answer the console'
    party.until(pong)
