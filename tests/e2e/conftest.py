# SPDX-License-Identifier: MIT
"""End to end: real weft processes in network namespaces; the topology is tools/party.py's.

Run by `./run test e2e`, which enters a laboratory of namespaces first (tools/netlab.py).
"""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tools'))
import netlab  # noqa: E402
import party as party_module  # noqa: E402


def pytest_sessionstart():
    if not os.environ.get(netlab.INSIDE):
        pytest.exit('these tests build networks: start them with tools/test e2e', 4)
    netlab.enter()


@pytest.fixture
def party(tmp_path):
    """An empty party: hosts and cables, nothing of weft running yet."""
    lab = party_module.Party(state=str(tmp_path))
    yield lab
    lab.close()


@pytest.fixture(scope='module')
def running(tmp_path_factory):
    """A whole party that several tests look at and none changes."""
    lab = party_module.Party(state=str(tmp_path_factory.mktemp('state')))
    lab.parts = lab.start_all()
    yield lab
    lab.close()
