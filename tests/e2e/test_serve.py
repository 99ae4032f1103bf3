# SPDX-License-Identifier: MIT
"""weft serve: many clients and dialects on one bridge (tools/dolphin.py plays them).

    python ---.
    python ---+--- weft serve --- weft0 --- the kernel, 172.30.0.1/16
    program --'
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

import pytest

import dolphin
import netlab
import party as p

ADDRESS = '--address 172.30.0.1/16 --mac 90:90:90:90:90:90'


@pytest.fixture
def lab():
    lab = netlab.Lab()
    lab.journals = p.journals()
    lab.directory = f'/run/serve-{os.getpid()}-{time.monotonic_ns()}'
    os.mkdir(lab.directory)
    yield lab
    lab.close()
    assert lab.run(None, 'ip -br link show type tun') == ''


def serve(lab, arguments, ready=True):
    process = p.Weft(lab, None, f'{p.WEFT} serve --json {arguments}', env={'TERM': 'dumb'})
    lab.processes.append(process)
    if ready:
        process.wait_event('ready')
    return process


def mac_of(number):
    return bytes([2, 0, 0, 0, 0, 0x10 + number])


def facts_at_end(process):
    assert process.stop() == 0
    return process.wait_event('facts')


# ---- many clients ------------------------------------------------------------------------


def test_ten_clients_on_one_bridge(lab):
    """A known address gets its frames, and nobody else does."""
    process = serve(lab, f'{ADDRESS} tapserver:{lab.directory}/s')
    clients = [dolphin.Dolphin(f'{lab.directory}/s') for _ in range(10)]
    process.wait_event('plugged', client=10)
    for number, client in enumerate(clients):  # who is where is learned by a broadcast
        client.send(dolphin.ether(b'hello'.ljust(46, b'\0'), 0x88b5, b'\xff' * 6, mac_of(number)))
    for number, client in enumerate(clients):
        heard = set()
        while len(heard) < 9:
            frame = client.receive()
            if frame[12:14] == b'\x88\xb5':
                heard.add(frame[11] - 0x10)
        assert heard == set(range(10)) - {number}
    for number, client in enumerate(clients):
        target = mac_of((number + 1) % 10)
        client.send(*(dolphin.ether(bytes([number]) * 1000, 0x88b6, target, mac_of(number))
                      for _ in range(100)))
    for number, client in enumerate(clients):
        for _ in range(100):
            frame = client.expect(lambda frame: frame[12:14] == b'\x88\xb6')
            assert frame[14] == (number - 1) % 10 and frame[:6] == mac_of(number)
        client.socket.setblocking(False)
        try:
            while True:  # no frame for another is on its way any more
                assert client.receive()[12:14] != b'\x88\xb6'
        except BlockingIOError:
            pass
    frames = facts_at_end(process)['frames']
    assert frames['forwarded'] == 1000


def test_clients_of_several_dialects(lab):
    """Dolphin, QEMU and a client that is sized by its headers, in one Ethernet."""
    process = serve(lab, f'{ADDRESS} tapserver:{lab.directory}/a qemu:{lab.directory}/b '
                    f'bare:{lab.directory}/c')
    kinds = (dolphin.Dolphin, dolphin.Qemu, dolphin.Bare)
    clients = [kind(f'{lab.directory}/{name}') for kind, name in zip(kinds, 'abc')]
    for number, client in enumerate(clients):
        frame = dolphin.echo_request(number, source=bytes([172, 30, 1, number]))
        client.send(dolphin.ether(b'\0\1\x08\0\6\4\0\1' + mac_of(number)
                                  + bytes([172, 30, 1, number]) + bytes(6) + dolphin.HOST_IP,
                                  0x0806, b'\xff' * 6, mac_of(number)))
        client.send(frame[:6] + mac_of(number) + frame[12:])
        client.expect(lambda frame: dolphin.is_echo_reply(frame, number))
    names = {plug['name'].split()[0]: plug['clients'] for plug in facts_at_end(process)['plugs']}
    assert names == {'tapserver': 1, 'qemu': 1, 'bare': 1}


def test_slow_client_costs_nobody_else(lab):
    process = serve(lab, f'{ADDRESS} tapserver:{lab.directory}/s,queue=64k')
    slow, quick = (dolphin.Dolphin(f'{lab.directory}/s') for _ in range(2))
    process.wait_event('plugged', client=2)
    slow.send(dolphin.ether(bytes(46), 0x88b5, b'\xff' * 6, mac_of(0)))
    quick.ping(1)
    for _ in range(100):  # the slow one is known, and reads nothing of ten times its queue
        quick.send(*(dolphin.ether(bytes(1000), 0x88b6, mac_of(0)) for _ in range(50)))
    for number in range(2, 50):
        quick.ping(number)
    facts = facts_at_end(process)
    by_id = {client['id']: client for client in facts['clients']}
    assert by_id[1]['tx_dropped'] > 0
    assert by_id[2]['tx_dropped'] == 0


def test_clients_come_and_go(lab):
    process = serve(lab, f'{ADDRESS} tapserver:{lab.directory}/s')
    for number in range(1, 6):
        client = dolphin.Dolphin(f'{lab.directory}/s')
        client.ping(number)
        client.close()
        assert 'gone' in process.wait_event('unplugged', client=number)['reason']
    facts = facts_at_end(process)
    assert facts['clients'] == [] and facts['plugged'] == 5
    assert facts['gone']['rx_frames'] >= 5


def test_isolated_clients(lab):
    process = serve(lab, f'{ADDRESS} --isolate tapserver:{lab.directory}/s')
    one, two = (dolphin.Dolphin(f'{lab.directory}/s') for _ in range(2))
    process.wait_event('plugged', client=2)
    two.ping(1)
    one.send(dolphin.ether(bytes(46), 0x88b5, b'\xff' * 6, mac_of(1)))
    one.send(dolphin.ether(bytes(46), 0x88b5, dolphin.CLIENT_MAC, mac_of(1)))
    two.send(dolphin.echo_request(2))
    two.expect(lambda frame: frame[12:14] == b'\x88\xb5' or dolphin.is_echo_reply(frame, 2))
    assert facts_at_end(process)['frames']['drop-isolated'] == 1


def test_too_many_clients(lab):
    process = serve(lab, f'{ADDRESS} --clients 1 tapserver:{lab.directory}/s')
    first = dolphin.Dolphin(f'{lab.directory}/s')
    first.ping(1)
    second = dolphin.Dolphin(f'{lab.directory}/s')
    with pytest.raises((dolphin.Gone, ConnectionResetError)):
        second.receive()
    process.wait_event('trouble')
    first.ping(2)


@pytest.mark.parametrize('user', ['', 'games'])
def test_sockets_that_clients_make(lab, user):
    """Datagrams go to a path of the client's own, where its user may write, and no other."""
    if user:
        os.chown(lab.directory, 5, 60)
    process = serve(lab, f'{ADDRESS} {"--user " + user if user else ""} --mode 0666 '
                    f'vfkit:{lab.directory}/server')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.bind(f'{lab.directory}/client')
        if user:
            os.chown(f'{lab.directory}/client', 5, 60)
        client.settimeout(60)
        client.connect(f'{lab.directory}/server')
        client.send(b'VFKT')
        client.send(dolphin.ARP_REQUEST)
        while client.recv(2048)[12:14] != b'\x08\x06':
            pass
    assert process.stop() == 0


