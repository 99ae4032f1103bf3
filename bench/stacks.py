# SPDX-License-Identifier: MIT
"""What bench/stack measures: TCP stacks, each at the other end of a cable from the kernel's TCP.

    host of its own: bench-tcpload 10.1.0.1 --- device --- [ stack 10.1.0.2, ports 5001 to 5004 ]

All are up at once, each in a namespace of its own, and are measured in turn. A start function
takes the laboratory and the host's name and returns a Stack.
"""
import collections
import os
import pathlib
import re
import select
import shlex
import shutil
import subprocess
import time

import netlab
import party
import plugs

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('BENCH', ROOT / 'build/bench'))
LOAD = f'{BUILD}/bench-tcpload'
# A program of Rust's, which the build does not make: see bench/smoltcphost.rs.
SMOLTCP = os.environ.get('SMOLTCPHOST', 'smoltcphost')
OURS, ADDRESS = '10.1.0.1', '10.1.0.2'
WAIT = 120  # Seconds that a measurement may take beyond what it was told to.

Program = collections.namedtuple('Program', 'title needs start')


class Stack:
    """One that runs: where its peer is, its address there, and the processes that it is."""

    def __init__(self, lab, host, processes, address=ADDRESS):
        self.lab, self.host, self.processes, self.address = lab, host, processes, address

    def pin(self, cpu):
        """Has all of it, and what it will start, run on that CPU."""
        for process in self.processes:
            for pid in [process.popen.pid, *children(process.popen.pid)]:
                self.lab.run(None, f'taskset -acp {cpu} {pid}', check=False)  # if it has ended

    def measure(self, what, seconds, congestion='cubic', connections=1, cpu=0):
        """What bench-tcpload prints, and the CPU seconds that the stack has spent meanwhile."""
        before = self.cpu_seconds()
        output = self.lab.run(
            self.host, f'taskset -c {cpu} {LOAD} {what} {self.address} {congestion} {seconds} '
            f'{connections}', seconds=seconds + WAIT)
        return float(output), self.cpu_seconds() - before

    def echoes(self, seconds, cpu):
        return Echoes(self, seconds,
                      f'taskset -c {cpu} {LOAD} echo {self.address} cubic {seconds}')

    def cpu_seconds(self):
        return sum(plugs.cpu_seconds(process) for process in self.processes)

    def memory(self):
        """Bytes that are allocated, as it says itself."""
        process = self.processes[0]
        said = len(process.output())
        process.popen.send_signal(10)  # SIGUSR1
        return int(process.wait_for(r'^memory (\d+)', after=said).group(1))

    def hold(self, connections, idle_s):
        """Bytes that each of so many connections takes once they have been idle."""
        before = self.memory()
        holder = self.lab.start(self.host, f'{LOAD} hold {self.address} cubic 60 {connections}')
        holder.wait_for('^open', seconds=WAIT)
        time.sleep(idle_s)
        after = self.memory()
        holder.stop()
        return (after - before) / connections


class Echoes:
    """A connection that is kept, and has a turn of echoes whenever it is told to."""

    def __init__(self, stack, seconds, command):
        self.seconds, self.command = seconds, command
        self.popen = subprocess.Popen(stack.lab.enter_host(stack.host) + shlex.split(command),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True)

    def turn(self):
        """How many a second."""
        self.popen.stdin.write('\n')
        self.popen.stdin.flush()
        has_said, _, _ = select.select([self.popen.stdout], [], [], self.seconds + WAIT)
        said = self.popen.stdout.readline() if has_said else 'no answer\n'
        if not said.strip().isdigit():
            raise netlab.Failure(f'{self.command}: {said or "ended"}')
        return float(said)

    def close(self):
        with self.popen:
            self.popen.kill()


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        return [int(child) for child in file.read().split()]


def program(name):
    return f'{BUILD}/bench-{name}'


def start(lab, host, command, address=OURS, device='t0'):
    """A program that makes the device; the kernel's side of it gets the address."""
    lab.host(host)
    process = lab.start(host, command)
    process.wait_for('^ready')
    lab.run(host, f'ip address add {address}/24 dev {device}')
    lab.run(host, f'ip link set {device} up')
    return process


def serve(lab, host, address=ADDRESS):
    server = lab.start(host, f'{LOAD} serve {address} cubic')
    server.wait_for('^ready')
    return server


# ---- the kernel's own ----------------------------------------------------------------------


