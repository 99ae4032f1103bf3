# SPDX-License-Identifier: MIT
"""Programs that were not written here, each in its own dialect of datagrams.

    vde_plug, vde_switch ---.
    DOSBox, DOSBox ---------+--- weft serve --- weft0 --- the kernel, 172.30.0.1/16
    python (XLink Kai) -----'                     '--- a machine with IPX (a packet socket)
"""
import os
import shutil
import signal
import socket
import struct
import time

import pytest

import dolphin
import netlab
import party as p
from dosbox import DosBox, needs_dosbox, responses

ADDRESS = '--address 172.30.0.1/16 --mac 90:90:90:90:90:90'
BROADCAST = b'\xff' * 6

needs_vde = pytest.mark.skipif(not shutil.which('vde_switch') or not shutil.which('vde_plug'),
                               reason='vde2 is not installed')


@pytest.fixture
def lab():
    lab = netlab.Lab()
    lab.directory = f'/run/dialects-{os.getpid()}-{time.monotonic_ns()}'
    os.mkdir(lab.directory)
    lab.host('guest')
    yield lab
    lab.close()


def serve(lab, arguments):
    process = p.Weft(lab, None, f'{p.WEFT} serve --json {arguments}', env={'TERM': 'dumb'})
    lab.processes.append(process)
    process.wait_event('ready')
    return process


def ping_from_guest(lab, device, address):
    """Gives the guest's device an address and pings the kernel behind weft."""
    lab.until(lambda: device in lab.run('guest', 'ip -br link'))
    lab.run('guest', f'ip address add {address}/16 dev {device}')
    lab.run('guest', f'ip link set {device} up')
    assert lab.unanswered('guest', '172.30.0.1', 3) == []


def test_two_programs_on_one_cable(lab):
    """Each sends to the socket that the other has made as root; neither is left behind."""
    near, far = f'{lab.directory}/near', f'{lab.directory}/far'
    echo = p.Weft(lab, None, f'{p.WEFT} echo --json --link qemu-dgram:{near},remote={far} '
                  '--address 10.1.0.2/24')
    lab.processes.append(echo)
    echo.wait_event('ready')
    said = lab.run('guest', f'{p.WEFT} ping --link qemu-dgram:{far},remote={near} '
                   '--address 10.1.0.1/24 --count 3 --interval 10ms 10.1.0.2')
    assert '3 received' in said
    assert echo.stop() == 0
    assert os.listdir(lab.directory) == []


# ---- VDE ----------------------------------------------------------------------------------


@needs_vde
def test_libvdeplug_in_our_switch(lab):
    """The library of vdeplug 4, twice: killed, and plugged in again."""
    process = serve(lab, f'{ADDRESS} vde:{lab.directory}/switch')
    for number, last in enumerate(('2', '3'), 1):
        plug = lab.start('guest', f'vde_plug vde://{lab.directory}/switch tap://t{last}')
        assert 'vdeplug: user=' in process.wait_event('plugged', number=number)['peer']
        ping_from_guest(lab, f't{last}', f'172.30.0.{last}')
        plug.stop(signal.SIGKILL)
        assert process.wait_event('unplugged', number=number)['reason'] == 'unplugged'
    assert process.stop() == 0
    assert not os.path.exists(f'{lab.directory}/switch')


@needs_vde
def test_our_plug_in_a_vde_switch(lab):
    """A switch that ends and comes back; its own TAP is the guest's."""
    os.mkfifo(f'{lab.directory}/silence')  # without a console to read from it ends
    silence = os.open(f'{lab.directory}/silence', os.O_RDWR)
    process = serve(lab, f'{ADDRESS} vde:{lab.directory}/switch,connect')
    for number, device in enumerate(('sw1', 'sw2'), 1):
        switch = lab.start('guest', f'sh -c "exec vde_switch -s {lab.directory}/switch '
                           f'-t {device} < {lab.directory}/silence"')
        process.wait_event('plugged', number=number)
        ping_from_guest(lab, device, f'172.30.0.{number + 1}')
        switch.stop(signal.SIGKILL)
        process.wait_event('unplugged', number=number)
    os.close(silence)
    assert process.stop() == 0


@needs_vde
def test_vde_point_to_point(lab):
    process = serve(lab, f'{ADDRESS} vde-p2p:{lab.directory}/cable')
    lab.start('guest', f'vde_plug ptp://{lab.directory}/cable tap://t0')
    lab.until(lambda: 't0' in lab.run('guest', 'ip -br link'))
    process.wait_event('plugged')
    ping_from_guest(lab, 't0', '172.30.0.2')
    assert process.stop() == 0


# ---- DOSBox -------------------------------------------------------------------------------


