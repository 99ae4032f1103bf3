# SPDX-License-Identifier: MIT
"""Runs an example as its user would.

    run.py NAME PROGRAM

Those that make devices run in a network namespace that ends with them; where none can be made,
the exit status is 77, which meson takes for a skip. The others talk to sockets, in QEMU's way:
each frame with its length in front of it, u32 BE.
"""
import pathlib
import select
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'tools'))
import netlab  # noqa: E402

IN_NAMESPACE, ANYWHERE = range(2)
ARP, EXPERIMENTAL = 0x0806, 0x88b5
MAC = '([0-9a-f]{2}:){5}[0-9a-f]{2}'


def start(lab, program, kind):
    """The example on weft0, which is up and has an address of each version."""
    process = lab.start(None, f'{program} weft0')
    process.wait_for(f' on {kind}:weft0$')
    lab.run(None, 'ip address add 192.0.2.1/24 dev weft0')
    lab.run(None, 'ip address add 2001:db8::1/64 dev weft0 nodad')
    lab.run(None, 'ip link set weft0 up')
    return process


def ping_responder(lab, program):
    process = start(lab, program, 'tun')
    for options in '-c1 192.0.2.99', '-c3 -i0.2 -s 1400 2001:db8::99', '-c1 -s 4000 192.0.2.7':
        said = lab.run(None, f'ping -W5 {options}')
        assert ' 0% packet loss' in said, said
    return process


def arp_watcher(lab, program):
    process = start(lab, program, 'tap')
    lab.run(None, 'ping -c1 -W1 192.0.2.99', check=False)
    process.wait_for(f'^192.0.2.1 at {MAC} asks for 192.0.2.99$')
    return process


def tcp_service(lab, program):
    process = start(lab, program, 'tap')
    text = b'Hello, weft. ' * 100000
    for address in '192.0.2.2', '2001:db8::2':
        lab.until(lambda: ' 0% packet loss' in lab.run(None, f'ping -c1 -W1 {address}', check=False))
        clients = [socket.create_connection((address, 7), timeout=10) for _ in range(3)]
        for client in clients:
            sender = threading.Thread(target=lambda: (client.sendall(text),
                                                      client.shutdown(socket.SHUT_WR)))
            sender.start()
            answer = b''.join(iter(lambda: client.recv(65536), b''))
            sender.join()
            assert answer == text.upper(), (address, len(answer))
            client.close()
    process.wait_for(r'^connection from \[2001:db8::1\]:')
    return process


def tcp_by_the_rfc(lab, program):
    process = start(lab, program, 'tap')
    text = b'Hello, weft. ' * 20000
    lab.until(lambda: ' 0% packet loss' in lab.run(None, 'ping -c1 -W1 192.0.2.2', check=False))
    for served in range(2):
        lab.until(lambda: process.output().count('LISTEN\n') == served + 1)
        with socket.create_connection(('192.0.2.2', 7), timeout=30) as client:
            sender = threading.Thread(target=lambda: (client.sendall(text),
                                                      client.shutdown(socket.SHUT_WR)))
            sender.start()
            assert b''.join(iter(lambda: client.recv(65536), b'')) == text
            sender.join()
        lab.until(lambda: process.output().count('error: connection closing\n') == served + 1)
    return process


def udp_service(lab, program):
    process = start(lab, program, 'tun')
    for family, address in (socket.AF_INET, '192.0.2.99'), (socket.AF_INET6, '2001:db8::99'):
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.sendto(b'Hello, weft', (address, 7))
            answer, source = client.recvfrom(100)
            assert (answer, source[:2]) == (b'HELLO, WEFT', (address, 7)), (answer, source)
    process.wait_for('^11 bytes from 2001:db8::1 port')
    return process


