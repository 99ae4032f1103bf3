# SPDX-License-Identifier: MIT
"""What bench/plug measures: programs that join a TAP and a local socket, and their clients."""
import collections
import os
import pathlib
import shutil

import netlab
import party

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = os.environ.get('COPYLOOP', str(ROOT / 'build/bench/bench-copyloop'))
PATH, VDE = '/run/plug.sock', '/run/vde.ctl'
TICKS = os.sysconf('SC_CLK_TCK')
Program = collections.namedtuple('Program', 'title start needs')


class Bench(party.Party):
    """Other hosts than a party's, the same measures."""

    def __init__(self, hosts='ab'):  # pylint: disable=super-init-not-called
        netlab.Lab.__init__(self)
        for host in hosts:
            self.host(host)

    def serve(self, host, arguments):
        process = party.Weft(self, host, f'{party.WEFT} {arguments}', env={'TERM': 'dumb'})
        self.processes.append(process)
        process.wait_event('ready')
        return process

    def address(self, host, device, number):
        """Gives a device its address once it is there."""
        def exists():
            return device in self.run(host, 'ip -brief link')
        exists.__doc__ = f'{device} on {host}'
        self.until(exists)
        self.run(host, f'ip address replace 10.9.0.{number}/24 dev {device}')
        self.run(host, f'ip link set {device} up')

    def close(self):
        super().close()
        for path in (PATH, VDE):
            shutil.rmtree(path) if os.path.isdir(path) else pathlib.Path(path).unlink(True)


def cpu_seconds(process):
    """User and system time of a process and its children so far."""
    pids = [process.popen.pid]
    children = pathlib.Path(f'/proc/{pids[0]}/task/{pids[0]}/children')
    pids += children.read_text(encoding='utf-8').split()
    stats = [pathlib.Path(f'/proc/{pid}/stat').read_text(encoding='utf-8').rpartition(')')[2]
             for pid in pids]
    return sum(int(fields.split()[11]) + int(fields.split()[12]) for fields in stats) / TICKS


# ---- programs -----------------------------------------------------------------------------


def copy_client(lab, host='b'):
    lab.start(host, f'{COPY} t0 {PATH} connect')


def copy_loop(lab):
    server = lab.start('a', f'{COPY} t0 {PATH} listen')
    server.wait_for('listening')
    copy_client(lab)
    return server


def weft_serve(lab):
    server = lab.serve('a', f'serve --json --name t0 tapserver:{PATH},max=65535')
    copy_client(lab)
    return server


def weft_both(lab):
    server = lab.serve('a', f'serve --json --name t0 qemu:{PATH}')
    lab.serve('b', f'bridge --json qemu:{PATH},connect tap:t0')
    return server


def vde(lab):
    """It ends at once when its standard input has ended, so it gets one that does not."""
    server = lab.start('a', f'sh -c "sleep 1000 | vde_switch -t t0 -s {VDE}"')
    lab.until(lambda: os.path.exists(f'{VDE}/ctl'))
    lab.start('b', f'vde_plug2tap -s {VDE} t0')
    return server


def socat(lab):
    tap = 'TUN,tun-type=tap,iff-no-pi,tun-name=t0,iff-up'
    server = lab.start('a', f'socat -b 65536 {tap} UNIX-LISTEN:{PATH},type=5')
    lab.until(lambda: os.path.exists(PATH))
    lab.start('b', f'socat -b 65536 {tap} UNIX-CONNECT:{PATH},type=5')
    return server


PROGRAMS = {
    'copy': Program('copy loop', copy_loop, COPY),
    'weft': Program('weft serve', weft_serve, party.WEFT),
    'weft-both': Program('weft both ends', weft_both, party.WEFT),
    'vde': Program('vde_switch', vde, 'vde_plug2tap'),
    'socat': Program('socat', socat, 'socat'),
}
