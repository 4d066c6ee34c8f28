"""Starts this repository's authorization server in development mode: test user, test clients, for this computer only.

It is `auth-agent dev` and nothing else. On POSIX the program becomes the server, so signals and exit status are the server's own.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description="An OAuth authorization server for testing: sign in as testuser / testpass.")
    parser.add_argument("--port", type=int, default=9000, help="port to listen on (default: 9000)")
    parser.add_argument("--host", default="localhost", help="localhost, 127.0.0.1 or ::1 (default: localhost)")
    parser.add_argument("--ephemeral", action="store_true", help="keep everything in memory")
    parser.add_argument("--data-file", type=Path, help="where the data is (default: .auth-agent/dev.db in the repository)")
    given = parser.parse_args()
    command = [find_node(), "--conditions=aa-source", "cli/src/main.ts", "dev", f"--port={given.port}", f"--host={given.host}"]
    if given.ephemeral:
        command.append("--ephemeral")
    if given.data_file:
        command.append(f"--data-file={given.data_file.resolve()}")
    os.chdir(ROOT)
    # Where a program cannot become another one, it waits for it.
    return os.execv(command[0], command) if os.name == "posix" else subprocess.call(command)


def find_node() -> str:
    """Node 24 or newer: the one `npm ci` installs, else that of PATH. Without one the program ends and says what to do."""
    packages = ROOT / "node_modules"
    if not packages.is_dir():
        sys.exit(f"The packages of the server are not installed. Run this once:\n\n  cd {ROOT} && npm ci\n")
    for node in (shutil.which("node", path=str(packages / ".bin")), shutil.which("node")):
        if node and major_version(node) >= 24:
            return node
    sys.exit(f"Node.js 24 or newer was not found. On Linux and Windows `cd {ROOT} && npm ci` installs it; else see https://nodejs.org")


def major_version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
