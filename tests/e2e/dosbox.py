# SPDX-License-Identifier: MIT
"""DOSBox without a screen, in which programs speak IPX."""
import pathlib
import re
import shutil

import pytest

needs_dosbox = pytest.mark.skipif(not shutil.which('dosbox'), reason='dosbox is not installed')


class DosBox:
    """Runs commands in a DOSBox without a screen; what each prints is a file."""

    def __init__(self, lab, name, port, commands, way='connect 127.0.0.1', host=None):
        self.directory = pathlib.Path(lab.directory, name)
        self.directory.mkdir()
        config = self.directory.with_suffix('.conf')
        config.write_text('[sdl]\noutput=surface\n[mixer]\nnosound=true\n[ipx]\nipx=true\n'
                          f'[autoexec]\nmount c {self.directory}\nc:\n'
                          f'ipxnet {way} {port} > connect.txt\n'
                          + '\n'.join(commands) + '\nexit\n')
        self.process = lab.start(
            host, f'dosbox -conf {config} -noconsole',
            env={'SDL_VIDEODRIVER': 'dummy', 'SDL_AUDIODRIVER': 'dummy',
                 'HOME': lab.directory})

    def said(self, name):
        path = self.directory / f'{name}.TXT'
        return path.read_text(errors='replace') if path.exists() else ''


def responses(box, pings):
    return [m for i in range(pings) for m in
            re.findall(r'Response from (\S+), port (\d+)', box.said(f'PING{i}'))]
