# SPDX-License-Identifier: MIT
"""Options that no other test has a use for: each does what its help says."""
import signal

import netlab
import party as p
import pytest


def discovery_routes(party, host):
    """Where games' broadcasts and multicasts go."""
    return [line for line in party.run(host, 'ip route show').splitlines()
            if line.startswith(('255.255.255.255', '224.0.0.0/4'))]


def test_no_discovery(party):
    """Broadcast and multicast are left to other interfaces."""
    party.start_relay()
    party.start_player('player', '--no-discovery').wait_event('address')
    party.start_player('player2').wait_event('address')
    assert discovery_routes(party, 'player') == []
    assert len(discovery_routes(party, 'player2')) == 2
    host = party.weft('gateway', f'host --json --public {p.RELAY} --no-discovery')
    host.wait_event('address')
    assert discovery_routes(party, 'gateway') == []


def blocks(text):
    """Lines of a QR code: it is drawn with half blocks."""
    return [line for line in text.splitlines() if '█' in line or '▀' in line or '▄' in line]


@pytest.mark.parametrize('verb', ['relay --room party', 'host'])
def test_qr(party, verb):
    """The invitation as a QR code, beside the text; with --json the text alone."""
    def invitation(options):
        process = party.weft('relay', f'{verb} --public {p.RELAY} {options}')
        process.wait_for('weft://')
        assert process.stop() == 0
        return process.output()
    codes = blocks(invitation('--qr'))
    assert len(codes) >= 15 and len({len(line) for line in codes}) == 1
    assert blocks(invitation('')) == [] and blocks(invitation('--qr --json')) == []


def test_qr_of_an_invitation_for_one(party):
    party.start_relay()
    assert blocks(party.run('relay', f'{p.WEFT} invite {party.invitation}')) == []
    assert len(blocks(party.run('relay', f'{p.WEFT} invite --qr {party.invitation}'))) >= 15


def test_no_dhcp(party):
    """Nobody hands out addresses; what the relay offers to members of weft stays."""
    relay = party.start_relay('--no-dhcp')
    party.start_player('player', '--address none').wait_event('joined')
    party.start_player('player2').wait_event('address')
    said = party.run('player', 'busybox udhcpc -i weft0 -n -q -f -t 3 -T 1 -s /bin/true',
                     check=False)
    assert 'no lease' in said
    relay.stop()
    assert 'dhcp' not in relay.wait_event('facts')['rooms'][0]


def test_memory(party):
    """16 connections in each MiB; one more waits until one of them is over."""
    party.start_relay('--memory 1 --members 40')
    users = [party.weft('player', f'join --json --user --name n{number} {party.invitation} '
                        f'--mac 02:00:00:00:02:{number:02x}') for number in range(16)]
    for user in users:
        user.wait_event('joined')
    late = party.start_player('player2')
    reason = late.wait_event('state', state='waiting')['reason']
    assert 'no room for more connections' in reason
    assert not late.events('joined')
    users[0].stop()
    late.wait_event('joined')


def test_grace(party):
    """A room is kept for who was lost for as long as it says, and no longer."""
    relay = party.start_relay('--grace 1h')
    player = party.start_player('player')
    player.wait_event('address')
    player.stop(signal.SIGKILL)
    relay.stop()
    relay = party.start_relay('--grace 1h')
    relay.wait_for('places in 1 room are kept')
    assert 'room party' in party.run('relay', f'{p.WEFT} status relay')
    relay.stop()
    relay = party.start_relay('--grace 100ms')
    relay.wait_for('room party: closed', netlab.PATIENCE)
    assert 'room party' not in party.run('relay', f'{p.WEFT} status relay')
