# SPDX-License-Identifier: MIT
"""A guest that is not ours: Debian's kernel under QEMU takes a lease and a file through weft.

    guest -- QEMU's network back end -- weft serve -- TAP -- dnsmasq, web server
"""
import hashlib
import os
import pathlib
import random

import dolphin
import guest
import netlab
import party as party_module
import pytest

HOST = '10.77.0.1'
SOCKET, OTHER = '/run/vm.sock', '/run/qemu.sock'
USE = f'''
echo "guest: address $(ip -4 -o addr show eth0 | tr -s ' ' | cut -d' ' -f4)"
wget -q -O /tmp/file http://{HOST}:8000/file
echo "guest: file $(md5sum < /tmp/file | cut -d' ' -f1)"
ping -c 5 -i 0.2 {HOST} | grep 'packets received'
'''
SCRIPT = 'udhcpc -i eth0 -s /lease -n -q -t 10' + USE

pytestmark = pytest.mark.skipif(not guest.find_kernel(), reason='no kernel was fetched for this machine')


@pytest.fixture
def site(tmp_path):
    """A server with a TAP behind weft; the guest's host has no network at all."""
    lab = netlab.Lab()
    for name in ('server', 'guest'):
        lab.host(name)
    (tmp_path / 'file').write_bytes(random.Random(1).randbytes(3_000_000))
    lab.files = tmp_path
    yield lab
    lab.close()
    for path in (SOCKET, OTHER):
        pathlib.Path(path).unlink(missing_ok=True)


def serve(lab, plug, extra=''):
    process = party_module.Weft(lab, 'server', f'{party_module.WEFT} serve --json --name vm0 '
                                f'--address {HOST}/24 {plug} {extra}')
    lab.processes.append(process)
    process.wait_event('ready')
    start_services(lab, 'vm0')
    return process


def start_services(lab, device):
    lab.start('server', 'dnsmasq --no-daemon --conf-file=/dev/null --port=0 --user=root '
              f'--group=root --interface={device} --bind-interfaces --no-ping '
              '--dhcp-range=10.77.0.100,10.77.0.199,1h --dhcp-leasefile=/run/vm-leases '
              '--dhcp-authoritative --dhcp-option=3').wait_for('DHCP, IP range')
    lab.start('server', f'/usr/bin/python3 -m http.server -b {HOST} -d {lab.files} 8000')


def assert_works(lab, machine):
    """The guest got its address and the whole file, and lost no ping."""
    machine.wait_for('guest: script ended', seconds=300)
    said = machine.output()
    wanted = hashlib.md5((lab.files / 'file').read_bytes()).hexdigest()
    assert 'guest: address 10.77.0.1' in said, said
    assert f'guest: file {wanted}' in said, said
    assert '5 packets received' in said, said


def test_started_by_weft(site):
    """No socket in the file system; weft ends when QEMU does, with its status."""
    machine = guest.command(site, 'stream,id=net0,addr.type=fd,addr.str={}', SCRIPT)
    process = serve(site, f'-d qemu -- {machine}')
    assert_works(site, process)
    assert process.popen.wait(netlab.PATIENCE) == 0, process.output()


def test_stream_weft_listens(site):
    serve(site, f'qemu:{SOCKET}')
    assert_works(site, guest.start(site, 'guest', 'stream,id=net0,server=off,addr.type=unix,'
                                   f'addr.path={SOCKET}', SCRIPT))


def test_stream_qemu_listens(site):
    machine = guest.start(site, 'guest', 'stream,id=net0,server=on,addr.type=unix,'
                          f'addr.path={OTHER}', SCRIPT)
    site.until(lambda: os.path.exists(OTHER))
    serve(site, f'qemu:{OTHER},connect')
    assert_works(site, machine)


def test_dgram(site):
    serve(site, f'qemu-dgram:{SOCKET},remote={OTHER}')
    assert_works(site, guest.start(site, 'guest', f'dgram,id=net0,local.type=unix,'
                                   f'local.path={OTHER},remote.type=unix,remote.path={SOCKET}',
                                   SCRIPT))


