"""Makes a copied recording another one, of another boot: its id, in all that lies there, and the UUID in its trace.

Of several copies each has a number of its own, from 1 on.
"""

import json
import pathlib
import re
import sys

place = pathlib.Path(sys.argv[1])
number = int(sys.argv[2]) if len(sys.argv) > 2 else 1
description = json.loads((place / "recording.json").read_text())
old = int(description["id"], 16)
new = old ^ 0x5A5A5A5B ^ number or 1
description["id"] = f"{new:08x}"
description["boot"] = "another" if number == 1 else f"another {number}"
(place / "recording.json").write_text(json.dumps(description))
for beside in place.glob("*.json*"):
    beside.write_text(beside.read_text().replace(f'"{old:08x}"', f'"{new:08x}"'))
for metadata in place.rglob("metadata"):
    text = metadata.read_bytes()
    uuid = bytes.fromhex(re.search(rb'uuid = "([0-9a-f-]{36})"', text).group(1).decode().replace("-", ""))
    other = bytes([uuid[0] ^ 0xFE ^ number]) + uuid[1:]
    spelt = f"{other.hex()[:8]}-{other.hex()[8:12]}-{other.hex()[12:16]}-{other.hex()[16:20]}-{other.hex()[20:]}"
    old_spelt = f"{uuid.hex()[:8]}-{uuid.hex()[8:12]}-{uuid.hex()[12:16]}-{uuid.hex()[16:20]}-{uuid.hex()[20:]}"
    metadata.write_bytes(text.replace(old_spelt.encode(), spelt.encode()).replace(uuid, other))
    for stream in metadata.parent.iterdir():
        if stream.is_file() and stream.name != "metadata":
            content = stream.read_bytes().replace(uuid, other)
            stream.write_bytes(content.replace(old.to_bytes(4, "little"), new.to_bytes(4, "little")))
