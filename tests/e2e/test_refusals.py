# SPDX-License-Identifier: MIT
"""What must not work, and what the user is told then."""
import base64

import pytest

import netlab
import party as p


def change_key(invitation, offset):
    """The invitation with one bit of its key turned."""
    head, key = invitation.split('#')
    raw = bytearray(base64.urlsafe_b64decode(key + '=' * (-len(key) % 4)))
    raw[offset] ^= 1
    return head + '#' + base64.urlsafe_b64encode(raw).decode().rstrip('=')


def test_wrong_relay_key(party):
    party.start_relay()
    party.invitation = change_key(party.invitation, 0)
    player = party.start_player()
    assert 'another key' in player.wait_event('state', state='refused')['reason']
    assert player.popen.wait(10) == 1


def test_wrong_room_key(party):
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    party.invitation = change_key(party.invitation, -1)
    event = party.start_player().wait_event('state', state='refused')
    assert 'invitation' in event['reason']


def test_second_gateway(party):
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    party.run('player2', 'ip link add lan0 type veth peer name lan1')
    party.run('player2', 'ip link set lan1 up')
    party.run('player2', 'ip link set lan0 up')
    second = party.weft('player2', f'gateway --json lan0 {party.invitation}')
    event = second.wait_event('state', state='waiting')
    assert 'gateway' in event['reason']


def test_duplicate_mac(party):
    party.start_relay()
    party.start_player('player').wait_event('state', state='joined')
    event = party.start_player('player2', f'--mac {p.MACS["player"]}').wait_event(
        'state', state='waiting')
    assert p.MACS['player'] in event['reason']


def test_relay_is_not_there(party):
    party.invitation = f'weft://{p.RELAY}/party#{"A" * 64}'
    event = party.start_player().wait_event('state', state='waiting', seconds=30)
    assert 'answer' in event['reason']


@pytest.mark.parametrize('command, words', [
    ('join', ['INVITATION', 'weft help join']),
    ('join weft://', ['/ROOM']),
    ('join http://x/y#z', ['weft://']),
    ('join weft://h/r#short', ['key']),
    ('join --mtu weft://h/r#' + 'A' * 64, ['--mtu']),
    ('jion x', ['join']),
    ('gateway nosuch0 weft://192.0.2.99/r#' + 'A' * 64, ['nosuch0', 'lo']),
    ('relay --listen 99999', ['99999']),
    ('relay --lisen 443', ['--listen']),
    ('bridge', ['LINK']),
    ('bridge tap:x,colour=red tap:y', ['colour']),
    ('bridge tpa:x tap:y', ['tap']),
    ('bridge tap:averyveryverylongname tap:y', ['15']),
])
def test_bad_command_lines_are_explained(party, command, words):
    """Says what is wrong and how to mend it, in one go, without a crash."""
    process = netlab.Process(party, 'player', f'{p.WEFT} {command}')
    party.processes.append(process)
    status = process.popen.wait(20)
    assert status in (1, 2), process.output()
    for word in words:
        assert word in process.output()


def test_port_in_use(party):
    party.start_relay()
    second = party.weft('relay', 'relay --json --room other')
    assert second.popen.wait(10) == 1
    assert '443' in second.output() and '--listen' in second.output()


def test_name_taken(party):
    party.start_relay()
    party.run('player', 'ip link add weft0 type veth peer name weft1')
    process = party.start_player()
    assert process.popen.wait(10) == 1
    assert 'weft0' in process.output()


def test_no_rights(party):
    party.start_relay()
    process = netlab.Process(
        party, 'player', 'setpriv --reuid 65534 --clear-groups --bounding-set=-all '
        f'{p.WEFT} join {party.invitation} --state /tmp')
    party.processes.append(process)
    assert process.popen.wait(10) == 1
    assert '/dev/net/tun' in process.output()
