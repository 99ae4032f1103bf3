# SPDX-License-Identifier: MIT
"""Invitations: how long they hold, how they are taken back, and where they are read from."""
import os
import pty
import re
import shlex
import subprocess

import netlab
import party as p
import pytest

SECRET = 'A' * 22
OWN = f'weft://relay.example.org/friday#{SECRET}'


def assert_ends(member, words):
    assert member.popen.wait(netlab.PATIENCE) == 1 and words in member.output()


def test_one_for_many_is_taken_back(party):
    """For all who have it, and over a restart of the relay; who has another one does not notice."""
    relay = party.start_relay('--expires 3d')
    friends = party.invitation
    assert len(friends) > 200
    relay.stop()
    relay = party.start_relay('--expires 1h')
    assert party.invitation != friends
    party.start_player('player2').wait_event('address')
    party.invitation = friends
    guests = [party.start_player('player'), party.weft('gateway', f'join --json {friends} --name third')]
    for guest in guests:
        guest.wait_event('address')
    text = party.run('relay', f'{p.WEFT} kick --state {party.state}/relay --invitation {friends}')
    assert '2 with it were thrown out' in text
    for guest in guests:
        assert_ends(guest, 'taken back')
    for restart in (False, True):
        if restart:
            relay.stop()
            relay = party.start_relay()
        assert_ends(party.weft('player', f'join --json {friends}'), 'taken back')
    relay.wait_event('came', name='player2')


def test_one_of_a_relay_expires(party):
    party.start_relay('--expires 1s')
    party.run('relay', 'sleep 2')
    assert_ends(party.weft('player', f'join --json {party.invitation}'), 'expired')


def test_a_room_gets_another_secret(party):
    host = party.weft('relay', f'host --json --public {p.RELAY}')
    before = host.wait_event('invitation')['invitation']
    player = party.weft('player', f'join --json {before}')
    player.wait_event('address')
    host.stop()
    host = party.weft('relay', f'host --json --public {p.RELAY} --new-secret')
    after = host.wait_event('invitation')['invitation']
    assert before.split('#')[0] == after.split('#')[0] and before != after
    player.wait_for('another')
    party.weft('player2', f'join --json {after}').wait_event('address')
    assert host.stop() == 0
    host = party.weft('relay', f'host --json --public {p.RELAY}')
    assert host.wait_event('invitation')['invitation'] == after


def test_the_rooms_own_is_not_taken_back_alone(party):
    said = party.run('relay', f'{p.WEFT} kick --state {party.state}/relay --invitation {OWN}', check=False)
    assert '--new-secret' in said


def test_a_member_reads_it_from_the_environment(party):
    party.start_relay()
    player = party.weft('player', 'join --json', env={'WEFT_INVITATION': party.invitation})
    player.wait_event('address')
    key = party.invitation.split('#')[1].encode()
    with open(f'/proc/{player.popen.pid}/environ', 'rb') as environment:
        assert key not in environment.read()


# ---- without a party -----------------------------------------------------------------------------

def weft(*args, **env):
    return subprocess.run([p.WEFT, *args], text=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True,
                          env={**os.environ, **env}, start_new_session=True)


def on_terminal(typed, *args):
    """What weft shows there, and its exit status, after somebody has typed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(p.WEFT, [p.WEFT, *args])
    shown = b''
    try:
        while b'Invitation: ' not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, typed.encode())
        while True:
            shown += os.read(terminal, 1000)
    except OSError:
        pass
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_terminal_does_not_show_it():
    shown, status = on_terminal(OWN + '\n', 'invite')
    assert status == 0 and SECRET not in shown
    assert re.search(r'weft://relay\.example\.org/friday#[\w-]{176}', shown)


@pytest.mark.parametrize('verb', ['join', 'gateway lan0', 'run weft: -- true', 'echo --link weft:'])
def test_who_has_no_terminal_is_told_what_to_do(verb):
    done = weft(*shlex.split(verb))
    assert done.returncode == 2 and 'WEFT_INVITATION' in done.stderr and '@FILE' in done.stderr


@pytest.mark.parametrize('verb', ['join', 'gateway lan0', 'run weft: -- true', 'echo --link weft:'])
def test_what_the_environment_has_is_no_invitation(verb):
    done = weft(*shlex.split(verb), WEFT_INVITATION='weft://relay/friday')
    assert done.returncode == 2 and 'has no key' in done.stderr
