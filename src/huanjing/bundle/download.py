"""Verified downloads: resumed where they broke off, checked against a hash, and put in place at the end.

While a file is fetched it is called ``NAME.part`` beside its final place. Only that file of ours is ever removed.
Proxies are those of the environment (``https_proxy``, ``http_proxy``, ``no_proxy``).
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from huanjing.bundle.store import user_models
from huanjing.errors import BundleError

Progress = Callable[[int, int | None], None]
"""Is told how many bytes are here and how many there will be, None where the server does not say."""

TIMEOUT = 30.0
"""Seconds without a single byte after which a server counts as stalled."""
ATTEMPTS = 4
"""How often a broken download is taken up again before it is given up."""
CHUNK = 2**18


class DownloadError(BundleError):
    """A file could not be fetched or is not the one that was expected; says how to put it in place by hand."""


class _BrokenError(Exception):
    """The transfer ended early; what is here can be kept."""


class _RefusedError(Exception):
    """Trying again would change nothing."""


def weights_folder() -> Path:
    """Where fetched weight files are kept: ``weights`` beside the user's model folder."""
    return user_models().parent / "weights"


def fetch_file(
    url: str,
    path: Path,
    *,
    expected: str | None = None,
    about_bytes: int | None = None,
    progress: Progress = lambda _here, _total: None,
    timeout: float = TIMEOUT,
    attempts: int = ATTEMPTS,
) -> Path:
    """The file at ``path``, fetched from ``url`` unless it is there already.

    :param expected: its MD5 or SHA-256 in hexadecimal. Where it is None, the MD5 that the server states is used, if
        it states one, and a broken download starts again, as nothing would tell two versions of a file apart.
    :param about_bytes: about how large the file is, for the message when it cannot be had.
    :param timeout: seconds without a byte after which the transfer counts as broken.
    :raises DownloadError: where the file cannot be fetched, or has another hash than expected; the message says
        which file and hash, and where to put it by hand.
    """
    if path.is_file():
        if expected is not None and (found := file_digest(path, expected)) != expected:
            raise DownloadError(
                f"{path}: has {_method(expected)} {found}, and {expected} is expected. It is incomplete or another "
                "file; move it away, and give the same command again."
            )
        return path
    part = path.with_name(path.name + ".part")
    if expected is None:
        part.unlink(missing_ok=True)
    stated = None
    reason = ""
    for _ in range(attempts):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stated = _transfer(url, part, timeout, progress, resume=expected is not None)
        except _BrokenError as error:
            reason = str(error)
            continue
        except _RefusedError as error:
            raise DownloadError(_by_hand(url, path, str(error), expected, about_bytes)) from error
        except OSError as error:
            reason = f"{error.filename or part} cannot be written: {error.strerror or error}"
            raise DownloadError(_by_hand(url, path, reason, expected, about_bytes)) from error
        break
    else:
        raise DownloadError(_by_hand(url, path, reason, expected, about_bytes))
    wanted = expected or stated
    if wanted is not None and (found := file_digest(part, wanted)) != wanted:
        part.unlink()
        reason = f"what came has {_method(wanted)} {found}, and {wanted} is expected"
        raise DownloadError(_by_hand(url, path, reason, wanted, about_bytes))
    part.replace(path)
    return path


def file_digest(path: Path, like: str) -> str:
    """The hash of a file by the method of the hash ``like``: 64 digits are SHA-256's, 32 are MD5's."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256" if len(like) == 64 else "md5").hexdigest()


def _transfer(url: str, part: Path, timeout: float, progress: Progress, *, resume: bool) -> str | None:
    """Fetch into ``part``, from its end where it has a beginning; the MD5 that the server states, if any."""
    here = part.stat().st_size if resume and part.is_file() else 0
    with _explained(timeout), _open(url, here, timeout) as response:
        if here and not _continues(response, here):
            here = 0
        length = response.headers.get("Content-Length", "")
        total = here + int(length) if length.isdigit() else None
        with part.open("ab" if here else "wb") as file:
            progress(here, total)
            while chunk := response.read1(CHUNK):
                file.write(chunk)
                here += len(chunk)
                progress(here, total)
    if total is not None and here != total:
        raise _BrokenError(f"the connection ended after {here:,} of {total:,} bytes")
    return _stated_md5(response.headers.get_all("x-goog-hash") or [])


@contextmanager
def _explained(timeout: float) -> Iterator[None]:
    """What can go wrong on the way, as one of two errors: worth another attempt, or not."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        kind = _BrokenError if error.code >= 500 or error.code in {408, 429} else _RefusedError
        raise kind(f"the server answered {error.code} {error.reason}") from error
    except TimeoutError as error:
        raise _BrokenError(f"the server sent nothing for {timeout:g} seconds") from error
    except (http.client.HTTPException, ConnectionError, ssl.SSLError) as error:
        raise _BrokenError(f"the connection broke: {error}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _BrokenError(f"the server did not answer within {timeout:g} seconds") from error
        raise _BrokenError(f"the server cannot be reached: {error.reason}") from error


def _open(url: str, start: int, timeout: float) -> http.client.HTTPResponse:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise _RefusedError("the address must begin with https:// or http://")
    request = urllib.request.Request(url, headers={"User-Agent": "huanjing", "Accept-Encoding": "identity"})  # noqa: S310
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response: http.client.HTTPResponse = urllib.request.build_opener().open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not start:
            raise
        error.close()  # what is here is no beginning of this file: all of it again
        return _open(url, 0, timeout)
    except ValueError as error:
        raise _RefusedError(f"the address cannot be used: {error}") from error
    return response


def _continues(response: http.client.HTTPResponse, start: int) -> bool:
    """Whether the answer goes on at ``start``; a server without ranges sends everything again."""
    answered = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return response.status == 206 and answered is not None and int(answered[1]) == start


def _stated_md5(values: list[str]) -> str | None:
    """The MD5 from ``x-goog-hash: crc32c=…,md5=…`` (base64), in hexadecimal."""
    for value in ",".join(values).split(","):
        name, _, encoded = value.strip().partition("=")
        if name == "md5":
            with suppress(ValueError):
                return base64.b64decode(encoded, validate=True).hex()
    return None


def _method(digest: str) -> str:
    return "SHA-256" if len(digest) == 64 else "MD5"


def _by_hand(url: str, path: Path, reason: str, expected: str | None, about_bytes: int | None) -> str:
    size = f", about {about_bytes / 1e6:,.0f} MB" if about_bytes else ""
    digest = f"{_method(expected)} {expected}" if expected else "no hash is published for it"
    return (
        f"{path.name} was not fetched from {url}: {reason}. To put it in place by hand, get that file another way "
        f"({digest}{size}), save it as {path}, and give the same command again."
    )
