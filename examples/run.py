# SPDX-License-Identifier: MIT
"""Runs an example as its user would, in a network namespace that ends with it.

    run.py NAME PROGRAM

Exit status 77 where no namespace can be made, which meson takes for a skip.
"""
import pathlib
import re
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'tools'))
import netlab  # noqa: E402

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


def main():
    name, program = sys.argv[1:]
    if reason := netlab.why_not():
        print(reason)
        sys.exit(77)
    netlab.enter()
    lab = netlab.Lab()
    try:
        process = globals()[re.sub(r'\W', '_', name)](lab, program)
        status = process.stop()
        assert status == 0, f'status {status} at the end:\n{process.output()}'
    finally:
        lab.close()


if __name__ == '__main__':
    main()
