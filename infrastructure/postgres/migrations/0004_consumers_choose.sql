-- A group reads the whole log; which events of it are wanted, each consumer says.
ALTER TABLE consumer_groups DROP COLUMN types;