@pytest.mark.skipif(not shutil.which('vde_plug2tap'), reason='vde2 is not installed')
def test_vde_plug(lab):
    """libvdeplug's own client, from another network; nothing is left at the end."""
    lab.host('guest')
    process = serve(lab, f'{ADDRESS} vde:{lab.directory}/switch')
    plug = lab.start('guest', f'sh -c "sleep 1000 | vde_plug2tap -s {lab.directory}/switch t0"')
    process.wait_event('plugged')
    lab.until(lambda: 't0' in lab.run('guest', 'ip -br link'))
    lab.run('guest', 'ip address add 172.30.0.9/16 dev t0')
    lab.run('guest', 'ip link set t0 up')
    assert lab.unanswered('guest', '172.30.0.1', 3) == []
    plug.stop()
    assert process.stop() == 0
    assert not os.path.exists(f'{lab.directory}/switch')


def test_modems_get_to_the_kernel(lab):
    """PPP from the socket to an IP host on the Ethernet, beside a broadband adapter."""
    process = serve(lab, f'{ADDRESS} --modem-address 172.30.0.100/16 modem:{lab.directory}/m '
                    f'tapserver:{lab.directory}/s')
    adapter = dolphin.Dolphin(f'{lab.directory}/s')
    adapter.ping()
    modems = []
    for number in range(2):
        modem = dolphin.Modem(f'{lab.directory}/m')
        address = modem.dial()
        assert address == bytes([172, 30, 0, 100 + number])
        for sequence in range(20):
            modem.ping_from(address, sequence)
        text = process.wait_event('modem', client=2 + number, number=2)['text']
        assert text == f'has the address 172.30.0.{100 + number}/16'
        modems.append(modem)
    facts = facts_at_end(process)
    assert {plug['name'].split()[0]: plug['clients'] for plug in facts['plugs']}['modem'] == 2


# ---- the interface -----------------------------------------------------------------------


