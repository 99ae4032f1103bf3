#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Servers for tests, as Debian has them, without installing them.

    tools/unpacked.py fetch DIR    downloads the packages and unpacks them into DIR

Installed, each would begin to serve this machine at once, or a port of it. fetch needs Debian's
package mirror and is done before the laboratory, which has no way out. A program that is
installed already is used as it is.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

DIR = pathlib.Path(__file__).resolve().parent.parent / 'build' / 'unpacked'
PACKAGES = {'nginx': 'nginx', 'caddy': 'caddy', 'haproxy': 'haproxy', 'apache2': 'apache2-bin',
            'sshd': 'openssh-server', 'avahi-daemon': 'avahi-daemon',
            'avahi-browse': 'avahi-utils',  # which depends on the daemon
            'armagetronad-dedicated.real': 'armagetronad-dedicated'}
ACCOUNTS = ['sshd', 'avahi']


def find_program(name):
    """Where it is installed, or unpacked; None where it is not."""
    path = f'{DIR}/usr/sbin:{DIR}/usr/bin:{DIR}/usr/games:{os.environ["PATH"]}:/usr/sbin:/usr/games'
    return shutil.which(name, path=path)


def root_of(program):
    """What its /etc and /usr/share are in."""
    return pathlib.Path(find_program(program)).parents[2]


def environment():
    """With what unpacked programs find the libraries that were unpacked with them."""
    places = [str(path) for lib in ('lib', 'usr/lib') for path in DIR.glob(f'{lib}/*-linux-*')]
    return {'LD_LIBRARY_PATH': ':'.join(places)}


@contextlib.contextmanager
def accounts(directory):
    """The users that the packages would have made, in this laboratory (its mount namespace)."""
    for name, line in (('passwd', 'x:65534:65534::/nonexistent:/usr/sbin/nologin'),
                       ('group', 'x:65534:')):
        there = pathlib.Path('/etc', name).read_text()
        copy = pathlib.Path(directory, name)
        copy.write_text(there + ''.join(f'{user}:{line}\n' for user in ACCOUNTS
                                        if f'\n{user}:' not in there))
        subprocess.run(['mount', '--bind', copy, f'/etc/{name}'], check=True)
    try:
        yield
    finally:
        subprocess.run(['umount', '/etc/passwd', '/etc/group'], check=True)


def fetch(directory):
    directory = pathlib.Path(directory).resolve()
    missing = [PACKAGES[name] for name in PACKAGES if not find_program(name)]
    if not missing:
        return
    archives = directory / 'archives'
    (archives / 'partial').mkdir(parents=True, exist_ok=True)
    download = ['apt-get', 'install', '-q', '-y', '--download-only', '--no-install-recommends',
                '-o', 'APT::Sandbox::User=root', '-o', 'Debug::NoLocking=1',
                '-o', f'Dir::Cache::archives={archives}', *missing]
    if subprocess.run(download).returncode != 0:  # what is known of the mirror is old, or nothing
        if os.geteuid() == 0:
            subprocess.run(['apt-get', 'update', '-q'], check=True)
        subprocess.run(download, check=True)
    for deb in archives.glob('*.deb'):
        subprocess.run(['dpkg-deb', '-x', deb, directory], check=True)
    shutil.rmtree(archives)


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] != 'fetch':
        sys.exit(__doc__)
    os.umask(0o022)
    fetch(sys.argv[2])
