# SPDX-License-Identifier: MIT
"""tools/demo, which builds a laboratory of its own, as a user runs it."""
import os
import pathlib
import signal
import subprocess

import pytest

import netlab
import party as p

DEMO = pathlib.Path(__file__).resolve().parents[2] / 'tools/demo'


@pytest.fixture
def demo():
    """Starts it, in a session of its own as in a terminal; it prints to a pipe."""
    def start():
        env = {name: value for name, value in os.environ.items() if name != netlab.INSIDE}
        started.append(subprocess.Popen([DEMO, '--seconds', '1'], env={**env, 'WEFT': p.WEFT},
                                        stdout=subprocess.PIPE, text=True,
                                        start_new_session=True))
        return started[-1]
    started = []
    yield start
    for process in started:
        process.kill()
        process.wait()


def processes():
    return {int(name) for name in os.listdir('/proc') if name.isdigit()}


def test_it_shows_a_lan(demo):
    """A ping may be lost where the machine has other work; never each time."""
    def ends_well():
        process = demo()
        said = process.communicate(timeout=10 * netlab.PATIENCE)[0]
        for step in ('Leaving', 'no device left behind', 'For real'):
            assert step in said, said
        return process.returncode == 0
    assert any(ends_well() for _ in range(3))


@pytest.mark.parametrize('moment', ['weft relay', 'lease'])
def test_an_interrupted_one_leaves_nothing(demo, moment):
    before = processes()
    process = demo()
    while moment not in (line := process.stdout.readline()):
        assert line, 'it ended early'
    os.killpg(process.pid, signal.SIGINT)
    assert 'nothing is left behind' in process.stdout.read()
    assert process.wait(netlab.PATIENCE) == 130
    assert processes() <= before
