# SPDX-License-Identifier: MIT
"""weft run: a program in a room and in no other network, by nobody.

    program --- weft0 (namespaces of its own) --- weft run --- relay --- gateway --- server
                                                                 '--- player2
"""
import os
import pathlib
import shlex
import signal
import stat
import subprocess
import time

import netlab
import party as p
import pytest

UNPRIVILEGED = 'setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all'


@pytest.fixture(autouse=True, scope='module')
def device():
    """A /dev/net/tun that anybody may open, as udev makes it; where there is none, seen here alone."""
    if os.stat('/dev/net/tun').st_mode & 0o006 == 0o006:
        return
    node = '/run/tun'
    os.mknod(node, 0o666 | stat.S_IFCHR, os.stat('/dev/net/tun').st_rdev)
    os.chmod(node, 0o666)
    netlab.Lab().run(None, f'mount --bind {node} /dev/net/tun')


@pytest.fixture
def room(party):
    """A relay, and nobody there yet."""
    party.directory = f'/run/run-{time.monotonic_ns()}'
    pathlib.Path(party.directory).mkdir()
    os.chmod(party.directory, 0o777)
    party.start_relay()
    return party


def line(room, program, options=''):
    """The command, run by nobody, that runs the program in the room."""
    return (f'{UNPRIVILEGED} {p.WEFT} run {options} --state {room.directory}/player '
            f'{shlex.quote(room.invitation)} -- {program}')


def run(room, program, options='', check=True):
    return room.run('player', line(room, program, options), check=check)


def status_of(room, program):
    return room.start('player', line(room, program)).popen.wait(netlab.PATIENCE)


def is_running(marker):
    """Whether anybody here, inside of whatever, has that in its command line."""
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if path.read_bytes().startswith(b'sleep\0' + marker.encode()):
                return True
        except OSError:
            pass
    return False


def test_a_program_sees_the_room_and_nothing_else(room):
    """Its user, its network, its names; outside nothing is seen of it."""
    said = run(room, "sh -c 'id -u; ip -br link; ip -4 route; cat /etc/resolv.conf; "
                     "echo $$; ls /sys >/dev/null; ping -c1 -W1 203.0.113.1 2>&1 || true'")
    lines = said.splitlines()
    assert lines[0] == '65534'
    assert {one.split('@')[0].split()[0] for one in lines[1:3]} == {'lo', 'weft0'}
    assert '255.255.255.255 dev weft0' in said and '224.0.0.0/4 dev weft0' in said
    assert 'default' not in said
    assert 'search party.weft' in said and 'nameserver 100.' in said
    assert 'unreachable' in said
    assert 'weft0' not in room.run('player', 'ip -br link')
    assert 'party.weft' not in pathlib.Path('/etc/resolv.conf').read_text(encoding='utf-8')


def test_members_by_name_and_by_broadcast(room):
    """A real curl by name; what is sent to everybody is heard, and what is answered."""
    room.run('player2', 'ip link set lo up')
    room.start_player('player2').wait_event('address')
    address = room.address('player2')
    room.start('player2', f'/usr/bin/python3 -u -m http.server -b {address} -d /usr/include 8000'
               ).wait_for('Serving HTTP')
    said = run(room, 'curl -sS --max-time 60 http://player2:8000/stdio.h')
    assert said == pathlib.Path('/usr/include/stdio.h').read_text(encoding='utf-8')
    game = ('import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("", 27015)); '
            'print("bound", flush=True)\n'
            'while True: s.sendto(b"a game", s.recvfrom(99)[1])')
    room.start('player2', f"/usr/bin/python3 -c '{game}'").wait_for('bound')
    ask = ('import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(1); '
           's.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n'
           'for attempt in range(60):\n'
           '    s.sendto(b"?", ("255.255.255.255", 27015))\n'
           '    try: print(s.recvfrom(99)); break\n'
           '    except TimeoutError: pass')
    found = run(room, f"/usr/bin/python3 -c '{ask}'")
    assert 'a game' in found and address in found


def test_the_lan_behind_a_gateway(room):
    """By an address of the LAN's DHCP; iperf3, as a program with two connections."""
    room.start_dhcp()
    room.start_gateway().wait_event('state', state='joined')
    room.start('server', f'iperf3 -s -1 -B {p.SERVER} --forceflush').wait_for('Server listening')
    assert 'iperf Done' in run(room, f'iperf3 -c {p.SERVER} -t 1')


def test_the_exit_status_is_the_programs(room):
    assert status_of(room, "sh -c 'exit 7'") == 7
    assert status_of(room, "sh -c 'kill -TERM $$'") == 128 + signal.SIGTERM
    assert status_of(room, '/no/such/program') == 127


@pytest.mark.parametrize('program', ['/no/such/program', 'no-such-program'])
def test_a_program_that_is_not_there_joins_no_room(program):
    """The relay is not there either, and would be asked for ever."""
    where = 'weft://127.0.0.1:9/lan#' + 'A' * 64
    said = subprocess.run([*UNPRIVILEGED.split(), p.WEFT, 'run', where, '--', program],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=netlab.PATIENCE, check=False)
    assert said.returncode == 127
    assert said.stdout == f'weft run: {program}: No such file or directory\n'


def test_signals_reach_the_program(room):
    """And it has the last word about them."""
    trap = 'trap "echo told; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
    process = room.start('player', line(room, f"sh -c {shlex.quote(trap)}"))
    process.wait_for('ready')
    process.popen.send_signal(signal.SIGTERM)
    process.wait_for('told')
    assert process.popen.wait(netlab.PATIENCE) == 3


def test_nothing_is_left_behind(room):
    """What the program has started ends with it, also when weft is killed."""
    marker = f'4242.{time.monotonic_ns() % 1000000}'
    assert 'gone' in run(room, f"sh -c 'sleep {marker} & echo gone'")
    assert not is_running(marker)
    process = room.start('player', line(room, f"sh -c 'sleep {marker} & echo ready; wait'"))
    process.wait_for('ready')
    room.until(lambda: is_running(marker))
    process.popen.kill()
    room.until(lambda: not is_running(marker))


def test_it_says_what_the_system_does_not_allow(room):
    """Each in a place of its own, in which it is not allowed."""
    weft = f'{p.WEFT} run --state /run/refused {shlex.quote(room.invitation)} -- true'
    for prepare, said in (
            ('mount -t tmpfs tmpfs /dev/net', '/dev/net/tun: No such file'),
            ('echo 0 > /proc/sys/user/max_user_namespaces', 'user.max_user_namespaces')):
        place = 'unshare --user --map-root-user --mount sh -c '
        heard = room.run('player', place + shlex.quote(f'{prepare}; {weft}'), check=False)
        assert said in heard, heard
