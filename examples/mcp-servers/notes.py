"""What the server keeps of each person, in SQLite: notes, and what was used in which month.

Every statement names the person whose rows it may touch.
"""

import sqlite3
from pathlib import Path

SCHEMA = """
create table if not exists people (user_id text primary key, created_at integer not null) strict;
create table if not exists notes (user_id text not null, note_id text not null, made_at integer not null, title text not null,
  content text not null, primary key (user_id, note_id)) strict;
create table if not exists usage (user_id text not null, month text not null, requests integer not null, characters integer not null,
  primary key (user_id, month)) strict;
"""


class Notes:
    """Opens the database and makes it when there is none. Times are epoch seconds."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, timeout=5, isolation_level=None)
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def meet(self, user_id: str, now: int) -> int:
        """When this person first came, which may be now."""
        self._db.execute("insert into people values (?, ?) on conflict do nothing", (user_id, now))
        return int(self._db.execute("select created_at from people where user_id = ?", (user_id,)).fetchone()[0])

    def count(self, user_id: str, month: str, characters: int) -> int:
        """Adds a request to a month like 2026-01 and returns how many there are now."""
        row = self._db.execute(
            """insert into usage values (?, ?, 1, ?)
               on conflict do update set requests = requests + 1, characters = characters + excluded.characters returning requests""",
            (user_id, month, characters),
        ).fetchone()
        return int(row[0])

    def used(self, user_id: str, month: str) -> tuple[int, int]:
        """Requests and characters of a month."""
        row = self._db.execute("select requests, characters from usage where user_id = ? and month = ?", (user_id, month)).fetchone()
        return row or (0, 0)

    def add(self, user_id: str, title: str, content: str, now: int) -> str:
        """Keeps a note and returns its id, note_<seconds>. Two within a second take the next free one."""
        row = self._db.execute(
            """insert into notes select ?1, 'note_' || at, at, ?2, ?3
               from (select max(?4, coalesce(max(made_at) + 1, 0)) as at from notes where user_id = ?1) where true returning note_id""",
            (user_id, title, content, now),
        ).fetchone()
        return str(row[0])

    def previews(self, user_id: str) -> list[dict[str, str]]:
        """Id, title and beginning of each note, oldest first."""
        rows = self._db.execute("select note_id, title, substr(content, 1, 100) from notes where user_id = ? order by made_at", (user_id,))
        return [{"note_id": note_id, "title": title, "preview": preview} for note_id, title, preview in rows]

    def content(self, user_id: str, note_id: str) -> str | None:
        """The whole of one note, if it is this person's."""
        row = self._db.execute("select content from notes where user_id = ? and note_id = ?", (user_id, note_id)).fetchone()
        return None if row is None else str(row[0])
