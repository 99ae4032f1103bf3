# SPDX-License-Identifier: MIT
"""Programs that everybody has, against a host of weft's and from one: iperf3 and ssh.

    player: programs --- SOCKS, --forward, --expose --- [ join --user .60 ] --- relay --- gateway --- server

What the player's programs say goes through a stack of weft's, and what the server's say to .60
ends in it; the server is the kernel's.
"""
import json
import os
import pathlib
import shlex

import party as p
import pytest

PLAYER = '192.168.77.60'
MIB = 1 << 20


@pytest.fixture
def room(party, tmp_path):
    """A relay and a gateway to the LAN; join(options) is the player."""
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    party.run('player', 'ip link set lo up')

    def join(options):
        process = p.Weft(party, 'player', f'{p.WEFT} join --user --json --state {tmp_path}/player '
                         f'--address {PLAYER}/24 {shlex.quote(party.invitation)} {options}',
                         env={'TERM': 'dumb'})
        party.processes.append(process)
        process.wait_event('address')
        return process
    party.join = join
    return party


def iperf3(room, host, options):
    """What iperf3 itself says of a test, which has gone well."""
    said = json.loads(room.run(host, f'iperf3 -J {options}'))
    assert 'error' not in said, said['error']
    return said['end']


@pytest.mark.parametrize('way', ['to it', 'from it'])
def test_iperf3(room, way):
    """TCP in both directions, and datagrams."""
    if way == 'to it':
        room.join('--expose tcp:5201=127.0.0.1:5201 --expose udp:5201=127.0.0.1:5201')
        listener, client, target, address = 'player', 'server', PLAYER, '127.0.0.1'
    else:
        room.join(f'--forward tcp:5201={p.SERVER}:5201 --forward udp:5201={p.SERVER}:5201')
        listener, client, target, address = 'server', 'player', '127.0.0.1', p.SERVER
    server = room.start(listener, f'iperf3 --forceflush -s -B {address}')
    server.wait_for('Server listening')
    for options in ('', '-R', '-P 4'):
        # It stops to count when the sender has done, whatever is still in queues on the way.
        end = iperf3(room, client, f'-n 32M -c {target} {options}')
        assert end['sum_received']['bytes'] >= 4 * MIB, end
    end = iperf3(room, client, f'-u -b 20M -n 1M -l 1000 -c {target}')
    assert end['sum']['packets'] >= 1000 and end['sum']['lost_percent'] < 50, end['sum']


def ssh_server(room, host, address, directory):
    """sshd with keys of its own, on port 2222; returns the options for a client."""
    for name in ('host', 'user'):
        room.run(host, f"ssh-keygen -q -t ed25519 -N '' -f {directory}/{name}")
    pathlib.Path('/run/sshd').mkdir(exist_ok=True)
    config = directory / 'config'
    config.write_text(f'ListenAddress {address}:2222\nHostKey {directory}/host\nUsePAM no\n'
                      f'AuthorizedKeysFile {directory}/user.pub\nStrictModes no\nPidFile none\n')
    server = room.start(host, f'/usr/sbin/sshd -D -e -f {config}')
    server.wait_for('Server listening')
    return (f'-F none -i {directory}/user -o BatchMode=yes -o StrictHostKeyChecking=no '
            f'-o UserKnownHostsFile={directory}/known -o LogLevel=ERROR')


@pytest.mark.parametrize('way', ['to it', 'from it'])
def test_ssh(room, way, tmp_path):
    """A command, and five megabytes there and back."""
    (tmp_path / 'file').write_bytes(os.urandom(5 * MIB))
    if way == 'to it':
        room.join('--expose tcp:22=127.0.0.1:2222')
        options = ssh_server(room, 'player', '127.0.0.1', tmp_path)
        client, target = 'server', PLAYER
    else:
        room.join('--socks 1080')
        options = ssh_server(room, 'server', p.SERVER, tmp_path)
        options += " -p 2222 -o 'ProxyCommand=nc -X 5 -x 127.0.0.1:1080 %h %p'"
        client, target = 'player', p.SERVER
    assert room.run(client, f'ssh {options} {target} echo hello') == 'hello\n'
    there_and_back = f'ssh {options} {target} cat < {tmp_path}/file > {tmp_path}/back'
    room.run(client, f'sh -c {shlex.quote(there_and_back)}')
    assert (tmp_path / 'back').read_bytes() == (tmp_path / 'file').read_bytes()
