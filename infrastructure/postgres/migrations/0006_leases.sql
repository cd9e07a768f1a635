-- Who does what only one process may do at a time. A shard's lease is in projection_runners.

CREATE TABLE IF NOT EXISTS leases (
    name text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    leased_until timestamptz NOT NULL
);
