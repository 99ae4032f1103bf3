# SPDX-License-Identifier: MIT
"""Coming, going and coming back: members, relays, gateways, addresses, crashes."""
import itertools
import json
import math
import os
import pathlib
import re
import shutil
import signal
import time

import netlab
import party as p
import pytest

WITHOUT_IPV6 = pathlib.Path(__file__).with_name('without_ipv6.py')


def reaches(lab, host, target, seconds=netlab.PATIENCE):
    def pong():
        return lab.ping(host, target, 1)[0] == 0
    pong.__doc__ = f'{target} answering {host}'
    return lab.until(pong, seconds)


def test_member_leaves_and_rejoins(party):
    parts = party.start_all()
    first = party.address('player')
    assert parts['player'].stop() == 0
    parts['dhcp'].wait_for('DHCPRELEASE')
    parts['relay'].wait_event('left', name='player')
    parts['player2'].wait_event('peer', name='player', here=False, reason='goodbye')
    parts['player2'].says('player (02:00:00:00:01:01) has left: goodbye')
    assert party.run('player', 'ip -br link show type tun') == ''
    party.start_player('player').wait_event('address')
    assert party.address('player') == first  # same MAC, same lease
    assert reaches(party, 'player', party.address('player2'))


def test_own_mac_is_made_once(party):
    """Local, and another one on each machine; that of --mac is for once."""
    party.start_relay()

    def mac_of(host, options=''):
        player = party.weft(host, f'join --json {party.invitation} {options}')
        player.wait_event('joined')
        mac = re.search('link/ether (\\S+)', party.run(host, 'ip link show weft0'))[1]
        assert player.stop() == 0
        return mac
    first = mac_of('player')
    assert int(first[:2], 16) & 3 == 2
    assert mac_of('player', f'--mac {p.MACS["player"]}') == p.MACS['player']
    assert mac_of('player') == first
    assert mac_of('player2') != first


def test_relay_restarts_and_members_return(party):
    parts = party.start_all()
    assert parts['relay'].stop() == 0
    parts['player'].wait_event('state', state='waiting')
    party.start_relay()
    for name in ('player', 'player2', 'gateway'):
        parts[name].wait_event('state', state='joined', number=2)
    assert reaches(party, 'player', p.SERVER)


def test_relay_killed_and_restarted(party):
    """No goodbye: members notice by stateless reset, because the new relay has the old keys."""
    parts = party.start_all()
    parts['relay'].stop(signal.SIGKILL)
    party.start_relay()
    for name in ('player', 'gateway'):
        parts[name].wait_event('state', state='joined', number=2)
    assert reaches(party, 'player', p.SERVER)


def test_relay_ends_and_returns(party):
    """Everybody is told at once, and back as soon as it is; nobody waits for a time-out."""
    parts = party.start_all()
    rounds = itertools.count(1)

    def shut_down_and_start():
        number = next(rounds)
        began = time.monotonic()
        assert parts['relay'].stop() == 0
        took = time.monotonic() - began
        for name in ('player', 'player2', 'gateway'):
            party.until(lambda told=parts[name]:
                        told.output().count('the relay is shut down') >= number)
        parts['relay'] = party.start_relay()
        for name in ('player', 'player2', 'gateway'):
            parts[name].wait_event('state', state='joined', number=number + 1)
        return took
    # Two seconds it waits for who has not heard of it.
    assert netlab.is_ever_within(1.9, shut_down_and_start)
    assert reaches(party, 'player', p.SERVER)


def places(party):
    """Who has which id and address, as the relay says."""
    lines = party.run('relay', f'{p.WEFT} members --json').splitlines()
    members = [json.loads(line) for line in lines]
    return {m['name']: (m['id'], m['offered_address']) for m in members}


