-- The first shape of the store. Times are milliseconds since 1970 UTC, but for journal.at, which people read.

CREATE TABLE journal (
  seq       INTEGER PRIMARY KEY,
  at        TEXT NOT NULL,
  kind      TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  hash      TEXT NOT NULL
) STRICT;

-- What an entry says. It stands apart, so that it can be purged while the chain stays whole.
CREATE TABLE body (
  seq  INTEGER PRIMARY KEY REFERENCES journal (seq),
  salt TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;

-- How many entries there are and the last one's hash, so that a tail cut off is noticed.
CREATE TABLE head (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  entries  INTEGER NOT NULL,
  hash     TEXT NOT NULL,
  standing INTEGER NOT NULL
) STRICT;
INSERT INTO head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0);

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
CREATE TRIGGER body_no_update BEFORE UPDATE ON body BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;

-- Breach episodes, by the entry that opened them. ended is the entry that closed it, 0 while it is open.
CREATE TABLE episode (
  entry    INTEGER PRIMARY KEY,
  person   TEXT NOT NULL,
  rule     TEXT NOT NULL,
  site     TEXT NOT NULL,
  first    INTEGER NOT NULL,
  last     INTEGER NOT NULL,
  count    INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  severity TEXT NOT NULL,
  reported INTEGER NOT NULL,
  ended    INTEGER NOT NULL
) STRICT;
CREATE INDEX episode_last ON episode (last);
CREATE INDEX episode_open ON episode (ended) WHERE ended = 0;

-- What staff decided or were asked, by its entry: grant, restriction, ask, note, review. closed is the entry that ended it, else 0.
CREATE TABLE register (
  entry  INTEGER PRIMARY KEY,
  kind   TEXT NOT NULL,
  person TEXT NOT NULL,
  about  INTEGER NOT NULL,
  starts INTEGER NOT NULL,
  ends   INTEGER NOT NULL,
  closed INTEGER NOT NULL
) STRICT;
CREATE INDEX register_kind ON register (kind, closed, ends);
CREATE INDEX register_about ON register (about);

-- Minutes of a home's day. map holds one bit for each minute since the day started.
CREATE TABLE minutes (
  day       TEXT NOT NULL,
  person    TEXT NOT NULL,
  word      TEXT NOT NULL,
  counted   INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  map       BLOB NOT NULL,
  PRIMARY KEY (day, person, word)
) STRICT;

-- What may be kept as a total only, and what devices did by themselves.
CREATE TABLE total (
  day   TEXT NOT NULL,
  kind  TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (day, kind)
) STRICT;
