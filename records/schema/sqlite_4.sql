-- Up to which entry of the journal somebody has been told by a message. What comes after it is the queue.
CREATE TABLE notice (
  recipient TEXT PRIMARY KEY,
  told      INTEGER NOT NULL
) STRICT;
