# SPDX-License-Identifier: MIT
"""The way to the relay where a room's network has the relay's own address in it.

     player --- eth0 198.51.100.2, default route ---.
        |                                           relay 203.0.113.1
        '------ eth1 198.51.100.14 -----------------'
        weft0 203.0.113.50/24: the room, and the relay's network
"""
import signal

import party as p
import pytest

ROOM = '--address 203.0.113.50/24'


@pytest.fixture
def astray(party):
    """Players whose way to the relay is the default route; the second one is in the room."""
    for name, base in (('player', 1), ('player2', 5)):
        party.run(name, f'ip route del {p.RELAY}')
        party.run(name, f'ip route add default via 198.51.100.{base}')
    party.start_relay()
    return party


def ways(lab):
    return lab.run('player', f'ip route show {p.RELAY}')


def still_there(lab, relay):
    """That the session lives: a word of it reaches the relay at once."""
    assert len(lab.unanswered('player2', '203.0.113.50', 3)) < 3
    assert len(relay.events('left')) == 0


def test_relay_in_the_rooms_network(astray):
    relay = astray.processes[-1]
    player = astray.start_player(options=ROOM)
    route = player.wait_event('route')
    assert route == {**route, 'relay': p.RELAY, 'pinned': True, 'device': 'eth0',
                     'gateway': '198.51.100.1'}
    player.wait_event('address')
    told = [event['event'] for event in player.events()]
    assert told.index('route') < told.index('address')  # no packet strays in between
    assert 'via 198.51.100.1 dev eth0' in ways(astray)
    astray.start_player('player2', '--address 203.0.113.51/24').wait_event('address')
    still_there(astray, relay)
    assert player.stop() == 0
    assert relay.wait_event('left', name='player')['reason'] == 'goodbye'
    assert ways(astray) == ''


def test_way_is_followed(astray):
    """The default route goes elsewhere; the interface of the new one goes down."""
    relay = astray.processes[-1]
    astray.cable('relay', 'player', '198.51.100.13/30', '198.51.100.14/30',
                 name_a='second', name_b='eth1')
    player = astray.start_player(options=ROOM)
    player.wait_event('address')
    astray.run('player', 'ip route replace default via 198.51.100.13')
    player.wait_event('route', device='eth1')
    astray.start_player('player2', '--address 203.0.113.51/24').wait_event('address')
    still_there(astray, relay)
    astray.run('player', 'ip link set eth1 down')
    player.wait_event('route', pinned=False)
    astray.run('player', 'ip route add default via 198.51.100.1')
    player.wait_event('route', device='eth0', number=2)
    still_there(astray, relay)
    assert len(player.events('joined')) == 1


def test_default_route_into_the_room(astray):
    """Somebody takes a machine of the room as the way out."""
    player = astray.start_player(options='--address 10.7.0.2/24')
    player.wait_event('address')
    assert player.events('route') == []
    astray.run('player', 'ip route add 0.0.0.0/1 via 10.7.0.1')
    astray.run('player', 'ip route add 128.0.0.0/1 via 10.7.0.1')
    player.wait_event('route', device='eth0')
    astray.run('player', 'ip route del 128.0.0.0/1')
    player.wait_event('route', pinned=False)
    assert ways(astray) == ''


def test_crash_leaves_a_route_that_the_next_undoes(astray):
    player = astray.start_player(options=ROOM)
    player.wait_event('route')
    player.stop(signal.SIGKILL)
    assert 'dev eth0' in ways(astray)
    player = astray.start_player(options='--address 10.7.0.2/24')
    player.wait_event('state', state='joining')
    player.says('undone: route to 203.0.113.1')
    assert ways(astray) == ''


def test_route_of_somebody_else_is_borrowed(party):
    party.start_relay()
    before = ways(party)
    assert 'via 198.51.100.1' in before
    player = party.start_player(options=ROOM)
    player.wait_event('address')
    assert ways(party) == before
    assert player.stop() == 0
    assert player.events('route') == []
    assert ways(party) == before


def test_ipv6(party):
    """A relay of IPv6 alone; the room's prefix, set by hand, has its address in it."""
    party.run('relay', 'sysctl -qw net.ipv6.conf.all.forwarding=1')
    party.run('relay', 'ip address add 2001:db8:1::1/128 dev lo')
    party.cable('relay', 'player', '2001:db8:2::1/64', '2001:db8:2::2/64',
                name_a='six', name_b='eth6')
    party.run('player', 'ip -6 route add default via 2001:db8:2::1')
    party.until(lambda: '1 received' in party.run(
        'player', 'ping -c 1 -W 1 2001:db8:1::1', check=False))
    relay = party.weft('relay', 'relay --json --room party --public 2001:db8:1::1 '
                       '--listen [2001:db8:1::1]:443')
    party.invitation = relay.wait_event('invitation')['invitation']
    player = party.start_player(options='--address 10.7.0.2/24')
    player.wait_event('address')
    party.run('player', 'ip -6 address add 2001:db8:1::50/64 dev weft0 nodad')
    route = player.wait_event('route')
    assert route['relay'] == '2001:db8:1::1' and route['device'] == 'eth6'
    assert 'dev eth6' in party.run('player', 'ip -6 route show 2001:db8:1::1')
    assert player.stop() == 0
    assert party.run('player', 'ip -6 route show 2001:db8:1::1') == ''