def test_relay_sends_its_members_to_another(party, tmp_path):
    """They meet there with the same key and addresses, and come home by themselves."""
    relay = party.start_relay(f'--drain-to {p.RELAY}:4433')
    spare_state = tmp_path / 'spare'
    shutil.copytree(tmp_path / 'relay', spare_state)
    spare = p.Weft(party, 'relay', f'{p.WEFT} relay --json --listen 4433 --state {spare_state}')
    party.processes.append(spare)
    spare.wait_event('listening')
    players = {name: party.start_player(name) for name in ('player', 'player2')}
    address = {name: player.wait_event('address')['address'].split('/')[0]
               for name, player in players.items()}
    assert relay.stop() == 0
    for name in players:
        spare.wait_event('came', name=name)
    assert reaches(party, 'player', address['player2'])
    relay = party.start_relay()
    for name, player in players.items():
        relay.wait_event('came', name=name, seconds=60)
        player.wait_event('state', state='waiting', reason='our relay is back')
        player.wait_event('joined', number=3)
        assert party.address(name) == address[name]
    assert reaches(party, 'player', address['player2'])
    assert spare.stop() == 0


def test_restart_changes_no_address(party):
    """Without a LAN addresses are the relay's: whoever comes back first, they stay."""
    relay = party.start_relay()
    first = party.start_player('player')
    first.wait_event('joined')
    second = party.start_player('player2')
    second.wait_event('joined')
    before = places(party)
    assert len(before) == 2
    assert relay.stop() == 0
    first.popen.send_signal(signal.SIGSTOP)
    relay = party.start_relay()
    relay.wait_for('places in 1 room are kept')
    second.wait_event('joined', number=2)
    first.popen.send_signal(signal.SIGCONT)
    first.wait_event('joined', number=2)
    assert places(party) == before


def test_damaged_rooms_are_passed_over(party):
    party.start_relay().stop()
    pathlib.Path(party.state, 'relay/rooms').write_text('{"rooms":[{"na')
    relay = party.start_relay()
    relay.wait_for('rooms begin anew')
    party.start_player('player').wait_event('joined')


def test_members_are_listed(party):
    """Name, address and way of each, for people and for programs; one room or all."""
    party.start_relay()
    party.start_player('player').wait_event('address')
    party.start_gateway().wait_event('joined')
    lines = party.run('relay', f'{p.WEFT} members party').splitlines()
    assert lines[0].split() == ['ROOM', 'ID', 'NAME', 'ADDRESS', 'MAC', 'RTT', 'JITTER',
                                'LOSS', 'MTU', 'FROM']
    assert lines[1].split()[:3] == ['party', '1', 'player']
    assert p.MACS['player'] in lines[1] and ' 198.51.100.2:' in lines[1]
    assert 1228 <= int(lines[1].split()[-2]) <= 1472  # as docs/protocol.md says
    assert ' gateway ' in lines[2]
    events = [json.loads(line) for line in
              party.run('relay', f'{p.WEFT} members --json').splitlines()]
    assert [e['event'] for e in events] == ['member', 'member']
    assert events[0]['name'] == 'player' and events[0]['path']['rtt_us'] > 0
    assert 'has a room other' in party.run('relay', f'{p.WEFT} members other', check=False)


def test_relay_is_told_twice_to_end(party):
    """The first signal waits for a member that does not answer; the second does not."""
    def tell_twice():
        relay = party.start_relay()
        player = party.start_player()
        player.wait_event('joined')
        party.run('relay', 'ip link set eth-player down')
        relay.popen.send_signal(signal.SIGTERM)
        relay.wait_for('tells its members')
        began = time.monotonic()
        has_waited = relay.is_running()
        assert relay.stop() == 0
        took = time.monotonic() - began
        player.stop(signal.SIGKILL)
        party.run('relay', 'ip link set eth-player up')
        return took if has_waited else math.inf
    assert netlab.is_ever_within(1.5, tell_twice)


def test_gateway_is_replaced(party):
    parts = party.start_all()
    assert parts['gateway'].stop() == 0
    gone = parts['player'].wait_event('peer', role='gateway', here=False)
    parts['player'].says(f'gateway {gone["name"]} has left: goodbye')
    assert party.ping('player', p.SERVER, 2)[0] == 1
    party.start_gateway().wait_event('state', state='joined')
    assert reaches(party, 'player', p.SERVER)
    assert len(parts['player'].events('joined')) == 1  # the player never left