@needs_dosbox
def test_two_dosboxes_ping_each_other(lab):
    process = serve(lab, f'{ADDRESS} dosbox:127.0.0.1:2130')
    pings = [f'ipxnet ping > ping{i}.txt' for i in range(8)]
    boxes = [DosBox(lab, name, 2130, pings) for name in ('one', 'two')]
    process.wait_event('plugged', number=2, seconds=120)
    for box in boxes:
        # A node is shown as an address: 127.0.0.1, made a MAC that is one's own.
        lab.until(lambda box=box: responses(box, 8), seconds=120)
        assert 'connected to server' in box.said('CONNECT')
        assert {address for address, _ in responses(box, 8)} == {'126.0.0.1'}
    ports = [responses(box, 8)[0][1] for box in boxes]
    assert ports[0] != ports[1]


def ipx(destination, source, number, data=b''):
    return struct.pack('>HHBB4s6sH4s6sH', 0xffff, 30 + len(data), 0, 0, bytes(4), destination,
                       number, bytes(4), source, number) + data


FRAMINGS = {
    'ethernet2': lambda packet: b'\x81\x37' + packet,
    '802.3': lambda packet: struct.pack('>H', len(packet)) + packet,
    '802.2': lambda packet: struct.pack('>H', len(packet) + 3) + b'\xe0\xe0\x03' + packet,
    'snap': lambda packet: struct.pack('>H', len(packet) + 8)
    + b'\xaa\xaa\x03\0\0\0\x81\x37' + packet,
}


def asked(lan, machine, question):
    """The answer to a machine's question to everybody, if one comes within a second."""
    lan.settimeout(1)
    lan.send((BROADCAST + machine + question).ljust(60, b'\0'))
    try:
        while (frame := lan.recv(2048))[:6] != machine:
            pass
        return frame
    except TimeoutError:
        return None


@needs_dosbox
@pytest.mark.parametrize('framing', FRAMINGS)
def test_a_machine_on_the_lan_pings_dosbox(lab, framing):
    """A machine with real IPX asks as its driver frames, and is answered in kind."""
    process = serve(lab, f'{ADDRESS} dosbox:127.0.0.1:2130')
    box = DosBox(lab, 'one', 2130, ['pause'])
    process.wait_event('plugged', seconds=120)
    machine = bytes.fromhex('00001b010203')
    question = FRAMINGS[framing](ipx(BROADCAST, machine, 2))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as lan:
        lan.bind((process.wait_event('interface')['name'], 3))
        answer = lab.until(lambda: asked(lan, machine, question), seconds=120)
    assert 'connected to server' in box.said('CONNECT')
    assert answer[6] & 3 == 2  # one's own, and no group's
    assert answer[12:].startswith(FRAMINGS[framing](ipx(machine, answer[6:12], 2))[:10])


@needs_dosbox
def test_a_machine_on_the_lan_pings_the_dosbox_that_serves(lab):
    """We are the client: the server pings us, and then a machine of the LAN everybody there."""
    process = serve(lab, f'{ADDRESS} dosbox:127.0.0.1:2130,connect')
    pings = [f'ipxnet ping > ping{i}.txt' for i in range(8)]
    box = DosBox(lab, 'one', 2130, [*pings, 'pause'], way='startserver')
    process.wait_event('plugged', seconds=120)
    answers = lab.until(lambda: responses(box, 8), seconds=120)
    assert {address for address, _ in answers} == {'127.0.0.1'}
    assert len({port for _, port in answers}) == 1
    machine = bytes.fromhex('00001b010203')
    question = FRAMINGS['802.3'](ipx(BROADCAST, machine, 2))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as lan:
        lan.bind((process.wait_event('interface')['name'], 3))
        # While it pings, DOSBox answers nobody.
        answer = lab.until(lambda: asked(lan, machine, question), seconds=120)
    assert answer[6:10] == b'\x7e\0\0\1'  # 127.0.0.1, made a MAC
    assert answer[12:].startswith(FRAMINGS['802.3'](ipx(machine, answer[6:12], 2))[:8])
    assert int(answers[0][1]) != int.from_bytes(answer[10:12], 'big')


# ---- XLink Kai ----------------------------------------------------------------------------


def test_dolphin_takes_weft_for_kai(lab):
    """What Dolphin says to XLink Kai, to the byte."""
    process = serve(lab, f'{ADDRESS} kai:127.0.0.1:34523')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.connect(('127.0.0.1', 34523))
        client.send(b'connect;dolphin-1;dolphin;' + b'0' * 42)
        assert client.recv(2048) == b'connected;dolphin-1;'
        client.send(b'setting;chat;true;')
        client.send(b'e;e;' + dolphin.ARP_REQUEST)
        heard = b''
        while heard[16:18] != b'\x08\x06':
            heard = client.recv(2048)
            assert heard[:4] == b'e;e;'
        client.send(b'disconnect;dolphin-1;' + b'0' * 43)
        while not heard.startswith(b'disconnected;dolphin-1;'):
            heard = client.recv(2048)
    assert 'dolphin-1' in process.wait_event('unplugged')['reason']
