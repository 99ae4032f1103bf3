# SPDX-License-Identifier: MIT
"""nginx, Caddy, HAProxy and Apache httpd for tests.

tools/unpacked.py has fetched them. Inside the laboratory, Proxy(lab, host, kind, directory) runs
one with the configuration of packaging/proxies, or with lines of it changed.
"""
import os
import pathlib
import re
import signal
import subprocess

import unpacked

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ['nginx', 'caddy', 'haproxy', 'apache']
FILES = {'nginx': 'nginx.conf', 'caddy': 'Caddyfile', 'haproxy': 'haproxy.cfg',
         'apache': 'apache.conf'}
PROGRAMS = {'nginx': 'nginx', 'caddy': 'caddy', 'haproxy': 'haproxy', 'apache': 'apache2'}
NAME = 'tunnel.example.org'
ADDRESS = '192.0.2.1'
URL = f'https://{NAME}/tunnel/'

# What the distribution's own files say around ours.
AROUND = {
    'nginx': '''
daemon off; master_process {master}; user root; worker_processes 1;
pid {dir}/nginx.pid; error_log stderr warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/f; scgi_temp_path {dir}/s; uwsgi_temp_path {dir}/u;
    {text}
}}''',
    'caddy': '{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}',
    'haproxy': '{text}',
    'apache': '''
ServerRoot {dir}
PidFile {dir}/apache.pid
DefaultRuntimeDir {dir}
User nobody
Group nogroup
Listen 443
ErrorLog /dev/stderr
ServerName localhost
{modules}
{text}''',
}
APACHE_MODULES = ['mpm_event', 'authz_core', 'authz_host', 'dir', 'env', 'setenvif',
                  'headers', 'reqtimeout', 'socache_shmcb', 'ssl', 'http2', 'proxy', 'proxy_http',
                  'filter', 'deflate', 'rewrite', 'alias']
COMMANDS = {
    'nginx': '{program} -e stderr -p {dir} -c {file}',
    'caddy': '{program} run --adapter caddyfile --config {file}',
    'haproxy': '{program} -W -db -f {file}',
    'apache': '{program} -D FOREGROUND -f {file}',
}


def certificates(directory):
    """A CA and the proxy's certificate by it."""
    def openssl(command):
        subprocess.run(['openssl', *command.split()], cwd=directory, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    key = 'ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
    openssl(f'req -x509 -newkey {key} -days 2 -keyout ca.key -out ca.pem -subj /CN=laboratory')
    openssl(f'req -newkey {key} -keyout tunnel.key -out tunnel.csr -subj /CN={NAME}')
    (directory / 'names').write_text(f'subjectAltName=DNS:{NAME}')
    openssl('x509 -req -in tunnel.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 '
            '-extfile names -out tunnel.pem')
    (directory / 'both.pem').write_text((directory / 'tunnel.pem').read_text()
                                        + (directory / 'tunnel.key').read_text())


def apache_modules():
    near = next(unpacked.DIR.glob('usr/lib/apache2/modules'), pathlib.Path('/usr/lib/apache2/modules'))
    return '\n'.join(f'LoadModule {name}_module {near}/mod_{name}.so' for name in APACHE_MODULES)


def name_hosts(lab, directory):
    """The name of the tunnel, for everybody in the laboratory (its own mount namespace)."""
    hosts = pathlib.Path(directory) / 'hosts'
    hosts.write_text(f'127.0.0.1 localhost\n{ADDRESS} {NAME}\n')
    lab.run(None, f'mount --bind {hosts} /etc/hosts')


class Proxy:
    """One that runs on a host, until stop; start begins it anew."""

    def __init__(self, lab, host, kind, directory, changes=()):
        """changes: (pattern, replacement) for the lines of the configuration."""
        self.lab, self.host, self.kind = lab, host, kind
        self.directory = pathlib.Path(directory)
        (self.directory / 'html').mkdir(exist_ok=True)
        (self.directory / 'html/index.html').write_text('a web site\n')
        if not (self.directory / 'ca.pem').exists():
            certificates(self.directory)
        self.file = self.directory / FILES[kind]
        self.file.write_text(self.configuration(changes))
        self.start()

    def configuration(self, changes):
        text = (ROOT / 'packaging/proxies' / FILES[self.kind]).read_text()
        for pattern, replacement in changes:
            text, n = re.subn(pattern, replacement, text, flags=re.M)
            assert n, f'{self.kind}: no line has {pattern}'
        text = text.replace('/etc/ssl/weft', str(self.directory))
        text = text.replace('/var/www/html', f'{self.directory}/html')
        return AROUND[self.kind].format(dir=self.directory, text=text, master='on',
                                        modules=apache_modules())

    def start(self):
        command = COMMANDS[self.kind].format(program=unpacked.find_program(PROGRAMS[self.kind]),
                                             dir=self.directory, file=self.file)
        self.process = self.lab.start(self.host, command, env={
            **unpacked.environment(), 'HOME': str(self.directory),
            'XDG_DATA_HOME': str(self.directory), 'XDG_CONFIG_HOME': str(self.directory)})
        self.lab.until(self.is_listening)

    def is_listening(self):
        """the proxy to listen"""
        assert self.process.is_running(), self.process.output()
        return ':443 ' in self.lab.run(self.host, 'ss -Hltn')

    def stop(self, number=signal.SIGKILL):
        """At once, with all of its connections."""
        for pid in self.workers():
            os.kill(pid, number)
        self.process.stop(number)

    def workers(self):
        """Its children, which outlive it when it is killed."""
        task = f'/proc/{self.process.popen.pid}/task/{self.process.popen.pid}/children'
        return [int(pid) for pid in pathlib.Path(task).read_text().split()]