def test_client_changes_its_address(party):
    """The player's only address goes away and another comes: the session moves with it."""
    parts = party.start_all()
    party.run('relay', 'ip address add 198.51.100.129/30 dev eth-player')
    party.run('player', 'ip address add 198.51.100.130/30 dev eth0')
    party.run('player', 'ip address del 198.51.100.2/30 dev eth0')
    party.run('player', f'ip route replace {p.RELAY} via 198.51.100.129')
    assert reaches(party, 'player', p.SERVER)
    assert len(parts['player'].events('joined')) == 1


def test_a_path_that_carries_less_than_it_did(party):
    """Somewhere on the way packets of full size are lost from now on, and nobody is told."""
    for name in ('home', 'isp'):
        party.host(name)
        party.run(name, 'sysctl -qw net.ipv4.ip_forward=1')
    party.cable('player', 'home', '198.51.100.34/30', '198.51.100.33/30', name_a='eth1')
    party.cable('home', 'isp', '198.51.100.37/30', '198.51.100.38/30', name_a='wan', name_b='dsl')
    party.cable('isp', 'relay', '198.51.100.41/30', '198.51.100.42/30')
    for host, to, via in (('player', p.RELAY, 33), ('home', p.RELAY, 38), ('isp', p.RELAY, 42),
                          ('isp', '198.51.100.32/30', 37), ('relay', '198.51.100.32/30', 41)):
        party.run(host, f'ip route replace {to} via 198.51.100.{via}')
    party.start_relay()
    player = party.start_player(options='--address 10.7.0.2/24')
    player.wait_event('address')
    party.start_player('player2', '--address 10.7.0.3/24').wait_event('address')
    full = '-i 0.1 -M do -s 1472'
    party.until(lambda: party.unanswered('player', '10.7.0.3', 5, full) == [])
    party.run('home', 'ip link set wan mtu 1280')
    party.run('isp', 'ip link set dsl mtu 1280')
    party.until(lambda: party.unanswered('player', '10.7.0.3', 5, full) == [])
    assert len(player.events('joined')) == 1


def test_killed_members_leave_nothing(party):
    """The room has their places back once they have been silent for long enough."""
    parts = party.start_all()
    before = party.run('gateway', 'ip -d link show lan0')
    assert 'promiscuity 1' in before
    parts['player'].stop(signal.SIGKILL)
    parts['gateway'].stop(signal.SIGKILL)
    assert party.run('player', 'ip -br link show type tun') == ''
    assert 'promiscuity 0' in party.run('gateway', 'ip -d link show lan0')
    party.start_gateway().wait_event('state', state='joined')
    party.start_player('player').wait_event('address')
    assert reaches(party, 'player', p.SERVER)


def test_five_per_cent_loss(party):
    """weft's own impairment between player and room: TCP still gets through."""
    party.start_dhcp()
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    party.start_player('player', '--link impair:loss=5%,seed=7:tap:weft0').wait_event('address')
    assert reaches(party, 'player', p.SERVER)
    lost, _ = party.ping('player', p.SERVER, 500, 0.002)
    assert 0.04 < lost < 0.18  # 5 % each way
    assert party.iperf('player', 'server', p.SERVER, 2) > 0.0001


def test_host_and_join_need_nothing_else(party):
    """The two commands of the README: no relay, no DHCP server, no LAN."""
    host = party.weft('relay', f'host --json --public {p.RELAY}')
    invitation = host.wait_event('invitation')['invitation']
    own = host.wait_event('address')['address'].split('/')[0]
    friend = party.weft('player', f'join --json {invitation}')
    address = friend.wait_event('address')['address'].split('/')[0]
    assert reaches(party, 'player', own)
    assert reaches(party, 'relay', address)
    assert party.iperf('player', 'relay', own, 1) > 0.001
    assert friend.stop() == 0
    host.wait_event('left')
    assert host.stop() == 0
    own, = host.wait_event('facts')['rooms'][0]['members']
    assert own['filter']['pass'] > 0  # the rules are for the host's own device, too
    assert party.run('relay', 'ip -br link show type tun') == ''


