# SPDX-License-Identifier: MIT
"""An HTTP server that costs nearly nothing: GET is answered without end in chunks of 64 KiB, the
body of a PUT is read and forgotten. What a proxy in front of it carries is the proxy's doing.

    plainhttp.py PORT
"""
import socket
import sys
import threading

CHUNKS = (b'10000\r\n' + bytes(65536) + b'\r\n') * 8
HEAD = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'


def serve(connection):
    head = b''
    while b'\r\n\r\n' not in head:
        head += connection.recv(65536)
    try:
        if head.startswith(b'GET'):
            connection.sendall(HEAD)
            while True:
                connection.sendall(CHUNKS)
        buffer = bytearray(1 << 20)
        while connection.recv_into(buffer):
            pass
    except OSError:
        pass
    connection.close()


def main():
    listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
    print('listening', flush=True)
    while True:
        threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()


if __name__ == '__main__':
    main()
