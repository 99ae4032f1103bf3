# SPDX-License-Identifier: MIT
"""Many clients of one `weft serve`: what all together get, and that nobody gets another's.

In a ring, each client sends full-size frames to the next one, at most WINDOW bytes ahead of
what that one has read: nothing is dropped, and every byte is accounted for. Through the TAP,
each client is a host with a TAP of its own and a TCP stream to the server's host.
"""
import json
import socket
import statistics
import struct
import time

import netlab
import plugs

FRAME_LEN, BURST, WINDOW = 1514, 30, 160_000


class Member:
    """One client of a ring; how much it has sent and read is counted in bytes."""

    def __init__(self, number, size):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(plugs.PATH)
        self.socket.setblocking(False)
        self.mac, self.next_mac = (bytes([2, 0, 0, 0, 0, 1 + number % size])
                                   for number in (number, number + 1))
        frame = self.next_mac + self.mac + b'\x88\xb5' + bytes(FRAME_LEN - 14)
        self.burst = (struct.pack('<H', FRAME_LEN) + frame) * BURST
        self.rest = memoryview(b'')
        self.sent = self.read = 0

    def introduce(self):
        """So that the bridge knows where it is."""
        frame = self.mac + self.mac + b'\x88\xb5' + bytes(46)
        self.socket.sendall(struct.pack('<H', len(frame)) + frame)

    def send(self):
        self.rest = self.rest or memoryview(self.burst)
        try:
            done = self.socket.send(self.rest)
        except BlockingIOError:
            return
        self.rest = self.rest[done:]
        self.sent += done

    def receive(self):
        try:
            self.read += len(self.socket.recv(262144))
        except BlockingIOError:
            pass


def run_ring(members, seconds):
    """Lets everybody send for so long, and then reads what is still under way."""
    pairs = list(zip(members, members[1:] + members[:1]))
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end + 1:
        for sender, target in pairs:
            target.receive()
            if sender.rest or now < end and sender.sent - target.read < WINDOW:
                sender.send()
        if now > end and all(sender.sent == target.read for sender, target in pairs):
            return
    raise netlab.Failure('frames were lost, or came to another: ' + ', '.join(
        f'{sender.sent - target.read}' for sender, target in pairs))


def ring(options, n):
    """Gbit/s of all, CPU seconds of the server per GB, frames that were flooded or dropped."""
    lab = plugs.Bench('a')
    try:
        server = lab.serve('a', f'serve --json --no-link tapserver:{plugs.PATH}')
        members = [Member(number, n) for number in range(n)]
        server.wait_event('plugged', client=n)
        for member in members:
            member.introduce()
        time.sleep(0.2)
        rates, cpu = [], []
        for _ in range(options.rounds):
            before, sent = plugs.cpu_seconds(server), sum(member.sent for member in members)
            run_ring(members, options.seconds)
            sent = sum(member.sent for member in members) - sent
            rates.append(sent * 8e-9 / options.seconds)
            cpu.append((plugs.cpu_seconds(server) - before) / sent * 1e9)
        server.stop()
        frames = server.wait_event('facts')['frames']
        foreign = sum(count for outcome, count in frames.items()
                      if outcome not in ('forwarded', 'drop-same-port'))
        return statistics.median(rates), statistics.median(cpu), foreign
    finally:
        lab.close()


def through_tap(options, n):
    """The same of n TCP streams, one from each client's host."""
    hosts = [f'c{number}' for number in range(n)]
    lab = plugs.Bench(['a', *hosts])
    try:
        server = lab.serve('a', f'serve --json --name t0 tapserver:{plugs.PATH},max=65535')
        lab.address('a', 't0', 1)
        for number, host in enumerate(hosts):
            plugs.copy_client(lab, host)
            lab.address(host, 't0', 100 + number)
            listener = lab.start('a', f'iperf3 -s -p {6000 + number} --forceflush')
            listener.wait_for('Server listening')
            lab.until(lambda host=host: lab.ping(host, '10.9.0.1', 1)[1])
        rates, cpu = [], []
        for _ in range(options.rounds):
            before = plugs.cpu_seconds(server)
            streams = [lab.start(host, f'iperf3 -c 10.9.0.1 -p {6000 + number} -J '
                                 f'-t {options.seconds}') for number, host in enumerate(hosts)]
            for stream in streams:
                stream.popen.wait(options.seconds + 30)
            rates.append(sum(json.loads(stream.output())['end']['sum_received']
                             ['bits_per_second'] for stream in streams) / 1e9)
            cpu.append((plugs.cpu_seconds(server) - before) / (rates[-1] * options.seconds / 8))
        return statistics.median(rates), statistics.median(cpu)
    finally:
        lab.close()


def clients(options):
    print('aggregate of all clients of one weft serve, full-size frames, '
          f'{options.rounds} x {options.seconds} s\n')
    print(f'{"":8} {"in a ring, each to the next":^36}  {"each by TCP to the TAP":^22}')
    print(f'{"clients":>8} {"Gbit/s":>8} {"CPU s/GB":>9} {"flooded or dropped":>18}  '
          f'{"Gbit/s":>10} {"CPU s/GB":>10}', flush=True)
    for n in options.clients:
        one = ''.join(f'{figure:{width}}' for figure, width in
                      zip(ring(options, n), ('9.2f', '10.2f', '19d'))) if n > 1 else ' ' * 38
        rate, cpu = through_tap(options, n)
        print(f'{n:8}{one:38} {rate:10.2f} {cpu:10.2f}', flush=True)