def test_player_without_ipv6(party):
    """A kernel that knows no IPv6, and a device that has none: the room's IPv4 works."""
    party.start_relay()
    party.run('player', 'sysctl -qw net.ipv6.conf.all.disable_ipv6=1 '
              'net.ipv6.conf.default.disable_ipv6=1')
    player = p.Weft(party, 'player', f'/usr/bin/python3 {WITHOUT_IPV6} {p.WEFT} join --json '
                    f'"{party.invitation}" --name player --state {party.state}/player')
    party.processes.append(player)
    other = party.start_player('player2').wait_event('address')['address'].split('/')[0]
    player.wait_event('address')
    assert party.link_local('player') is None
    assert reaches(party, 'player', other)
    assert player.stop() == 0


def test_room_without_a_lan_has_dhcp(party, tmp_path):
    """For consoles and emulators, which know nothing of offers: here busybox's client."""
    relay = party.start_relay()
    script = tmp_path / 'udhcpc.sh'
    script.write_text('#!/bin/sh\n[ "$1" = bound ] && ip address add $ip/$mask dev $interface\n'
                      '[ "$1" = bound ] && echo "router=$router mtu=$mtu"\nexit 0\n')
    script.chmod(0o755)
    party.start_player('player', '--address none').wait_event('joined')
    offered = party.start_player('player2').wait_event('address')['address'].split('/')[0]
    said = party.run('player', f'busybox udhcpc -i weft0 -n -q -f -O mtu -s {script}')
    assert 'router= mtu=1500' in said
    assert party.address('player').rpartition('.')[0] == offered.rpartition('.')[0]
    assert reaches(party, 'player', offered)
    relay.stop()
    room = relay.wait_event('facts')['rooms'][0]
    assert set(room['dhcp']) == {'offered', 'acked'}  # each once, or again if it was slow


def test_a_gateways_lan_without_dhcp(party):
    """The room's server gives the addresses, until the LAN has one: then that one does."""
    relay = party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    player, player2 = party.start_player('player'), party.start_player('player2')
    address = player.wait_event('address')
    other = player2.wait_event('address')['address'].split('/')[0]
    assert address['address'].endswith('/24') and address['from'] == 'DHCP'
    assert other.rpartition('.')[0] == address['address'].rpartition('.')[0]
    assert reaches(party, 'player', other)
    relay.wait_for('no DHCP server of the gateway\'s LAN has answered')

    party.start_dhcp()  # a lease of the room's is renewed here, and not taken over
    player.stop()
    party.start_player('player').wait_event('address')
    assert party.address('player').startswith('192.168.77.')
    relay.wait_for(f'has a DHCP server, {p.SERVER}; the room\'s own keeps quiet')


def test_a_player_is_no_dhcp_server(party, tmp_path):
    """Another member's dnsmasq is not heard: the relay's own server gives the address."""
    relay = party.start_relay()
    rogue = party.start_player('player')
    address = rogue.wait_event('address')['address']
    party.start_player('player2', '--address none').wait_event('joined')
    server = party.start('player', 'dnsmasq --no-daemon --conf-file=/dev/null --port=0 --user=root '
                         '--group=root --interface=weft0 --bind-interfaces --no-ping '
                         f'--dhcp-range={address.rpartition(".")[0]}.60,static,1h --dhcp-authoritative '
                         f'--dhcp-host={p.MACS["player2"]},{address.rpartition(".")[0]}.66 '
                         '--dhcp-leasefile=/run/leases')
    server.wait_for('DHCP, static leases')
    script = tmp_path / 'udhcpc.sh'
    script.write_text('#!/bin/sh\n[ "$1" = bound ] && echo "given $ip by $serverid"\nexit 0\n')
    script.chmod(0o755)
    said = party.run('player2', f'busybox udhcpc -i weft0 -n -q -f -s {script}')
    assert '.254' in said and '.66 ' not in said
    server.wait_for('DHCPOFFER')  # it has tried
    relay.stop()
    members = relay.wait_event('facts')['rooms'][0]['members']
    assert {m['name']: m['filter'].get('drop-dhcp-server', 0) > 0 for m in members} == {
        'player': True, 'player2': False}


