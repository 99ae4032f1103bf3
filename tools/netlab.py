# SPDX-License-Identifier: MIT
"""A laboratory of network namespaces that cannot leak.

enter() starts the program again inside PID, mount, network and (without root) user
namespaces of its own, with a private /run. All hosts that a Lab makes live in there, so
whatever ends the program, the kernel takes every process, namespace, device and route with
it. Nothing outside is seen or touched.

    netlab.enter()
    lab = netlab.Lab()
    lab.host('a'); lab.host('b')
    lab.cable('a', 'b', '192.0.2.1/24', '192.0.2.2/24')
    lab.run('a', 'ping -c1 192.0.2.2')
"""
import ctypes
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

INSIDE = 'WEFT_NETLAB'

# So many seconds anything is waited for that is not about time. It is when to give up, and no
# measure of speed: who runs this may have two slow cores, and other things to do with them.
PATIENCE = 60


class Failure(Exception):
    """What a command said when it failed, or what was waited for in vain."""


def why_not():
    """A sentence if no laboratory can be made here, else None."""
    if not os.access('/dev/net/tun', os.R_OK | os.W_OK):
        return '/dev/net/tun cannot be opened: load the tun module or allow access to it'
    trial = subprocess.run(unshare() + ['true'], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    if trial.returncode == 0:
        return None
    return (f'namespaces cannot be made ({trial.stdout.strip()}): run as root, or allow user '
            'namespaces (sysctl kernel.unprivileged_userns_clone=1, '
            'kernel.apparmor_restrict_unprivileged_userns=0)')


def unshare():
    """The command that everything is started inside of."""
    rootless = ['--user', '--map-root-user'] if os.geteuid() else []
    return ['unshare'] + rootless + ['--mount', '--net', '--pid', '--fork', '--kill-child',
                                     '--mount-proc', '--']


def enter():
    """Returns inside the laboratory; outside, becomes its parent and never returns."""
    if os.environ.get(INSIDE):
        # sysctl, dnsmasq and bridge stand where the PATH of who is not root does not look.
        os.environ['PATH'] += ':/usr/sbin:/sbin'
        subprocess.run('mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up',
                       shell=True, check=True)
        # Ctrl-C reaches the whole terminal; the lab ends when its first process does.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return
    if reason := why_not():
        sys.exit(f'{os.path.basename(sys.argv[0])}: {reason}')
    child = subprocess.Popen(unshare() + [sys.executable] + sys.argv,
                             env={**os.environ, INSIDE: '1'}, preexec_fn=die_with_parent)
    ended_by = []

    def end(number, _):
        """unshare outlives what can be caught; with it the kernel ends the laboratory."""
        ended_by.append(number)
        os.kill(child.pid, signal.SIGKILL)
    signal.signal(signal.SIGINT, lambda *_: None)  # the terminal has told the child as well
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    status = child.wait()
    sys.exit(128 + ended_by[0] if ended_by else status if status >= 0 else 128 - status)


def die_with_parent():
    """In a child before exec: SIGKILL once the parent is gone, whatever ended it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def is_ever_within(seconds, attempt, tries=5):
    """Whether attempt(), which returns how long something took, is that quick once: what waits
    for a timer never is, and what a busy machine holds up is sooner or later."""
    return any(attempt() < seconds for _ in range(tries))


def is_ever_over(bound, attempt, tries=5):
    """Whether attempt(), which returns a rate or a count, is that high once: what stands still or
    loses much never is."""
    return any(attempt() > bound for _ in range(tries))


def missing_answers(said, count):
    """The numbers from 1 to count that ping has printed no answer to."""
    answered = {int(number) for number in re.findall(r'icmp_seq=(\d+) ttl=', said)}
    return [number for number in range(1, count + 1) if number not in answered]


class Process:
    """A program that runs on a host; its output is kept line by line."""

    def __init__(self, lab, host, command, env=None):
        self.lab, self.command = lab, command
        self.log = tempfile.TemporaryFile(mode='w+')
        self.popen = subprocess.Popen(
            lab.enter_host(host) + shlex.split(command), stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log,
            # What a program of Python's says is to be seen at once, not when it ends.
            env={**os.environ, 'PYTHONUNBUFFERED': '1', **(env or {})})

    def output(self):
        with open(f'/proc/self/fd/{self.log.fileno()}') as copy:
            return copy.read()

    def is_running(self):
        return self.popen.poll() is None

    def resident_kib(self):
        """What it has of the machine's memory now."""
        with open(f'/proc/{self.popen.pid}/status') as status:
            return int(re.search(r'VmRSS:\s+(\d+)', status.read())[1])

    def wait_for(self, pattern, seconds=PATIENCE, after=0):
        """Waits until a line matches; returns the match. after: offset to look from."""
        end = time.monotonic() + seconds
        while True:
            has_ended = not self.is_running()  # asked first: its last words come before its end
            if match := re.compile(pattern, re.M).search(self.output(), after):
                return match
            if has_ended or time.monotonic() > end:
                how = 'still runs' if self.is_running() else f'ended ({self.popen.poll()})'
                raise Failure(f'{self.command}: {how}, no /{pattern}/ in:\n{self.output()}')
            time.sleep(0.02)

    def says(self, text):
        """Waits for words: what a program says and the event of it are not one write."""
        self.wait_for(re.escape(text))

    def stop(self, number=signal.SIGTERM, seconds=PATIENCE):
        """Ends it and returns its exit status."""
        if self.is_running():
            self.popen.send_signal(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Failure(f'{self.command}: did not end in {seconds} s; it said:\n'
                          f'{self.output()}') from None


class Lab:
    numbers = itertools.count(1)

    def __init__(self):
        """Others may be open in this process: each has names of its own."""
        self.prefix = f'w{os.getpid()}-{next(self.numbers)}-'
        self.hosts = []
        self.processes = []
        self.cables = 0

    def enter_host(self, host):
        """nsenter rather than `ip netns exec`, which remounts /sys and needs more rights."""
        return ['nsenter', f'--net=/run/netns/{self.prefix}{host}', '--'] if host else []

    def host(self, name):
        self.run(None, f'ip netns add {self.prefix}{name}')
        self.hosts.append(name)
        self.run(name, 'ip link set lo up')
        # No duplicate address detection: an address can be used at once.
        self.run(name, 'sysctl -qw net.ipv6.conf.default.accept_dad=0 '
                       'net.ipv6.conf.all.accept_dad=0 net.ipv4.ping_group_range="0 0"',
                 check=False)

    def switch(self, host, name='br0'):
        """A plain Ethernet switch: a kernel bridge."""
        self.run(host, f'ip link add {name} type bridge forward_delay 0 mcast_snooping 0')
        self.run(host, f'ip link set {name} up')

    def cable(self, a, b, address_a='', address_b='', name_a='', name_b=''):
        """A veth pair between two hosts; an address that starts with @ names a switch."""
        self.cables += 1
        name_a, name_b = name_a or f'eth-{b}'[:15], name_b or f'eth-{a}'[:15]
        self.run(a, f'ip link add {name_a} type veth peer name {name_b} '
                    f'netns {self.prefix}{b}')
        for host, name, address in ((a, name_a, address_a), (b, name_b, address_b)):
            if address.startswith('@'):
                self.run(host, f'ip link set {name} master {address[1:]}')
            for one in address.split() if address and not address.startswith('@') else []:
                self.run(host, f'ip address add {one} dev {name}')
            self.run(host, f'ip link set {name} up')

    def run(self, host, command, check=True, seconds=3 * PATIENCE):
        """Runs a command to its end and returns what it printed."""
        done = subprocess.run(self.enter_host(host) + shlex.split(command),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds)
        if check and done.returncode:
            raise Failure(f'{host or "lab"}$ {command}\n{done.stdout}(status {done.returncode})')
        return done.stdout

    def unanswered(self, host, target, count=10, options='-i 0.1'):
        """Which of count echo requests (1, 2 ...) get no answer, to whoever wants all or most.

        `ping -c` waits for the last ones only twice as long as it took the slowest before; with
        -w it asks on until count answers are here, and a number that is missing then was lost.
        """
        said = self.run(host, f'ping -n -c {count} -w {PATIENCE} {options} {target}', check=False)
        if ' packets transmitted' not in said:
            raise Failure(f'ping {target}:\n{said}')
        return missing_answers(said, count)

    def start(self, host, command, env=None):
        process = Process(self, host, command, env)
        self.processes.append(process)
        return process

    def until(self, what, seconds=PATIENCE):
        """Calls what() until it returns something true; returns that."""
        end = time.monotonic() + seconds
        while not (found := what()):
            if time.monotonic() > end:
                raise Failure(f'waited {seconds} s in vain for {what.__doc__ or what.__name__}')
            time.sleep(0.05)
        return found

    def close(self):
        for process in self.processes:
            if process.is_running():
                process.popen.kill()
                process.popen.wait()
        for host in self.hosts:
            self.run(None, f'ip netns delete {self.prefix}{host}', check=False)
        self.hosts, self.processes = [], []
