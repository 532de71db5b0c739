"""Downloads from a server of our own that does what servers do to people: cuts, stalls, lies and refuses."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huanjing.bundle.download import DownloadError, fetch_file

CONTENT = np.random.default_rng(5).bytes(600_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
STALL = 0.3


class Server(ThreadingHTTPServer):
    """``faults`` are used up by one request each: cut, stall, 404, 503, plain (no ranges), other (a wrong range)."""

    daemon_threads = True
    faults: list[str]
    requests: list[tuple[str, str | None]]
    headers: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/folder/weights.h5"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault.isdigit():
            self.send_error(int(fault))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and fault != "plain" else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            begin = start + (1 if fault == "other" else 0)
            self.send_header("Content-Range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        rest = CONTENT[start:]
        if fault in {"cut", "stall"}:
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            if fault == "stall":
                self.server.released.wait(5)  # type: ignore[attr-defined]
            return
        self.wfile.write(rest)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Server(("127.0.0.1", 0), Handler) as here:
        here.faults, here.requests, here.headers = [], [], {}
        here.released = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=here.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield here
        here.released.set()  # type: ignore[attr-defined]
        here.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights" / "weights.h5"


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


@pytest.mark.parametrize("expected", [MD5, SHA256, None])
def test_a_good_file_arrives(server: Server, path: Path, expected: str | None) -> None:
    seen: list[tuple[int, int | None]] = []
    answer = fetch_file(server.url, path, expected=expected, progress=lambda *now: seen.append(now))
    assert answer == path
    assert path.read_bytes() == CONTENT
    assert names(path) == ["weights.h5"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.requests == [("/folder/weights.h5", None)]


def test_a_file_that_is_here_is_not_fetched_again(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    fetch_file(server.url, path, expected=MD5)
    assert server.requests == []


def test_another_file_in_its_place_is_named_and_left_alone(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"precious")
    with pytest.raises(DownloadError, match=rf"weights\.h5: has MD5 \w+, and {MD5} is expected"):
        fetch_file(server.url, path, expected=MD5)
    assert path.read_bytes() == b"precious"


def test_a_wrong_hash_is_refused_and_says_what_to_do(server: Server, path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        fetch_file(server.url, path, expected="0" * 32, about_bytes=600_000_000)
    message = str(caught.value)
    for part in ("weights.h5", server.url, f"MD5 {MD5}", "0" * 32, "about 600 MB", f"save it as {path}"):
        assert part in message
    assert "\n" not in message
    assert names(path) == []


def test_without_a_hash_the_servers_own_is_used(server: Server, path: Path) -> None:
    server.headers["x-goog-hash"] = "crc32c=AAAAAA==,md5=" + base64.b64encode(bytes.fromhex(MD5)).decode()
    assert fetch_file(server.url, path).read_bytes() == CONTENT
    server.headers["x-goog-hash"] = "md5=" + base64.b64encode(bytes(16)).decode()
    with pytest.raises(DownloadError, match="what came has MD5"):
        fetch_file(server.url, path.with_name("again.h5"))


def test_a_cut_connection_is_taken_up_where_it_broke(server: Server, path: Path) -> None:
    server.faults = ["cut", "cut"]
    fetch_file(server.url, path, expected=MD5)
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, "bytes=300000-", "bytes=450000-"]


def test_a_later_command_goes_on_too(server: Server, path: Path) -> None:
    server.faults = ["cut"]
    with pytest.raises(DownloadError, match="ended after 300,000 of 600,000 bytes"):
        fetch_file(server.url, path, expected=MD5, attempts=1)
    assert names(path) == ["weights.h5.part"]
    fetch_file(server.url, path, expected=MD5)
    assert path.read_bytes() == CONTENT
    assert server.requests[1][1] == "bytes=300000-"


def test_without_a_hash_a_broken_download_starts_again(server: Server, path: Path) -> None:
    server.faults = ["cut"]
    fetch_file(server.url, path)
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, None]


@pytest.mark.parametrize("fault", ["plain", "other"])
def test_a_server_that_cannot_go_on_sends_all(server: Server, path: Path, fault: str) -> None:
    server.faults = ["cut", fault]
    if fault == "plain":
        fetch_file(server.url, path, expected=MD5)
        assert path.read_bytes() == CONTENT
    else:
        with pytest.raises(DownloadError):
            fetch_file(server.url, path, expected=MD5, attempts=2)
        assert not path.exists()


def test_a_part_that_is_too_long_is_fetched_anew(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("weights.h5.part").write_bytes(b"?" * 700_000)
    fetch_file(server.url, path, expected=MD5)
    assert path.read_bytes() == CONTENT


def test_a_part_of_another_file_is_found_out(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("weights.h5.part").write_bytes(b"?" * 100)
    with pytest.raises(DownloadError, match="what came has MD5"):
        fetch_file(server.url, path, expected=MD5)
    assert fetch_file(server.url, path, expected=MD5).read_bytes() == CONTENT


def test_404_is_said_at_once(server: Server, path: Path) -> None:
    server.faults = ["404"]
    with pytest.raises(DownloadError, match="answered 404 Not Found"):
        fetch_file(server.url, path, expected=MD5)
    assert len(server.requests) == 1


def test_a_busy_server_is_asked_again(server: Server, path: Path) -> None:
    server.faults = ["503"]
    assert fetch_file(server.url, path, expected=MD5).read_bytes() == CONTENT


def test_a_stalled_server_is_given_up(server: Server, path: Path) -> None:
    server.faults = ["stall"]
    with pytest.raises(DownloadError, match=r"sent nothing for 0\.3 seconds"):
        fetch_file(server.url, path, expected=MD5, timeout=STALL, attempts=1)
    assert path.with_name("weights.h5.part").stat().st_size == 300_000
    fetch_file(server.url, path, expected=MD5, timeout=5)
    assert path.read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_said(server: Server, path: Path) -> None:
    url = server.url.replace(str(server.server_address[1]), "9")
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch_file(url, path, expected=MD5, attempts=2)


def test_a_proxy_of_the_environment_is_used(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/folder/weights.h5"))
    fetch_file("http://weights.invalid/far/weights.h5", path, expected=MD5)
    assert path.read_bytes() == CONTENT
    assert server.requests == [("http://weights.invalid/far/weights.h5", None)]


def test_nothing_else_is_deleted(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("notes.txt").write_text("mine")
    with pytest.raises(DownloadError):
        fetch_file(server.url, path, expected="0" * 64)
    assert names(path) == ["notes.txt"]


def test_local_addresses_and_odd_ones_are_refused(path: Path) -> None:
    for url in ("file:///etc/passwd", "ftp://example.org/weights.h5", "http://"):
        with pytest.raises(DownloadError):
            fetch_file(url, path, attempts=1)


def test_a_place_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch_file(server.url, tmp_path / "file" / "weights.h5", expected=MD5)
