# SPDX-License-Identifier: MIT
"""Plays an emulator on a local socket to the byte, as Dolphin does on tapserver's.

    client = Dolphin('/tmp/dolphin-tap')
    client.send(ARP_REQUEST)
    reply = client.expect(lambda frame: frame[12:14] == bytes.fromhex('0806'))

The frames below are those of host 172.30.0.1 at 90:90:90:90:90:90 and client 172.30.0.2 at
02:00:00:00:00:02.
"""
import re
import select
import socket
import struct
import time

HOST_MAC, CLIENT_MAC = bytes.fromhex('909090909090'), bytes.fromhex('020000000002')
HOST_IP, CLIENT_IP = bytes([172, 30, 0, 1]), bytes([172, 30, 0, 2])

ARP_REQUEST = bytes.fromhex('ffffffffffff 020000000002 0806 0001 0800 06 04 0001'
                            '020000000002 ac1e0002 000000000000 ac1e0001')
ARP_REPLY = bytes.fromhex('020000000002 909090909090 0806 0001 0800 06 04 0002'
                          '909090909090 ac1e0001 020000000002 ac1e0002')
ECHO_REQUEST = bytes.fromhex('909090909090 020000000002 0800'
                             '45000024000100004001 2299 ac1e0002 ac1e0001'
                             '0800 5435 1234 0001 6162636465666768')
UDP_HELLO = bytes.fromhex('909090909090 020000000002 0800'
                          '450000210002000040 11 228b ac1e0002 ac1e0001'
                          '1388 0007 000d 5033 68656c6c6f')


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f'!{(len(data) + 1) // 2}H', data + b'\0' * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(payload, protocol, source=CLIENT_IP, target=HOST_IP):
    header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                         source, target)
    return header[:10] + struct.pack('!H', checksum(header)) + header[12:] + payload


def ether(payload, ethertype=0x0800, target=HOST_MAC, source=CLIENT_MAC):
    return target + source + struct.pack('!H', ethertype) + payload


def echo_request(sequence, data=b'abcdefgh', **addresses):
    """From the client to the host, unless source and target are others."""
    body = struct.pack('!BBHHH', 8, 0, 0, 0x1234, sequence) + data
    body = body[:2] + struct.pack('!H', checksum(body)) + body[4:]
    return ether(ipv4(body, 1, **addresses))


def udp(data, port=7, source_port=5000):
    """Without a checksum, which UDP over IPv4 allows."""
    return ether(ipv4(struct.pack('!HHHH', source_port, port, 8 + len(data), 0) + data, 17))


def arp_reply_to(request):
    """The client's answer to who asks for it."""
    return ether(request[14:20] + b'\0\2' + CLIENT_MAC + CLIENT_IP + request[22:32], 0x0806,
                 target=request[6:12])


def is_arp_for_client(frame):
    return frame[12:14] == b'\x08\x06' and frame[20:22] == b'\0\1' and frame[38:42] == CLIENT_IP


def is_echo_request(frame):
    return frame[12:14] == b'\x08\x00' and frame[23] == 1 and frame[34] == 8


def echo_reply_to(request):
    """Of an IPv4 header without options."""
    body = b'\0\0\0\0' + request[38:14 + struct.unpack_from('!H', request, 16)[0]]
    body = body[:2] + struct.pack('!H', checksum(body)) + body[4:]
    return ether(ipv4(body, 1, source=request[30:34], target=request[26:30]),
                 target=request[6:12], source=request[:6])


def is_echo_reply(frame, sequence=None):
    return (frame[12:14] == b'\x08\x00' and frame[23] == 1 and frame[34] == 0
            and (sequence is None or frame[40:42] == struct.pack('!H', sequence)))


class Gone(Exception):
    """The server has closed the connection."""


class Dolphin:
    """One connection; every frame is read as Dolphin of 2020 did: read(2), then read(length)."""

    length = '<H'

    def __init__(self, address, seconds=60):
        end = time.monotonic() + seconds
        family = socket.AF_UNIX if isinstance(address, str) else \
            socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        while True:
            self.socket = socket.socket(family, socket.SOCK_STREAM)
            try:
                self.socket.connect(address)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self.socket.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.socket.settimeout(seconds)

    @classmethod
    def of(cls, connected, seconds=60):
        """The same on a socket that is connected already."""
        client = cls.__new__(cls)
        client.socket, client.bytes = connected, b''
        connected.settimeout(seconds)
        return client

    def pack(self, frame):
        return struct.pack(self.length, len(frame)) + frame

    def send(self, *frames):
        self.socket.sendall(b''.join(self.pack(frame) for frame in frames))

    def receive(self):
        size = struct.calcsize(self.length)
        head = self.socket.recv(size)
        if not head:
            raise Gone
        assert len(head) == size, f'a length of {len(head)} bytes'
        length = struct.unpack(self.length, head)[0]
        assert 14 <= length <= 2048, f'a frame of {length} bytes'
        frame = self.socket.recv(length)
        assert len(frame) == length, f'{len(frame)} of {length} bytes: in two sends'
        return frame

    def expect(self, wanted):
        """The next frame that is wanted; who asks for the client by ARP is answered."""
        while not wanted(frame := self.receive()):
            if is_arp_for_client(frame):
                self.send(arp_reply_to(frame))
        return frame

    def ping(self, sequence=1, data=b'abcdefgh'):
        self.send(echo_request(sequence, data))
        return self.expect(lambda frame: is_echo_reply(frame, sequence))

    def ping_again(self, sequence, seconds=60):
        """ping for who has been slow: as long as queues are full, requests and answers are
        dropped, and who wants one asks again. Returns the frames that came before the answer."""
        before = []
        for sequence in range(sequence, sequence + seconds):
            self.send(echo_request(sequence))
            while select.select([self.socket], [], [], 1)[0]:
                frame = self.receive()
                if is_echo_reply(frame, sequence):
                    return before
                before.append(frame)
                if is_arp_for_client(frame):
                    self.send(arp_reply_to(frame))
        raise TimeoutError(f'no answer to {seconds} requests')

    def close(self):
        self.socket.close()


