# SPDX-License-Identifier: MIT
"""Addresses that mean two machines: in one room, and in two networks of one machine."""
import ipaddress

import party as p

SHOW = 'ip -6 address show dev weft0'


def test_address_of_another_member(party):
    """The one that was first keeps it; the other is told who that is, and has none."""
    party.start_relay()
    party.start_player('player2', '--address 10.7.0.5/24').wait_event('address')
    player = party.start_player('player', '--address 10.7.0.5/24')
    conflict = player.wait_event('conflict')
    assert conflict == {**conflict, 'address': '10.7.0.5/24', 'mac': p.MACS['player2'],
                        'holder': f'player2 ({p.MACS["player2"]})'}
    player.says('10.7.0.5 is the address of player2')
    party.until(lambda: party.address('player') is None)
    assert party.address('player2') == '10.7.0.5'


def test_ipv6_address_of_another_member(party):
    """The kernel sees that it is taken and does not use it; weft says by whom."""
    party.start_relay()
    for name in ('player2', 'player'):
        player = party.start_player(name)
        player.wait_event('address')
        party.run(name, 'sysctl -qw net.ipv6.conf.weft0.accept_dad=1')  # netlab has it off
        party.run(name, 'ip -6 address add fd00:77::5/64 dev weft0')
        party.until(lambda: [line for line in party.run(name, SHOW).splitlines()
                             if 'fd00:77::5' in line and
                             ('tentative' not in line or 'dadfailed' in line)])
    conflict = player.wait_event('conflict')
    assert conflict == {**conflict, 'address': 'fd00:77::5', 'mac': p.MACS['player2'],
                        'holder': f'player2 ({p.MACS["player2"]})'}
    assert 'fd00:77::5 is the address of player2' in player.output()
    assert 'dadfailed' in party.run('player', SHOW)
    assert 'dadfailed' not in party.run('player2', SHOW)


def test_address_of_a_machine_on_the_lan(party):
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    player = party.start_player(options=f'--address {p.SERVER}/24')
    assert 'a machine on the LAN' in player.wait_event('conflict')['holder']


def test_lease_that_somebody_has(party):
    """The DHCP server gives what another member has taken by hand: declined, and named."""
    party.run('server', 'true')
    dhcp = party.start('server', 'dnsmasq --no-daemon --conf-file=/dev/null --port=0 --user=root '
                       '--group=root --interface=eth0 --bind-interfaces --no-ping '
                       '--dhcp-range=192.168.77.100,192.168.77.101,1h --dhcp-authoritative '
                       '--dhcp-leasefile=/run/leases --dhcp-option=3 '
                       f'--dhcp-host={p.MACS["player"]},192.168.77.100')
    dhcp.wait_for('DHCP, IP range')
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    party.start_player('player2', '--address 192.168.77.100/24').wait_event('address')
    player = party.start_player()
    assert player.wait_event('conflict')['holder'].startswith('player2 ')
    dhcp.wait_for('DHCPDECLINE')


def test_room_has_the_network_of_home(party):
    """Both are 10.7.0.0/24; the player's own was there first and has the way."""
    party.cable('player', 'player2', '10.7.0.1/24', '', name_a='home', name_b='home')
    party.start_relay()
    player = party.start_player(options='--address 10.7.0.5/24')
    collision = player.wait_event('collision')
    assert collision == {**collision, 'address': '10.7.0.5/24', 'other': '10.7.0.0/24',
                         'device': 'home', 'room_wins': False}
    player.says('what is meant for the room goes there')


def test_host_chooses_a_network_that_is_free(party, tmp_path):
    """What the room would have by its name is a VPN's here."""
    host = party.weft('player', 'host --json --public 198.51.100.2')
    first = ipaddress.ip_interface(host.wait_event('address')['address'])
    assert host.stop() == 0
    party.cable('player', 'player2', f'{first.network[9]}/24', '', name_a='vpn', name_b='vpn')
    host = party.weft('player', 'host --json --public 198.51.100.2')
    second = ipaddress.ip_interface(host.wait_event('address')['address'])
    assert not second.network.overlaps(first.network)
    host.says(f'{first.network} cannot be the room\'s network, vpn leads to')
    party.invitation = host.wait_event('invitation')['invitation']
    guest = party.start_player('player2')
    assert ipaddress.ip_interface(guest.wait_event('address')['address']) in second.network


def test_host_takes_the_network_it_is_told(party):
    host = party.weft('player', 'host --json --public 198.51.100.2 --network 10.99.3.0/24')
    assert host.wait_event('address')['address'] == '10.99.3.1/24'
    assert host.stop() == 0