def test_interface_settings(lab):
    process = serve(lab, '--name lan7 --mac 02:11:22:33:44:55 --address 10.1.2.3/24 '
                    '--address fd00::1/64 --mtu 1400 --metric 5 --accept-ra off --nud off '
                    f'tapserver:{lab.directory}/s')
    assert process.wait_event('interface')['addresses'] == ['10.1.2.3/24', 'fd00::1/64']
    facts = json.loads(lab.run(None, 'ip -j address show dev lan7'))[0]
    assert facts['address'] == '02:11:22:33:44:55' and facts['mtu'] == 1400
    assert {'10.1.2.3', 'fd00::1'} <= {a['local'] for a in facts['addr_info']}
    assert 'metric 5' in lab.run(None, 'ip route show dev lan7')
    assert 'metric 5' in lab.run(None, 'ip -6 route show fd00::/64')


def test_interface_on_demand(lab):
    process = serve(lab, f'{ADDRESS} --on-demand --name lan7 tapserver:{lab.directory}/s')

    def is_there():
        return lab.run(None, 'ip -br link show type tun') != ''
    for number in (1, 3):
        assert not is_there()
        one = dolphin.Dolphin(f'{lab.directory}/s')
        process.wait_event('interface', number=(number + 1) // 2)
        two = dolphin.Dolphin(f'{lab.directory}/s')
        process.wait_event('plugged', client=number + 1)
        one.close()
        process.wait_event('unplugged', client=number)
        two.ping(number)
        two.close()
        process.wait_event('unplugged', client=number + 1)
        lab.until(lambda: not is_there())
    assert process.stop() == 0
    assert p.journals() <= lab.journals  # other tests' killed runs leave some


def test_own_device_is_given_back(lab):
    """A TAP that was there stays, with the settings that it had."""
    lab.run(None, 'ip tuntap add mine mode tap')
    lab.run(None, 'ip link set mine mtu 1300')
    process = serve(lab, f'{ADDRESS} --mtu 1450 --name mine tapserver:{lab.directory}/s')
    client = dolphin.Dolphin(f'{lab.directory}/s')
    client.ping()
    assert process.stop() == 0
    facts = json.loads(lab.run(None, 'ip -j address show dev mine'))[0]
    assert facts['mtu'] == 1300 and 'UP' not in facts['flags'] and facts['addr_info'] == []
    lab.run(None, 'ip link delete mine')


def test_wired_uplink(lab):
    lab.run(None, 'ip link add wire0 type veth peer name wire1')
    lab.run(None, 'ip link set wire1 up')
    process = serve(lab, f'--link packet:wire0 tapserver:{lab.directory}/s')
    client = dolphin.Dolphin(f'{lab.directory}/s')
    process.wait_event('plugged')
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5)) as wire:
        wire.bind(('wire1', 0))
        wire.settimeout(60)
        frame = dolphin.ether(b'out'.ljust(46, b'\0'), 0x88b5)
        client.send(frame)
        assert wire.recv(2000) == frame
        wire.send(dolphin.ether(b'in'.ljust(46, b'\0'), 0x88b5, dolphin.CLIENT_MAC,
                                dolphin.HOST_MAC))
        assert client.expect(lambda frame: frame[12:14] == b'\x88\xb5')[14:16] == b'in'
    assert process.stop() == 0
    lab.run(None, 'ip link delete wire0')


def test_nobody_needs_root(lab):
    """--no-link as an ordinary user without any right; the socket is removed at the end."""
    os.chown(lab.directory, 1234, 1234)
    process = p.Weft(lab, None, 'setpriv --reuid 1234 --regid 1234 --clear-groups '
                     f'--bounding-set -all {p.WEFT} serve --json --no-link --mode 0666 '
                     f'qemu:{lab.directory}/s')
    lab.processes.append(process)
    process.wait_event('ready')
    one, two = (dolphin.Qemu(f'{lab.directory}/s') for _ in range(2))
    process.wait_event('plugged', client=2)
    one.send(dolphin.ether(b'x' * 46, 0x88b5, b'\xff' * 6))
    assert two.receive()[14:] == b'x' * 46
    assert process.stop() == 0
    assert os.listdir(lab.directory) == []


def test_user_mode_and_owner(lab):
    os.chmod(lab.directory, 0o755)
    process = serve(lab, f'{ADDRESS} --user games --mode 0660 --owner daemon:adm '
                    f'--listen {lab.directory}/s')
    found = os.stat(f'{lab.directory}/s')
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert (found.st_uid, found.st_gid) == (1, 4)
    status = pathlib.Path(f'/proc/{process.popen.pid}/status').read_text()
    assert re.search(r'Uid:\s+5\s+5\s+5\s+5', status)
    assert re.search(r'CapEff:\s+0+$', status, re.M) and re.search(r'NoNewPrivs:\s+1', status)
    dolphin.Dolphin(f'{lab.directory}/s').ping()


# ---- descriptors and programs ------------------------------------------------------------