class Qemu(Dolphin):
    length = '!I'


class Bare(Dolphin):
    """Frames without a length between them; the kernel's are of IPv4, IPv6 and ARP."""

    def __init__(self, *args):
        super().__init__(*args)
        self.bytes = b''

    def pack(self, frame):
        return frame

    def size(self):
        kind = self.bytes[12:14]
        if kind == b'\x08\x00':
            return 14 + struct.unpack_from('!H', self.bytes, 16)[0]
        if kind == b'\x86\xdd':
            return 54 + struct.unpack_from('!H', self.bytes, 18)[0]
        assert kind == b'\x08\x06', kind
        return 42

    def receive(self):
        while len(self.bytes) < 22 or len(self.bytes) < self.size():
            data = self.socket.recv(65536)
            if not data:
                raise Gone
            self.bytes += data
        size = self.size()
        frame, self.bytes = self.bytes[:size], self.bytes[size:]
        return frame


def fcs(data):
    """RFC 1662, appendix C.2, without the table."""
    value = 0xffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return struct.pack('<H', value ^ 0xffff)


class Modem(Dolphin):
    """Dolphin's modem adapter: the game is the PPP client; its frames are flag to flag."""

    LCP, PAP, IPCP, IPV4 = 0xc021, 0xc023, 0x8021, 0x0021
    REQUEST, ACK, NAK = 1, 2, 3

    def say(self, protocol, body):
        content = b'\xff\x03' + struct.pack('!H', protocol) + body
        line = b''.join(bytes([0x7d, byte ^ 0x20]) if byte in (0x7d, 0x7e) or byte < 0x20
                        else bytes([byte]) for byte in content + fcs(content))
        self.socket.sendall(self.pack(b'\x7e' + line + b'\x7e'))

    def hear(self):
        """The next frame as (protocol, body)."""
        size = struct.unpack('<H', self.socket.recv(2))[0]
        line = self.socket.recv(size)
        assert len(line) == size <= 2048 and line[0] == line[-1] == 0x7e
        content = re.sub(b'\x7d(.)', lambda found: bytes([found[1][0] ^ 0x20]), line[1:-1],
                         flags=re.DOTALL)
        assert fcs(content[:-2]) == content[-2:]
        content = content[:-2].removeprefix(b'\xff\x03')
        return struct.unpack('!H', content[:2])[0], content[2:]

    def negotiate(self, protocol, options):
        """One layer: agrees to all that is asked, insists on nothing; returns its options."""
        agreed = {'ours': None, 'theirs': False}

        def request():
            body = b''.join(bytes([kind, 2 + len(value)]) + value
                            for kind, value in options.items())
            self.say(protocol, bytes([self.REQUEST, 1]) + struct.pack('!H', 4 + len(body)) + body)
        request()
        while agreed['ours'] is None or not agreed['theirs']:
            kind, body = self.hear()
            if kind != protocol:
                continue
            code, number, length = struct.unpack('!BBH', body[:4])
            if code == self.REQUEST:
                self.say(protocol, bytes([self.ACK, number]) + body[2:length])
                agreed['theirs'] = True
            elif code == self.NAK:
                rest = body[4:length]
                while rest:
                    options[rest[0]], rest = rest[2:rest[1]], rest[rest[1]:]
                request()
            elif code == self.ACK:
                agreed['ours'] = options
        return options

    def dial(self):
        """Returns the address that it was given."""
        self.negotiate(self.LCP, {})
        self.say(self.PAP, b'\1\1' + struct.pack('!H', 4 + 5 + 5) + b'\4user\4pass')
        while True:
            protocol, body = self.hear()
            if protocol == self.PAP:
                assert body[0] == 2
                break
        return self.negotiate(self.IPCP, {3: bytes(4)})[3]

    def ping_from(self, address, sequence):
        self.say(self.IPV4, echo_request(sequence, source=address)[14:])
        while True:
            protocol, packet = self.hear()
            if protocol == self.IPV4 and is_echo_reply(bytes(12) + b'\x08\x00' + packet, sequence):
                return packet
