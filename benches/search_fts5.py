"""SQLite's FTS5 with trigrams, on the texts and queries that `cargo bench --bench search` leaves.

    python3 benches/search_fts5.py FOLDER
"""

import os
import sqlite3
import sys
import time
from itertools import groupby
from pathlib import Path

if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
    sys.exit(__doc__)
folder = Path(sys.argv[1])
file = folder / "fts5.db"
file.unlink(missing_ok=True)
db = sqlite3.connect(file)
db.execute("PRAGMA journal_mode = OFF")
db.execute("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'trigram', detail = full, content = '')")

began = time.monotonic()
with open(folder / "texts.txt", encoding="utf-8") as texts:
    count = db.executemany(
        "INSERT INTO texts(rowid, text) VALUES (?, ?)", enumerate((line.rstrip("\n") for line in texts), 1)
    ).rowcount
db.commit()
took = time.monotonic() - began
size, text = os.path.getsize(file), os.path.getsize(folder / "texts.txt")
print(f"indexed in {took:.1f} s: {count / took:.0f} messages/s")
print(f"index {size / 1e6:.0f} MB, {size / text:.2f} of the text (which is not stored in it)")

print(f"\n{'50 newest with':<24} {'p50 ms':>9} {'p99 ms':>9} {'max ms':>9}")
lines = (folder / "queries.txt").read_text(encoding="utf-8").splitlines()
for kind, group in groupby((line.split("\t", 1) for line in lines), lambda pair: pair[0]):
    queries = [query for _, query in group]
    if len(queries[0]) < 3:
        print(f"{kind:<24} {'needs three characters':>29}")
        continue
    times = []
    for is_warm in (False, True):
        for query in queries:
            began = time.monotonic()
            phrase = '"' + query.replace('"', '""') + '"'
            db.execute(
                "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid DESC LIMIT 50", (phrase,)
            ).fetchall()
            if is_warm:
                times.append((time.monotonic() - began) * 1e3)
    times.sort()
    print(f"{kind:<24} {times[len(times) // 2]:>9.2f} {times[int((len(times) - 1) * 0.99)]:>9.2f} {times[-1]:>9.2f}")