def test_who_is_thrown_out_stays_out(party):
    """By an invitation of its own, and over a restart of the relay; the others do not notice."""
    relay = party.start_relay()
    own = party.run('relay', f'{p.WEFT} invite --expires 7d {party.invitation}').strip()
    assert len(own) > len(party.invitation) + 100
    one_more = party.run('relay', f'{p.WEFT} invite {own}', check=False)
    assert 'only the room\'s own' in one_more
    guest = party.weft('player', f'join --json {own} --name guest --mac {p.MACS["player"]}')
    guest.wait_event('address')
    party.start_player('player2').wait_event('address')
    assert reaches(party, 'player', party.address('player2'))
    said = party.run('relay', f'{p.WEFT} status')
    assert 'room party' in said and 'guest' in said and 'player2' in said
    assert 'stays out' in party.run('relay', f'{p.WEFT} kick --state {party.state}/relay guest')
    assert guest.popen.wait(netlab.PATIENCE) == 1 and 'thrown out' in guest.output()
    for restart in (False, True):
        if restart:
            relay.stop()
            relay = party.start_relay()
        again = party.weft('player', f'join --json {own} --name guest')
        assert again.popen.wait(netlab.PATIENCE) == 1 and 'taken back' in again.output()
    relay.wait_event('came', name='player2')
    assert 'nobody in room party is called guest' in party.run(
        'relay', f'{p.WEFT} kick guest', check=False)


def test_an_invitation_expires(party):
    party.start_relay()
    own = party.run('relay', f'{p.WEFT} invite --expires 1s {party.invitation}').strip()
    party.run('relay', 'sleep 2')
    late = party.weft('player', f'join --json {own}')
    assert late.popen.wait(netlab.PATIENCE) == 1 and 'expired' in late.output()


def test_gateway_tells_of_its_cable(party):
    """A gateway whose LAN is gone looks well to everybody; so it says what has happened."""
    parts = party.start_all()
    party.run('switch', 'ip link set eth-gateway down')
    parts['gateway'].wait_event('lan', carrier=False)
    parts['gateway'].says('lan0 has lost its carrier')
    party.run('switch', 'ip link set eth-gateway up')
    parts['gateway'].wait_event('lan', carrier=True)
    assert reaches(party, 'player', p.SERVER)
    party.run('gateway', 'ip link set lan0 down')
    parts['gateway'].wait_event('lan', carrier=False, number=2)
    parts['gateway'].says('lan0 is down')


def test_relay_tells_of_each_member(party):
    """The facts at its end: who is in the room, and how far away."""
    parts = party.start_all()
    assert reaches(party, 'player', p.SERVER)
    assert parts['relay'].stop() == 0
    room, = parts['relay'].wait_event('facts')['rooms']
    members = {m['name']: m for m in room['members']}
    assert set(members) >= {'player', 'player2'} and len(members) == 3
    for member in members.values():
        assert 0 < member['path']['min_rtt_us'] <= member['path']['rtt_us'] < 5_000_000
    assert members['player']['mac'] == p.MACS['player']


def test_status_shows_members_and_their_paths(party):
    """`weft status` finds a member as well as the relay; each says how good the way is."""
    parts = party.start_all()
    assert reaches(party, 'player', p.SERVER)
    text = party.run('player', f'{p.WEFT} status {parts["player"].popen.pid}')
    assert re.search(r'join \(\d+\): weft join\n  room party at 203\.0\.113\.1: joined\n'
                     r'    weft0 192\.168\.77\.\d+/24, to the relay RTT .*, jitter ', text), text
    assert re.search(r'player2 +client', text)
    assert re.search(r'\d +\S+ +gateway', text)
    text = party.run('relay', f'{p.WEFT} status {parts["relay"].popen.pid}')
    assert len(re.findall(r'RTT .*, jitter ', text)) == 3, text