def test_inherited_descriptor(lab):
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(shlex.split(f'{p.WEFT} serve {ADDRESS} --fd {theirs.fileno()}'),
                               pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True)
    theirs.close()
    client = dolphin.Dolphin.of(ours)
    client.ping()
    client.close()  # nobody else can come, so that is the end
    assert process.wait(netlab.PATIENCE) == 0
    assert 'plugged in' in process.stderr.read()


def test_stdio(lab):
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(shlex.split(f'{p.WEFT} serve {ADDRESS} --json qemu:-'), stdin=theirs,
                               stdout=theirs, stderr=subprocess.PIPE)
    theirs.close()
    client = dolphin.Qemu.of(ours)
    client.ping()  # no event has got between the frames
    client.close()
    assert process.wait(netlab.PATIENCE) == 0


def test_pipes(lab):
    process = subprocess.Popen(shlex.split(f'{p.WEFT} serve {ADDRESS} gvproxy:-'),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    process.stdin.write(struct.pack('<H', 42) + dolphin.ARP_REQUEST)
    process.stdin.flush()
    while True:
        length = struct.unpack('<H', process.stdout.read(2))[0]
        if process.stdout.read(length)[12:14] == b'\x08\x06':
            break
    process.stdin.close()
    assert process.wait(netlab.PATIENCE) == 0


PROGRAM = '''
import os, socket, sys
import dolphin
assert sys.argv[1:] == ['fd=' + os.environ['WEFT_FD'], 'x' + os.environ['WEFT_FD'] + 'y']
client = dolphin.{kind}.of(socket.socket(fileno=int(os.environ['WEFT_FD'])))
client.ping()
{then}
'''


def run_program(lab, options, kind='Dolphin', then='sys.exit(7)'):
    script = pathlib.Path(lab.directory, 'program.py')
    # Beside it, because another user may not look into where the sources are.
    shutil.copy(dolphin.__file__, lab.directory)
    script.write_text(PROGRAM.format(kind=kind, then=then))
    return serve(lab, f'{ADDRESS} {options} -- {sys.executable} {script} fd={{}} x{{fd}}y',
                 ready=False)


@pytest.mark.parametrize('options, kind', [('', 'Dolphin'), ('--dialect qemu', 'Qemu'),
                                           ('--user games', 'Dolphin')])
def test_program(lab, options, kind):
    """It gets a socket, and its status is weft's."""
    os.chmod(lab.directory, 0o755)
    process = run_program(lab, options, kind)
    assert process.popen.wait(netlab.PATIENCE) == 7, process.output()


def test_program_is_ended(lab):
    """SIGTERM to weft is the program's, too."""
    process = run_program(lab, '', then='print("PID", os.getpid(), flush=True); '
                          'import signal; signal.pause()')
    pid = int(process.wait_for(r'PID (\d+)')[1])
    assert process.stop() == 0
    assert not os.path.exists(f'/proc/{pid}')


def test_program_that_is_killed(lab):
    process = run_program(lab, '', then='os.kill(os.getpid(), 9)')
    assert process.popen.wait(netlab.PATIENCE) == 128 + signal.SIGKILL


# ---- refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize('arguments, words', [
    ('', 'name a socket'),
    ('--', 'PROGRAM'),
    ('/tmp/dolphin-tap', 'name the dialect'),
    ('5058', '--listen'),
    ('--once --on-demand qemu:/run/x', '--once'),
    ('--once qemu:/run/x -- true', '--once'),
    ('--no-link --address 10.0.0.1/8 qemu:/run/x', '--no-link'),
    ('--link packet:eth0 --name x qemu:/run/x', '--name'),
    ('--address 10.0.0.1 qemu:/run/x', 'prefix'),
    ('--modem-address fd00::1/64 qemu:/run/x', 'IPv4'),
    ('--no-link tap:x', 'tap'),
    ('--no-link nosuch:/run/x', 'nosuch'),
    ('--no-link qemu:/run/x,colour=red', 'colour'),
])
def test_bad_command_lines(lab, arguments, words):
    process = lab.start(None, f'{p.WEFT} serve {arguments}')
    assert process.popen.wait(netlab.PATIENCE) == 2
    assert words in process.output() and 'weft help' in process.output()


@pytest.mark.parametrize('arguments, words', [
    ('--no-link qemu:/nonexistent/x', '/nonexistent/x'),
    ('--user nosuchuser --no-link qemu:/run/nosuch', 'nosuchuser'),
    ('--link packet:nosuch0 qemu:/run/nosuch', 'nosuch0'),
    ('-- /nonexistent/program', '/nonexistent/program'),
])
def test_what_cannot_be(lab, arguments, words):
    process = lab.start(None, f'{p.WEFT} serve {arguments}')
    assert process.popen.wait(netlab.PATIENCE) == 1
    assert words in process.output()
