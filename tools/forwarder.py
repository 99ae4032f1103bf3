#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A proxy for tests, of three kinds at once on one port of all addresses:

    HTTP     "CONNECT host:port", and "GET http://host:port/path" for what is not encrypted
    SOCKS4   and SOCKS4a: CONNECT to an address or a name
    SOCKS5   RFC 1928: CONNECT to an address or a name

    forwarder.py PORT [USER:PASSWORD]

With a password HTTP (basic) and SOCKS5 (RFC 1929) ask for it, and SOCKS4 is no way in.
Prints "ready", then each place that it was asked for, one per line.
"""
import base64
import socket
import socketserver
import sys
import threading
import urllib.parse

PASSWORD = sys.argv[2].encode() if len(sys.argv) > 2 else b''


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def join(client, server):
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


def exactly(client, n):
    data = b''
    while len(data) < n:
        part = client.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def text(client):
    """Up to a NUL."""
    data = b''
    while (byte := exactly(client, 1)) != b'\0':
        data += byte
    return data.decode()


def socks4(client):
    if PASSWORD:
        raise ValueError('SOCKS4 knows no password')
    assert exactly(client, 2) == b'\x04\x01'
    port = int.from_bytes(exactly(client, 2), 'big')
    address, _ = exactly(client, 4), text(client)
    is_name = address[:3] == bytes(3)
    host = text(client) if is_name else socket.inet_ntop(socket.AF_INET, address)
    print('socks4a' if is_name else 'socks4', host, port, flush=True)
    server = socket.create_connection((host, port))
    client.sendall(b'\x00\x5a' + bytes(6))
    join(client, server)


def is_known(client):
    """RFC 1929."""
    user = exactly(client, exactly(client, 2)[1])
    password = exactly(client, exactly(client, 1)[0])
    is_right = user + b':' + password == PASSWORD
    client.sendall(b'\x01\x00' if is_right else b'\x01\x01')
    return is_right


def socks5(client):
    methods = exactly(client, exactly(client, 2)[1])
    method = 2 if PASSWORD else 0
    assert method in methods
    client.sendall(bytes((5, method)))
    if PASSWORD and not is_known(client):
        raise ValueError('a wrong password')
    _, command, _, kind = exactly(client, 4)
    assert command == 1
    if kind == 3:
        host = exactly(client, exactly(client, 1)[0]).decode()
    else:
        family, n = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, exactly(client, n))
    port = int.from_bytes(exactly(client, 2), 'big')
    print('socks5', host, port, flush=True)
    server = socket.create_connection((host, port))
    client.sendall(b'\x05\x00\x00\x01' + bytes(6))
    join(client, server)


def web(client):
    head = b''
    while b'\r\n\r\n' not in head:
        head += client.recv(65536)
    line, rest = head.split(b'\r\n', 1)
    method, target, version = line.split(b' ')
    if method == b'CONNECT':
        place = urllib.parse.urlsplit(b'//' + target)
    else:
        place = urllib.parse.urlsplit(target)
    if PASSWORD and b'Basic ' + base64.b64encode(PASSWORD) not in head:
        client.sendall(b'HTTP/1.1 407 who\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n')
        raise ValueError('a wrong password')
    host, port = place.hostname.decode(), place.port or 80
    print(method.decode(), host, port, flush=True)
    server = socket.create_connection((host, port))
    if method == b'CONNECT':
        client.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
    else:
        server.sendall(b' '.join((method, place.path or b'/', version)) + b'\r\n' + rest)
    join(client, server)


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            kind = self.request.recv(1, socket.MSG_PEEK)
            {b'\x04': socks4, b'\x05': socks5}.get(kind, web)(self.request)
        except (OSError, EOFError, ValueError) as error:
            print('failed', error, flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == '__main__':
    with Server(('0.0.0.0', int(sys.argv[1])), Handler) as proxy:
        print('ready', flush=True)
        proxy.serve_forever()
