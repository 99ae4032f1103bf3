#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tapotun's format, written from its description alone: a peer for weft's tests.

    GET  --> 200, x-tun-conf: base64(mtu u16 LE, prefix u8, IPv4)     body: to the client
    PUT  --> chunked body: from the client                            200 OK at its end
    both bodies: u16 LE L, then 12 bytes of virtio-net header and L of IP; L = 0 is a ping

As a program it is one end without a TUN: what it is asked by ICMP echo, it answers.

    tapotun.py server PORT TOKEN ADDRESS/PREFIX [MTU]
    tapotun.py client URL TOKEN
"""
import base64
import hashlib
import http.client
import http.server
import ipaddress
import queue
import struct
import sys
import threading
import urllib.parse

VNET = struct.Struct('=BBHHHHH')  # flags, gso type, header, gso size, csum start, offset, buffers
PING = b'\0\0'


def record(packet, flags=0, gso=0, hdr_len=0, gso_size=0, csum_start=0, csum_offset=0):
    vnet = VNET.pack(flags, gso, hdr_len, gso_size, csum_start, csum_offset, 0)
    return struct.pack('<H', len(packet)) + vnet + packet


def conf(mtu, prefix, address):
    return base64.b64encode(struct.pack('<HB', mtu, prefix) + ipaddress.ip_address(address).packed)


def parse_conf(text):
    mtu, prefix, packed = struct.unpack('<HB4s', base64.b64decode(text, validate=True))
    return mtu, prefix, str(ipaddress.ip_address(packed))


def exactly(stream, n):
    """n bytes, or EOFError: in front of a record that is a regular end."""
    data = b''
    while len(data) < n:
        part = stream.read(n - len(data))
        if not part:
            raise EOFError(f'{len(data)} of {n} bytes')
        data += part
    return data


def records(stream):
    """Yields (vnet header, packet), and (None, b'') for a ping, until the stream ends."""
    while True:
        try:
            length, = struct.unpack('<H', exactly(stream, 2))
        except EOFError:
            return
        if length == 0:
            yield None, b''
            continue
        assert length >= 20, f'a record of {length} bytes'
        vnet = VNET.unpack(exactly(stream, VNET.size))
        yield vnet, exactly(stream, length)


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data[:len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(source, destination, protocol, payload):
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                       ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(destination).packed)
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + payload


def echo_request(source, destination, number, data=b'tapotun'):
    body = struct.pack('!HHH', 0, 77, number) + data
    icmp = b'\x08\0' + struct.pack('!H', checksum(b'\x08\0' + body)) + body[2:]
    return ip4(source, destination, 1, icmp)


def echo_reply(packet):
    """The answer to an echo request, or None."""
    if packet[0] != 0x45 or packet[9] != 1 or packet[20] != 8:
        return None
    body = b'\0\0\0\0' + packet[24:]
    icmp = body[:2] + struct.pack('!H', checksum(body)) + body[4:]
    return ip4(packet[16:20], packet[12:16], 1, icmp)


class Chunked:
    """Reads a chunked body as a stream of bytes."""

    def __init__(self, file):
        self.file, self.left = file, 0

    def read(self, n):
        if self.left == 0:
            self.left = int(self.file.readline().split(b';')[0] or b'0', 16)
            if self.left == 0:
                return b''
        data = self.file.read(min(n, self.left))
        self.left -= len(data)
        if self.left == 0:
            self.file.readline()
        return data


class Client:
    """GET and PUT to one URL. received: a queue of (vnet, packet), None at the end."""

    def __init__(self, url, token, timeout=60):
        self.url, self.headers, self.timeout = urllib.parse.urlsplit(url), {'x-api-key': token}, timeout
        self.received = queue.Queue()

    def connection(self):
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=self.timeout)

    def get(self):
        """Returns the response; its body is read by a thread if it was accepted."""
        connection = self.connection()
        connection.request('GET', self.url.path or '/', headers=self.headers)
        response = connection.getresponse()
        response.keeps = connection
        if response.status == 200:
            threading.Thread(target=self.receive, args=(response,), daemon=True).start()
        return response

    def receive(self, response):
        try:
            for one in records(response):
                self.received.put(one)
        except (OSError, EOFError, http.client.HTTPException):
            pass
        self.received.put(None)

    def put(self):
        self.upload = self.connection()
        self.upload.putrequest('PUT', self.url.path or '/')
        for name, value in {**self.headers, 'Transfer-Encoding': 'chunked'}.items():
            self.upload.putheader(name, value)
        self.upload.endheaders()

    def send(self, data):
        self.upload.send(b'%x\r\n%s\r\n' % (len(data), data))

    def end(self):
        """Ends the upload; returns the status and the body of the answer."""
        self.upload.send(b'0\r\n\r\n')
        response = self.upload.getresponse()
        return response.status, response.read()

    def packets(self):
        while (one := self.received.get(timeout=self.timeout)) is not None:
            if one[0]:
                yield one[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def setup(self):
        super().setup()
        self.peer = self.server.peer

    def is_allowed(self):
        token = self.headers.get('x-api-key', '')
        if hashlib.sha1(token.encode()).hexdigest() == self.peer.token:
            return True
        self.answer(403, b'Forbidden')
        return False

    def answer(self, status, body):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if not self.is_allowed():
            return
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.send_header('x-tun-conf', self.peer.conf.decode())
        self.end_headers()
        self.peer.seen.put('GET')
        while data := self.peer.sent.get():
            self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))
        self.wfile.write(b'0\r\n\r\n')

    def do_PUT(self):
        if not self.is_allowed():
            return
        self.peer.seen.put('PUT')
        for vnet, packet in records(Chunked(self.rfile)):
            self.peer.received.put((vnet, packet))
        self.answer(200, b'OK')

    def log_message(self, *_):
        pass


class Server:
    """One client's server. sent: bytes for the GET's body, b'' ends it."""

    def __init__(self, port, token, address, prefix, mtu=1500, host=''):
        self.token = hashlib.sha1(token.encode()).hexdigest()
        self.conf = conf(mtu, prefix, address)
        self.received, self.sent, self.seen = queue.Queue(), queue.Queue(), queue.Queue()
        self.http = http.server.ThreadingHTTPServer((host, port), Handler)
        self.http.daemon_threads = True
        self.http.peer = self
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def packets(self, timeout=None):
        while True:
            vnet, packet = self.received.get(timeout=timeout)
            if vnet:
                yield packet


def main(role, where, token, address='', mtu='1500'):
    if role == 'server':
        own = ipaddress.ip_interface(address)
        peer = Server(int(where), token, str(own.ip), own.network.prefixlen, int(mtu))
        send = peer.sent.put
    else:
        peer = Client(where, token, timeout=3600)
        response = peer.get()
        print('conf', *parse_conf(response.headers['x-tun-conf']), flush=True)
        peer.put()
        send = peer.send
    print('ready', flush=True)
    for packet in peer.packets():
        if reply := echo_reply(packet):
            send(record(reply))


if __name__ == '__main__':
    main(*sys.argv[1:])
