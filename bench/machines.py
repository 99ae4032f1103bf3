# SPDX-License-Identifier: MIT
"""A virtual machine fetches and sends a large file: QEMU's own TAP, and weft behind its stream.

    guest --- virtio-net --- QEMU --- TAP of QEMU's                         --- web server
    guest --- virtio-net --- QEMU --- stream --- weft serve --- TAP         --- web server

The guest is emulated (TCG), so that it is the guest's own instructions for each packet that
limit the rate. QEMU's TAP takes segments of 64 KiB from the guest and gives such; its stream
does not, and there a long MTU does the same. The CPU seconds are those of QEMU and weft.
"""
import os
import pathlib
import shutil
import statistics
import time

import guest
import plugs

HOST, GUEST = '10.9.0.1', '10.9.0.2'
STREAM = f'stream,id=net0,server=off,addr.type=unix,addr.path={plugs.PATH}'
TAP = 'tap,id=net0,ifname=t0,script=no,downscript=no'
PLAIN = 'gso=off,csum=off,guest_csum=off,guest_tso4=off,guest_tso6=off,host_tso4=off,host_tso6=off'
SCRIPT = r'''
ip link set eth0 up mtu {mtu}; ip address add {guest}/24 dev eth0
mkdir -p /www/cgi-bin
until wget -q -O /www/file http://{host}:8000/file; do sleep 1; done
cat > /www/cgi-bin/fetch <<END
#!/bin/sh
wget -q -O /dev/null http://{host}:8000/file
echo
END
chmod +x /www/cgi-bin/fetch
echo ready > /www/ready
httpd -f -h /www
'''
ROWS = [('QEMU tap, GSO', TAP, 1500, ''), ('QEMU tap, plain', TAP, 1500, PLAIN),
        ('weft, MTU 1500', STREAM, 1500, ''), ('weft, MTU 65520', STREAM, 65520, 'host_mtu=65520')]


def start(lab, netdev, mtu, device, options):
    """Returns the processes whose CPU time counts."""
    server = []
    if netdev == STREAM:
        server = [lab.serve('a', f'serve --json --name t0 --mtu {mtu} qemu:{plugs.PATH}')]
    script = SCRIPT.format(mtu=mtu, host=HOST, guest=GUEST)
    machine = guest.start(lab, 'a', netdev, script, device=device,
                          memory=128 + 2 * options.megabytes)
    lab.address('a', 't0', 1)

    def serves():
        """the guest to serve"""
        return 'ready' in lab.run('a', f'timeout 2 busybox wget -q -O - http://{GUEST}/ready',
                                  check=False)
    lab.until(serves, seconds=60)
    return [machine, *server]


def timed(lab, processes, url):
    """Seconds until the guest has answered, and CPU seconds of the processes."""
    begin, before = time.monotonic(), sum(map(plugs.cpu_seconds, processes))
    lab.run('a', f'busybox wget -q -O /run/copy http://{GUEST}/{url}', seconds=300)
    return time.monotonic() - begin, sum(map(plugs.cpu_seconds, processes)) - before


def measure(netdev, mtu, device, options):
    """Seconds to fetch and CPU seconds, and the same to send: medians."""
    lab = plugs.Bench('a')
    try:
        files = pathlib.Path('/run/files')
        files.mkdir(exist_ok=True)
        (files / 'file').write_bytes(os.urandom(options.megabytes << 20))
        lab.start('a', f'/usr/bin/python3 -m http.server -d {files} 8000')
        processes = start(lab, netdev, mtu, device, options)
        rounds = []
        for _ in range(options.rounds):
            fetched = timed(lab, processes, 'cgi-bin/fetch')
            rounds.append(fetched + timed(lab, processes, 'file'))
            assert (files / 'file').read_bytes() == pathlib.Path('/run/copy').read_bytes()
        return [statistics.median(figures) for figures in zip(*rounds)]
    finally:
        lab.close()


def guests(options):
    if not guest.find_kernel() or not shutil.which('qemu-system-x86_64'):
        print('not measured: there is no QEMU, or no kernel (tools/guest.py fetch build/guest)')
        return
    print(f'a guest under TCG fetches and sends {options.megabytes} MiB by TCP, medians of '
          f'{options.rounds}\n')
    print(f'{"":16} {"fetch":^17}  {"send":^17}\n{"":16} {"seconds":>8} {"CPU s":>8}  '
          f'{"seconds":>8} {"CPU s":>8}', flush=True)
    for title, netdev, mtu, device in ROWS:
        row = measure(netdev, mtu, device, options)
        print(f'{title:16} {row[0]:8.2f} {row[1]:8.2f}  {row[2]:8.2f} {row[3]:8.2f}', flush=True)
