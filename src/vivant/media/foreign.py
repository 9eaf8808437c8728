"""Files that are no picture vivant reads: what they are, and the way out."""

from __future__ import annotations

from pathlib import Path

KNOWN = "JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF, BMP, JPEG 2000"
_CONVERT = "convert it to PNG or JPEG first"
_EXPORT = "export it as PNG, TIFF or JPEG first"
_RAW = "a camera's raw file; develop it to TIFF or JPEG first"
_VIDEO = "a video; save one of its frames as PNG first"
_RAW_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3fr", "arw", "cr2", "cr3", "crw", "dng", "erf", "iiq", "kdc", "mrw"),
        *("nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "srw"),
    )
)
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\x0a", f"JPEG XL; {_CONVERT}"),
    (b"\0\0\0\x0cJXL ", f"JPEG XL; {_CONVERT}"),
    (b"8BPS", f"a Photoshop file; {_EXPORT}"),
    (b"gimp xcf", f"a GIMP file; {_EXPORT}"),
    (b"v/1\x01", f"OpenEXR; {_EXPORT}"),
    (b"#?R", f"a Radiance HDR picture; {_EXPORT}"),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"%PDF", f"a PDF; {_EXPORT}"),
    (b"%!PS", f"PostScript; {_EXPORT}"),
    (b"<svg", f"a drawing (SVG); {_EXPORT}"),
    (b"<?xml", f"a drawing (SVG) or other XML; {_EXPORT}"),
    (b"<!doctype html", "a web page; download the picture itself"),
    (b"<html", "a web page; download the picture itself"),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"PK\x03\x04", f"an archive or a document; {_EXPORT}"),
)


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF does, of either order of bytes, also a large one."""
    with path.open("rb") as stream:
        return stream.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def what_it_is(path: Path) -> str:
    """The kind of a file that is no picture vivant reads and what to do, "" where it is not
    known. Told by content, of raw files (which look like TIFF) by name, too."""
    if path.suffix.lower() in _RAW_SUFFIXES:
        return _RAW
    with path.open("rb") as stream:
        head = stream.read(64)
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "" if head[8:12] in (b"avif", b"avis", b"heic", b"heix", b"mif1") else _VIDEO
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower() if head[:1] in b"\xef <\r\n\t" else head
    return next((kind for magic, kind in _STARTS if start.startswith(magic)), "")