def test_the_other_host_is_a_program(site):
    """`weft http` on the plug itself: no serve, no TAP, no kernel's TCP/IP on this side."""
    for directory in (site.files, *site.files.parents[:2]):
        directory.chmod(0o755)  # for nobody, who weft becomes
    program = party_module.Weft(site, 'server', f'{party_module.WEFT} http --json '
                                f'--link qemu:{SOCKET} --port 8000 --address {HOST}/24 {site.files}')
    site.processes.append(program)
    program.wait_event('ready')
    machine = guest.start(site, 'guest', 'stream,id=net0,server=off,addr.type=unix,'
                          f'addr.path={SOCKET}', 'ip link set eth0 up\n'
                          'ip address add 10.77.0.100/24 dev eth0' + USE)
    assert_works(site, machine)
    assert program.stop() == 0


def test_socket_over_tcp(site):
    """The framing that QEMU has had since 2004, from another host."""
    site.cable('server', 'guest', '10.78.0.1/24', '10.78.0.2/24')
    serve(site, 'qemu:10.78.0.1:5558')
    assert_works(site, guest.start(site, 'guest', 'socket,id=net0,connect=10.78.0.1:5558',
                                   SCRIPT))


def test_socket_over_udp(site):
    site.cable('server', 'guest', '10.78.0.1/24', '10.78.0.2/24')
    serve(site, 'qemu-dgram:10.78.0.1:5558')
    assert_works(site, guest.start(site, 'guest', 'socket,id=net0,udp=10.78.0.1:5558,'
                                   'localaddr=10.78.0.2:5559', SCRIPT))


def test_socket_of_a_group(site):
    """Multicast, which has no listener and no client: whoever is in the group is on the cable."""
    site.cable('server', 'guest', '10.78.0.1/24', '10.78.0.2/24')
    serve(site, 'qemu-dgram:230.0.0.1:5558,via=10.78.0.1')
    assert_works(site, guest.start(site, 'guest', 'socket,id=net0,mcast=230.0.0.1:5558,'
                                   'localaddr=10.78.0.2', SCRIPT))


def test_tap(site):
    """QEMU's own TAP, whose wire weft takes to the server."""
    serve(site, f'qemu:{SOCKET}')
    machine = guest.start(site, 'guest', 'tap,id=net0,ifname=q0,script=no,downscript=no', SCRIPT)
    site.until(lambda: 'q0' in site.run('guest', 'ip -brief link'))
    bridge = party_module.Weft(site, 'guest', f'{party_module.WEFT} bridge --json packet:q0 '
                               f'qemu:{SOCKET},connect')
    site.processes.append(bridge)
    assert_works(site, machine)


def test_two_guests_on_one_bridge(site):
    """They see each other, and one socket serves both."""
    serve(site, f'qemu:{SOCKET}')
    netdev = f'stream,id=net0,server=off,addr.type=unix,addr.path={SOCKET}'
    first = guest.start(site, 'guest', netdev,
                        'ip link set eth0 up; ip addr add 10.77.0.21/24 dev eth0; sleep 600')
    second = guest.start(site, 'guest', netdev, '''
ip link set eth0 up; ip addr add 10.77.0.22/24 dev eth0
for i in $(seq 60); do ping -c 1 -W 1 10.77.0.21 >/dev/null && break; done
ping -c 5 -i 0.2 10.77.0.21 | grep 'packets received'
''', mac='52:54:00:00:00:02')
    second.wait_for('5 packets received', seconds=300)
    assert first.is_running()


def test_a_guest_and_an_emulator(site):
    """Two dialects on one bridge: QEMU's guest pings who speaks as Dolphin does, and is pinged."""
    serve(site, f'qemu:{SOCKET} tapserver:{OTHER}')
    client = dolphin.Dolphin(OTHER, seconds=300)
    machine = guest.start(site, 'guest', f'stream,id=net0,server=off,addr.type=unix,'
                          f'addr.path={SOCKET}', '''
ip link set eth0 up; ip addr add 172.30.0.1/16 dev eth0
ping -c 5 -i 0.2 172.30.0.2 | grep 'packets received'
sleep 600
''', mac='90:90:90:90:90:90')
    answered = 0
    while answered < 5:
        frame = client.expect(lambda frame: frame[:6] == dolphin.CLIENT_MAC
                              and dolphin.is_echo_request(frame))
        client.send(dolphin.echo_reply_to(frame))
        answered += 1
    machine.wait_for('5 packets received', seconds=300)
    for number in range(5):
        client.ping(number, data=bytes(1400))
