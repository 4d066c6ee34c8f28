#!/usr/bin/env bash
# Ruff, mypy and pytest of the Python SDK in an environment of its own, with the newest packages of the index. Prints the versions that were run and, last,
# pytest's closing line. PYTHON chooses the interpreter, AUTH_AGENT_PYTHON_ENV keeps the environment between runs, AUTH_AGENT_MCP=1 takes the MCP SDK 1.x.
set -euo pipefail
cd "$(dirname "$0")"

python=${PYTHON:-python3}
folder=${AUTH_AGENT_PYTHON_ENV:-}
if [ -z "$folder" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
major=${AUTH_AGENT_MCP:-2}
case $major in
  1) packages=('mcp>=1.23,<2' 'fastmcp>=3,<4') ;;
  2)
    packages=('mcp>=2' 'fastmcp>=4')
    [ -n "${AUTH_AGENT_NEWEST:-}" ] || packages+=(--constraint constraints.txt)
    ;;
  *) echo "AUTH_AGENT_MCP must be 1 or 2" >&2 && exit 2 ;;
esac

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --editable . "${packages[@]}" fastapi httpx2 mypy pytest ruff uvicorn

"$folder/bin/python" - <<'PYTHON'
import platform
from importlib.metadata import version

names = ("fastapi", "starlette", "httpx", "httpx2", "mcp", "fastmcp", "uvicorn", "pytest", "mypy", "ruff")
print("python", platform.python_version(), *(f"{name} {version(name)}" for name in names), sep="  ")
PYTHON
"$folder/bin/ruff" format --check .
"$folder/bin/ruff" check .
"$folder/bin/mypy"
"$folder/bin/pytest" -q "$@"
