"""The IPTC digital source type as an XMP box in MP4 files.

XMP specification part 3 gives the box; IPTC the vocabulary. A box at the end of the file
moves nothing else, and it is written before signing, so that the signature covers it.
"""

from __future__ import annotations

import struct
from pathlib import Path

XMP_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{source}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def append_xmp(path: Path, source_type: str) -> None:
    """Append the box that states ``source_type`` (an IPTC NewsCodes address) to an MP4."""
    packet = _PACKET.format(source=source_type).encode("utf-8")
    size = 8 + len(XMP_UUID) + len(packet)
    with path.open("ab") as stream:
        stream.write(struct.pack(">I4s", size, b"uuid") + XMP_UUID + packet)
