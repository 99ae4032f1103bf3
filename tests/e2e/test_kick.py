# SPDX-License-Identifier: MIT
"""Members who have the room's own invitation are thrown out and come back under another name."""
import json
import pathlib
import re
import shlex
import subprocess

import netlab
import party as p
import pytest


@pytest.fixture
def kick(party):
    def run(arguments, check=True):
        return party.run('relay', f'{p.WEFT} kick --state {party.state}/relay {arguments}', check=check)
    return run


def come(party, name, number, host='player', invitation=None):
    """As somebody who was never there before: the MAC and the name are all that a member has."""
    return party.weft(host, f'join --json --user {shlex.quote(invitation or party.invitation)} --name {name} '
                      f'--mac 02:00:00:00:07:{number:02x}')


def comes_in(*arguments, **options):
    member = come(*arguments, **options)
    member.wait_event('state', state='joined')
    return member


def assert_refused(member, address='198.51.100.2'):
    words = f'your address, {address}, is kept out of room party; ask its host to let it in'
    assert words in member.wait_event('state', state='refused')['reason']
    assert member.popen.wait(netlab.PATIENCE) == 1


def test_an_address_is_kept_out(party, kick):
    """Over a restart, until that is taken back; who is there from it stays, and others do not notice."""
    relay = party.start_relay()
    own = party.run('player', f'{p.WEFT} invite {party.invitation}').strip()
    villain = comes_in(party, 'villain', 1)
    mate = comes_in(party, 'mate', 2)
    friend = comes_in(party, 'friend', 3, host='player2')
    said = kick('villain --address')
    assert 'stays out with all who come from 198.51.100.2' in said and '1 other is in the room from there' in said
    assert villain.popen.wait(netlab.PATIENCE) == 1 and 'thrown out' in villain.output()
    assert_refused(come(party, 'somebody', 4))
    assert_refused(come(party, 'anybody', 5, invitation=own))
    assert mate.is_running() and friend.is_running()
    assert not [event for member in (mate, friend) for event in member.events('state')
                if event['state'] in ('waiting', 'refused')]
    mate.stop()
    assert_refused(come(party, 'mate', 2))
    relay.stop()
    assert relay.wait_event('facts')['rejects']['address'] == 3
    party.start_relay()
    assert_refused(come(party, 'villain', 1))
    friend.wait_event('state', state='joined', number=2)
    assert re.search(r'^party +villain +198\.51\.100\.2$', kick('--list'), re.MULTILINE)
    assert 'friday' not in kick('--undo --room friday villain', check=False)
    assert_refused(come(party, 'villain', 1))
    assert 'party/198.51.100.2 villain may come in again\n' == kick('--undo villain')
    comes_in(party, 'somebody', 4)
    assert kick('--list') == 'nobody is kept out\n'
    assert 'nobody is kept out by that' in kick('--undo villain', check=False)


def test_a_kick_says_what_makes_it_hold(party, kick):
    """The very command; all who come from there by then are out."""
    party.start_relay()
    comes_in(party, 'villain', 1)
    said = kick('villain')
    again = comes_in(party, 'villain2', 2)
    command = re.search(r'weft kick (--room party --address 198\.51\.100\.2)$', said, re.MULTILINE)[1]
    assert '198.51.100.2 is kept out of room party; 1 from there were thrown out' in kick(command)
    assert again.popen.wait(netlab.PATIENCE) == 1 and 'your address is kept out' in again.output()
    assert_refused(come(party, 'villain3', 3))
    kick('--undo 198.51.100.2')
    comes_in(party, 'villain4', 4)


def test_a_household_of_ipv6(party, kick):
    """It has a /64 at least, and takes addresses out of it as it likes."""
    for host, device, number in (('relay', 'eth0', 1), ('player', 'eth0', 2)):
        if host == 'relay':
            device = party.run('relay', 'ip -o -4 address show to 198.51.100.1').split()[1]
        party.run(host, f'ip address add 2001:db8:7::{number}/64 dev {device} nodad')
    party.start_relay()
    party.invitation = party.invitation.replace(p.RELAY, '[2001:db8:7::1]')
    comes_in(party, 'villain', 1)
    said = [json.loads(line) for line in kick('--json --address villain').splitlines()]
    assert said[-1]['event'] == 'kicked' and said[-1]['from'] == '2001:db8:7::2'
    assert said[-1]['shut_out'] == ['party/2001:db8:7::/64'] and said[-1]['stays_out'] is True
    party.run('player', 'ip address del 2001:db8:7::2/64 dev eth0')
    party.run('player', 'ip address add 2001:db8:7::99/64 dev eth0 nodad')
    assert_refused(come(party, 'somebody', 2), '2001:db8:7::99')
    kick('--undo 2001:db8:7::2')
    comes_in(party, 'somebody', 2)


def test_a_pass_is_given_back(party, kick):
    party.start_relay()
    own = party.run('relay', f'{p.WEFT} invite {party.invitation}').strip()
    for undo in ('--undo villain', f'--undo --invitation {own}'):
        villain = comes_in(party, 'villain', 1, invitation=own)
        assert 'stays out' in kick('villain')
        assert villain.popen.wait(netlab.PATIENCE) == 1
        again = come(party, 'villain', 1, invitation=own)
        assert again.popen.wait(netlab.PATIENCE) == 1 and 'taken back' in again.output()
        assert re.search(r'^party +villain +pass [0-9a-f]{64}$', kick('--list'), re.MULTILINE)
        assert 'may come in again' in kick(undo)
    comes_in(party, 'villain', 1, invitation=own)


def test_a_relay_does_not_start_beside_a_file_that_is_damaged(party):
    path = pathlib.Path(f'{party.state}/relay/shut-out')
    party.start_relay().stop()
    path.write_text('party/198.51.100.2 villain\nparty/198.51.100.300 mate\n')
    relay = party.weft('relay', f'relay --json --room party --public {p.RELAY}')
    assert relay.popen.wait(netlab.PATIENCE) == 1
    assert 'shut-out:2: "party/198.51.100.300" is neither' in relay.output()


@pytest.mark.parametrize('arguments', ['', 'a b', '--list a', '--list --undo', 'a --invitation b', '--undo',
                                       '--address', '--address --invitation weft:'])
def test_what_does_not_go_together(arguments):
    done = subprocess.run([p.WEFT, 'kick', *arguments.split()], text=True, timeout=60, capture_output=True)
    assert done.returncode == 2 and 'weft help kick' in done.stderr