class Emulator:
    """A virtual machine as its network sees it: a socket, and a MAC address."""

    def __init__(self, path, mac):
        self.mac = bytes.fromhex(mac.replace(':', ''))
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)

    def broadcast(self, ethertype, payload):
        frame = b'\xff' * 6 + self.mac + struct.pack('>H', ethertype) + payload
        self.socket.sendall(struct.pack('>I', len(frame)) + frame)
        return frame

    def receive(self, seconds):
        """The next frame, or None."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        length, = struct.unpack('>I', self.socket.recv(4, socket.MSG_WAITALL))
        return self.socket.recv(length, socket.MSG_WAITALL)


def exchange(lab, a, b):
    """A frame gets from each to the other, as soon as both have been taken in."""
    for near, far in (a, b), (b, a):
        lab.until(lambda: near.broadcast(EXPERIMENTAL, bytes(50)) == far.receive(0.2))


def two_sockets(lab, program):
    paths = [f'{lab.scratch}/{name}.sock' for name in 'ab']
    process = lab.start(None, f'{program} qemu:{paths[0]} qemu:{paths[1]}')
    process.wait_for(' - ')
    exchange(lab, Emulator(paths[0], '02:00:00:00:00:0a'), Emulator(paths[1], '02:00:00:00:00:0b'))
    return process


def on_libuv(lab, program):
    process = lab.start(None, f'{program} qemu:{lab.scratch}/vm.sock')
    process.wait_for('^qemu$')
    vm = Emulator(f'{lab.scratch}/vm.sock', '02:00:00:00:00:0a')
    assert vm.receive(10).endswith(b'\x88\xb5Hello')
    vm.broadcast(EXPERIMENTAL, bytes(50))
    process.wait_for('^02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff')
    assert vm.receive(10).endswith(b'\x88\xb5Hello'), 'the timer of the host has stopped'
    return process


def plug_emulator(lab, program):
    process = lab.start(None, f'{program} qemu:{lab.scratch}/lan.sock tap:weft0')
    process.wait_for(' - weft0$')
    lab.run(None, 'ip address add 192.0.2.1/24 dev weft0')
    lab.run(None, 'ip link set weft0 up')
    a, b = (Emulator(f'{lab.scratch}/lan.sock', f'02:00:00:00:00:0{i}') for i in 'ab')
    exchange(lab, a, b)
    # Who has 192.0.2.1? Tell 192.0.2.10. This machine does, and says so.
    question = bytes.fromhex('0001 0800 0604 0001') + a.mac + bytes([192, 0, 2, 10]) + bytes(6)
    a.broadcast(ARP, question + bytes([192, 0, 2, 1]))
    lab.until(lambda: (a.receive(10) or b'')[12:22] == bytes.fromhex('0806 0001 0800 0604 0002'))
    b.socket.close()
    process.wait_for('^unplugged: ')
    exchange(lab, a, Emulator(f'{lab.scratch}/lan.sock', '02:00:00:00:00:0c'))
    return process


RUNS = {
    'arp_watcher': (arp_watcher, IN_NAMESPACE),
    'bridge_two': (two_sockets, ANYWHERE),
    'by_hand': (two_sockets, ANYWHERE),
    'on_libuv': (on_libuv, ANYWHERE),
    'ping_responder': (ping_responder, IN_NAMESPACE),
    'plug_emulator': (plug_emulator, IN_NAMESPACE),
    'tcp_by_the_rfc': (tcp_by_the_rfc, IN_NAMESPACE),
    'tcp_service': (tcp_service, IN_NAMESPACE),
    'udp_service': (udp_service, IN_NAMESPACE),
}


def main():
    name, program = sys.argv[1:]
    run, where = RUNS[name]
    if where == IN_NAMESPACE:
        if reason := netlab.why_not():
            print(reason)
            sys.exit(77)
        netlab.enter()
    lab = netlab.Lab()
    try:
        with tempfile.TemporaryDirectory() as lab.scratch:
            process = run(lab, program)
            status = process.stop()
            assert status == 0, f'status {status} at the end:\n{process.output()}'
    finally:
        lab.close()


if __name__ == '__main__':
    main()
