-- The first shape of the store. Times are milliseconds since 1970 UTC, but for journal.at, which people read.

CREATE TABLE journal (
  seq       BIGINT PRIMARY KEY,
  at        TEXT NOT NULL,
  kind      TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  hash      TEXT NOT NULL
);

-- What an entry says. It stands apart, so that it can be purged while the chain stays whole.
CREATE TABLE body (
  seq  BIGINT PRIMARY KEY REFERENCES journal (seq),
  salt TEXT NOT NULL,
  text TEXT NOT NULL
);

-- How many entries there are and the last one's hash, so that a tail cut off is noticed.
CREATE TABLE head (
  id       BIGINT PRIMARY KEY CHECK (id = 1),
  entries  BIGINT NOT NULL,
  hash     TEXT NOT NULL,
  standing BIGINT NOT NULL
);
INSERT INTO head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0);

CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the journal is only appended to'; END $$;
CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
  FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER body_no_update BEFORE UPDATE ON body FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

-- Breach episodes, by the entry that opened them. ended is the entry that closed it, 0 while it is open.
CREATE TABLE episode (
  entry    BIGINT PRIMARY KEY,
  person   TEXT NOT NULL,
  rule     TEXT NOT NULL,
  site     TEXT NOT NULL,
  first    BIGINT NOT NULL,
  last     BIGINT NOT NULL,
  count    BIGINT NOT NULL,
  evidence TEXT NOT NULL,
  severity TEXT NOT NULL,
  reported BIGINT NOT NULL,
  ended    BIGINT NOT NULL
);
CREATE INDEX episode_last ON episode (last);
CREATE INDEX episode_open ON episode (ended) WHERE ended = 0;

-- What staff decided or were asked, by its entry: grant, restriction, ask, note, review. closed is the entry that ended it, else 0.
CREATE TABLE register (
  entry  BIGINT PRIMARY KEY,
  kind   TEXT NOT NULL,
  person TEXT NOT NULL,
  about  BIGINT NOT NULL,
  starts BIGINT NOT NULL,
  ends   BIGINT NOT NULL,
  closed BIGINT NOT NULL
);
CREATE INDEX register_kind ON register (kind, closed, ends);
CREATE INDEX register_about ON register (about);

-- Minutes of a home's day. map holds one bit for each minute since the day started.
CREATE TABLE minutes (
  day       TEXT NOT NULL,
  person    TEXT NOT NULL,
  word      TEXT NOT NULL,
  counted   BIGINT NOT NULL,
  estimated BIGINT NOT NULL,
  map       BYTEA NOT NULL,
  PRIMARY KEY (day, person, word)
);

-- What may be kept as a total only, and what devices did by themselves.
CREATE TABLE total (
  day   TEXT NOT NULL,
  kind  TEXT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (day, kind)
);
