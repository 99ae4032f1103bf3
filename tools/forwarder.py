#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A proxy for tests, of two kinds at once on one port of all addresses:

    HTTP     "CONNECT host:port", and "GET http://host:port/path" for what is not encrypted
    SOCKS5   RFC 1928, without authentication: CONNECT to an address or a name

    forwarder.py PORT

Prints "ready", then each place that it was asked for, one per line.
"""
import socket
import socketserver
import sys
import threading
import urllib.parse


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


def socks(client):
    methods = exactly(client, exactly(client, 2)[1])
    assert 0 in methods
    client.sendall(b'\x05\x00')
    _, command, _, kind = exactly(client, 4)
    assert command == 1
    if kind == 3:
        host = exactly(client, exactly(client, 1)[0]).decode()
    else:
        family, n = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, exactly(client, n))
    port = int.from_bytes(exactly(client, 2), 'big')
    print('socks', host, port, flush=True)
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
            if self.request.recv(1, socket.MSG_PEEK) == b'\x05':
                socks(self.request)
            else:
                web(self.request)
        except (OSError, EOFError, ValueError) as error:
            print('failed', error, flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == '__main__':
    with Server(('0.0.0.0', int(sys.argv[1])), Handler) as proxy:
        print('ready', flush=True)
        proxy.serve_forever()
