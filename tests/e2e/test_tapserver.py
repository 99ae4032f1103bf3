# SPDX-License-Identifier: MIT
"""tapserver, with python's sockets in the place of Dolphin (tools/dolphin.py).

    python --- UNIX or TCP --- weft tapserver --- feth1 --- the kernel, 172.30.0.1/16

What the original does wrong (docs/parity/tapserver.md) is done here and must go well.
"""
import json
import os
import pathlib
import re
import signal
import socket
import stat
import struct
import time

import pytest

import dolphin
import netlab
import party as p

DEVICE = 'feth1'


@pytest.fixture
def lab():
    lab = netlab.Lab()
    lab.journals = p.journals()
    yield lab
    lab.close()
    assert lab.run(None, 'ip -br link show type tun') == ''


@pytest.fixture
def path():
    """Where anybody may look for a socket: the tests' own directories are root's alone."""
    name = f'/run/tapserver-{os.getpid()}'
    yield name
    pathlib.Path(name).unlink(missing_ok=True)


def tapserver(lab, arguments, framed=True):
    framing = '--use-framed-protocol' if framed else ''
    process = lab.start(None, f'{p.WEFT} tapserver {framing} {arguments}')
    process.wait_for('waiting for connection')
    return process


def interface(lab, device=DEVICE):
    """What the kernel says of the interface, or None."""
    text = lab.run(None, f'ip -j -d address show dev {device}', check=False)
    return json.loads(text)[0] if text.startswith('[') else None


def sysctl(path):
    return pathlib.Path('/proc/sys/net', path).read_text().strip()


def connect(lab, process, address, kind=dolphin.Dolphin):
    client = process.client = kind(address)  # which is to outlive a caller who takes no heed
    process.wait_for(f'interface {DEVICE} is up')
    return client


