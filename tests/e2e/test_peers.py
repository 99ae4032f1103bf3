# SPDX-License-Identifier: MIT
"""Peers that were not written here, and wires that cut a stream where they like.

    guest: TAP --- weft --- passt's socket --- passt --- world
    guest: TAP --- socat or vde_plug --- a socket --- weft serve --- TAP
"""
import hashlib
import os
import pathlib
import random
import shutil
import socket
import time

import pytest

import dolphin
import netlab
import party as p

HERE, THERE = '172.30.0.1', '172.30.0.2'
ADDRESS = f'--name t0 --address {HERE}/16 --mac 90:90:90:90:90:90'
WORLD = '198.51.100.7'
LEASE = '''#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add $ip/$mask dev $interface
ip route replace default via $router
echo "lease: $ip from $serverid"
'''

needs_socat = pytest.mark.skipif(not shutil.which('socat'), reason='socat is not installed')
needs_passt = pytest.mark.skipif(not shutil.which('passt'), reason='passt is not installed')
needs_vde = pytest.mark.skipif(not shutil.which('vde_plug'), reason='vde2 is not installed')


@pytest.fixture
def lab():
    lab = netlab.Lab()
    lab.directory = f'/run/peers-{os.getpid()}-{time.monotonic_ns()}'
    os.mkdir(lab.directory)
    os.chmod(lab.directory, 0o777)
    for host in ('server', 'guest'):
        lab.host(host)
    yield lab
    lab.close()


def weft(lab, host, arguments):
    process = p.Weft(lab, host, f'{p.WEFT} {arguments}', env={'TERM': 'dumb'})
    lab.processes.append(process)
    process.wait_event('ready')
    return process


def up(lab, device, address, mtu=1500):
    """Sets the guest's device up once it is there."""
    def is_there():
        return device in lab.run('guest', 'ip -br link')
    is_there.__doc__ = f'{device} on the guest'
    lab.until(is_there)
    lab.run('guest', f'ip address replace {address}/16 dev {device}')
    lab.run('guest', f'ip link set {device} up mtu {mtu}')


def wait_for_socket(lab, path):
    def is_there():
        return os.path.exists(path)
    is_there.__doc__ = path
    lab.until(is_there)


def assert_carries_files(lab, server, address, length=1_500_000):
    """The guest fetches a file, whose checksum is right."""
    content = random.Random(1).randbytes(length)
    pathlib.Path(lab.directory, 'file').write_bytes(content)
    web = lab.start(server, f'/usr/bin/python3 -u -m http.server -b {address} '
                    f'-d {lab.directory} 8000')
    web.wait_for('Serving')
    lab.run('guest', f'busybox wget -q -O {lab.directory}/copy http://{address}:8000/file')
    copy = pathlib.Path(lab.directory, 'copy').read_bytes()
    assert hashlib.md5(copy).digest() == hashlib.md5(content).digest()


def assert_works(lab, target=HERE):
    """Small and large frames come through whole, and nothing is lost."""
    for size in (56, 1472):
        assert lab.unanswered('guest', target, 5, f'-i 0.1 -s {size}') == []


# ---- passt --------------------------------------------------------------------------------


@pytest.fixture
def passt(lab):
    """passt on a host that has a way to the world; the guest has none but passt's socket."""
    lab.host('world')
    lab.cable('server', 'world', '10.5.0.2/24', f'10.5.0.1/24 {WORLD}/32')
    lab.run('server', 'ip route add default via 10.5.0.1')
    lab.run('server', 'sysctl -qw net.ipv4.ping_group_range="0 2147483647"', check=False)
    lab.passt = f'{lab.directory}/passt.sock'
    lab.start('server', f'passt --foreground --stderr --socket {lab.passt}').wait_for('You can now')
    return lab


def take_lease(lab, device):
    script = pathlib.Path(lab.directory, 'lease')
    script.write_text(LEASE, encoding='utf-8')
    script.chmod(0o755)
    lab.run('guest', f'ip link set {device} up')
    said = lab.run('guest', f'busybox udhcpc -i {device} -s {script} -n -q -f -t 10')
    assert 'lease: 10.5.0.2 from 10.5.0.1' in said, said


@needs_passt
def test_passt(passt):
    weft(passt, 'guest', f'bridge --json qemu:{passt.passt},connect tap:x0')
    take_lease(passt, 'x0')
    assert_works(passt, WORLD)
    assert_carries_files(passt, 'world', WORLD)


