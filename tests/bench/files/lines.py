# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Lines of the access log of before, written again: FILE, LINES A SECOND, SECONDS.
from __future__ import annotations

import sys
import time
from pathlib import Path

TENTHS = 10


def main(path: Path, rate: int, seconds: int) -> None:
    """Append ``rate`` lines a second, a tenth of them each tenth of a second."""
    lines = path.read_bytes().splitlines(keepends=True)[-rate // TENTHS :]
    begin = time.monotonic()
    with path.open("ab", buffering=0) as log:
        for turn in range(seconds * TENTHS):
            log.write(b"".join(lines))
            time.sleep(max(0.0, begin + (turn + 1) / TENTHS - time.monotonic()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
