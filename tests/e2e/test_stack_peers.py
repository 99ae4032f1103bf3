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

import browser
import netlab
import party as p
import pytest
import unpacked

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


def iperf3(room, server, client, target, options):
    """What iperf3 itself says of a test, which has gone well. server: its host and address."""
    host, address = server
    # One for each test: who has seen one end may be back before the server has.
    listener = room.start(host, f'iperf3 --forceflush -s -1 -B {address}')
    listener.wait_for('Server listening')
    said = json.loads(room.run(client, f'iperf3 -J -c {target} {options}'))
    assert 'error' not in said, said['error']
    listener.popen.wait(netlab.PATIENCE)
    return said['end']


@pytest.mark.parametrize('way', ['to it', 'from it'])
def test_iperf3(room, way):
    """TCP in both directions, and datagrams."""
    if way == 'to it':
        room.join('--expose tcp:5201=127.0.0.1:5201 --expose udp:5201=127.0.0.1:5201')
        server, client, target = ('player', '127.0.0.1'), 'server', PLAYER
    else:
        room.join(f'--forward tcp:5201={p.SERVER}:5201 --forward udp:5201={p.SERVER}:5201')
        server, client, target = ('server', p.SERVER), 'player', '127.0.0.1'
    for options in ('', '-R', '-P 4'):
        # It stops to count when the sender has done, whatever is still in queues on the way.
        end = iperf3(room, server, client, target, f'-n 32M {options}')
        assert end['sum_received']['bytes'] >= 4 * MIB, end
    end = iperf3(room, server, client, target, '-u -b 20M -n 1M -l 1000')
    assert end['sum']['packets'] >= 1000 and end['sum']['lost_percent'] < 50, end['sum']


@pytest.fixture
def sshd(tmp_path):
    """The server's program and the lines that it needs where it was unpacked, not installed."""
    program = unpacked.find_program('sshd')
    home = pathlib.Path(program).parents[2]
    parts = {'SshdSessionPath': home / 'usr/lib/openssh/sshd-session',
             'SshdAuthPath': home / 'usr/lib/openssh/sshd-auth'}
    lines = ''.join(f'{option} {path}\n' for option, path in parts.items() if path.exists())
    with unpacked.accounts(tmp_path):
        yield program, lines


def ssh_server(room, host, address, directory, sshd):
    """sshd with keys of its own, on port 2222; returns the options for a client."""
    program, lines = sshd
    for name in ('host', 'user'):
        room.run(host, f"ssh-keygen -q -t ed25519 -N '' -f {directory}/{name}")
    pathlib.Path('/run/sshd').mkdir(exist_ok=True)
    config = directory / 'config'
    config.write_text(f'ListenAddress {address}:2222\nHostKey {directory}/host\nUsePAM no\n'
                      f'AuthorizedKeysFile {directory}/user.pub\nStrictModes no\nPidFile none\n'
                      + lines)
    server = room.start(host, f'{program} -D -e -f {config}', env=unpacked.environment())
    server.wait_for('Server listening')
    return (f'-F none -i {directory}/user -o BatchMode=yes -o StrictHostKeyChecking=no '
            f'-o UserKnownHostsFile={directory}/known -o LogLevel=ERROR')


@pytest.mark.parametrize('way', ['to it', 'from it'])
def test_ssh(room, way, tmp_path, sshd):
    """A command, and five megabytes there and back."""
    (tmp_path / 'file').write_bytes(os.urandom(5 * MIB))
    if way == 'to it':
        room.join('--expose tcp:22=127.0.0.1:2222')
        options = ssh_server(room, 'player', '127.0.0.1', tmp_path, sshd)
        client, target = 'server', PLAYER
    else:
        room.join('--socks 1080')
        options = ssh_server(room, 'server', p.SERVER, tmp_path, sshd)
        options += " -p 2222 -o 'ProxyCommand=nc -X 5 -x 127.0.0.1:1080 %h %p'"
        client, target = 'player', p.SERVER
    assert room.run(client, f'ssh {options} {target} echo hello') == 'hello\n'
    there_and_back = f'ssh {options} {target} cat < {tmp_path}/file > {tmp_path}/back'
    room.run(client, f'sh -c {shlex.quote(there_and_back)}')
    assert (tmp_path / 'back').read_bytes() == (tmp_path / 'file').read_bytes()


NGINX = '''
daemon off; master_process off; pid {top}/pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {top}/body; proxy_temp_path {top}/proxy; fastcgi_temp_path {top}/fastcgi;
    uwsgi_temp_path {top}/uwsgi; scgi_temp_path {top}/scgi;
    server {{ listen {address}:8000; root {top}; }}
}}
'''


@pytest.mark.skipif(not unpacked.find_program('nginx'), reason='there is no nginx')
def test_download_as_browsers_do(room, tmp_path):
    """100 MB by SOCKS: six connections at once, four requests on each."""
    large = os.urandom(100_000_000)
    (tmp_path / 'large').write_bytes(large)
    (tmp_path / 'conf').write_text(NGINX.format(top=tmp_path, address=p.SERVER))
    room.start('server', f'{unpacked.find_program("nginx")} -e stderr -c {tmp_path}/conf',
               env=unpacked.environment())
    room.join('--socks 1080')
    url = f'http://{p.SERVER}:8000/large'
    room.until(lambda: '200' in room.run('player', f'curl -sSI --socks5 127.0.0.1:1080 {url}', False))
    assert browser.download(room, 'player', url, len(large), tmp_path,
                            '--socks5 127.0.0.1:1080') == large
