# SPDX-License-Identifier: MIT
"""A LAN party over QUIC: what every member of a LAN takes for granted."""
import json
import re
import signal

import netlab
import party as p
import pytest


def test_lease_comes_from_the_lan(running):
    for name in ('player', 'player2'):
        assert re.fullmatch(r'192\.168\.77\.1\d\d', running.address(name))
    assert running.address('player') != running.address('player2')


@pytest.mark.parametrize('verb', ['join', 'host'])
def test_a_router_of_the_room_gives_no_default_route(party, verb):
    """A LAN whose router offers itself to everybody, by DHCP and by advertisements."""
    party.start_dhcp(is_router=True)
    if verb == 'join':
        party.start_relay()
        member = party.start_player()
        place = 'player'
    else:
        member = party.weft('relay', f'host --json --public {p.RELAY}')
        party.invitation = member.wait_event('invitation')['invitation']
        place = 'relay'
    party.start_gateway().wait_event('state', state='joined')
    member.wait_event('address')
    party.until(lambda: 'fd00:77:' in party.run(place, 'ip -6 address show dev weft0'), 60)
    assert 'default' not in party.run(place, 'ip route show dev weft0')
    assert 'default' not in party.run(place, 'ip -6 route show dev weft0')


@pytest.mark.parametrize('verb', ['join', 'host'])
@pytest.mark.parametrize('is_killed', [False, True])
def test_a_tap_that_stays_takes_default_routes_again(party, verb, is_killed):
    """At the end, and after a crash by the next start on this machine."""
    place = 'player' if verb == 'join' else 'relay'

    def start():
        if verb == 'join':
            return party.start_player('player', '--link tap:kept0')
        return party.weft('relay', f'host --json --public {p.RELAY} --link tap:kept0')

    def takes():
        return party.run(place, 'cat /proc/sys/net/ipv6/conf/kept0/accept_ra_defrtr').strip()
    if verb == 'join':
        party.start_relay()
    party.run(place, 'ip tuntap add kept0 mode tap')
    member = start()
    member.wait_event('joined' if verb == 'join' else 'invitation')
    assert takes() == '0'
    if not is_killed:
        assert member.stop() == 0
        assert takes() == '1'
        return
    member.stop(signal.SIGKILL)
    assert takes() == '0'
    start().says('undone: refusal of default routes by routers on kept0')


def test_ping_between_everybody(running):
    player2 = running.address('player2')
    for host, target in (('player', p.SERVER), ('player', player2), ('player2', p.SERVER),
                         ('server', player2)):
        assert running.unanswered(host, target, 50, '-i 0.002') == [], f'{host} to {target}'


def test_arp_gives_the_real_mac(running):
    running.ping('player', p.SERVER, 3)
    mac = re.search(r'link/ether (\S+)', running.run('server', 'ip link show eth0'))[1]
    assert mac in running.run('player', f'ip neigh show {p.SERVER} dev weft0')
    assert p.MACS['player'] in running.run(
        'server', f'ip neigh show {running.address("player")} dev eth0')


def test_neighbour_discovery(running):
    target = running.link_local('server', 'eth0')
    assert running.unanswered('player', f'{target}%weft0') == []


def test_broadcast_reaches_lan_and_players(running):
    sniffers = {host: running.start(host, f'tcpdump -n -l -c 1 -i {device} udp port 27015')
                for host, device in (('server', 'eth0'), ('player2', 'weft0'))}
    for sniffer in sniffers.values():
        sniffer.wait_for('listening on')
    running.run('player', '/usr/bin/python3 -c "import socket;s=socket.socket(2,2);'
                's.setsockopt(1,6,1);s.setsockopt(1,25,b\'weft0\');'
                '[s.sendto(b\'x\',(\'255.255.255.255\',27015)) for n in range(3)]"')
    for sniffer in sniffers.values():
        sniffer.wait_for(r'255\.255\.255\.255\.27015')


@pytest.mark.parametrize('group', ['255.255.255.255', '239.255.42.42', '192.168.77.255'])
def test_discovery_prefers_the_room_to_the_default_route(running, group):
    """Games name no interface; without a route the kernel sends this to the internet."""
    running.run('player', 'ip route add default via 198.51.100.1')
    try:
        sniffer = running.start('server', 'tcpdump -n -l -c 1 -i eth0 udp port 27016')
        sniffer.wait_for('listening on')
        running.run('player', '/usr/bin/python3 -c "import socket;s=socket.socket(2,2);'
                    f's.setsockopt(1,6,1);[s.sendto(b\'x\',(\'{group}\',27016)) for n in range(3)]"')
        seen = sniffer.wait_for(re.escape(f'{group}.27016'))
        assert running.address('player') in sniffer.output(), seen
    finally:
        running.run('player', 'ip route del default')


def test_tcp_both_ways(running):
    player2 = running.address('player2')
    for server, address in (('server', p.SERVER), ('player2', player2)):
        for reverse in (False, True):
            # A sanity bound far below what any machine carries: that bytes flow, not how fast.
            assert netlab.is_ever_over(0.01, lambda address=address, reverse=reverse: running.iperf(
                'player', server, address, 1, reverse))


def test_udp_of_every_size_up_to_the_mtu(running):
    mtu = running.parts['player'].wait_event('joined')['mtu']
    for size in (0, 1, 18, 300, 301, 1000, mtu - 28):
        assert running.unanswered('player', p.SERVER, 1, f'-M do -s {size}') == []
    over = running.run('player', f'ping -M do -c 1 -s {mtu - 27} {p.SERVER}', check=False)
    assert 'message too long' in over.lower()


def test_a_tap_is_the_rooms_while_it_is_in_one(party):
    """It has the room's MTU and is up from then on; one that stays is as before at the end."""
    def tap():
        facts, = json.loads(party.run('player', 'ip -json link show kept0'))
        return facts['mtu'], 'UP' in facts['flags']
    party.run('player', 'ip tuntap add kept0 mode tap')
    assert party.start_relay('--mtu 1280').stop() == 0
    player = party.start_player(options='--link tap:kept0')
    player.wait_event('state', state='waiting')
    assert tap() == (1500, False)
    party.start_relay('--mtu 1280')
    assert player.wait_event('joined')['mtu'] == 1280
    player.wait_event('address')
    assert tap() == (1280, True)
    assert player.stop() == 0
    assert tap() == (1500, False)