def kernel(lab, host):
    """Over veth, which carries super-segments from one socket to the other without a copy."""
    peer = f'{host}2'
    lab.host(host)
    lab.host(peer)
    lab.cable(host, peer, f'{OURS}/24', f'{ADDRESS}/24')
    return Stack(lab, host, [serve(lab, peer)])


def give_device(lab, host, peer, device='t1'):
    """The cable's other end goes to the peer, with its address."""
    lab.host(peer)
    lab.run(host, f'ip link set {device} netns {lab.prefix}{peer}')
    lab.run(peer, f'ip address add {ADDRESS}/24 dev {device}')
    lab.run(peer, f'ip link set {device} up')
    return serve(lab, peer)


def kernel_tap(lab, host):
    """Over a pair of TAPs and a program that copies between them."""
    copier = start(lab, host, f'{program("tapcopy")} t0 t1')
    return Stack(lab, host, [give_device(lab, host, f'{host}2'), copier])


def kernel_impaired(lab, host, impairment):
    lab.host(host)
    bridge = lab.start(host, f'{party.WEFT} bridge impair:{impairment}:tap:t0 tap:t1')
    lab.until(lambda: 't1' in lab.run(host, 'ip -brief link'))
    lab.run(host, f'ip address add {OURS}/24 dev t0')
    lab.run(host, 'ip link set t0 up')
    return Stack(lab, host, [give_device(lab, host, f'{host}2'), bridge])


# ---- stacks in user space ------------------------------------------------------------------


def weft(lab, host, link='tap:t0', options=''):
    return Stack(lab, host, [start(lab, host, f'{program("stackhost")} {options} {link} '
                                              f'{ADDRESS}/24')])


def weft_plain(lab, host):
    return weft(lab, host, 'tap:t0,offload=off', '--plain')


def weft_impaired(lab, host, impairment):
    return weft(lab, host, f'impair:{impairment}:tap:t0')


def mover(lab, host, options=''):
    return Stack(lab, host, [start(lab, host, f'{program("mover")} {options} t0 {ADDRESS}')])


def mover_plain(lab, host):
    return mover(lab, host, '--plain')


def lwip(lab, host):
    return Stack(lab, host, [start(lab, host, f'{program("lwiphost")} t0 {ADDRESS} '
                                              '255.255.255.0')])


def smoltcp(lab, host):
    return Stack(lab, host, [start(lab, host, f'{SMOLTCP} t0 {ADDRESS}')])


def slirp(lab, host):
    """Ends each connection and opens it anew: to a server of the kernel's, on its loopback."""
    outside = f'{host}2'
    lab.host(host)
    lab.host(outside)
    server = serve(lab, outside, '127.0.0.1')
    relay = lab.start(outside, 'slirp4netns --configure --mtu=65520 --netns-type=path '
                               f'/run/netns/{lab.prefix}{host} tap0')
    lab.until(lambda: '10.0.2.100' in lab.run(host, 'ip -brief address', check=False))
    return Stack(lab, host, [relay, server], '10.0.2.2')


STACKS = {
    'kernel': Program('kernel, veth', LOAD, kernel),
    'kernel-tap': Program('kernel, TAP pair', program('tapcopy'), kernel_tap),
    'mover': Program('mover (no TCP)', program('mover'), mover),
    'weft': Program('weft', program('stackhost'), weft),
    'lwip': Program('lwIP, plain TAP', program('lwiphost'), lwip),
    'smoltcp': Program('smoltcp, plain', SMOLTCP, smoltcp),
    'slirp': Program('slirp4netns', 'slirp4netns', slirp),
    'mover-plain': Program('mover, plain TAP', program('mover'), mover_plain),
    'weft-plain': Program('weft, plain TAP', program('stackhost'), weft_plain),
}


def missing_program(name):
    """The program that is needed and not here, or None."""
    needs = STACKS[name].needs
    return None if shutil.which(needs) else os.path.basename(needs)


def why(failure):
    """A failure in one line."""
    lines = [line for line in re.split(r'\n', str(failure)) if line.strip()]
    return ' ... '.join(dict.fromkeys([lines[0][:100], lines[-1][:150]])) if lines else 'failed'


class Bench(netlab.Lab):
    """A laboratory whose machines keep no quiet peers and open many ports."""

    def host(self, name):
        super().host(name)
        self.run(name, 'sysctl -qw net.ipv4.tcp_no_metrics_save=1 '
                       'net.ipv4.ip_local_port_range="2048 65000"', check=False)
