#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A virtual machine for tests: Debian's cloud kernel and busybox, under QEMU without KVM.

    tools/guest.py fetch DIR    downloads the kernel's package and unpacks it into DIR

fetch needs Debian's package mirror and is done before the laboratory, which has no way out.
Inside it, start(lab, host, netdev, script) boots in about two seconds, loads virtio_net,
runs the shell script as its first process, and ends. What the script prints is kept line by
line, as of every process of a laboratory.
"""
import lzma
import os
import pathlib
import shutil
import subprocess
import sys

DIR = pathlib.Path(__file__).resolve().parent.parent / 'build' / 'guest'
MODULES = ['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev',
           'virtio_pci', 'failover', 'net_failover', 'virtio_net']

INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in {modules}; do insmod /modules/$module.ko; done
ip link set lo up
sh /script
echo "guest: script ended ($?)"
poweroff -f
'''

LEASE = '''#!/bin/sh
case $1 in
bound|renew)
	ip addr flush dev $interface
	ip addr add $ip/$mask dev $interface
	[ -z "$router" ] || ip route replace default via $router
	echo "guest: lease $ip/$mask from $serverid"
	;;
deconfig) ip link set $interface up ;;
esac
'''


def image_package():
    """The package that linux-image-cloud-ARCH stands for."""
    arch = subprocess.run(['dpkg', '--print-architecture'], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    depends = subprocess.run(['apt-cache', 'depends', f'linux-image-cloud-{arch}'],
                             stdout=subprocess.PIPE, text=True).stdout.split()
    found = [word for word in depends if word.startswith('linux-image-')]
    return found[-1] if len(found) > 1 else None


def fetch(directory):
    directory = pathlib.Path(directory)
    if list(directory.glob('boot/vmlinuz-*')):
        return
    directory.mkdir(parents=True, exist_ok=True)
    if not image_package() and os.geteuid() == 0:
        subprocess.run(['apt-get', 'update', '-q'], check=True)
    package = image_package()
    if not package:
        sys.exit('guest: there is no cloud kernel among the known packages')
    subprocess.run(['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', package], cwd=directory, check=True)
    for deb in directory.glob('*.deb'):
        subprocess.run(['dpkg-deb', '-x', deb, directory], check=True)
        deb.unlink()


def find_kernel():
    return next(DIR.glob('boot/vmlinuz-*'), None)


def read_module(name):
    """A module's bytes, or None where the kernel has it built in."""
    path = next(DIR.glob(f'**/{name}.ko*'), None)
    if path and path.suffix == '.xz':
        return lzma.decompress(path.read_bytes())
    return path and path.read_bytes()


def cpio(entries):
    """A newc archive, as the kernel unpacks it: (name, mode, bytes) of each file."""
    out = bytearray()
    for number, (name, mode, data) in enumerate(entries + [('TRAILER!!!', 0, b'')], 1):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b'070701' + b''.join(b'%08x' % field for field in fields)
        out += name.encode() + b'\0'
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs(script):
    directory, program = 0o040755, 0o100755
    modules = {name: data for name in MODULES if (data := read_module(name))}
    entries = [(name, directory, b'') for name in ('bin', 'modules', 'proc', 'sys', 'dev', 'tmp')]
    entries += [('bin/busybox', program, pathlib.Path(shutil.which('busybox')).read_bytes()),
                ('init', program, INIT.format(modules=' '.join(modules)).encode()),
                ('lease', program, LEASE.encode()),
                ('script', program, script.encode())]
    entries += [(f'modules/{name}.ko', 0o100644, data) for name, data in modules.items()]
    return cpio(entries)


def command(lab, netdev, script, mac='52:54:00:00:00:01', memory=192,
            device=''):
    """The command line of a guest that runs the script. device: more options of its NIC."""
    path = pathlib.Path(f'/run/initramfs-{len(lab.processes)}')  # the laboratory's own /run
    path.write_bytes(initramfs(script))
    return (f'qemu-system-x86_64 -machine q35,accel=tcg -cpu max -m {memory} '
            '-nodefaults -no-user-config -display none -serial stdio -no-reboot '
            f'-kernel {find_kernel()} -initrd {path} '
            # On a busy machine the kernel sees too few ticks of its timer, and panics over it.
            '-append "console=ttyS0 quiet panic=-1 no_timer_check" '
            f'-netdev {netdev} -device virtio-net-pci,netdev=net0,mac={mac},romfile='
            + (f',{device}' if device else ''))


def start(lab, host, netdev, script, **options):
    """Boots a guest on a host of the laboratory; returns its netlab.Process."""
    return lab.start(host, command(lab, netdev, script, **options))


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] != 'fetch':
        sys.exit(__doc__)
    os.umask(0o022)
    fetch(sys.argv[2])