def test_rights_are_given_up(party):
    """Whoever listens to others has no right but what it needs, and no way out."""
    parts = party.start_all()
    parts['host'] = party.weft('server', 'host --json --public 192.168.77.1')
    parts['host'].wait_event('address')
    parts['bridge'] = p.Weft(party, 'switch', f'{p.WEFT} bridge --json tap:a tap:b')
    party.processes.append(parts['bridge'])
    parts['bridge'].wait_event('ready')
    has_seccomp = 'libseccomp' in party.run(None, f'{p.WEFT} version')
    net_admin = 1 << 12  # of those that put back at the end what they have set
    for name in ('relay', 'gateway', 'player', 'host', 'bridge'):
        kept = 0 if name == 'relay' else net_admin
        with open(f'/proc/{parts[name].popen.pid}/status') as status:
            facts = dict(line.rstrip('\n').split(':\t', 1) for line in status)
        assert facts['Name'] == 'weft'
        for capabilities in ('CapEff', 'CapPrm', 'CapBnd'):
            assert int(facts[capabilities], 16) & ~kept == 0, f'{name}: {capabilities}'
        assert facts['NoNewPrivs'] == '1', name
        assert facts['Seccomp'] == ('2' if has_seccomp else '0'), name
    assert reaches(party, 'player', p.SERVER)


def test_interrupt_ends_everything_cleanly(party):
    parts = party.start_all()
    for name in ('player', 'player2', 'gateway', 'relay'):
        assert parts[name].stop(signal.SIGINT) == 0
    left = [(event['role'], event['reason']) for event in parts['relay'].events('left')]
    assert left == 2 * [('client', 'goodbye')] + [('gateway', 'goodbye')]
    assert 'promiscuity 0' in party.run('gateway', 'ip -d link show lan0')
    for name in ('player', 'gateway', 'relay'):
        assert party.run(name, 'ip -br link show type tun') == ''


@pytest.mark.parametrize('closed', ['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])
def test_started_with_closed_descriptors(party, closed):
    """As some scripts and supervisors do: no socket gets the number of what is printed to."""
    relay = netlab.Process(party, 'relay',
                           f"sh -c 'exec {p.WEFT} relay --state {party.state}/relay {closed}'")
    party.processes.append(relay)

    def a_relay():
        return 'relay' in party.run('relay', f'{p.WEFT} status {relay.popen.pid}', check=False)
    party.until(a_relay)
    standard = [os.readlink(f'/proc/{relay.popen.pid}/fd/{number}') for number in range(3)]
    assert not [place for place in standard if place.startswith(('socket:', 'anon_inode:'))]
    assert relay.stop() == 0, relay.output()


def test_killed_host_is_put_in_order_by_the_next(party):
    """SIGKILL leaves a journal in /run/weft and nothing else; the next run takes it away."""
    def journals():
        found = party.run('relay', 'sh -c "ls /run/weft 2>/dev/null"', check=False).split()
        return {name for name in found if name.startswith('journal')}
    others = journals()  # of hosts that were killed in other tests, and whose networks are gone
    host = party.weft('relay', f'host --json --public {p.RELAY}')
    host.wait_event('address')
    before = journals() - others
    assert len(before) == 1
    host.stop(signal.SIGKILL)
    assert party.run('relay', 'ip -br link show type tun') == ''
    assert '100.64.0.0/10' not in party.run('relay', 'ip route')
    assert journals() - others == before
    again = party.weft('relay', f'host --json --public {p.RELAY}')
    again.wait_event('address')
    assert len(journals() - others - before) == 1 and not journals() & before
    assert again.stop() == 0
    assert journals() == others
