"""What tools/models and tools/media share: the list, the cache folder, and
downloads by pip and apt whose every byte is checked against a pinned SHA-256.
"""

import difflib
import fnmatch
import hashlib
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile

BLOCK = 1 << 20
NO_NETWORK = (r"connection|resolution|timed out|no matching dist|unreachable"
              r"|could not resolve|failed to fetch|unable to locate")


class Failure(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def say(text):
    print(text, file=sys.stderr, flush=True)


def cache_folder():
    if os.environ.get("PENSTOCK_CACHE"):
        return pathlib.Path(os.environ["PENSTOCK_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or home_folder() / ".cache"
    return pathlib.Path(base) / "penstock"


def home_folder():
    """As the library looks for it (framework/src/sdk/home.h)."""
    if os.environ.get("HOME"):
        return pathlib.Path(os.environ["HOME"])
    try:
        return pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return pathlib.Path("/")


def read_list(section):
    """The entries of `models` or `media`, by name."""
    path = pathlib.Path(__file__).resolve().parent.parent / "models.json"
    return {entry["name"]: entry for entry in json.loads(path.read_text())[section]}


def find(entries, name, what):
    if name in entries:
        return entries[name]
    near = difflib.get_close_matches(name, entries, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(entries)}"
    raise Failure(2, f"no {what} '{name}'; {hint}")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def check(path, pinned):
    if sha256(path) != pinned:
        raise Failure(65, f"{path}: SHA-256 differs from the pinned one")


def pip_python():
    for python in ("/usr/bin/python3", sys.executable, "python3"):
        command = [python, "-c", "import pip"]
        try:
            if subprocess.run(command, capture_output=True).returncode == 0:
                return python
        except OSError:
            continue
    raise Failure(69, "no python3 with pip; on Debian: sudo apt-get install python3-pip")


def size_of(folder):
    total = 0
    for parent, _, names in os.walk(folder):  # folders that vanish are skipped
        for name in names:
            try:
                total += os.path.getsize(os.path.join(parent, name))
            except OSError:  # pip moved it away
                continue
    return total


def wait_with_progress(process, folder, size):
    on_terminal = sys.stderr.isatty()
    shown = time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        if time.monotonic() - shown < (1 if on_terminal else 5):
            continue
        shown = time.monotonic()
        text = f"  {size_of(folder) // 1000000} of about {size // 1000000} MB"
        print(f"\r{text} " if on_terminal else text, file=sys.stderr,
              end="" if on_terminal else "\n", flush=True)
    if on_terminal:
        print("\r\033[K", file=sys.stderr, end="", flush=True)


def run_download(command, folder, size):
    """Runs it in folder; throws what its log says when it fails."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder,
                                   env=os.environ | {"TMPDIR": str(temporary)})
        try:
            wait_with_progress(process, folder, size)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    shutil.rmtree(temporary, ignore_errors=True)
    if process.returncode != 0:
        raise download_failure(command, (folder / "log").read_text(encoding="utf-8"))


def download_failure(command, log):
    if "DO NOT MATCH THE HASHES" in log:
        return Failure(65, "what was downloaded is not what is pinned (SHA-256 differs)")
    if re.search(NO_NETWORK, log, re.IGNORECASE):
        return Failure(75, "cannot reach the package index; try again with a network")
    tool = "pip" if "pip" in command else command[0]
    return Failure(70, f"{tool} failed: {(log.strip().splitlines() or ['?'])[-1]}")


def pip_download(packages, folder, size, kind="wheel"):
    """Puts wheels (or sdists), checked by pip, into folder."""
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{p['package']}=={p['version']} --hash=sha256:{p['sha256']}\n"
                            for p in packages))
    # Not --no-binary=:all:, which would build what builds the package as well.
    form = ("--only-binary=:all:" if kind == "wheel" else
            "--no-binary=" + ",".join(p["package"] for p in packages))
    run_download([pip_python(), "-m", "pip", "download", "--quiet", "--no-deps",
                  "--no-cache-dir", form, "--require-hashes", "--retries", "2",
                  "--progress-bar", "off", "--disable-pip-version-check",
                  "-r", str(pins), "--dest", str(folder)], folder, size)


def apt_download(packages, folder, size):
    """Puts Debian packages into folder; nothing is installed."""
    if not shutil.which("apt-get"):
        raise Failure(69, "apt-get is not here: this needs a Debian package")
    run_download(["apt-get", "download", "--quiet=2"] +
                 [f"{p['package']}={p['version']}" for p in packages], folder, size)
    for package in packages:
        for path in folder.glob(f"{package['package']}_*.deb"):
            check(path, package["sha256"])


def members(archive, pattern):
    """(name, opener) of the files in an archive of any kind that match."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            for name in fnmatch.filter(opened.namelist(), pattern):
                yield name, lambda n=name: opened.open(n)
        return
    tar = archive
    if archive.suffix == ".deb":
        tar = archive.with_suffix(".tar")
        with open(tar, "wb") as out:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", archive], stdout=out, check=True)
    with tarfile.open(tar) as opened:
        for member in opened:
            name = member.name.removeprefix("./")
            if member.isfile() and fnmatch.fnmatch(name, pattern):
                yield name, lambda m=member: opened.extractfile(m)


def copy_to(opener, out):
    with opener() as part:
        shutil.copyfileobj(part, out, BLOCK)


def main(name, run):
    """Runs a program to its exit code: one line for what goes wrong."""
    try:
        run(sys.argv[1:])
    except Failure as failure:
        say(f"{name}: {failure}")
        return failure.code
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        say(f"{name}: {error}")
        return 70
    return 0