def cpu_seconds(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


# ---- life --------------------------------------------------------------------------------


def test_interface_comes_and_goes_with_the_client(lab, path):
    process = tapserver(lab, f'--listen={path}')
    assert interface(lab) is None
    client = connect(lab, process, path)
    assert interface(lab)['operstate'] in ('UP', 'UNKNOWN')
    client.close()
    assert process.popen.wait(netlab.PATIENCE) == 0
    assert interface(lab) is None
    words = [line for line in process.output().splitlines() if not line.startswith('interface')]
    assert words == [f'listening on unix socket {path}', 'waiting for connection',
                     'client connected', 'client disconnected']


def test_one_client_is_all(lab, path):
    """The listening socket is closed once there is a client."""
    process = tapserver(lab, f'--listen={path}')
    connect(lab, process, path)
    with pytest.raises(ConnectionRefusedError):
        socket.socket(socket.AF_UNIX).connect(path)


def test_defaults(lab, path):
    process = tapserver(lab, f'--listen={path}')
    connect(lab, process, path)
    facts = interface(lab)
    address = next(a for a in facts['addr_info'] if a['family'] == 'inet')
    assert facts['address'] == '90:90:90:90:90:90'
    assert facts['mtu'] == 1500
    assert (address['local'], address['prefixlen']) == ('172.30.0.1', 16)
    assert address['broadcast'] == '172.30.255.255'
    assert sysctl(f'ipv6/conf/{DEVICE}/accept_ra') == '0'
    assert sysctl(f'ipv6/neigh/{DEVICE}/base_reachable_time_ms') == '30000'
    assert 'metric' not in lab.run(None, 'ip route show 172.30.0.0/16')


def test_every_option(lab, path):
    process = tapserver(
        lab, f'--listen={path} --network-device-number=12 --io-device-number=13 '
        '--mac-address=02-AB.cd:00:00:7F --ip-address=10.8.0.8 --mtu=1280 --metric=77 '
        '--disable-nud --enable-router-advertisements --ifconfig-command=/nonexistent')
    client = dolphin.Dolphin(path)
    process.wait_for('interface feth12 is up')
    facts = interface(lab, 'feth12')
    address = next(a for a in facts['addr_info'] if a['family'] == 'inet')
    assert facts['address'] == '02:ab:cd:00:00:7f'
    assert facts['mtu'] == 1280
    assert (address['local'], address['prefixlen']) == ('10.8.0.8', 8)  # the class's
    assert sysctl('ipv6/conf/feth12/accept_ra') == '2'
    assert sysctl('ipv6/neigh/feth12/base_reachable_time_ms') == '86400000'
    assert 'metric 77' in lab.run(None, 'ip route show 10.0.0.0/8')
    client.close()


@pytest.mark.parametrize('arguments, words', [
    ('', '--listen must be given'),
    ('--listen=1 --listen=2', '--listen may only be given once'),
    ('--listen=relative/path', 'unix socket path'),
    ('--listen=/run/x --mac-address=90:90', '6 hexadecimal bytes'),
    ('--listen=/run/x --mac-address=90:90:90:90:90:9', '6 hexadecimal bytes'),
    ('--listen=/run/x --ip-address=1.2.3', '4 decimal bytes'),
    ('--listen=/run/x --mtu=many', '--mtu'),
    ('--listen=/run/x --metric=-1', '--metric'),
    ('--listen=/run/x --use-framed', '--use-framed-protocol'),
    ('--listen=/run/x operand', 'operand'),
])
def test_bad_options(lab, arguments, words):
    """Usage, and no server: nothing is accepted on a descriptor of -1, nothing aborts."""
    process = lab.start(None, f'{p.WEFT} tapserver {arguments}')
    assert process.popen.wait(netlab.PATIENCE) == 2
    assert words in process.output()
    assert 'Usage: tapserver' in process.output()
    assert 'waiting' not in process.output()


def test_help(lab):
    process = lab.start(None, f'sh -c "{p.WEFT} tapserver --help 2>&1 >/dev/null"')
    assert process.popen.wait(netlab.PATIENCE) == 0
    assert process.output().startswith('Usage: tapserver')


def test_second_name(lab, tmp_path):
    """Installed as tapserver, it is tapserver."""
    (tmp_path / 'tapserver').symlink_to(p.WEFT)
    process = lab.start(None, f'{tmp_path}/tapserver --listen=')
    assert process.popen.wait(netlab.PATIENCE) == 2
    assert 'Usage: tapserver' in process.output()


# ---- where it listens --------------------------------------------------------------------


def test_stale_socket(lab, path):
    """What a crash left is replaced; a socket in use, and what is no socket, are not."""
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    process = tapserver(lab, f'--listen={path}')
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o777
    second = lab.start(None, f'{p.WEFT} tapserver --listen={path}')
    assert second.popen.wait(netlab.PATIENCE) == 1
    assert 'error: ' in second.output() and path in second.output()
    connect(lab, process, path).ping()
    assert process.stop() == 0
    pathlib.Path(path).unlink(missing_ok=True)
    pathlib.Path(path).write_text('precious')
    third = lab.start(None, f'{p.WEFT} tapserver --listen={path}')
    assert third.popen.wait(netlab.PATIENCE) == 1
    assert pathlib.Path(path).read_text() == 'precious'


def free_port(family=socket.AF_INET):
    with socket.socket(family) as probe:
        probe.bind(('::' if family == socket.AF_INET6 else '', 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize('form, target', [
    ('{}', '127.0.0.1'), ('127.0.0.1:{}', '127.0.0.1'), ('[::1]:{}', '::1')])
def test_tcp(lab, form, target):
    port = free_port(socket.AF_INET6 if ':' in target else socket.AF_INET)
    process = tapserver(lab, f'--listen={form.format(port)}')
    process.wait_for(f'^listening on port {port}$')
    client = connect(lab, process, (target, port))
    client.ping()
    client.close()
    assert process.popen.wait(netlab.PATIENCE) == 0


def test_port_in_use(lab):
    with socket.socket() as taken:
        taken.bind(('', 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = lab.start(None, f'{p.WEFT} tapserver --listen={port}')
        assert process.popen.wait(netlab.PATIENCE) == 1
        assert 'error: ' in process.output() and str(port) in process.output()


# ---- frames ------------------------------------------------------------------------------


def test_arp_icmp_udp_to_the_byte(lab, path):
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    client.socket.sendall(bytes.fromhex('2a00') + dolphin.ARP_REQUEST)
    reply = client.expect(lambda frame: frame[12:14] == b'\x08\x06' and frame[20:22] == b'\0\2')
    assert reply.rstrip(b'\0').ljust(42, b'\0')[:42] == dolphin.ARP_REPLY
    client.socket.sendall(bytes.fromhex('3200') + dolphin.ECHO_REQUEST)
    reply = client.expect(dolphin.is_echo_reply)
    assert reply[:12] == dolphin.CLIENT_MAC + dolphin.HOST_MAC
    assert reply[38:50] == dolphin.ECHO_REQUEST[38:50]
    with socket.socket(type=socket.SOCK_DGRAM) as service:
        service.bind(('172.30.0.1', 7))
        service.settimeout(60)
        client.socket.sendall(bytes.fromhex('2f00') + dolphin.UDP_HELLO)
        assert service.recvfrom(100) == (b'hello', ('172.30.0.2', 5000))
        service.sendto(b'there', ('172.30.0.2', 5000))
    assert client.expect(lambda frame: frame[23] == 17 and frame.endswith(b'there'))


@pytest.mark.parametrize('pieces', [
    lambda data: [data[:1], data[1:]],  # the length divided over two reads
    lambda data: [data[i:i + 1] for i in range(len(data))],
    lambda data: [data[:2], data[2:30], data[30:]],
])
def test_frames_in_pieces(lab, path, pieces):
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    client.ping()
    for sequence in range(2, 5):
        for piece in pieces(client.pack(dolphin.echo_request(sequence))):
            client.socket.send(piece)
            time.sleep(0.001)
        client.expect(lambda frame: dolphin.is_echo_reply(frame, sequence))
    assert 'warning' not in process.output()


def test_many_frames_in_one_read(lab, path):
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    client.ping()  # and the kernel knows the client: it keeps few frames for who it does not
    client.send(*(dolphin.echo_request(n) for n in range(200)))
    for n in range(200):
        client.expect(lambda frame: dolphin.is_echo_reply(frame, n))


def test_buffers_full_to_the_byte(lab, path):
    """16,384 bytes and multiples of it in one write: nothing waits for more."""
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    frame = dolphin.echo_request(9)
    filler = dolphin.udp(b'', port=9)
    for total in (16384, 32768, 65536):
        data = client.pack(frame)
        while total - len(data) > 1400:
            data += client.pack(filler + bytes(1000))
        rest = total - len(data)
        data += client.pack(filler + bytes(rest - 2 - len(filler)))
        assert len(data) == total
        client.socket.sendall(data)
        client.expect(lambda got: dolphin.is_echo_reply(got, 9))


def test_length_and_frame_in_one_send(lab, path):
    """A reader that never waits finds the frame behind every length."""
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    client.ping()
    seen = 0
    for n in range(2000):
        client.socket.setblocking(True)
        client.send(dolphin.echo_request(n, bytes(1000)))
        client.socket.setblocking(False)
        end = time.monotonic() + 60
        while True:
            try:
                head = client.socket.recv(2)
            except BlockingIOError:
                assert time.monotonic() < end
                continue
            frame = client.socket.recv(struct.unpack('<H', head)[0])
            assert len(frame) == struct.unpack('<H', head)[0]
            seen += 1
            if dolphin.is_echo_reply(frame, n):
                break
    assert seen >= 2000


def test_never_longer_than_2048_never_zero(lab, path):
    """Dolphin's buffer has 2,048 bytes, and a length of zero would stop it for ever."""
    process = tapserver(lab, f'--listen={path} --mtu=9000')
    client = connect(lab, process, path)
    client.send(dolphin.ARP_REQUEST)
    client.expect(lambda frame: frame[12:14] == b'\x08\x06')
    for size in (2006, 2007, 8000):  # 2,048 with its headers, and longer
        lab.run(None, f'ping -c 1 -W 1 -s {size} -M do 172.30.0.2', check=False)
    client.ping(2)
    lengths = []

    def look(frame):
        lengths.append(len(frame))  # receive() has checked 14 to 2,048
        return dolphin.is_echo_reply(frame, 3)
    client.send(dolphin.echo_request(3))
    client.expect(look)


def test_zero_and_oversize_lengths_from_the_client(lab, path):
    """Passed over, and what follows is understood."""
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    client.socket.sendall(b'\0\0' * 3)
    client.ping(1)
    client.socket.sendall(struct.pack('<H', 5) + b'short')
    client.ping(2)
    client.socket.sendall(struct.pack('<H', 65535) + bytes(65535))
    client.ping(3)


def test_bare_frames(lab, path):
    """Padded ARP, tagged frames, IPv6: what ends the original or puts it out of step."""
    process = tapserver(lab, f'--listen={path}', framed=False)
    client = connect(lab, process, path, dolphin.Bare)
    client.send(dolphin.ARP_REQUEST.ljust(60, b'\0'), dolphin.echo_request(1))
    client.expect(lambda frame: dolphin.is_echo_reply(frame, 1))
    solicit = bytes.fromhex('333300000001 020000000002 86dd 6000000000083aff') + \
        bytes.fromhex('fe80') + bytes(13) + b'\2' + bytes.fromhex('ff02') + bytes(13) + b'\1' + bytes(8)
    client.send(solicit, dolphin.echo_request(2))
    client.expect(lambda frame: dolphin.is_echo_reply(frame, 2))
    ping = dolphin.echo_request(3)
    client.send(ping[:12] + b'\x81\0\0\5' + ping[12:], dolphin.echo_request(4))
    client.expect(lambda frame: dolphin.is_echo_reply(frame, 4))


@pytest.mark.parametrize('frame, words', [
    (dolphin.echo_request(1)[:16] + b'\0\0' + dolphin.echo_request(1)[18:], '0x0800'),
    (dolphin.echo_request(1)[:16] + b'\0\5' + dolphin.echo_request(1)[18:], '0x0800'),
    (dolphin.ether(bytes(50), 0x88b5), '0x88b5'),
])
def test_bare_frames_without_a_length(lab, path, frame, words):
    """The client ends, with the ethertype and what to do: no stall, no frame out of step."""
    process = tapserver(lab, f'--listen={path}', framed=False)
    client = connect(lab, process, path, dolphin.Bare)
    client.send(frame)
    assert process.popen.wait(netlab.PATIENCE) == 3
    error = process.wait_for('^error: (.*)$')[1]
    assert words in error and '--use-framed-protocol' in error
    assert interface(lab) is None


# ---- ends --------------------------------------------------------------------------------


@pytest.mark.parametrize('tcp', [False, True])
def test_last_words_arrive(lab, path, tcp):
    """Data, then the end, before it is read: everything is delivered, and the end noticed."""
    port = free_port()
    process = tapserver(lab, f'--listen={port if tcp else path}')
    client = connect(lab, process, ('127.0.0.1', port) if tcp else path)
    with socket.socket(type=socket.SOCK_DGRAM) as service:
        service.bind(('172.30.0.1', 7))
        service.settimeout(60)
        process.popen.send_signal(signal.SIGSTOP)
        client.send(*(dolphin.udp(b'%d' % n) for n in range(100)))
        client.socket.shutdown(socket.SHUT_RDWR)
        client.close()
        # The device goes right after the last frame, and takes along what is still queued
        # in the kernel, but not what has reached the service's socket.
        process.popen.send_signal(signal.SIGCONT)
        assert [service.recv(10) for _ in range(100)] == [b'%d' % n for n in range(100)]
    assert process.popen.wait(netlab.PATIENCE) == 0
    assert 'client disconnected' in process.output()


@pytest.mark.parametrize('tcp', [False, True])
def test_half_closed_is_closed(lab, path, tcp):
    """A client that will not write any more has gone; nothing spins."""
    port = free_port()
    process = tapserver(lab, f'--listen={port if tcp else path}')
    client = connect(lab, process, ('127.0.0.1', port) if tcp else path)
    client.ping()
    client.socket.shutdown(socket.SHUT_WR)
    assert process.popen.wait(netlab.PATIENCE) == 0


def test_an_idle_client_costs_nothing(lab, path):
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    client.ping()
    before = cpu_seconds(process.popen.pid)
    time.sleep(2)
    assert cpu_seconds(process.popen.pid) - before < 0.2
    client.ping()


def test_slow_client(lab, path):
    """It reads nothing for a while: frames are lost, whole ones, and then it works on."""
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    client.ping()  # and the kernel knows where to send the flood
    with socket.socket(type=socket.SOCK_DGRAM) as flood:
        flood.connect(('172.30.0.2', 9))
        for _ in range(4000):
            flood.send(bytes(1400))
    rss = pathlib.Path(f'/proc/{process.popen.pid}/status').read_text()
    assert int(re.search(r'VmRSS:\s+(\d+)', rss)[1]) < 64 * 1024
    kept = client.ping_again(7)  # every length and frame is checked on the way
    lengths = [len(frame) for frame in kept if frame[12:14] == b'\x08\x00' and frame[23] == 17]
    assert 100 < len(lengths) < 4000 and set(lengths) == {14 + 20 + 8 + 1400}
    client.ping(100)


def test_device_is_deleted(lab, path):
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    lab.run(None, f'ip link delete {DEVICE}')
    assert process.popen.wait(netlab.PATIENCE) == 0
    assert 'tap disconnected' in process.output()
    with pytest.raises(dolphin.Gone):
        while True:
            client.receive()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_signals(lab, path, number):
    before = tapserver(lab, f'--listen={path}')
    assert before.stop(number) == 0

    def stop_beside_a_client():
        after = tapserver(lab, f'--listen={path}')
        connect(lab, after, path).ping()
        started = time.monotonic()
        assert after.stop(number) == 0
        return time.monotonic() - started
    assert netlab.is_ever_within(5, stop_beside_a_client)
    assert interface(lab) is None


def test_kill(lab, path):
    """Nothing that could be left behind: the device goes with its descriptor."""
    process = tapserver(lab, f'--listen={path}')
    connect(lab, process, path).ping()
    process.stop(signal.SIGKILL)
    assert interface(lab) is None
    assert p.journals() <= lab.journals  # other tests' killed runs leave some
    again = tapserver(lab, f'--listen={path}')
    connect(lab, again, path).ping()
    assert again.stop() == 0


# ---- rights ------------------------------------------------------------------------------


def rights(process):
    text = pathlib.Path(f'/proc/{process.popen.pid}/status').read_text()
    return (int(re.search(r'Uid:\s+\d+\s+(\d+)', text)[1]),
            int(re.search(r'CapEff:\s+(\w+)', text)[1], 16))


NET_ADMIN, SETGID, SETUID, SETPCAP = (1 << n for n in (12, 6, 7, 8))


def test_root_is_given_up(lab, path):
    process = tapserver(lab, f'--listen={path}')
    assert rights(process)[1] & ~(NET_ADMIN | SETGID | SETUID | SETPCAP) == 0
    client = connect(lab, process, path)
    client.ping()
    assert rights(process) == (65534, 0)
    client.close()
    assert process.popen.wait(netlab.PATIENCE) == 0
    assert interface(lab) is None


def test_one_capability_is_enough(lab, path):
    """An ordinary user with CAP_NET_ADMIN, as by setcap or a service's ambient set."""
    os.chmod('/dev/net/tun', 0o666)
    directory = f'{path}.d'
    os.mkdir(directory)
    os.chown(directory, 1234, 1234)
    process = lab.start(None, 'setpriv --reuid 1234 --regid 1234 --clear-groups '
                        '--inh-caps +net_admin --ambient-caps +net_admin --bounding-set '
                        f'-all,+net_admin {p.WEFT} tapserver --use-framed-protocol '
                        f'--listen={directory}/socket')
    process.wait_for('waiting for connection')
    assert rights(process) == (1234, NET_ADMIN)
    client = connect(lab, process, f'{directory}/socket')
    client.ping()
    assert rights(process) == (1234, 0)
    assert process.stop() == 0


def test_no_rights(lab, path):
    """Said when it is needed, like the original; the client hears the end."""
    directory = f'{path}.d'
    os.makedirs(directory, exist_ok=True)
    os.chown(directory, 1234, 1234)
    process = lab.start(None, 'setpriv --reuid 1234 --regid 1234 --clear-groups '
                        f'--bounding-set -all {p.WEFT} tapserver --listen={directory}/none')
    process.wait_for('waiting for connection')
    client = dolphin.Dolphin(f'{directory}/none')
    assert process.popen.wait(netlab.PATIENCE) == 3
    assert re.search('^error: .*(CAP_NET_ADMIN|/dev/net/tun)', process.output(), re.M)
    with pytest.raises(dolphin.Gone):
        client.receive()


# ---- what people see ---------------------------------------------------------------------


def test_show_data(lab, path):
    process = tapserver(lab, f'--listen={path} --show-data')
    client = connect(lab, process, path)
    client.send(dolphin.ARP_REQUEST)
    client.expect(lambda frame: frame[12:14] == b'\x08\x06')
    assert ('\nFrom tap client:\n'
            '0000000000000000 | FF FF FF FF FF FF 02 00 00 00 00 02 08 06 00 01 |                 \n'
            '0000000000000010 | 08 00 06 04 00 01 02 00 00 00 00 02 AC 1E 00 02 |                 \n'
            '0000000000000020 | 00 00 00 00 00 00 AC 1E 00 01                   |                 \n'
            ) in process.output()
    process.wait_for('^To tap client:$')


def test_show_size_warnings(lab, path):
    """What bare frames could not carry, in both directions, and nothing else."""
    process = tapserver(lab, f'--listen={path} --show-size-warnings')
    client = connect(lab, process, path)
    client.send(dolphin.ARP_REQUEST, dolphin.ARP_REQUEST.ljust(60, b'\0'))
    client.ping()
    assert 'arning' not in process.output()
    client.send(dolphin.ether(b'x' * 50, 0x88b5), dolphin.echo_request(2) + b'garbage')
    process.wait_for(r'^warning: frame size \(0x40\) would be incorrectly computed '
                     r'\(0xFFFFFFFFFFFFFFFF\)$')
    process.wait_for(r'^warning: frame size \(0x39\) would be incorrectly computed \(0x32\)$')
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((DEVICE, 0))
        raw.send(dolphin.ether(b'y' * 50, 0x88b6, dolphin.CLIENT_MAC, dolphin.HOST_MAC))
    process.wait_for(r'^Warning: outgoing frame size \(0x40\) would be incorrectly computed '
                     r'\(0xFFFFFFFFFFFFFFFF\)$')


def test_an_hour_of_a_game(lab, path):
    """30 datagrams a second each way, an echo every second and ARP every minute, sped up."""
    process = tapserver(lab, f'--listen={path}')
    client = connect(lab, process, path)
    with socket.socket(type=socket.SOCK_DGRAM) as service:
        service.bind(('172.30.0.1', 7))
        service.settimeout(60)
        for second in range(3600):
            frames = [dolphin.udp(struct.pack('!I', second) + bytes(40 * n % 1000))
                      for n in range(30)]
            if second % 60 == 0:
                # First, because answers that wait for an address overtake each other.
                frames.insert(0, dolphin.ARP_REQUEST)
            client.send(*frames, dolphin.echo_request(second))
            for n in range(30):
                assert service.recv(2000)[:4] == struct.pack('!I', second)
                service.sendto(b'%d' % n, ('172.30.0.2', 5000))
            datagrams, answered = [], False
            while len(datagrams) < 30 or not answered:
                frame = client.expect(lambda frame: frame[12:14] == b'\x08\x00')
                if frame[23] == 17 and frame[34:36] == b'\0\7':
                    datagrams.append(frame[42:])
                answered = answered or dolphin.is_echo_reply(frame, second)
            assert datagrams == [b'%d' % n for n in range(30)]
    client.close()
    assert process.popen.wait(netlab.PATIENCE) == 0
