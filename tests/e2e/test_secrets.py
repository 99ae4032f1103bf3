# SPDX-License-Identifier: MIT
"""What others on a machine could see of keys and secrets: files, and command lines."""
import os
import pathlib
import shlex
import stat

import party as p


def modes(directory):
    """Each file and directory in it with its permissions."""
    return {str(path.relative_to(directory)): stat.S_IMODE(path.lstat().st_mode)
            for path in pathlib.Path(directory).rglob('*')}


def test_files_are_their_owners(party, tmp_path):
    """All that the verbs of rooms write, in the laxest of environments; a tunnel's are in
    test_tunnel_line.py."""
    lax = os.umask(0)
    try:
        relay = party.start_relay()
        own = party.run('relay', f'{p.WEFT} invite {party.invitation}').strip()
        party.start_gateway().wait_event('state', state='joined')
        guest = party.weft('player', f'join --json {own} --name guest')
        guest.wait_event('joined')
        party.weft('player2', f'host --json --public {p.RELAY}').wait_event('address')
        party.run('relay', f'{p.WEFT} kick --room party --state {party.state}/relay guest')
        relay.stop()
    finally:
        os.umask(lax)
    written = modes(tmp_path)
    for name in ('relay/relay.key', 'relay/relay.crt', 'relay/relay.secret',
                 'relay/room-party.secret', 'relay/rooms', 'relay/shut-out', 'player/mac',
                 'player2/relay.key', 'player2/room-lan.secret'):
        assert name in written, f'{name} in {sorted(written)}'
    for name, mode in written.items():
        assert mode == (0o700 if (tmp_path / name).is_dir() else 0o600), f'{name}: {mode:o}'


def arguments(process):
    return pathlib.Path(f'/proc/{process.popen.pid}/cmdline').read_bytes().decode()


def assert_blank(process, secret):
    words = arguments(process)
    assert 'weft' in words and 'party' in words, words  # it is the one, and the room is shown
    assert secret not in words and secret[4:-4] not in words


def test_command_lines_keep_secrets(party):
    """What ps shows of those who were given an invitation as it is."""
    party.start_relay()
    secret = party.invitation.split('#')[1]
    player = party.start_player('player')
    player.wait_event('joined')
    running = party.start('player2', f'{p.WEFT} run --state {party.state}/player2 '
                          f'{shlex.quote(party.invitation)} -- sleep 1000')
    party.until(lambda: '\nsleep 1000\n' in party.run('player2', 'ps -e -o args'))
    gateway = party.start_gateway()
    gateway.wait_event('state', state='joined')
    for process in (gateway, player, running):
        assert_blank(process, secret)
    for host in ('gateway', 'player', 'player2'):
        assert secret not in party.run(host, 'ps -e -o args')