@needs_passt
def test_an_emulator_behind_passt(passt):
    """Dolphin gets out by way of passt: no TAP, no root, no configuration."""
    process = p.Weft(passt, 'server', 'setpriv --reuid 1234 --regid 1234 --clear-groups '
                     f'--bounding-set -all {p.WEFT} serve --json --link '
                     f'qemu:{passt.passt},connect tapserver:{passt.directory}/s')
    os.chmod(passt.passt, 0o666)
    passt.processes.append(process)
    process.wait_event('ready')
    client = dolphin.Dolphin(f'{passt.directory}/s')
    request = dolphin.ARP_REQUEST
    client.send(request[:28] + bytes([10, 5, 0, 2]) + request[32:38] + bytes([10, 5, 0, 1]))
    reply = client.expect(lambda frame: frame[12:14] == b'\x08\x06' and frame[20:22] == b'\0\2')
    assert reply[28:32] == bytes([10, 5, 0, 1])
    client.send(reply[6:12] + dolphin.echo_request(
        1, source=bytes([10, 5, 0, 2]), target=bytes([198, 51, 100, 7]))[6:])
    client.expect(lambda frame: dolphin.is_echo_reply(frame, 1))


def test_a_peer_that_comes_later(lab):
    """Who has begun as root may connect to what is root's, later on as well."""
    process = weft(lab, 'server', f'serve --json --no-link qemu:{lab.directory}/late,connect')
    process.wait_event('trouble')
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f'{lab.directory}/late')
        os.chmod(f'{lab.directory}/late', 0o600)
        listener.listen()
        process.wait_event('plugged')


# ---- socat --------------------------------------------------------------------------------


@needs_socat
@pytest.mark.parametrize('dialect', ['tapserver', 'bare', 'qemu', 'vde-stream', 'vpnkit',
                                     'auto'])
def test_stream_cut_into_pieces(lab, dialect):
    """UNIX to TCP to UNIX, seven bytes at a time in both directions."""
    inner = 'qemu' if dialect == 'auto' else dialect
    weft(lab, 'server', f'serve --json {ADDRESS} {dialect}:{lab.directory}/s')
    lab.cable('server', 'guest', '10.78.0.1/24', '10.78.0.2/24')
    lab.start('server', f'socat -b 7 TCP-LISTEN:5558,bind=10.78.0.1 UNIX-CONNECT:{lab.directory}/s')
    lab.until(lambda: '5558' in lab.run('server', 'ss -Htln'))
    lab.start('guest', f'socat -b 7 UNIX-LISTEN:{lab.directory}/c TCP:10.78.0.1:5558,nodelay')
    wait_for_socket(lab, f'{lab.directory}/c')
    weft(lab, 'guest', f'bridge --json {inner}:{lab.directory}/c,connect tap:x0')
    up(lab, 'x0', THERE)
    assert_works(lab)
    assert_carries_files(lab, 'server', HERE, 300_000)  # in some 50,000 pieces


TAP_OF_SOCAT = 'TUN,tun-type=tap,iff-no-pi,tun-name=x0,iff-up'


@needs_socat
@pytest.mark.parametrize('plug, peer', [
    ('bess:{}/s', 'UNIX-CONNECT:{}/s,type=5'),
    ('qemu-dgram:{0}/s,remote={0}/c', 'UNIX-SENDTO:{0}/s,bind={0}/c'),
    ('qemu-dgram:10.78.0.1:5558', 'UDP:10.78.0.1:5558'),
])
def test_packets_of_socat(lab, plug, peer):
    """Its own TAP, one frame in a packet: nothing of weft's on that side."""
    lab.cable('server', 'guest', '10.78.0.1/24', '10.78.0.2/24')
    weft(lab, 'server', f'serve --json {ADDRESS} {plug.format(lab.directory)}')
    lab.start('guest', f'socat -b 65536 {TAP_OF_SOCAT} {peer.format(lab.directory)}')
    up(lab, 'x0', THERE)
    assert_works(lab)
    assert_carries_files(lab, 'server', HERE)


# ---- VDE's streams ------------------------------------------------------------------------


@needs_vde
@needs_socat
def test_vde_plug_under_socat(lab):
    """vde_plug speaks on its standard input and output; socat joins that to a socket."""
    weft(lab, 'server', f'serve --json {ADDRESS} vde-stream:{lab.directory}/s')
    lab.start('guest', f'socat EXEC:"vde_plug tap\\://x0" UNIX-CONNECT:{lab.directory}/s')
    up(lab, 'x0', THERE)
    assert_works(lab)
    assert_carries_files(lab, 'server', HERE)


@needs_vde
def test_vde_plug_under_dpipe(lab):
    """dpipe vde_plug = weft: frames over two pipes, and what weft has to say is not among them."""
    lab.start('guest', f'dpipe vde_plug tap://x0 = nsenter --net=/run/netns/{lab.prefix}server -- '
              f'{p.WEFT} serve {ADDRESS} vde-stream:-')
    up(lab, 'x0', THERE)
    assert_works(lab)
    assert_carries_files(lab, 'server', HERE)
